// Four small learning curves of the optimizer that the map is of; a click takes its rate.
import { el, number, sharp } from "../../browser/words/format.js";
import { DIGITS } from "../bands/panel.js";

export default class FourPanel {
  constructor(lab) {
    this.lab = lab;
    this.cards = Array.from({ length: 4 }, () => {
      const canvas = el("canvas", {});
      const text = el("span", {});
      const button = el("button", { type: "button", class: "lab-card" }, text, canvas);
      return { button, canvas, text };
    });
    this.says = el("p", {});
    this.element = el(
      "div",
      { class: "lab-four", role: "group", "aria-label": "Four learning curves" },
      this.says,
      ...this.cards.map(({ button }) => button),
    );
    lab.root.append(this.element);
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.element);
  }

  // While a hand moves they are not sent, and stay as they are.
  take(part) {
    const { focus, four } = part?.header ?? {};
    const curves = part?.groups.four;
    const shown = JSON.stringify([four, focus, curves?.at(-1)?.at(-1)]);
    if (!four || shown === this.shown) return;
    this.shown = shown;
    this.curves = curves;
    this.look = focus;
    this.says.textContent = four.length
      ? `${this.look.name} at four rates, chosen from its limit, on one axis of the loss. Click a curve to run it.`
      : `No four example rates were found for ${this.look.name} from here: no rate settles, or none is too high.`;
    four.forEach(({ label, lr }, i) => {
      const { button, text } = this.cards[i];
      text.replaceChildren(el("b", {}, label), ` η = ${number(lr, 3)}`);
      button.onclick = () => {
        this.lab.store.set({ lr: Number(lr.toPrecision(DIGITS)) });
        this.lab.clock.present();
      };
      button.title = `${this.look.name} at η = ${number(lr, 6)}`;
    });
    this.cards.forEach(({ button }, i) => (button.hidden = i >= four.length));
    this.redraw();
  }

  theme() {
    this.redraw();
  }

  close() {
    this.observer.disconnect();
  }

  // One log axis for all four, from the best of them to a hundred times the start.
  redraw() {
    if (!this.curves?.length) return;
    const values = this.curves.flatMap((curve) => [...curve].filter((v) => v > 0 && Number.isFinite(v)));
    const first = Math.max(...this.curves.map((curve) => curve[0]));
    const top = Math.log10(first > 0 ? 100 * first : 1);
    const bottom = Math.max(top - 14, Math.log10(Math.min(...values, first > 0 ? first / 10 : 0.1)));
    this.cards.forEach(({ canvas }, i) => this.curves[i] && this.#curve(canvas, this.curves[i], bottom, top));
  }

  #curve(canvas, curve, bottom, top) {
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    const context = sharp(canvas, w, h);
    context.strokeStyle = this.look.color;
    context.lineWidth = 2.5;
    context.lineJoin = "round";
    context.beginPath();
    for (let i = 0; i < curve.length; i++) {
      const u = (Math.log10(curve[i]) - bottom) / (top - bottom);
      if (Number.isNaN(u)) break;
      context.lineTo(
        2 + (i / (curve.length - 1)) * (w - 4),
        Math.max(-50, Math.min(h + 50, h - 3 - u * (h - 6))),
      );
    }
    context.stroke();
  }
}
