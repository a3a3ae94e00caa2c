// Numbers as people read them, and small DOM helpers.

export const number = (value, digits = 4) => {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return { inf: "∞", "-inf": "−∞", nan: "not a number" }[value] ?? value;
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size >= 1e5 || size < 1e-3
      ? value
          .toExponential(digits - 1)
          .replace(/\.?0+e/, "e")
          .replace("e+", "e")
      : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
};

// digits: how many, or a function of a value and its place that says so.
export const point = (values, digits = 4) => {
  const texts = values.map((v, i) => number(v, typeof digits === "function" ? digits(v, i) : digits));
  return texts.length === 1 ? texts[0] : `(${texts.join(", ")})`;
};

export const superscript = (value) =>
  String(value).replace(/[-.\d]/g, (c) => ({ "-": "⁻", ".": "·" })[c] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]);

// All text goes in as text, never as HTML.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// What tells a run from the others of its method, where there are several: the name without the method's.
export const apart = (name, method) => (name.startsWith(`${method} `) ? name.slice(method.length + 1) : name);

// Text that is already there is not set again, which would lay out its surroundings anew.
export const say = (node, text) => node.textContent === text || (node.textContent = text);

export const button = (text, label, act, attributes = {}) =>
  el("button", { type: "button", "aria-label": label, title: label, onclick: act, ...attributes }, text);

// A tip beside the pointer, inside the page's own box.
export function placeTip(tip, root, { clientX, clientY }) {
  const box = root.getBoundingClientRect();
  const [w, h] = [tip.offsetWidth, tip.offsetHeight];
  const above = clientY - box.top - h - 14;
  tip.style.left = `${Math.min(Math.max(4, clientX - box.left + 18), box.width - w - 4)}px`;
  tip.style.top = `${above > 0 ? above : clientY - box.top + 20}px`;
}

// An empty canvas as sharp as the screen, to be drawn in the page's own pixels; its style sizes it.
export function sharp(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const TURN = 2 * Math.PI;
const polygon =
  (n, radius, turn = 0) =>
  (context, r) => {
    for (let i = 0; i < n; i++) {
      const size = r * (Array.isArray(radius) ? radius[i % radius.length] : radius);
      const angle = turn - TURN / 4 + (i * TURN) / n;
      context.lineTo(size * Math.cos(angle), size * Math.sin(angle));
    }
    context.closePath();
  };

const SHAPES = {
  circle: (context, r) => context.arc(0, 0, r, 0, TURN),
  square: polygon(4, 1.25, TURN / 8),
  diamond: polygon(4, 1.3),
  up: polygon(3, 1.3),
  down: polygon(3, 1.3, TURN / 2),
  star: polygon(10, [1.45, 0.65]),
  pentagon: polygon(5, 1.15),
  hex: polygon(6, 1.15),
  cross: polygon(12, [1.3, 1.3, 0.5], TURN / 24),
};

export function mark(context, shape, x, y, r) {
  context.save();
  context.translate(x, y);
  context.beginPath();
  SHAPES[shape](context, r);
  context.fill();
  context.stroke();
  context.restore();
}

export function swatch({ color, dash, marker }) {
  const canvas = el("canvas", { class: "lab-swatch", width: 68, height: 32, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 3;
  context.setLineDash(dash.map((d) => 1.5 * d));
  context.beginPath();
  context.moveTo(1, 8);
  context.lineTo(33, 8);
  context.stroke();
  context.setLineDash([]);
  context.lineWidth = 1.5;
  context.strokeStyle = "#fff";
  mark(context, marker, 17, 8, 5);
  return canvas;
}
