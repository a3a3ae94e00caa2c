// The maps beside the player: outcomes over two axes, basins over two starts, orbits over the rate.
import { methodOf } from "../../browser/kernel/store.js";
import { button, el, number, placeTip } from "../../browser/words/format.js";
import { Cobweb } from "./cobweb.js";
import { Deep } from "./deep.js";
import { cellAt, fateOf } from "./fates.js";
import { Head, labelOf } from "./head.js";
import { Heat } from "./heat.js";
import { basinImage, differenceImage, mapImage, visitsImage } from "./inks.js";
import { drawMarks } from "./marks.js";
import { sharesTable } from "./shares.js";
import { WORDS } from "./words.js";

const FREE = ["opt", "speed", "field", "ghost", "t", "paused", "zoom"]; // what no map depends on
const REST = 250; // ms without a change after which a map is computed finely

const free = (panel) => (panel === "basins" ? FREE : [...FREE, "lr"]);

export default class MapPanel {
  #view = null;
  #map = null; // that is shown
  #live = null; // the last one that was not a deep one
  #heats = [];
  #kind = null;
  #rest = 0;
  #known = { head: "", subject: null };

  static firstQuery(_catalog, _page, values) {
    const names = free(values.get("panel"));
    return new URLSearchParams([...values].filter(([name]) => !names.includes(name))).toString();
  }

  constructor(lab) {
    Object.assign(this, { lab, store: lab.store });
    this.head = new Head(lab);
    this.says = el("p", { class: "lab-says" });
    this.hosts = el("div", { class: "lab-heats" });
    this.legend = el("p", { class: "lab-legend" });
    this.tip = el("div", { class: "lab-tip", hidden: true });
    this.deep = new Deep(
      lab,
      () => this.store.query,
      (message) => this.#take(message ?? this.#live),
    );
    lab.root.append(
      el(
        "section",
        { class: "lab-panel", "aria-label": "Maps" },
        el("div", { class: "lab-panelhead" }, this.head.tabs, this.head.picks, this.#tools()),
        this.says,
        this.hosts,
        this.legend,
        this.deep.element,
      ),
      this.tip,
    );
  }

  close() {
    clearTimeout(this.#rest);
    this.deep.close();
    this.#closeParts();
  }

  #closeParts() {
    for (const heat of this.#heats) heat.close();
    this.cobweb?.close();
    this.cobweb = null;
  }

  question({ _coarse }) {
    const names = this.#free();
    return [this.store.queryOf((name) => !names.includes(name)), { coarse: _coarse }];
  }

  // What a run's answer says of the map: which kind it is, of which methods, over what.
  take({ header: { view }, groups }) {
    const known = JSON.stringify({
      ...view,
      lr: null,
      window: this.store.text("view"),
      surface: this.lab.surface.key,
    });
    const isAnother = known !== this.#known.head;
    this.#known.head = known;
    this.#view = view;
    this.groups = groups;
    this.#known.subject ??= this.#subject();
    this.cobweb?.setRun(this.#cobwebRun());
    if (!isAnother) return void this.#paint();
    this.deep.element.hidden = view.panel === "orbits";
    this.head.show(view);
    this.#show();
  }

  takeLarge(map) {
    this.#live = map;
    if (this.deep.element.dataset.state !== "done") this.#take(map);
  }

  #take(map) {
    if (!map) return;
    this.#map = map;
    this.images = null;
    this.#show();
    this.lab.root.dataset.map = Number(this.lab.root.dataset.map ?? 0) + 1;
  }

  theme() {
    this.images = null;
    this.#show();
  }

  time(step) {
    this.cobweb?.setTime(step);
  }

  // The names that the map does not depend on.
  #free() {
    return [...free(this.store.text("panel")), this.#stateName(this.#view?.across)];
  }

  #subject() {
    const names = this.#free();
    return this.store.queryOf((name) => !names.includes(name));
  }

  // While what it depends on changes, the map is a coarse one.
  changed() {
    const subject = this.#subject();
    if (this.#known.subject === null || subject === this.#known.subject) return void this.#paint();
    this.#known.subject = subject;
    this.deep.dropped();
    this.lab.wish({ _coarse: 1 });
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.lab.wish({ _coarse: null }), REST);
  }

  // The name that the state has for one of the axes.
  #stateName(name) {
    if (!name || name === "lr") return name;
    // A run may have a start of its own.
    const own = `${this.#view.focus}.${name}`;
    if (name === "x" || name === "y") return this.store.isSet(own) ? own : name;
    return this.lab.surface.params.some((param) => param.name === name) ? name : own;
  }

  #hyper(name) {
    const { surface } = this.lab;
    if (name === "lr") return this.store.declared("lr");
    const side = { x: 0, y: 1 }[name];
    if (side !== undefined) {
      const [low, high] = surface.domain[side];
      return { name, low, high, scale: "linear", min: null, max: null, default: surface.start[side] };
    }
    return [...this.#method(this.#view.focus).hypers, ...surface.params].find((h) => h.name === name);
  }

  #method = (key) => this.lab.catalog.optimizers.find((one) => one.key === methodOf(key));

