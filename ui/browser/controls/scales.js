// From a place 0…1 between two values to a value and back, by the scale that is declared.
// With expm1 and log1p, so that two values that share twelve digits are still apart.
export const SCALES = {
  linear: {
    value: (u, { low, high }) => low + u * (high - low),
    place: (v, { low, high }) => (v - low) / (high - low),
  },
  log: {
    value: (u, { low, high }) => low + low * Math.expm1(u * Math.log1p((high - low) / low)),
    place: (v, { low, high }) => Math.log1p((v - low) / low) / Math.log1p((high - low) / low),
  },
  // For decays: what matters is how far they are from one.
  one_minus: {
    value: (u, { low, high }) => low - (1 - low) * Math.expm1(u * Math.log1p((low - high) / (1 - low))),
    place: (v, { low, high }) => Math.log1p((low - v) / (1 - low)) / Math.log1p((low - high) / (1 - low)),
  },
};

export const tidy = (value, { scale }, digits = 3) =>
  scale === "one_minus"
    ? Number((1 - Number((1 - value).toPrecision(digits))).toPrecision(digits + 3))
    : Number(value.toPrecision(digits));

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i; // as the server reads a link

const allowed = (value, h) =>
  Number.isFinite(value) &&
  (h.min === null || (h.openMin ? value > h.min : value >= h.min)) &&
  (h.max === null || (h.openMax ? value < h.max : value <= h.max));

const GROUPED = /^[+-]?[1-9]\d*(,\d{3,})+$/; // 1,000 is one to some and a thousand to others

// What a person typed: { value }, or { error } if it is no number that the hyperparameter allows.
export function typed(text, hyper, label) {
  const clean = text.trim().replaceAll("−", "-");
  const value = Number(clean.replace(",", "."));
  const isNumber = NUMBER.test(clean.replace(",", ".")) && !GROUPED.test(clean);
  if (isNumber && allowed(value, hyper) && (!hyper.whole || Number.isInteger(value))) return { value };
  const ways = [clean.replaceAll(",", ""), ...(hyper.whole ? [] : [clean.replace(",", ".")])].filter((way) =>
    NUMBER.test(way),
  );
  const hint = GROUPED.test(clean) ? ` Write ${ways.join(" or ")}.` : "";
  return {
    error: `${label} must be a ${hyper.whole ? "whole " : ""}number in ${hyper.domain}, got “${text}”.${hint}`,
  };
}
