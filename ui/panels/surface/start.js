// The start of all runs: a ring that is dragged, or set where the surface is clicked or tapped.
import { digitsFor } from "../../browser/draw/hover.js";

const GRAB = { mouse: 16, touch: 30, pen: 24 }; // pixels around the start that take hold of it
const CLICK = 6; // pixels that a press may wander and still be a click

export class Start {
  #drag = null; // { id, start } while it is held
  #pressed = null;

  constructor(main) {
    Object.assign(this, { main, lab: main.lab, stage: main.stage });
    const { host } = this.stage;
    const { signal } = this.lab;
    const on = (target, type, act, options = {}) =>
      target.addEventListener(type, act, { signal, ...options });
    on(host, "pointerdown", (event) => this.#press(event), { capture: true });
    // In the capture phase, before Plotly's own layers see them and begin to pan.
    for (const type of ["mousedown", "touchstart"])
      on(host, type, (event) => this.#drag && swallow(event), { capture: true, passive: false });
    // Plotly lays a cover over the page while it pans, so moves are followed on the window.
    on(window, "pointermove", (event) => this.#drag?.id === event.pointerId && this.#move(event));
    on(window, "pointerup", (event) => this.#release(event));
    on(window, "pointercancel", () => this.#end());
    on(host, "pointermove", (event) => {
      if (this.#drag || event.buttons || event.pointerType !== "mouse" || !main.isReady) return;
      host.classList.toggle("lab-grab", this.#holds(event));
    });
  }

  get isHeld() {
    return this.#drag !== null;
  }

  draw(context, { frame: { left, top, width, height } }) {
    if (!this.main.hasRelief) return;
    const [x, y] = this.#pixels();
    if (!(x >= left && x <= left + width && y >= top && y <= top + height)) return;
    const { colors } = this.lab;
    context.beginPath();
    context.arc(x, y, this.#drag ? 13 : 10, 0, 7);
    context.lineWidth = 5;
    context.strokeStyle = colors.back;
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = colors.text;
    context.stroke();
  }

  #pixels = () => this.main.place(this.#drag?.start ?? this.lab.store.start);

  #holds(event) {
    const { x, y } = this.stage.at(event.clientX, event.clientY);
    const [sx, sy] = this.#pixels();
    return Math.hypot(x - sx, y - sy) <= (GRAB[event.pointerType] ?? GRAB.mouse);
  }

  #isInside(event) {
    const { x, y } = this.stage.at(event.clientX, event.clientY);
    const { left, top, width, height } = this.stage.frame;
    return x >= left && x <= left + width && y >= top && y <= top + height;
  }

  #press(event) {
    if (!this.main.isReady || event.button > 0 || !this.#isInside(event)) return;
    this.#pressed = { x: event.clientX, y: event.clientY, id: event.pointerId };
    this.lab.hover.show(null);
    if (!this.#holds(event)) return;
    this.#drag = { id: event.pointerId, start: this.lab.store.start };
    this.lab.root.classList.add("lab-dragging");
  }

  #release(event) {
    const pressed = this.#pressed;
    this.#pressed = null;
    if (this.#drag) return this.#end();
    if (pressed?.id !== event.pointerId) return undefined;
    if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) >= CLICK) return undefined;
    const { x, y } = this.stage.at(event.clientX, event.clientY);
    // There is no hovering with a finger: a tap on a step shows it, any other sets the start.
    const found = event.pointerType === "mouse" ? null : this.lab.hover.nearest(this.stage, x, y);
    return found ? this.lab.hover.show(found, event) : this.#move(event);
  }

  #end() {
    if (!this.#drag) return;
    this.#drag = null;
    this.lab.root.classList.remove("lab-dragging");
    this.stage.paint();
  }

  // To a thousandth of what is in view: finer than a pixel, and short in the link.
  #move(event) {
    const { data } = this.stage.at(event.clientX, event.clientY);
    const start = data.slice(0, this.lab.surface.dim).map((value, i) => {
      const [a, b] = this.stage.window[i];
      const unit = 10 ** Math.floor(Math.log10(Math.abs(b - a) / 1000));
      return Number((Math.round(value / unit) * unit).toPrecision(digitsFor(value, unit)));
    });
    if (this.#drag) this.#drag.start = start;
    this.stage.paint();
    this.lab.store.set(Object.fromEntries(start.map((value, i) => ["xy"[i], value])));
  }
}

const swallow = (event) => {
  event.preventDefault();
  event.stopPropagation();
};
