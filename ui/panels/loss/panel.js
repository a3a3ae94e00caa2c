// The loss of each run against the step.
import { Stage } from "../../browser/draw/stage.js";
import { drawNow, Trail } from "../../browser/draw/trail.js";
import { el } from "../../browser/words/format.js";

const DEEPEST = 36; // decades of loss in view
const DECADES = 3; // the loss axis ends at every third power of ten, so a drag seldom shakes it
const LOW = 150; // pixels; as on a phone: too low for names

export default class LossPanel {
  #curves = [];
  #axes = "";

  constructor(lab) {
    this.lab = lab;
    const host = el("div", { class: "lab-stage lab-loss", "aria-label": "Loss against step" });
    lab.plots.append(host);
    this.stage = new Stage(lab.plotly, host, {
      draw: this.#draw,
      margin: { l: 64, r: 12, t: 8, b: 44 },
      scrollZoom: false,
      dragmode: false,
    });
    this.trail = new Trail(this.stage, { ahead: true });
    lab.hover.add(this.stage, () => this.#curves, { isTimed: true });
  }

  take() {
    const { clock, hasMinimum, runs } = this.lab;
    const time = Float64Array.from({ length: clock.steps + 1 }, (_, i) => i);
    this.#curves = runs.map((run) => ({
      run,
      look: run.look,
      xs: time,
      ys: hasMinimum ? run.excess : run.losses,
    }));
  }

  frame() {
    this.stage.paintNow();
  }

  paint() {
    this.stage.paint();
  }

  theme() {
    this.#axes = "";
    this.settle();
  }

  close() {
    this.stage.close();
  }

  settle() {
    const { clock, colors, hasMinimum, message, root } = this.lab;
    if (!message) return;
    const range = hasMinimum ? this.#logRange() : this.#linearRange();
    const isOver = root.classList.contains("lab-hasrate"); // whose plot has the axis title then
    const axes = JSON.stringify([hasMinimum, range, clock.steps, colors.key, isOver]);
    if (axes === this.#axes) return;
    this.#axes = axes;
    // Where it stands below the paths it is too low for more.
    const height = this.stage.host.clientHeight;
    const isLow = height < 240;
    const text = height < 130 ? "loss" : `loss − ${isLow ? "minimum" : "best known minimum"}`;
    const title = { text: hasMinimum ? text : "loss", standoff: 2 };
    const type = hasMinimum ? "log" : "linear";
    this.stage.show(
      [],
      {
        x: { range: [0, clock.steps * 1.02], title: { text: isOver ? "" : "step", standoff: 3 } },
        y: { range, type, title, nticks: isLow ? 4 : 8 },
      },
      colors,
    );
  }

  // From the lowest loss to the highest of a run that did not diverge; the others leave at the top,
  // and what falls below the rounding of the first steps leaves, with an arrow too, at the bottom.
  #logRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const { excess, kind } of this.lab.runs)
      excess.forEach((e, i) => {
        if (!(e > 0) || !Number.isFinite(e)) return;
        low = Math.min(low, e);
        if (kind !== "diverged" || i === 0) high = Math.max(high, e);
      });
    if (!(high > 0)) [low, high] = [1e-3, 1];
    const top = Math.ceil(Math.log10(high) + 0.3);
    const bottom = Math.floor(Math.log10(Math.min(low, high / 10)) / DECADES) * DECADES;
    return [Math.max(bottom, top - DEEPEST), top];
  }

  // Without a minimum there is no log scale: the losses inside the frame.
  #linearRange() {
    const { runs, surface } = this.lab;
    const isInside = (run, i) =>
      surface.domain.every(([a, b], j) => run.path[j][i] >= a && run.path[j][i] <= b);
    let [low, high] = [Infinity, -Infinity];
    for (const run of runs)
      run.losses.forEach((loss, i) => {
        if (isInside(run, i)) [low, high] = [Math.min(low, loss), Math.max(high, loss)];
      });
    if (!(low <= high)) [low, high] = [-1, 1];
    const unit = 10 ** Math.floor(Math.log10(Math.max(high - low, 1e-9)));
    return [(Math.floor(low / unit) - 0.25) * unit, (Math.ceil(high / unit) + 0.25) * unit];
  }

  #draw = (above, below, stage) => {
    const { clock, colors, hover, message } = this.lab;
    if (!message) return;
    drawNow(above, stage, clock.time, colors);
    const heads = this.trail.draw(below, above, this.#curves, clock.time, colors);
    if (stage.frame.height > LOW) this.lab.panel("paths").drawNames(above, stage, heads);
    hover.draw(above, stage);
  };
}
