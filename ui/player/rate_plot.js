// The rate of each run, under its loss and on the same axis, with a mark that moves along.
import { el } from "./format.js";
import { Stage } from "./stage.js";
import { Trail } from "./trail.js";

const LOW = 130; // pixels; too low for more than two numbers
const NICE = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12];

export class RatePlot {
  #curves = [];
  #axes = "";

  constructor(player, Plotly) {
    this.player = player;
    this.host = el("div", {
      class: "lab-stage lab-loss",
      "aria-label": "Learning rate against step",
      hidden: true,
    });
    this.stage = new Stage(Plotly, this.host, {
      draw: this.#draw,
      margin: { l: 64, r: 12, t: 6, b: 40 },
      scrollZoom: false,
      dragmode: false,
    });
    this.trail = new Trail(this.stage, { ahead: true });
  }

  get curves() {
    return this.#curves;
  }

  // Without rates, because none of them changes, there is nothing to show.
  setRuns(runs) {
    this.shown = runs.some(({ rates }) => rates);
    this.host.hidden = !this.shown;
    this.player.root.classList.toggle("lab-hasrate", this.shown);
    this.#curves = this.shown
      ? runs.map((run) => ({
          run,
          look: run.look,
          xs: Float64Array.from(run.rates, (_, i) => i),
          ys: run.rates,
        }))
      : [];
    if (this.shown) this.stage.paintNow();
  }

  // From zero, so that a rate that is cut to a tenth looks like a tenth.
  showAxes(steps, colors) {
    if (!this.shown) return;
    const highest = Math.max(
      1e-300,
      ...this.#curves.map(({ ys }) => ys.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, b) : a), 0)),
    );
    const unit = 10 ** Math.floor(Math.log10(highest * 1.04));
    const top = unit * NICE.find((n) => n * unit >= highest * 1.04);
    const height = this.host.clientHeight;
    const axes = JSON.stringify([top, steps, colors.key, height < LOW]);
    if (axes === this.#axes) return;
    this.#axes = axes;
    const x = { range: [0, steps * 1.02], title: { text: "step", standoff: 3 } };
    const title = { text: height < LOW ? "η" : "rate η", standoff: 2 };
    this.stage.show([], { x, y: { range: [0, top], title, nticks: height < LOW ? 2 : 5 } }, colors);
  }

  #draw = (above, below, stage) => {
    const { frame } = stage;
    const { shownTime, colors } = this.player;
    const now = stage.x(shownTime);
    above.strokeStyle = colors.line;
    above.lineWidth = 1.5;
    above.beginPath();
    above.moveTo(now, frame.top);
    above.lineTo(now, frame.top + frame.height);
    above.stroke();
    this.trail.draw(below, above, this.#curves, shownTime, colors);
    this.player.hand.drawHover(above, stage);
  };

  close() {
    this.stage.close();
  }
}
