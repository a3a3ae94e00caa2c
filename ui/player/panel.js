// The maps beside the player: outcomes over two axes, basins over two starts, orbits over the rate.
import { Cobweb } from "./cobweb.js";
import { Deep } from "./deep.js";
import { button, el, number, placeTip, point } from "./format.js";
import { Heat } from "./heat.js";
import {
  ARRIVED,
  basinImage,
  basinShares,
  CYCLE,
  DIVERGED,
  differenceImage,
  mapImage,
  SETTLED,
  UNDEFINED,
  visitsImage,
} from "./inks.js";
import { WORDS } from "./words.js";

const NAMES = { map: "Map", basins: "Basins", orbits: "Orbits" };
const LABELS = { lr: "learning rate η", x: "start x", y: "start y" };
const REST = 250; // ms without a change after which a map is computed finely

export class Panel {
  #view = null;
  #map = null;
  #heats = [];
  #kind = null;
  #rest = 0;
  #known = { head: "", subject: "" };

  constructor(root, store, player) {
    Object.assign(this, { root, store, player });
    this.looks = new Map(store.catalog.optimizers.map((o) => [o.key, o]));
    this.usualSteps = store.catalog.race.find((h) => h.name === "steps").default;
    this.tabs = el("div", { class: "lab-tabs", role: "tablist" });
    this.picks = el("div", { class: "lab-picks" });
    this.says = el("p", { class: "lab-says" });
    this.hosts = el("div", { class: "lab-heats" });
    this.legend = el("p", { class: "lab-legend" });
    this.tip = el("div", { class: "lab-tip", hidden: true });
    this.deep = new Deep(store);
    this.element = el(
      "section",
      { class: "lab-panel", "aria-label": "Maps" },
      el("div", { class: "lab-panelhead" }, this.tabs, this.picks, this.#tools()),
      this.says,
      this.hosts,
      this.legend,
      this.deep.element,
    );
    root.append(this.element, this.tip);
    store.subscribe(() => this.#changed());
    this.#known.subject = this.#subject();
  }

  close() {
    clearTimeout(this.#rest);
    this.deep.close();
    for (const heat of this.#heats) heat.close();
  }

  // What the runs' message says of the panel: which one it is, of which optimizers, over what.
  setView(view, groups) {
    const { surface } = this.store;
    const known = (v) =>
      JSON.stringify({ ...v, lr: null, window: this.store.text("view"), surface: surface.key });
    const changed = !this.#view || known(view) !== this.#known.head;
    this.#known.head = known(view);
    this.#view = view;
    this.groups = groups;
    this.cobweb?.setRun(this.#cobwebRun());
    if (!changed) return void this.#paint();
    this.#showHead();
    this.#show();
  }

  setMap(map) {
    this.#map = map;
    this.images = null;
    this.#show();
    this.root.dataset.map = Number(this.root.dataset.map ?? 0) + 1;
  }

  theme() {
    this.images = null;
    this.#show();
  }

  time(step) {
    this.cobweb?.setTime(step);
  }

  // The state without what the map does not depend on: while it changes, the map is a coarse one.
  #subject() {
    const own = ["opt", "speed", "field", this.#stateName(this.#view?.across)];
    return this.store.without(this.#view?.panel === "basins" ? own : [...own, "lr"]);
  }

  #changed() {
    const subject = this.#subject();
    if (subject === this.#known.subject) return void this.#paint();
    this.#known.subject = subject;
    this.store.wish({ fine: false });
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.store.wish({ fine: true }), REST);
  }

  // The name that the state has for one of the axes.
  #stateName(name) {
    if (!name || name === "lr" || name === "x" || name === "y") return name;
    const isParam = this.store.surface.params.some((p) => p.name === name);
    return isParam ? name : `${this.#view.focus}.${name}`;
  }

  #hyper(name) {
    const { surface } = this.store;
    if (name === "lr") return surface.rate;
    const side = { x: 0, y: 1 }[name];
    if (side !== undefined) {
      const [low, high] = surface.domain[side];
      return { name, low, high, scale: "linear", min: null, max: null, default: surface.start[side] };
    }
    return [...this.looks.get(this.#view.focus).hypers, ...surface.params].find((h) => h.name === name);
  }

  #axes() {
    return this.#map.header.axes.map((axis) => ({
      ...this.#hyper(axis.name),
      ...axis,
      label:
        this.#view.panel === "orbits" && axis.name === "x" ? "p after 500 steps" : this.#label(axis.name),
    }));
  }

  #label = (name) => LABELS[name] ?? name.replaceAll("_", " ");

  #showHead() {
    const { panel, focus, versus, across } = this.#view;
    this.deep.element.hidden = panel === "orbits";
    const { surface, catalog } = this.store;
    this.tabs.replaceChildren(
      ...surface.panels.map((key, i) =>
        el(
          "button",
          {
            type: "button",
            role: "tab",
            "data-panel": key,
            "aria-selected": String(key === panel),
            onclick: () => this.store.set({ panel: i ? key : null, view: null }),
          },
          NAMES[key],
        ),
      ),
    );
    const optimizers = catalog.optimizers.map((o) => [o.key, o.name]);
    const of = select("Optimizer of the map", optimizers, focus, (key) =>
      this.store.set({ of: key, across: null, view: null, versus: key === versus ? focus : versus }),
    );
    const picks = [of];
    if (panel === "map") {
      const own = this.looks.get(focus).hypers.filter((h) => h.name !== "lr" && h.scale !== "switch");
      const names = [...own, ...surface.params].map((h) => h.name).concat(["x", "y"].slice(0, surface.dim));
      picks.push(
        "lr ×",
        select(
          "Second axis",
          names.map((n) => [n, this.#label(n)]),
          across,
          (name) => this.store.set({ across: name, view: null }),
        ),
      );
    }
    if (panel === "basins")
      picks.push(
        "and",
        select("Optimizer of the other basins", optimizers, versus, (key) => this.store.set({ versus: key })),
      );
    this.picks.replaceChildren(...picks);
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
    if (!header || !view || header.panel !== view.panel || header.surface !== this.store.surface.key) return;
    if (header.axes.some((axis, i) => axis.name !== view.axes[i])) return;
    if (this.#kind !== header.panel) this.#build(header.panel);
    const { colors } = this.player;
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
    for (const heat of this.#heats) heat.close();
    this.cobweb?.close();
    this.cobweb = null;
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
          draw: (context, heat) => this.#overlay(context, heat),
        }),
    );
    this.shares = panel === "basins" ? el("table", { class: "lab-shares" }) : null;
    if (this.shares) this.hosts.append(this.shares);
    if (panel !== "orbits") return;
    const host = el("div", { class: "lab-heatbox" });
    this.hosts.append(el("figure", {}, el("h4", {}, "Cobweb: from each p to the next"), host));
    this.cobweb = new Cobweb(host, this.player);
    this.cobweb.setRun(this.#cobwebRun());
    this.cobweb.setTime(this.player.shownStep);
  }

  #cobwebRun() {
    const { focus, update } = this.groups ?? {};
    return (
      focus && {
        path: focus[0],
        update,
        look: this.looks.get(this.#view.focus),
        domain: this.store.surface.domain[0],
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

  #cell({ values }) {
    const { header } = this.#map;
    const inside = header.window.map(([low, high], i) => values[i] >= low && values[i] <= high);
    if (!inside.every(Boolean)) return null;
    const indices = header.places.map((places, i) => nearest(places, values[i]));
    return { column: indices[0], row: indices[1] };
  }

  #pick(at) {
    const cell = this.#cell(at);
    if (!cell || !this.#view) return;
    const { header } = this.#map;
    const changes = {};
    header.places.forEach((places, i) => {
      if (places.length) changes[this.#stateName(header.axes[i].name)] = places[[cell.column, cell.row][i]];
    });
    if (header.start) changes.x = header.start[0];
    // A deep map's runs are longer than those that are shown.
    else if (header.steps !== this.store.number("steps", this.usualSteps)) changes.steps = header.steps;
    this.store.set(changes);
    this.player.present();
  }

  #hover(at, event) {
    const cell = at && this.#map && this.#cell(at);
    this.tip.hidden = !cell;
    if (!cell) return;
    const { header, groups } = this.#map;
    const axes = header.axes.map(({ name }, i) => {
      const place = header.places[i][[cell.column, cell.row][i]] ?? at.values[i];
      return [header.panel === "orbits" && i ? "p" : this.#label(name), number(place, 6)];
    });
    const rows = header.racers.map((key, i) => [
      this.looks.get(key).name,
      this.#fate(i, cell, groups, header),
    ]);
    this.tip.replaceChildren(
      ...[...axes, ...rows].map(([name, value]) => el("div", {}, el("span", {}, name), ` ${value}`)),
    );
    placeTip(this.tip, this.root, event);
  }

  #fate(i, { column, row }, groups, header) {
    const r = header.panel === "orbits" ? 0 : row;
    const [kind, count] = [groups[`kind${i}`][r][column], groups[`count${i}`][r][column]];
    const loss = groups[`loss${i}`]?.[r][column];
    const said = loss === undefined ? "" : `, loss ${number(loss, 3)}`;
    if (kind === DIVERGED) return `diverges, out of the frame for good from step ${count}${said}`;
    if (kind === UNDEFINED) return `undefined, 0/0 at step ${count}`;
    if (kind === SETTLED) return `at a minimum from step ${count}${said}`;
    if (kind === CYCLE) return `in a cycle of ${count}${said}`;
    const fallen =
      count === ARRIVED
        ? ", its loss fell to the lowest known"
        : count
          ? `, its loss fell by 10${power(-count / 100)}`
          : "";
    return `neither settled nor diverged in ${header.steps} steps${fallen}${said}`;
  }

  #overlay(context, heat) {
    const { header } = this.#map;
    const { colors, store } = this.player;
    const now = header.axes.map(({ name }) =>
      name === "lr"
        ? store.number("lr", store.surface.rate.default)
        : store.number(this.#stateName(name), this.#hyper(name).default),
    );
    if (header.panel === "map" && header.boundary) {
      for (const [color, width] of [
        [colors.back, 5],
        [colors.text, 2.5],
      ]) {
        context.strokeStyle = color;
        context.lineWidth = width;
        context.beginPath();
        for (const [lr, value] of header.boundary) context.lineTo(heat.x(lr), heat.y(value));
        context.stroke();
      }
    }
    const { left, top, width, height } = heat.frame;
    const [x, y] = [heat.x(now[0]), heat.y(now[1])];
    context.strokeStyle = colors.text;
    context.lineWidth = 1;
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + height);
    if (header.panel !== "orbits") {
      context.moveTo(left, y);
      context.lineTo(left + width, y);
    }
    context.stroke();
    context.setLineDash([]);
    if (header.panel === "orbits") return;
    context.beginPath();
    context.arc(x, y, 6, 0, 7);
    context.fillStyle = colors.back;
    context.lineWidth = 2.5;
    context.fill();
    context.stroke();
  }

  #showWords(header) {
    const names = header.racers.map((key) => this.looks.get(key).name);
    const { title, says, legend } = WORDS[header.panel]({
      names,
      header,
      share: this.share,
      label: this.#label,
    });
    title.forEach((text, i) => (this.titles[i].textContent = text));
    this.says.textContent = says;
    if (this.shares) this.#showShares(names);
    this.legend.replaceChildren(
      ...legend.map(([css, text]) => el("span", {}, el("i", { class: `lab-ink ${css}` }), text)),
    );
  }

  #showShares(names) {
    const { surface } = this.store;
    const rows = basinShares(this.#map.groups).map(({ css, minimum, text, shares }) =>
      el(
        "tr",
        {},
        el(
          "th",
          { scope: "row" },
          el("i", { style: { background: css } }),
          minimum === null ? text : point(surface.minima[minimum], 3),
        ),
        ...shares.map((share) => el("td", {}, share === 0 ? "–" : `${number(100 * share, 2)} %`)),
      ),
    );
    const head = el(
      "tr",
      {},
      el("th", {}, "Share of the starts"),
      ...names.map((name) => el("th", { scope: "col" }, name)),
    );
    this.shares.replaceChildren(head, ...rows);
  }
}

const power = (value) =>
  value.toFixed(1).replace(/[-.\d]/g, (c) => ({ "-": "⁻", ".": "·" })[c] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]);

const select = (label, options, value, act) =>
  el(
    "select",
    { "aria-label": label, title: label, onchange: (event) => act(event.target.value) },
    ...options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)),
  );

function nearest(sorted, value) {
  let [low, high] = [0, sorted.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle;
  }
  return Math.abs(sorted[high] - value) < Math.abs(sorted[low] - value) ? high : low;
}
