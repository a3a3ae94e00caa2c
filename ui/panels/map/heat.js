// A picture over two axes that is zoomed and panned without end: drawn on one canvas, with axes of
// its own, because a window of 1e-12 of an axis is beyond what a plotting library labels.

import { SCALES } from "../../browser/controls/scales.js";
import { ticks } from "../../browser/draw/ticks.js";
import { sharp } from "../../browser/words/format.js";

const CLICK = 5; // pixels that a pointer may move and still click
const DEEPEST = 1e-12; // of the axis
const WIDE = { left: 58, right: 10, top: 8, bottom: 40 };
const NARROW = { left: 46, right: 6, top: 6, bottom: 34 };

export class Heat {
  #abort = new AbortController();
  #pointers = new Map();
  #moved = 0;
  #frame = 0;
  #image = null;
  #gap = 0; // fingers' distance

  // axes: two of { name, label, scale, low, high, min, max }; draw paints over the picture.
  constructor(host, { onView, onPick, onHover, draw = () => {} }) {
    Object.assign(this, { host, onView, onPick, onHover, draw });
    this.canvas = document.createElement("canvas");
    this.canvas.className = "lab-heat";
    host.append(this.canvas);
    const on = (type, act, options) =>
      this.canvas.addEventListener(type, act, { signal: this.#abort.signal, ...options });
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#pointers.delete(event.pointerId));
    on("pointerleave", () => this.onHover(null));
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(host);
  }

  close() {
    this.#abort.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  // image: a canvas that covers `of` (a window); it is stretched to where that is now.
  show(axes, window, image, of, colors) {
    this.axes = axes;
    if (!this.#pointers.size) this.window = window;
    this.#image = image && { image, of };
    this.colors = colors;
    this.paint();
  }

  // Asking the browser for a size costs a layout, so it is asked once a picture.
  #measure() {
    const { clientWidth: width, clientHeight: height } = this.host;
    const { left, right, top, bottom } = width < 420 ? NARROW : WIDE;
    this.size = { width, height };
    this.frame = { left, top, width: width - left - right, height: height - top - bottom };
  }

  #span = (i) => ({ low: this.window[i][0], high: this.window[i][1] });
  #share = (i, value) => SCALES[this.axes[i].scale].place(value, this.#span(i));

  x = (value) => this.frame.left + this.#share(0, value) * this.frame.width;
  y = (value) => this.frame.top + (1 - this.#share(1, value)) * this.frame.height;

  // The values under a point of the screen, or null outside the frame.
  at({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const { left, top, width, height } = this.frame;
    const shares = [(clientX - box.left - left) / width, 1 - (clientY - box.top - top) / height];
    if (!this.window || shares.some((u) => !(u >= 0 && u <= 1))) return null;
    return { shares, values: shares.map((u, i) => SCALES[this.axes[i].scale].value(u, this.#span(i))) };
  }

  // Keep the values under `shares` in place and make the window `factor` times as wide.
  zoom(factor, shares = [0.5, 0.5]) {
    if (!this.window) return;
    const next = this.window.map((_, i) =>
      this.#cut(i, shares[i] * (1 - factor), shares[i] * (1 - factor) + factor),
    );
    const { axes } = this;
    if (next.some(([low, high], i) => !(high - low > DEEPEST * (axes[i].high - axes[i].low)))) return;
    this.#look(next);
  }

  #pan(dx, dy) {
    this.#look([this.#cut(0, -dx, 1 - dx), this.#cut(1, dy, 1 + dy)]);
  }

  // Part of an axis, in shares of what is in view, within what the axis allows.
  #cut(i, from, to) {
    const { scale, min, max } = this.axes[i];
    const value = (u) => SCALES[scale].value(u, this.#span(i));
    const [low, high] = [value(from), value(to)];
    const outside = (min !== null && low < min) || (max !== null && high > max) || !(low < high);
    return outside ? this.window[i] : [low, high];
  }

  #look(window) {
    this.window = window;
    this.paint();
    this.onView(window);
  }

  #wheel(event) {
    const at = this.at(event);
    if (!at) return;
    event.preventDefault();
    this.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004), at.shares);
  }

  #down(event) {
    if (event.button > 0 || !this.at(event)) return;
    this.canvas.setPointerCapture(event.pointerId);
    if (!this.#pointers.size) this.#moved = 0;
    this.#pointers.set(event.pointerId, event);
    this.#gap = this.#fingers();
  }

  #fingers() {
    const [a, b] = [...this.#pointers.values()];
    return b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) : 0;
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return void this.onHover(this.at(event), event);
    this.#pointers.set(event.pointerId, event);
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    this.#moved += Math.hypot(dx, dy);
    if (this.#moved < CLICK) return;
    const gap = this.#fingers();
    if (gap && this.#gap) this.zoom(this.#gap / gap, this.at(event)?.shares);
    else this.#pan(dx / this.frame.width, dy / this.frame.height);
    this.#gap = gap;
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId) || this.#moved >= CLICK) return;
    const at = this.at(event);
    if (at) this.onPick(at);
    if (event.pointerType !== "mouse") this.onHover(at, event);
  }

  paint() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint() {
    this.#measure();
    const { width, height } = this.size;
    if (!this.window || !width || !height) return;
    const { canvas, frame, colors } = this;
    const context = sharp(canvas, width, height);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.width, frame.height);
    context.clip();
    context.fillStyle = colors.grid;
    context.fillRect(frame.left, frame.top, frame.width, frame.height);
    if (this.#image) {
      const {
        image,
        of: [[a, b], [c, d]],
      } = this.#image;
      const [x0, x1, y0, y1] = [this.x(a), this.x(b), this.y(d), this.y(c)];
      // Many cells a pixel are averaged, so that a line of one cell is not lost.
      context.imageSmoothingEnabled = Math.abs(y1 - y0) < image.height || x1 - x0 < image.width;
      if ([x0, x1, y0, y1].every(Number.isFinite)) context.drawImage(image, x0, y0, x1 - x0, y1 - y0);
    }
    this.draw(context, this);
    context.restore();
    this.#ticks(context, 0);
    this.#ticks(context, 1);
    canvas.dataset.painted = Number(canvas.dataset.painted ?? 0) + 1;
  }

  #ticks(context, i) {
    const { frame, colors } = this;
    const { left, top, width, height } = frame;
    const { texts, base } = ticks(this.#span(i), this.axes[i].scale, (i ? height : width) / (i ? 44 : 62));
    context.font = `12px ${colors.font}`;
    context.fillStyle = colors.text;
    context.strokeStyle = colors.line;
    context.lineWidth = 1;
    context.textAlign = i ? "right" : "center";
    context.textBaseline = i ? "middle" : "top";
    for (const [value, text] of texts) {
      const [x, y] = i ? [left, this.y(value)] : [this.x(value), top + height];
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(i ? x - 4 : x, i ? y : y + 4);
      context.stroke();
      context.fillText(text, i ? x - 6 : x, i ? y : y + 6);
    }
    context.strokeRect(left, top, width, height);
    const { label } = this.axes[i];
    const title = base === null ? label : `${label} ${base < 0 ? "+" : "−"} ${Math.abs(base)}`;
    context.font = `13px ${colors.font}`;
    if (!i) return context.fillText(title, left + width / 2, top + height + 22);
    context.save();
    context.translate(12, top + height / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText(title, 0, 0);
    return context.restore();
  }
}
