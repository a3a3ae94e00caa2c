// The controls, made from the declarations: a gallery of surfaces, a row per optimizer, the race.
import { el, number, swatch } from "./format.js";
import { SCALES, tidy, typed } from "./scales.js";

const NOTCHES = 400; // of a slider; an arrow key moves by one, Page Up and Down by ten

const OF_SURFACE = ["lr", "view", "across"]; // what a new surface sets back

export class Controls {
  #updates = [];
  #paramsBox = el("div", { class: "lab-params" });
  #paramsOf = null;

  // shared: one learning rate for all, which has a slider of its own elsewhere; tune: what finds
  // the best one for each.
  constructor(root, store, { shared = false, tune = null } = {}) {
    this.tune = tune;
    this.store = store;
    this.shared = shared;
    this.element = el("div", { class: "lab-controls" });
    this.element.append(this.#gallery(), this.#paramsBox, this.#optimizers(), this.#race(), this.#actions());
    root.append(this.element);
    store.subscribe(() => this.update());
    this.update();
  }

  update() {
    const { surface } = this.store;
    if (this.#paramsOf !== surface.key) {
      this.#paramsOf = surface.key;
      this.#updates = this.#updates.filter(({ owner }) => owner !== "surface");
      this.#paramsBox.replaceChildren(
        ...surface.params.map((h) => this.#slider({ ...h, label: h.name }, h.name, () => h.default, "surface")),
      );
    }
    for (const { run } of this.#updates) run();
  }

  close() {
    this.#updates = [];
    this.element.remove();
  }

  #onUpdate(run, owner) {
    this.#updates.push({ run, owner });
  }

  // A slider with the exact number beside it; both follow the hand, and the number takes any value
  // of the domain, also beyond the slider's ends.
  #slider(hyper, name, fallback, owner) {
    const { value, place } = SCALES[hyper.scale];
    const current = () => this.store.number(name, fallback());
    const whole = ["steps", "seed"].includes(hyper.name);
    const put = (v) => this.store.set({ [name]: v === fallback() ? null : v });
    const range = el("input", {
      type: "range", min: 0, max: NOTCHES, step: 1, title: hyper.about,
      "aria-label": `${hyper.owner ?? ""} ${hyper.label}`.trim(), "data-name": name,
      oninput: () => {
        const raw = value(range.valueAsNumber / NOTCHES, hyper);
        put(whole ? Math.round(raw) : tidy(raw, hyper));
      },
      onkeydown: (event) => {
        const jump = { PageUp: 10, PageDown: -10 }[event.key];
        if (!jump) return;
        event.preventDefault();
        range.value = range.valueAsNumber + jump;
        range.dispatchEvent(new Event("input"));
      },
    });
    const box = el("input", {
      type: "text", inputmode: "decimal", class: "lab-number", "aria-label": `${hyper.label}, exact`, spellcheck: "false",
      onchange: () => {
        const v = typed(box.value, hyper, whole);
        box.setCustomValidity(v === null ? `${hyper.label} must be ${whole ? "a whole number" : "a number"} in ${hyper.domain}, got “${box.value}”.` : "");
        if (v === null) box.reportValidity();
        else put(v);
      },
    });
    let shown = null;
    this.#onUpdate(() => {
      const v = current();
      const key = `${v} ${this.store.isSet(name)}`;
      if (key === shown) return; // of some sixty sliders a change moves one
      shown = key;
      const u = place(v, hyper);
      range.value = Math.round(NOTCHES * Math.min(1, Math.max(0, Number.isFinite(u) ? u : 0)));
      range.setAttribute("aria-valuetext", number(v));
      if (document.activeElement !== box) {
        box.value = String(v);
        box.setCustomValidity("");
      }
      row.classList.toggle("lab-changed", this.store.isSet(name));
    }, owner);
    const row = el("label", { class: "lab-slider", title: hyper.about }, el("span", {}, hyper.label), range, box);
    return row;
  }

  #switch(hyper, name, fallback) {
    const box = el("input", {
      type: "checkbox", "data-name": name,
      onchange: () => this.store.set({ [name]: Number(box.checked) === fallback() ? null : Number(box.checked) }),
    });
    this.#onUpdate(() => (box.checked = Boolean(this.store.number(name, fallback()))));
    return el("label", { class: "lab-switch", title: hyper.about }, box, ` ${hyper.label}`);
  }

  #gallery() {
    const buttons = this.store.catalog.surfaces.map((surface) => {
      const button = el(
        "button",
        {
          type: "button", class: "lab-surface", "data-surface": surface.key, title: `${surface.name}. ${surface.about}`,
          onclick: () => this.#chooseSurface(surface.key),
        },
        thumbnail(surface),
        el("span", {}, surface.name),
      );
      this.#onUpdate(() => button.setAttribute("aria-pressed", this.store.surface.key === surface.key));
      return button;
    });
    return el("div", { class: "lab-gallery", role: "group", "aria-label": "Surface" }, ...buttons);
  }

  // A new surface has its own start and parameters; the optimizers' own settings are kept.
  #chooseSurface(key) {
    const gone = ["x", "y", ...OF_SURFACE, ...this.store.catalog.surfaces.flatMap((s) => s.params.map((p) => p.name))];
    const changes = Object.fromEntries(gone.map((name) => [name, null]));
    const { panels } = this.store.catalog.surfaces.find((s) => s.key === key);
    if (!panels.includes(this.store.text("panel"))) changes.panel = null;
    this.store.set({ ...changes, surface: key === this.store.catalog.defaults.surface ? null : key });
  }

  #optimizers() {
    const rows = this.store.catalog.optimizers.map((optimizer) => {
      const toggle = el("input", {
        type: "checkbox", "data-name": optimizer.key, "aria-label": `Race ${optimizer.name}`,
        onchange: () => this.#choose(optimizer.key, toggle.checked),
      });
      const [lr, ...others] = optimizer.hypers;
      const rate = this.shared
        ? ""
        : this.#slider(
            { ...lr, label: "lr", owner: optimizer.name }, `${optimizer.key}.lr`, () => this.store.surface.lr[optimizer.key],
          );
      const more = others.map((h) => {
        const name = `${optimizer.key}.${h.name}`;
        const make = h.scale === "switch" ? this.#switch : this.#slider;
        return make.call(this, { ...h, label: h.name.replaceAll("_", " "), owner: optimizer.name }, name, () => h.default);
      });
      const card = el(
        "div",
        { class: "lab-racer", style: { "--lab-color": optimizer.color } },
        el("label", { class: "lab-name", title: optimizer.about }, toggle, swatch(optimizer), el("b", {}, optimizer.name)),
        rate,
        el("details", {}, el("summary", { title: `More of ${optimizer.name}`, "aria-label": `More of ${optimizer.name}` }), ...more, el("p", {}, optimizer.about)),
      );
      this.#onUpdate(() => {
        toggle.checked = this.store.racers.includes(optimizer.key);
        card.classList.toggle("lab-off", !toggle.checked);
      });
      return card;
    });
    return el("div", { class: "lab-racers", role: "group", "aria-label": "Optimizers" }, ...rows);
  }

  #choose(key, on) {
    const { optimizers } = this.store.catalog;
    const now = new Set(this.store.racers);
    if (on) now.add(key);
    else now.delete(key);
    const text = optimizers.map((o) => o.key).filter((k) => now.has(k)).join("-");
    this.store.set({ opt: text === this.store.usual.join("-") ? null : text });
  }

  #race() {
    const { race } = this.store.catalog;
    const names = { steps: "steps", noise: "noise σ", seed: "seed" };
    return el(
      "div",
      { class: "lab-params" },
      ...Object.entries(names).map(([name, label]) => {
        const hyper = race.find((h) => h.name === name);
        return this.#slider({ ...hyper, label }, name, () => hyper.default);
      }),
    );
  }

  #actions() {
    const copy = el("button", { type: "button", onclick: () => this.#copyLink(copy) }, "Copy link");
    const about = "The best learning rate for each, of the same number of trial runs";
    return el(
      "div",
      { class: "lab-actions" },
      this.tune ? el("button", { type: "button", title: about, onclick: this.tune }, "Tune each") : "",
      el("button", { type: "button", onclick: () => this.store.reset() }, "Reset"),
      el("button", { type: "button", onclick: () => this.#randomStart() }, "Random start"),
      copy,
    );
  }

  #randomStart() {
    const at = this.store.surface.domain.map(([a, b]) => Number((a + Math.random() * (b - a)).toPrecision(3)));
    this.store.set(Object.fromEntries(at.map((v, i) => ["xy"[i], v])));
  }

  async #copyLink(button) {
    const { query } = this.store;
    await navigator.clipboard.writeText(location.origin + location.pathname + (query ? `?${query}` : ""));
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy link"), 1500);
  }
}

function thumbnail({ dim, thumbnail: { width, data } }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const height = dim === 1 ? 24 : bytes.length / width;
  const canvas = el("canvas", { width, height });
  const context = canvas.getContext("2d");
  if (dim === 1) {
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    context.strokeStyle = "#0072b2";
    context.lineWidth = 3;
    bytes.forEach((b, i) => context.lineTo((i + 0.5) * 2, 4 + (1 - b / 255) * (2 * height - 8)));
    context.stroke();
    return canvas;
  }
  const image = context.createImageData(width, height);
  bytes.forEach((b, i) => {
    const row = height - 1 - Math.floor(i / width);
    const at = 4 * (row * width + (i % width));
    // Ten bands, so that the little picture reads as a contour plot.
    const u = Math.round(b / 25.5) / 10;
    image.data.set([20 + 215 * u, 60 + 175 * u, 105 + 135 * u, 255], at);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}
