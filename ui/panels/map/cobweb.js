// p now against p next: the update's curve, the diagonal, and the staircase of a run between them.
import { sharp } from "../../browser/words/format.js";

export class Cobweb {
  #frame = 0;
  #run = null;
  #step = 0;

  constructor(host, lab) {
    Object.assign(this, { host, lab });
    this.canvas = document.createElement("canvas");
    host.append(this.canvas);
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(host);
  }

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  // run: { path, update: [p, next p] or undefined, look, domain }
  setRun(run) {
    this.#run = run ?? null;
    this.paint();
  }

  setTime(step) {
    if (step === this.#step) return;
    this.#step = step;
    this.paint();
  }

  paint() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#run) this.#paint(this.#run);
    });
  }

  #paint({ path, update, look, domain: [low, high] }) {
    const { clientWidth: w, clientHeight: h } = this.host;
    if (!w || !h) return;
    const context = sharp(this.canvas, w, h);
    const { colors } = this.lab;
    const frame = { left: 40, top: 8, right: w - 10, bottom: h - 36 };
    // Beyond this a canvas loses precision; the line leaves the frame all the same.
    const far = (v) => Math.max(-1e6, Math.min(1e6, v));
    const x = (p) => far(frame.left + ((p - low) / (high - low)) * (frame.right - frame.left));
    const y = (p) => far(frame.bottom - ((p - low) / (high - low)) * (frame.bottom - frame.top));
    this.#axes(context, frame, x, y, low, high, colors);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top);
    context.clip();
    line(context, colors.line, 1.5, [
      [x(low), y(low)],
      [x(high), y(high)],
    ]);
    if (update)
      line(
        context,
        colors.text,
        2.5,
        Array.from(update[0], (p, i) => [x(p), y(update[1][i])]),
      );
    context.fillStyle = look.color;
    const stairs = [];
    const last = Math.min(this.#step, path.length - 1);
    for (let i = 0; i < last && Number.isFinite(path[i + 1]); i++) {
      if (update) stairs.push([x(path[i]), y(path[i])], [x(path[i]), y(path[i + 1])]);
      context.beginPath();
      context.arc(x(path[i]), y(path[i + 1]), i === last - 1 ? 5.5 : 2.5, 0, 7);
      context.fill();
    }
    line(context, look.color, 1.5, stairs);
    context.restore();
  }

  #axes(context, { left, top, right, bottom }, x, y, low, high, colors) {
    context.font = `12px ${colors.font}`;
    context.fillStyle = colors.text;
    context.strokeStyle = colors.line;
    context.strokeRect(left, top, right - left, bottom - top);
    const step = (high - low) / 4;
    for (let v = low; v <= high + step / 2; v += step) {
      const text = String(Number(v.toFixed(2)));
      context.textAlign = "center";
      context.textBaseline = "top";
      context.fillText(text, x(v), bottom + 5);
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(text, left - 6, y(v));
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText("p, and up: the next p", (left + right) / 2, bottom + 20);
  }
}

function line(context, color, width, points) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}
