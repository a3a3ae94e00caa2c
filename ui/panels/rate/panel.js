// The rate of each run, under its loss and on the same axis, with a mark that moves along.
import { Stage } from "../../browser/draw/stage.js";
import { drawNow, Trail } from "../../browser/draw/trail.js";
import { el } from "../../browser/words/format.js";

const LOW = 130; // pixels; too low for more than two numbers
const NICE = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12];

export default class RatePanel {
  #curves = [];
  #axes = "";

  constructor(lab) {
    this.lab = lab;
    this.host = el("div", {
      class: "lab-stage lab-loss",
      "aria-label": "Learning rate against step",
      hidden: true,
    });
    lab.plots.append(this.host);
    this.stage = new Stage(lab.plotly, this.host, {
      draw: this.#draw,
      margin: { l: 64, r: 12, t: 6, b: 40 },
      scrollZoom: false,
      dragmode: false,
    });
    this.trail = new Trail(this.stage, { ahead: true });
    lab.hover.add(this.stage, () => this.#curves, { isTimed: true });
  }

  // Without rates, because none of them changes, there is nothing to show.
  take() {
    const { root, runs } = this.lab;
    this.isShown = runs.some(({ rates }) => rates);
    this.host.hidden = !this.isShown;
    root.classList.toggle("lab-hasrate", this.isShown);
    this.#curves = this.isShown
      ? runs.map((run) => ({
          run,
          look: run.look,
          xs: Float64Array.from(run.rates, (_, i) => i),
          ys: run.rates,
        }))
      : [];
  }

  frame() {
    if (this.isShown) this.stage.paintNow();
  }

  paint() {
    if (this.isShown) this.stage.paint();
  }

  theme() {
    this.#axes = "";
    this.settle();
  }

  // From zero, so that a rate that is cut to a tenth looks like a tenth.
  settle() {
    if (!this.isShown) return;
    const { clock, colors } = this.lab;
    const { steps } = clock;
    const highest = Math.max(
      1e-300,
      ...this.#curves.map(({ ys }) => ys.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, b) : a), 0)),
    );
    const unit = 10 ** Math.floor(Math.log10(highest * 1.04));
    const top = unit * NICE.find((n) => n * unit >= highest * 1.04);
    const isLow = this.host.clientHeight < LOW;
    const axes = JSON.stringify([top, steps, colors.key, isLow]);
    if (axes === this.#axes) return;
    this.#axes = axes;
    const x = { range: [0, steps * 1.02], title: { text: "step", standoff: 3 } };
    const title = { text: isLow ? "η" : "rate η", standoff: 2 };
    this.stage.show([], { x, y: { range: [0, top], title, nticks: isLow ? 2 : 5 } }, colors);
  }

  #draw = (above, below, stage) => {
    const { clock, colors, hover } = this.lab;
    drawNow(above, stage, clock.time, colors);
    this.trail.draw(below, above, this.#curves, clock.time, colors);
    hover.draw(above, stage);
  };

  close() {
    this.stage.close();
  }
}
