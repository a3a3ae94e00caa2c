// The surface, drawn once by Plotly, with what stands on it; other panels draw their layers over it.
import { drawField, drawStationary } from "../../browser/draw/scenery.js";
import { Stage } from "../../browser/draw/stage.js";
import { box } from "../../browser/draw/trail.js";
import { button, el } from "../../browser/words/format.js";
import { contourFigure, curveFigure, heightAt } from "./relief.js";
import { Start } from "./start.js";

const PENALTY = ["l1", "l2", "proximal"];
const SLOW = 60; // ms; a surface that takes longer to draw…
const REST = 150; // ms …waits until the hand has rested so long, and the paths go first
const LOOKED = 120; // ms after a zoom or a pan, when the surface is asked for where it is looked at

// Whether the surface depends on a value. Its parameters are not known before its first answer: they
// are what is no field of a page, no setting of a method and no coordinate.
const isWanted =
  ({ along, pages }, page) =>
  (name) =>
    ["surface", ...PENALTY].includes(name) ||
    !(
      name in pages[page].fields ||
      along.names.includes(name) ||
      name.includes(".") ||
      ["x", "y"].includes(name)
    );

export default class SurfacePanel {
  #relief = null;
  #shown = null;
  #took = 0; // ms that it took to draw
  #framed = null; // the surface whose own frame the view started from
  #timers = { relief: 0, view: 0 };
  #layers = [];
  #own = "";

  static firstQuery(catalog, page, values) {
    const isOfSurface = isWanted(catalog, page);
    return new URLSearchParams([...values].filter(([name]) => isOfSurface(name))).toString();
  }

  constructor(lab) {
    this.lab = lab;
    lab.main = this;
    const host = el("div", { class: "lab-stage lab-main", "aria-label": "Paths on the surface" });
    lab.views.prepend(host);
    this.stage = new Stage(lab.plotly, host, {
      draw: this.#draw,
      margin: { l: 52, r: 12, t: 8, b: 44 },
      // With a finger, a swipe scrolls the page; the buttons zoom.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "pan",
      onView: () => this.#looked(),
    });
    this.start = new Start(this);
    this.#tools();
    this.layer(10, this.#drawScenery);
    this.layer(30, (context, _, stage) => this.start.draw(context, stage));
    this.layer(60, (context, _, stage) => lab.hover.draw(context, stage));
  }

  // draw(above, below, stage), from the lowest level to the highest.
  layer(level, draw) {
    this.#layers.push({ level, draw });
    this.#layers.sort((a, b) => a.level - b.level);
  }

  get isReady() {
    return Boolean(this.lab.message && this.stage.ready);
  }

  // Whether another part of the plane is seen than the surface's own frame.
  get isZoomed() {
    const { domain, dim } = this.lab.surface;
    const { window } = this.stage;
    return dim === 2 && domain.some((side, i) => side.some((end, j) => end !== window[i][j]));
  }

  question({ _window, _exact }) {
    const { catalog, key, store } = this.lab;
    return [store.queryOf(isWanted(catalog, key)), { window: _window, exact: _exact }];
  }

  takeLarge({ header, groups }) {
    this.#relief = { ...header, ...groups };
    this.#soon();
  }

  take() {
    this.#soon();
  }

  frame() {
    this.stage.paintNow();
  }

  paint() {
    this.stage.paint();
  }

  theme() {
    this.#shown = null;
    this.#show();
  }

  // Other changes are painted when their answer comes; these are the browser's own.
  changed() {
    const { store, message } = this.lab;
    this.fieldButton.setAttribute("aria-pressed", Boolean(store.number("field")));
    const own = message && [store.start, store.number("field")].join();
    if (own !== this.#own && this.isReady) this.stage.paint();
    this.#own = own;
  }

  close() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.stage.close();
  }

  // Where a point of the surface is on the screen.
  place(p) {
    const height = this.lab.surface.dim === 2 ? p[1] : heightAt(this.#relief, p[0]);
    return [this.stage.x(p[0]), this.stage.y(height)];
  }

  get hasRelief() {
    return Boolean(this.#relief);
  }

  // At once, unless it is the same surface in another shape and took long to draw the last time.
  #soon() {
    clearTimeout(this.#timers.relief);
    const isAnother = this.#framed !== this.lab.message?.surface.key || !this.stage.ready;
    if (isAnother || this.#took < SLOW) this.#show();
    else if (this.#relief !== this.#shown) this.#timers.relief = setTimeout(() => this.#show(), REST);
  }

  // The surface and the runs come in two answers: it is drawn when both speak of the same one.
  #show() {
    const { colors, message, store, title } = this.lab;
    const relief = this.#relief;
    if (!relief || relief === this.#shown || relief.surface !== message?.surface.key) return;
    const { surface } = message;
    const zoom = this.#framed === null && this.#shown === null && store.text("zoom");
    const keepsWindow = this.#framed === surface.key;
    this.#shown = relief;
    this.#framed = surface.key;
    title.replaceChildren(el("strong", {}, surface.name), ` ${surface.about}`);
    const figure = surface.dim === 1 ? curveFigure : contourFigure;
    const { trace, ranges, titles } = figure(relief, surface, colors);
    const seen = zoom ? pairs(zoom) : ranges;
    // A copy, because Plotly writes into the ranges that it is given.
    const axis = (i) => ({ range: [...seen[i]], title: { text: titles[i], standoff: 3 } });
    this.stage.show([trace], { x: axis(0), y: axis(1), keepsWindow }, colors).then((took) => {
      this.#took = took;
      if (zoom) this.#looked();
    });
  }

  #looked() {
    clearTimeout(this.#timers.view);
    this.#timers.view = setTimeout(() => {
      const { window } = this.stage;
      const { dim } = this.lab.surface;
      this.lab.wish({
        _window: window.slice(0, dim).flat().join(","),
        _exact: window.some(isNarrow) ? 1 : null,
      });
    }, LOOKED);
  }

  #wholeFrame() {
    this.#framed = this.lab.message ? "" : null;
    this.#shown = null;
    this.lab.wish({ _window: null, _exact: null });
    this.#show();
  }

  #draw = (above, below, stage) => {
    if (!this.lab.message) return;
    for (const { draw } of this.#layers) draw(above, below, stage);
  };

  #drawScenery = (above, _, stage) => {
    const { colors, store, surface } = this.lab;
    if (!this.#relief) return;
    above.save();
    box(above, stage.frame);
    if (store.number("field") && this.#relief.arrows.length)
      drawField(above, stage, this.#relief.arrows, colors);
    drawStationary(above, { ...surface, bare: surface.bare ?? [] }, (p) => this.place(p), colors);
    above.restore();
  };

  #tools() {
    const { store, tools } = this.lab;
    this.fieldButton = button(
      "Field",
      "Directions of steepest descent",
      () => store.put("field", store.number("field") ? 0 : 1),
      { "aria-pressed": Boolean(store.number("field")) },
    );
    tools.append(
      this.fieldButton,
      button("+", "Zoom in", () => this.stage.zoom(0.6)),
      button("−", "Zoom out", () => this.stage.zoom(1 / 0.6)),
      button("⤢", "Whole frame", () => this.#wholeFrame()),
    );
  }
}

// Whether a float32, of 24 bits, would be off by more than a pixel of some 4,000 across.
const isNarrow = ([low, high]) => high - low < Math.max(Math.abs(low), Math.abs(high)) / 2 ** 12;

const pairs = (text) => {
  const [a, b, c, d] = text.split(",").map(Number);
  return [
    [a, b],
    [c, d],
  ];
};
