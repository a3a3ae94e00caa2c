// Two views of the same runs, the paths on the surface and the loss against the step, and the time
// that moves them both.
import { button, el } from "./format.js";
import { Hand } from "./hand.js";
import { RatePlot } from "./rate_plot.js";
import { inWords, Results } from "./results.js";
import { drawAxis, drawField, drawLabels, drawStationary } from "./scenery.js";
import { Stage } from "./stage.js";
import { LATE } from "./store.js";
import { readTheme } from "./theme.js";
import { box, Trail } from "./trail.js";
import { Tuning } from "./tuning.js";

const SPEEDS = [5, 15, 40, 100, 300, 1000];
const FRAME = 34; // ms, two frames
const LEVELS = 24;
const DEEPEST = 36; // decades of loss in view
const SLOW = 60; // ms; a surface that takes longer to draw…
const REST = 150; // ms …waits until the hand has rested so long, and the paths go first
const DECADES = 3; // the loss axis ends at every third power of ten, so a drag seldom shakes it

export class Player {
  #t = 0;
  #playing = false;
  #last = 0;
  #frame = 0;
  #later = 0;
  #runs = [];
  #steps = 1;
  #answers = 0;
  #relief = null;
  #reliefShown = null;
  #reliefTime = 0; // ms that it took to draw
  #reliefTimer = 0;
  #framed = null; // the surface whose own frame the view started from
  #lossAxes = "";
  #own = "";
  #curves = new Map();

