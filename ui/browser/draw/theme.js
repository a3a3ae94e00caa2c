// Colours from Streamlit's theme variables, so that light and dark follow by themselves.

const once = (make) => {
  const known = new Map();
  return (key) => known.get(key) ?? known.set(key, make(key)).get(key);
};

// A canvas knows every way to write a color. There is one of it: iOS counts those that are made.
let probe = null;
const channels = (color) => {
  probe ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
};

const luminance = once((color) => {
  const [r, g, b] = channels(color || "#ffffff");
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
});

const lighten = once(
  (color) =>
    `rgb(${channels(color)
      .map((c) => Math.round(c + (255 - c) * 0.45))
      .join()})`,
);

export function readTheme(root) {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(name).trim();
  const [text, back, font] = [read("--st-text-color"), read("--st-background-color"), read("--st-font")];
  const dark = luminance(back) < 0.4;
  return {
    key: [text, back].join(),
    text,
    back,
    dark,
    font: font || "system-ui, sans-serif",
    size: 13,
    grid: dark ? "rgba(255,255,255,.10)" : "rgba(0,0,0,.09)",
    line: dark ? "rgba(255,255,255,.35)" : "rgba(0,0,0,.35)",
    // Pale and of one hue, so that a path of any colour stands out on it.
    scale: dark
      ? [
          [0, "#0b1622"],
          [0.5, "#1d3246"],
          [1, "#39536b"],
        ]
      : [
          [0, "#ffffff"],
          [0.5, "#e4ebf3"],
          [1, "#b9c8d9"],
        ],
    contour: dark ? "rgba(160,190,220,.30)" : "rgba(70,95,125,.30)",
    arrow: dark ? "rgba(200,215,235,.55)" : "rgba(60,80,105,.55)",
    // Small coloured text needs more contrast on dark than a thick line does.
    ink: (color) => (dark ? lighten(color) : color),
  };
}
