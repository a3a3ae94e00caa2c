// The paths of the runs on the surface, with their names at their heads.
import { drawLabels } from "../../browser/draw/scenery.js";
import { Trail } from "../../browser/draw/trail.js";
import { button } from "../../browser/words/format.js";
import { inWords } from "../../browser/words/outcomes.js";

const PALE = 0.35; // of a run as it was before the last change

export default class PathsPanel {
  #curves = [];
  #before = null; // { surface, curves } of the runs before the last gesture
  #heads = [];
  #hasGhosts = null;

  constructor(lab) {
    this.lab = lab;
    const { main, store } = lab;
    store.onGesture(() => {
      this.#before = lab.message && { surface: lab.surface.key, curves: this.#curves };
    });
    if (!main) return;
    this.trail = new Trail(main.stage);
    this.ghost = new Trail(main.stage);
    main.layer(20, (above, below) => this.#draw(above, below));
    main.layer(50, (above, _, stage) => this.drawNames(above, stage, this.#heads));
    lab.hover.add(main.stage, () => this.#curves, { isBusy: () => main.start.isHeld });
    this.ghostButton = button(
      "Before",
      "Draw the runs pale as they were before the last change",
      () => store.put("ghost", store.number("ghost") ? 0 : 1),
      { class: "lab-ghost" },
    );
    lab.tools.append(this.ghostButton);
    this.changed();
  }

  take({ header, groups: { positions, excess, slopes, rates } }) {
    const { clock, message, surface } = this.lab;
    const { dim } = surface;
    const base = surface.base ?? 0;
    this.lab.runs = header.runs.map((run, i) => ({
      ...run,
      path: positions.slice(i * dim, (i + 1) * dim),
      losses: excess[i].map((e) => e + base),
      excess: excess[i],
      slopes: slopes[i],
      rates: rates?.[i],
    }));
    this.#curves = this.lab.runs.map((run) => ({
      run,
      look: run.look,
      xs: run.path[0],
      ys: dim === 2 ? run.path[1] : run.losses,
    }));
    this.lab.hasMinimum = message.surface.base !== null;
    clock.setSteps(Math.max(1, (excess[0]?.length ?? 2) - 1));
  }

  changed() {
    const isOn = Boolean(this.lab.store.number("ghost"));
    if (isOn === this.#hasGhosts) return;
    this.#hasGhosts = isOn;
    this.ghostButton?.setAttribute("aria-pressed", isOn);
    this.lab.main?.paint();
  }

  #draw(above, below) {
    const { clock, colors, surface } = this.lab;
    this.#heads = this.trail.draw(below, above, this.#curves, clock.time, colors);
    if (!this.#hasGhosts || this.#before?.surface !== surface.key) return;
    above.save();
    above.globalAlpha = PALE;
    for (const { look, xs, ys } of this.#before.curves) this.ghost.line(above, { look, xs, ys }, clock.time);
    above.restore();
  }

  // heads: of the runs in their order, where each is; null for what is out of sight.
  drawNames(context, stage, heads) {
    const isMain = stage === this.lab.main?.stage;
    const named = heads.flatMap((head, i) =>
      head ? [{ ...head, text: this.#name(this.lab.runs[i], head.arrow && isMain) }] : [],
    );
    drawLabels(context, stage.frame, named, this.lab.colors);
  }

  #name(run, isOutside) {
    const { clock } = this.lab;
    const isOver = clock.isAtEnd || (run.step !== null && clock.time >= run.step);
    if (["diverged", "undefined"].includes(run.kind) && isOver) return `${run.look.name}: ${inWords(run)}`;
    return isOutside ? `${run.look.name}: outside${isOver ? `, ${inWords(run)}` : ""}` : run.look.name;
  }
}