  // onTime is called with the step that is shown, whenever it may be another.
  constructor(root, store, Plotly, onTime = () => {}) {
    this.onTime = onTime;
    this.root = root;
    this.store = store;
    this.looks = new Map(store.catalog.optimizers.map((o) => [o.key, o]));
    this.#build(Plotly);
    this.hand = new Hand(this);
    root.append(this.hand.tip);
    this.theme();
    store.subscribe(() => this.#stateChanged());
  }

  close() {
    this.hand.close();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#later);
    clearTimeout(this.#reliefTimer);
    clearTimeout(this.viewTimer);
    this.main.close();
    this.loss.close();
    this.ratePlot.close();
  }

  get ready() {
    return Boolean(this.header && this.main.ready);
  }

  get surface() {
    return this.store.catalog.surfaces.find((s) => s.key === this.header.surface);
  }

  get shownStep() {
    return Math.min(this.#steps, Math.floor(this.#t));
  }

  get shownTime() {
    return this.#t;
  }

  curves(stage) {
    return stage === this.ratePlot.stage ? this.ratePlot.curves : (this.#curves.get(stage) ?? []);
  }

  setSurface({ header, groups }) {
    this.#relief = { ...header, ...groups };
    this.#reliefSoon();
  }

  // At once, unless it is the same surface in another shape and took long to draw the last time.
  #reliefSoon() {
    clearTimeout(this.#reliefTimer);
    const isAnother = this.#framed !== this.header?.surface || !this.main.ready;
    if (isAnother || this.#reliefTime < SLOW) this.#showRelief();
    else if (this.#relief !== this.#reliefShown)
      this.#reliefTimer = setTimeout(() => this.#showRelief(), REST);
  }

  setRuns({ header, groups }) {
    const first = !this.header;
    const sameSurface = header.surface === this.header?.surface;
    const atEnd = this.#t >= this.#steps;
    this.header = header;
    this.store.learn(header);
    this.root.classList.toggle("lab-late", this.store.isLate);
    this.#readRuns(groups);
    this.scrubber.max = this.#steps;
    if (first || !sameSurface) this.present();
    else if (atEnd) this.#t = this.#steps;
    this.#t = Math.min(this.#t, this.#steps);
    this.#showTime();
    this.#reliefSoon();
    this.#paintNow();
    // Tests and the benchmark read which answer the picture shows.
    this.root.dataset.answer = ++this.#answers;
    // The picture first; what needs a new layout follows when it is on the screen.
    clearTimeout(this.#later);
    this.#later = setTimeout(() => {
      this.#showNotes(header.notes);
      this.results.show(this.#runs, header.base !== null, header.plans);
      this.tuning.show(header.tuning);
      this.#showLossAxes();
    }, FRAME);
  }

  #readRuns({ positions, excess, slopes, rates }) {
    const { dim } = this.surface;
    const base = this.header.base;
    this.#runs = this.header.runs.map((run, i) => {
      const path = positions.slice(i * dim, (i + 1) * dim);
      const losses = excess[i].map((e) => e + (base ?? 0));
      const look = run.look ?? this.looks.get(run.key);
      return { ...run, look, path, losses, excess: excess[i], slopes: slopes[i], rates: rates?.[i] };
    });
    this.ratePlot.setRuns(this.#runs);
    this.#steps = Math.max(1, (excess[0]?.length ?? 2) - 1);
    const time = Float64Array.from({ length: this.#steps + 1 }, (_, i) => i);
    const curve = (xs, ys) => (run) => ({ run, look: run.look, xs: xs(run), ys: ys(run) });
    this.#curves.set(
      this.main,
      this.#runs.map(
        curve(
          (r) => r.path[0],
          (r) => (dim === 2 ? r.path[1] : r.losses),
        ),
      ),
    );
    this.#curves.set(
      this.loss,
      this.#runs.map(
        curve(
          () => time,
          (r) => (base === null ? r.losses : r.excess),
        ),
      ),
    );
  }

  // Where a run blew up and along which axis, drawn over its path.
  showReport(report) {
    this.report = report;
    if (this.ready) this.main.paint();
  }

  theme() {
    const colors = readTheme(this.root);
    if (colors.key === this.colors?.key) return;
    this.colors = colors;
    this.root.classList.toggle("lab-dark", colors.dark);
    this.#reliefShown = null;
    this.#lossAxes = "";
    this.#showRelief();
    this.#showLossAxes();
  }

  // Runs that are new to the person: played from the start, or shown whole where less motion is
  // asked for. Nothing else may begin to play by itself.
  present() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.finish();
    else this.play(0);
  }

  play(from = this.#t >= this.#steps ? 0 : this.#t) {
    this.#t = from;
    this.#playing = true;
    this.#last = 0;
    this.#tick();
    this.#showTime();
  }

  pause() {
    this.#playing = false;
    this.#showTime();
  }

  toggle() {
    if (this.#playing) this.pause();
    else this.play();
  }

  seek(t) {
    this.#t = Math.min(this.#steps, Math.max(0, t));
    this.#showTime();
    this.repaint();
  }

  step(by) {
    this.pause();
    this.seek(by > 0 ? Math.floor(this.#t) + by : Math.ceil(this.#t) + by);
  }

  rewind() {
    this.pause();
    this.seek(0);
  }

  finish() {
    this.pause();
    this.seek(this.#steps);
  }

  repaint() {
    this.main.paint();
    this.loss.paint();
    if (this.ratePlot.shown) this.ratePlot.stage.paint();
  }

  #paintNow() {
    this.main.paintNow();
    this.loss.paintNow();
    if (this.ratePlot.shown) this.ratePlot.stage.paintNow();
  }

  #tick() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame((now) => {
      if (!this.#playing) return;
      const passed = this.#last ? Math.min(0.1, (now - this.#last) / 1000) : 0;
      this.#last = now;
      this.#t = Math.min(this.#steps, this.#t + passed * this.#speed);
      if (this.#t >= this.#steps) this.#playing = false;
      this.#showTime();
      this.#paintNow();
      if (this.#playing) this.#tick();
    });
  }

  get #speed() {
    return this.store.number("speed", this.speedHyper.default);
  }

  #showTime() {
    const shown = this.shownStep;
    this.scrubber.value = this.#t;
    this.scrubber.setAttribute("aria-valuetext", `step ${shown} of ${this.#steps}`);
    this.clock.textContent = `step ${shown} / ${this.#steps}`;
    this.playButton.textContent = this.#playing ? "❚❚" : "▶";
    this.playButton.setAttribute("aria-label", this.#playing ? "Pause" : "Play");
    this.root.dataset.playing = this.#playing;
    this.root.dataset.step = shown;
    this.onTime(shown);
  }

  // The surface and the runs come in two messages: it is drawn when both speak of the same one.
  #showRelief() {
    const relief = this.#relief;
    if (!relief || relief === this.#reliefShown || relief.surface !== this.header?.surface) return;
    this.#reliefShown = relief;
    const { surface } = this;
    const keepsWindow = this.#framed === surface.key;
    this.#framed = surface.key;
    this.title.replaceChildren(el("strong", {}, surface.name), ` ${surface.about}`);
    const draw = surface.dim === 1 ? this.#curveFigure : this.#contourFigure;
    const { trace, ranges, titles } = draw.call(this, relief, surface);
    // A copy, because Plotly writes into the ranges that it is given.
    const axis = (i) => ({ range: [...ranges[i]], title: { text: titles[i], standoff: 3 } });
    const began = performance.now();
    this.main
      .show([trace], { x: axis(0), y: axis(1), keepsWindow }, this.colors)
      .then(() => (this.#reliefTime = performance.now() - began));
  }

  #curveFigure({ heights: [heights], window: [[a, b]] }, { domain: [[low, high]] }) {
    const x = heights.map((_, i) => a + ((b - a) * i) / (heights.length - 1));
    const [bottom, top] = extent(heights.filter((_, i) => x[i] >= low && x[i] <= high));
    const room = 0.06 * (top - bottom);
    return {
      trace: { type: "scatter", mode: "lines", x, y: heights, line: { color: this.colors.line, width: 3 } },
      ranges: [
        [low, high],
        [bottom - room, top + room],
      ],
      titles: ["p", "f(p)"],
    };
  }

  #contourFigure({ heights, window: [wx, wy] }, { domain }) {
    const last = heights.length - 1;
    const [low, high] = extent(heights.flatMap((row) => [...row].filter(Number.isFinite)));
    const size = (high - low) / LEVELS || 1;
    return {
      trace: {
        type: "contour",
        z: heights,
        x0: wx[0],
        dx: (wx[1] - wx[0]) / last,
        y0: wy[0],
        dy: (wy[1] - wy[0]) / last,
        colorscale: this.colors.scale,
        showscale: false,
        zmin: low,
        zmax: high,
        // Given, because Plotly's own choice may leave no level at all after a zoom, and fails then.
        autocontour: false,
        contours: { start: low + size / 2, end: high, size },
        line: { color: this.colors.contour, width: 1 },
      },
      ranges: domain,
      titles: ["x", "y"],
    };
  }

  #showLossAxes() {
    if (!this.header) return;
    this.ratePlot.showAxes(this.#steps, this.colors);
    const log = this.header.base !== null;
    const range = log ? this.#logRange() : this.#linearRange();
    const isOver = this.ratePlot.shown; // which has the axis title then
    const axes = JSON.stringify([log, range, this.#steps, this.colors.key, isOver]);
    if (axes === this.#lossAxes) return;
    this.#lossAxes = axes;
    // On the Learning rate page it stands below the paths, and is too low for more.
    const isLow = this.loss.host.clientHeight < 240;
    const text =
      this.loss.host.clientHeight < 130 ? "loss" : `loss − ${isLow ? "minimum" : "best known minimum"}`;
    const title = { text: log ? text : "loss", standoff: 2 };
    const type = log ? "log" : "linear";
    this.loss.show(
      [],
      {
        x: { range: [0, this.#steps * 1.02], title: { text: isOver ? "" : "step", standoff: 3 } },
        y: { range, type, title, nticks: isLow ? 4 : 8 },
      },
      this.colors,
    );
  }

  // From the lowest loss to the highest of a run that did not diverge; the others leave at the top,
  // and what falls below the rounding of the first steps leaves, with an arrow too, at the bottom.
  #logRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const { excess, kind } of this.#runs)
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
    const { domain } = this.surface;
    const inside = (run, i) => domain.every(([a, b], j) => run.path[j][i] >= a && run.path[j][i] <= b);
    const seen = this.#runs.flatMap((run) => [...run.losses].filter((_, i) => inside(run, i)));
    const [low, high] = seen.length ? extent(seen) : [-1, 1];
    const unit = 10 ** Math.floor(Math.log10(Math.max(high - low, 1e-9)));
    return [(Math.floor(low / unit) - 0.25) * unit, (Math.ceil(high / unit) + 0.25) * unit];
  }

  #drawMain = (above, below, stage) => {
    if (!this.header) return;
    above.save();
    box(above, stage.frame);
    const showsField = this.store.number("field", 0) && this.#relief?.arrows.length;
    if (showsField) drawField(above, stage, this.#relief.arrows, this.colors);
    if (this.report?.at && this.surface.dim === 2) drawAxis(above, stage, this.report, this.colors);
    if (this.#relief) drawStationary(above, this.#points, (p) => this.#place(p), this.colors);
    above.restore();
    const heads = this.mainTrail.draw(below, above, this.curves(stage), this.#t, this.colors);
    this.#drawStart(above, stage);
    this.overlay?.(above, stage, (p) => this.#place(p));
    this.#drawNames(above, stage, heads);
    this.hand.drawHover(above, stage);
  };

  #drawLoss = (above, below, stage) => {
    if (!this.header) return;
    const { frame } = stage;
    const now = stage.x(this.#t);
    above.strokeStyle = this.colors.line;
    above.lineWidth = 1.5;
    above.beginPath();
    above.moveTo(now, frame.top);
    above.lineTo(now, frame.top + frame.height);
    above.stroke();
    const heads = this.lossTrail.draw(below, above, this.curves(stage), this.#t, this.colors);
    // On a phone the loss plot is too low for names.
    if (frame.height > 150) this.#drawNames(above, stage, heads);
    this.hand.drawHover(above, stage);
  };

  #drawNames(context, stage, heads) {
    const text = (head, i) => this.#name(this.#runs[i], head.arrow && stage === this.main);
    const named = heads.flatMap((head, i) => (head ? [{ ...head, text: text(head, i) }] : []));
    drawLabels(context, stage.frame, named, this.colors);
  }

  #name(run, isOutside) {
    const over = this.#t >= this.#steps || (run.step !== null && this.#t >= run.step);
    if (["diverged", "undefined"].includes(run.kind) && over) return `${run.look.name}: ${inWords(run)}`;
    return isOutside ? `${run.look.name}: outside${over ? `, ${inWords(run)}` : ""}` : run.look.name;
  }

  // A penalty moves the minima: they come with the runs, and saddles are not known then.
  get #points() {
    const { penalised } = this.header;
    return penalised ? { ...penalised, saddles: [] } : this.surface;
  }

  #place(p) {
    const height = this.surface.dim === 2 ? p[1] : this.#heightAt(p[0]);
    return [this.main.x(p[0]), this.main.y(height)];
  }

  // The height of a 1-D curve, from the samples that are drawn.
  #heightAt(p) {
    const {
      heights: [heights],
      window: [[a, b]],
    } = this.#relief;
    const place = ((p - a) / (b - a)) * (heights.length - 1);
    const i = Math.min(heights.length - 2, Math.max(0, Math.floor(place)));
    return heights[i] + (place - i) * (heights[i + 1] - heights[i]);
  }

  startPixels() {
    return this.#place(this.hand.drag?.start ?? this.store.start);
  }

  #drawStart(context, stage) {
    if (!this.#relief) return;
    const [x, y] = this.startPixels();
    const { left, top, width, height } = stage.frame;
    if (!(x >= left && x <= left + width && y >= top && y <= top + height)) return;
    context.beginPath();
    context.arc(x, y, this.hand.drag ? 13 : 10, 0, 7);
    context.lineWidth = 5;
    context.strokeStyle = this.colors.back;
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = this.colors.text;
    context.stroke();
  }

  #stateChanged() {
    this.fieldButton.setAttribute("aria-pressed", Boolean(this.store.number("field", 0)));
    this.speedSelect.value = String(this.#speed);
    // Other changes are painted when their answer comes; these two are the browser's own.
    const own = [this.store.start, this.store.number("field", 0)].join();
    if (own !== this.#own && this.ready) this.main.paint();
    this.#own = own;
    // A little later, for the server is only asked after all have heard of the change.
    setTimeout(() => this.root.classList.toggle("lab-late", this.store.isLate), LATE + 50);
  }

  #viewChanged() {
    clearTimeout(this.viewTimer);
    this.viewTimer = setTimeout(() => {
      const { window } = this.main;
      this.store.wish({ window: window.slice(0, this.surface.dim), exact: window.some(isNarrow) });
    }, 120);
  }

  #wholeFrame() {
    this.#framed = null;
    this.#reliefShown = null;
    this.store.wish({ window: null, exact: false });
    this.#showRelief();
  }

  #showNotes(notes) {
    this.notes.hidden = notes.length === 0;
    const more = notes.length > 3 ? ` And ${notes.length - 3} more.` : "";
    this.notes.textContent = notes.slice(0, 3).join(" ") + more;
  }

  #build(Plotly) {
    const mainHost = el("div", { class: "lab-stage lab-main", "aria-label": "Paths on the surface" });
    const lossHost = el("div", { class: "lab-stage lab-loss", "aria-label": "Loss against step" });
    this.title = el("p", { class: "lab-title" });
    this.notes = el("p", { class: "lab-notes", role: "alert", hidden: true });
    this.results = new Results();
    this.ratePlot = new RatePlot(this, Plotly);
    this.tuning = new Tuning(this.store, this.looks);
    this.root.append(
      el(
        "header",
        { class: "lab-brand" },
        el("b", {}, "Descent Lab"),
        el("span", {}, "Which optimizer, and why did it blow up?"),
      ),
      this.notes,
      this.title,
      el(
        "div",
        { class: "lab-stagebox" },
        el(
          "div",
          { class: "lab-views" },
          mainHost,
          el("div", { class: "lab-plots" }, lossHost, this.ratePlot.host),
        ),
        this.#transport(),
      ),
      this.#tools(),
      el("div", { class: "lab-below" }, this.tuning.element, this.results.element),
    );
    this.main = new Stage(Plotly, mainHost, {
      draw: this.#drawMain,
      margin: { l: 52, r: 12, t: 8, b: 44 },
      // With a finger, a swipe scrolls the page; the buttons zoom.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "pan",
      onView: () => this.#viewChanged(),
    });
    this.loss = new Stage(Plotly, lossHost, {
      draw: this.#drawLoss,
      margin: { l: 64, r: 12, t: 8, b: 44 },
      scrollZoom: false,
      dragmode: false,
    });
    this.mainTrail = new Trail(this.main);
    this.lossTrail = new Trail(this.loss, { ahead: true });
    this.#showTime();
  }

  #transport() {
    this.playButton = button("▶", "Play", () => this.toggle(), { class: "lab-play" });
    this.clock = el("output", { class: "lab-clock" });
    this.scrubber = el("input", {
      type: "range",
      min: 0,
      max: 1,
      step: "any",
      value: 0,
      class: "lab-scrub",
      "aria-label": "Step",
      oninput: () => {
        const t = Math.round(this.scrubber.valueAsNumber); // before pausing, which sets it
        this.pause();
        this.seek(t);
      },
    });
    return el(
      "div",
      { class: "lab-transport" },
      this.playButton,
      button("|◀", "Back to the start (Home)", () => this.rewind()),
      button("‹", "One step back (←)", () => this.step(-1)),
      button("›", "One step on (→)", () => this.step(1)),
      this.scrubber,
      this.clock,
    );
  }

  #tools() {
    this.speedHyper = this.store.catalog.race.find((h) => h.name === "speed");
    const now = this.#speed;
    const speeds = [...new Set([...SPEEDS, now])].sort((a, b) => a - b);
    const setSpeed = (event) => {
      const speed = Number(event.target.value);
      this.store.set({ speed: speed === this.speedHyper.default ? null : speed });
    };
    this.speedSelect = el(
      "select",
      { "aria-label": "Speed", title: "Playback speed", onchange: setSpeed },
      ...speeds.map((s) => el("option", { value: s, selected: s === now }, `${s} steps/s`)),
    );
    const field = Boolean(this.store.number("field", 0));
    const toggleField = () => this.store.set({ field: this.store.number("field", 0) ? null : 1 });
    this.fieldButton = button("Field", "Directions of steepest descent", toggleField, {
      "aria-pressed": field,
    });
    return el(
      "div",
      { class: "lab-tools" },
      this.speedSelect,
      this.fieldButton,
      button("+", "Zoom in", () => this.main.zoom(0.6)),
      button("−", "Zoom out", () => this.main.zoom(1 / 0.6)),
      button("⤢", "Whole frame", () => this.#wholeFrame()),
    );
  }
}

// Whether a float32, of 24 bits, would be off by more than a pixel of some 4,000 across.
const isNarrow = ([low, high]) => high - low < Math.max(Math.abs(low), Math.abs(high)) / 2 ** 12;

const extent = (values) => {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return [low, high];
};
