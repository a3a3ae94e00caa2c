// The step under the pointer, in numbers; and a press on a plot over the steps, which seeks.
import { el, number, placeTip, point } from "../words/format.js";

const NEAR = 14; // pixels around a step within which it is the one hovered

export class Hover {
  #found = null; // { stage, run, i }
  #curves = new Map(); // a stage to what gives its curves, { run, xs, ys }

  constructor(lab) {
    this.lab = lab;
    this.tip = el("div", { class: "lab-tip", hidden: true });
    lab.root.append(this.tip);
  }

  // isBusy(): whether the pointer is at something else.
  add(stage, curves, { isBusy = () => false, isTimed = false } = {}) {
    this.#curves.set(stage, curves);
    const on = (type, act) => stage.host.addEventListener(type, act, { signal: this.lab.signal });
    on("pointermove", (event) => {
      if (isBusy() || event.buttons || event.pointerType !== "mouse" || !stage.ready) return;
      const { x, y } = stage.at(event.clientX, event.clientY);
      this.show(this.nearest(stage, x, y), event);
    });
    // A finger leaves with every tap, and its tip is to stay.
    on("pointerleave", (event) => event.pointerType === "mouse" && this.show(null));
    if (!isTimed) return;
    on("pointerdown", (event) => {
      if (event.button > 0 || !stage.ready) return;
      stage.host.setPointerCapture(event.pointerId);
      this.#seek(stage, event);
    });
    on("pointermove", (event) => event.buttons && this.#seek(stage, event));
  }

  nearest(stage, x, y) {
    let best = null;
    let distance = NEAR ** 2;
    const last = this.lab.clock.step;
    const [toX, toY] = [stage.scale("x"), stage.scale("y")];
    for (const { run, xs, ys } of this.#curves.get(stage)())
      for (let i = 0; i <= last; i++) {
        const d = (toX(xs[i]) - x) ** 2 + (toY(ys[i]) - y) ** 2;
        if (d < distance) [best, distance] = [{ stage, run, i }, d];
      }
    return best;
  }

  show(found, event) {
    if (!found && !this.#found) return;
    this.#found = found;
    for (const stage of this.#curves.keys()) stage.paint();
    this.tip.hidden = !found;
    if (!found) return;
    const { run, i } = found;
    const isCurve = run.path.length === 1;
    const rows = [
      ["step", String(i)],
      [
        "position",
        point(
          run.path.map((row) => row[i]),
          (value, j) => this.#digits(value, j),
        ),
      ],
      ["loss", number(run.losses[i], isCurve ? this.#digits(run.losses[i], 1) : 5)],
      ["gradient norm", number(run.slopes[i], 3)],
      ...(run.rates?.[i] === undefined ? [] : [["rate", number(run.rates[i], 4)]]),
    ];
    this.tip.replaceChildren(
      el("strong", { style: { color: this.lab.colors.ink(run.look.color) } }, run.look.name),
      ...rows.map(([name, value]) => el("div", {}, el("span", {}, name), ` ${value}`)),
    );
    placeTip(this.tip, this.lab.root, event);
  }

  // Five, and in a narrow window as many as tell a thousandth of it.
  #digits(value, side) {
    const [low, high] = this.lab.main?.stage.window[side] ?? [0, Math.abs(value)];
    return Math.max(5, digitsFor(value, (high - low) / 1000));
  }

  draw(context, stage) {
    if (this.#found?.stage !== stage) return;
    const { run, i } = this.#found;
    const curve = this.#curves
      .get(stage)()
      .find((one) => one.run === run);
    if (!curve) return;
    context.beginPath();
    context.arc(stage.x(curve.xs[i]), stage.y(curve.ys[i]), 8, 0, 7);
    context.lineWidth = 3;
    context.strokeStyle = this.lab.colors.text;
    context.stroke();
  }

  #seek(stage, event) {
    const { clock } = this.lab;
    clock.pause();
    clock.seek(Math.round(stage.at(event.clientX, event.clientY).data[0]));
  }
}

// How many digits a number has down to a place as small as `unit`.
export const digitsFor = (value, unit) => {
  const digits = Math.ceil(Math.log10(Math.abs(value) / unit)) + 1;
  return Number.isFinite(digits) ? Math.min(17, Math.max(1, digits)) : 1;
};
