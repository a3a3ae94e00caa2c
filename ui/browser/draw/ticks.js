// The marks of an axis.
import { number, superscript } from "../words/format.js";

// Values to mark and their texts; where they share too many digits, less a base that is said once.
export function ticks({ low, high }, scale, room) {
  const texts = [];
  const width = high - low;
  if (scale === "log" && high / low > 20) {
    const decades = Math.log10(high / low);
    const steps = decades * 3 < room ? [1, 2, 5] : [1];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++)
      for (const s of steps) texts.push(Number(`${s}e${e}`));
  } else if (scale === "one_minus" && (1 - low) / (1 - high) > 20) {
    texts.push(0, 0.5);
    for (let e = 1; 1 - 10 ** -e < high; e++) texts.push(Number((1 - 10 ** -e).toFixed(e)));
  } else {
    const raw = width / Math.max(2, room);
    const unit = 10 ** Math.floor(Math.log10(raw));
    const step = unit * [1, 2, 5, 10].find((s) => s * unit >= raw);
    const size = Math.max(Math.abs(low), Math.abs(high));
    const isDeep = width < 1e-4 * size;
    const digits = Math.max(0, Math.ceil(-Math.log10(width)) + 1);
    const base = isDeep
      ? Number(((low + high) / 2).toPrecision(Math.min(17, Math.ceil(Math.log10(size / width)) + 1)))
      : 0;
    const first = Math.ceil((low - base) / step);
    for (let k = first; k <= Math.floor((high - base) / step); k++)
      texts.push([
        base + k * step,
        isDeep ? number(k * step, 2) : String(Number((k * step).toFixed(Math.min(20, digits)))),
      ]);
    return { texts, base: isDeep ? base : null };
  }
  return { texts: texts.filter((v) => v >= low && v <= high).map((v) => [v, number(v, 4)]), base: null };
}

// Of a log axis between two exponents: powers of ten, [exponent, text].
export function decades([low, high], room) {
  const step = Math.max(1, Math.ceil((high - low) / Math.max(1, room)));
  const texts = [];
  for (let e = Math.ceil(low / step) * step; e <= high; e += step)
    texts.push([e, e ? `10${superscript(e)}` : "1"]);
  return texts;
}