  #axes() {
    return this.#map.header.axes.map((axis) => ({
      ...this.#hyper(axis.name),
      ...axis,
      label: this.#view.panel === "orbits" && axis.name === "x" ? "p after 500 steps" : labelOf(axis.name),
    }));
  }

  #tools() {
    const zoom = (factor) => this.#heats[0]?.zoom(factor);
    return el(
      "div",
      { class: "lab-paneltools" },
      button("+", "Zoom into the map", () => zoom(0.5)),
      button("−", "Zoom out of the map", () => zoom(2)),
      button("⤢", "All of the map", () => this.store.set({ view: null })),
    );
  }

  // Maps and runs come in messages of their own: drawn when both speak of the same panel.
  #show() {
    const { header } = this.#map ?? {};
    const view = this.#view;
    if (!header || !view || header.panel !== view.panel || header.surface !== this.lab.surface.key) return;
    if (header.axes.some((axis, i) => axis.name !== view.axes[i])) return;
    if (this.#kind !== header.panel) this.#build(header.panel);
    const { colors } = this.lab;
    const axes = this.#axes();
    this.images ??= this.#images(header, colors);
    const window = this.#window() ?? header.axes.map(({ low, high }) => [low, high]);
    this.images.forEach((image, i) => this.#heats[i].show(axes, window, image, header.window, colors));
    this.#showWords(header);
  }

  #window() {
    const text = this.store.text("view");
    if (!text) return null;
    const [a, b, c, d] = text.split(",").map(Number);
    return [
      [a, b],
      [c, d],
    ];
  }

  #images({ panel, steps }, colors) {
    const { groups } = this.#map;
    if (panel === "map") return [mapImage(groups.kind0, groups.count0, steps)];
    if (panel === "orbits") return [visitsImage(groups.visits, groups.kind0[0], colors)];
    const difference = differenceImage(groups, colors);
    this.share = difference.share;
    return [
      ...[0, 1].map((i) => basinImage(groups[`kind${i}`], groups[`count${i}`], groups[`minimum${i}`], steps)),
      difference.image,
    ];
  }

  #build(panel) {
    this.#kind = panel;
    this.#closeParts();
    this.hosts.className = `lab-heats lab-heats-${panel}`;
    this.titles = [];
    const parts = Array.from({ length: panel === "basins" ? 3 : 1 }, () =>
      el("div", { class: "lab-heatbox" }),
    );
    const boxes = parts.map((part) => {
      const title = el("h4", {});
      this.titles.push(title);
      return el("figure", {}, title, part);
    });
    this.hosts.replaceChildren(...boxes);
    this.#heats = parts.map(
      (part) =>
        new Heat(part, {
          onView: (window) => this.#look(window),
          onPick: (at) => this.#pick(at),
          onHover: (at, event) => this.#hover(at, event),
          draw: (context, heat) => this.#marks(context, heat),
        }),
    );
    this.shares = panel === "basins" ? el("table", { class: "lab-shares" }) : null;
    if (this.shares) this.hosts.append(this.shares);
    if (panel !== "orbits") return;
    const host = el("div", { class: "lab-heatbox" });
    this.hosts.append(el("figure", {}, el("h4", {}, "Cobweb: from each p to the next"), host));
    this.cobweb = new Cobweb(host, this.lab);
    this.cobweb.setRun(this.#cobwebRun());
    this.cobweb.setTime(this.lab.clock.step);
  }

  #cobwebRun() {
    const { focus, update } = this.groups ?? {};
    return (
      focus && {
        path: focus[0],
        update,
        look: this.#view.look,
        domain: this.lab.surface.domain[0],
      }
    );
  }

  #look(window) {
    this.store.set({ view: window.flat().map(String).join(",") });
    for (const heat of this.#heats) {
      heat.window = window;
      heat.paint();
    }
  }

  #paint() {
    for (const heat of this.#heats) heat.paint();
    this.cobweb?.paint();
  }

  #pick(at) {
    const { header } = this.#map;
    const cell = cellAt(header, at.values);
    if (!cell || !this.#view) return;
    const changes = {};
    header.places.forEach((places, i) => {
      if (places.length) changes[this.#stateName(header.axes[i].name)] = places[[cell.column, cell.row][i]];
    });
    if (header.start) changes.x = header.start[0];
    // A deep map's runs are longer than those that are shown.
    else if (header.steps !== this.store.number("steps")) changes.steps = header.steps;
    this.store.set(changes);
    this.lab.clock.present();
  }

  #hover(at, event) {
    const cell = at && this.#map && cellAt(this.#map.header, at.values);
    this.tip.hidden = !cell;
    if (!cell) return;
    const { header } = this.#map;
    const axes = header.axes.map(({ name }, i) => {
      const place = header.places[i][[cell.column, cell.row][i]] ?? at.values[i];
      return [header.panel === "orbits" && i ? "p" : labelOf(name), number(place, 6)];
    });
    const rows = header.racers.map((_, i) => [this.#view.names[i], fateOf(this.#map, i, cell)]);
    this.tip.replaceChildren(
      ...[...axes, ...rows].map(([name, value]) => el("div", {}, el("span", {}, name), ` ${value}`)),
    );
    placeTip(this.tip, this.lab.root, event);
  }

  #marks(context, heat) {
    const { header } = this.#map;
    const now = header.axes.map(({ name }) => this.store.number(this.#stateName(name)));
    drawMarks(context, heat, header, now, this.lab.colors);
  }

  #showWords(header) {
    const names = header.racers.map((_, i) => this.#view.names[i]);
    const { title, says, legend } = WORDS[header.panel]({
      names,
      header,
      share: this.share,
      label: labelOf,
    });
    title.forEach((text, i) => (this.titles[i].textContent = text));
    this.says.textContent = says;
    this.shares?.replaceChildren(...sharesTable(this.#map.groups, this.lab.surface.minima, names));
    this.legend.replaceChildren(
      ...legend.map(([css, text]) => el("span", {}, el("i", { class: `lab-ink ${css}` }), text)),
    );
  }
}
