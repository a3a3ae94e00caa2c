// The controls, made from the declarations: a gallery of surfaces, the optimizers, their schedule,
// the penalty, the race.

import { Fields } from "./fields.js";
import { el, number, say, swatch } from "./format.js";
import { plan } from "./plans.js";
import { thumbnail } from "./thumbnail.js";

const OF_SURFACE = ["lr", "view", "across"]; // what a new surface sets back
const RACE = { steps: "steps", noise: "noise σ", seed: "seed" };

export class Controls {
  #paramsBox = el("div", { class: "lab-params" });
  #paramsOf = null;

  // shared: one learning rate for all, which has a slider of its own elsewhere; one: the key of the
  // optimizer that is shown alone by default; schedule: the controls of the rate's schedule;
  // decoupled: whether L2 may be some method's own decay; tune: what finds the best rate for each.
  constructor(
    root,
    store,
    { shared = false, one = null, schedule = plan, decoupled = false, tune = null } = {},
  ) {
    Object.assign(this, { store, shared, one, decoupled, tune });
    this.fields = new Fields(store);
    this.element = el("div", { class: "lab-controls" });
    this.element.append(
      this.#gallery(),
      this.#paramsBox,
      one ? this.#single() : this.#optimizers(),
      schedule(this.fields, store),
      this.#penalty(),
      this.#race(),
      this.#actions(),
    );
    root.append(this.element);
    store.subscribe(() => this.update());
    this.update();
  }

  update() {
    const { surface } = this.store;
    if (this.#paramsOf !== surface.key) {
      this.#paramsOf = surface.key;
      this.fields.drop("surface");
      this.#paramsBox.replaceChildren(
        ...surface.params.map((h) => this.fields.field(h, h.name, () => h.default, "surface")),
      );
    }
    this.fields.update();
  }

  close() {
    this.element.remove();
  }

  #gallery() {
    const buttons = this.store.catalog.surfaces.map((surface) => {
      const button = el(
        "button",
        {
          type: "button",
          class: "lab-surface",
          "data-surface": surface.key,
          title: `${surface.name}. ${surface.about}`,
          onclick: () => this.#chooseSurface(surface.key),
        },
        thumbnail(surface),
        el("span", {}, surface.name),
      );
      this.fields.onUpdate(() => button.setAttribute("aria-pressed", this.store.surface.key === surface.key));
      return button;
    });
    return el("div", { class: "lab-gallery", role: "group", "aria-label": "Surface" }, ...buttons);
  }

  // A new surface has its own start and parameters; the optimizers' own settings are kept.
  #chooseSurface(key) {
    const gone = [
      "x",
      "y",
      ...OF_SURFACE,
      ...this.store.catalog.surfaces.flatMap((s) => s.params.map((p) => p.name)),
    ];
    const changes = Object.fromEntries(gone.map((name) => [name, null]));
    const { panels } = this.store.catalog.surfaces.find((s) => s.key === key);
    if (!panels.includes(this.store.text("panel"))) changes.panel = null;
    this.store.set({ ...changes, surface: key === this.store.catalog.defaults.surface ? null : key });
  }

  #rate(optimizer) {
    const [lr] = optimizer.hypers;
    return this.fields.field(
      { ...lr, label: "lr", owner: optimizer.name },
      `${optimizer.key}.lr`,
      () => this.store.surface.lr[optimizer.key],
    );
  }

  #others(optimizer) {
    const [, ...others] = optimizer.hypers;
    return others.map((h) =>
      this.fields.field({ ...h, owner: optimizer.name }, `${optimizer.key}.${h.name}`),
    );
  }

  #optimizers() {
    const rows = this.store.catalog.optimizers.map((optimizer) => {
      const toggle = el("input", {
        type: "checkbox",
        "data-name": optimizer.key,
        "aria-label": `Race ${optimizer.name}`,
        onchange: () => this.store.choose("opt", this.store.usual, optimizer.key, toggle.checked),
      });
      const card = el(
        "div",
        { class: "lab-racer", style: { "--lab-color": optimizer.color } },
        el(
          "label",
          { class: "lab-name", title: optimizer.convention },
          toggle,
          swatch(optimizer),
          el("b", {}, optimizer.name),
        ),
        this.shared ? "" : this.#rate(optimizer),
        el(
          "details",
          {},
          el("summary", { title: `More of ${optimizer.name}`, "aria-label": `More of ${optimizer.name}` }),
          ...this.#others(optimizer),
          el("p", {}, optimizer.convention),
        ),
      );
      this.fields.onUpdate(() => {
        toggle.checked = this.store.racers.includes(optimizer.key);
        card.classList.toggle("lab-off", !toggle.checked);
      });
      return card;
    });
    return el("div", { class: "lab-racers", role: "group", "aria-label": "Optimizers" }, ...rows);
  }

  // One optimizer: a list to choose it from, and all of its hyperparameters.
  #single() {
    const { optimizers } = this.store.catalog;
    const current = () => this.store.text("of") ?? this.one;
    const chips = optimizers.map((optimizer) => {
      const chip = el(
        "button",
        {
          type: "button",
          class: "lab-chipbutton",
          "data-of": optimizer.key,
          title: optimizer.convention,
          onclick: () =>
            this.store.set({ of: optimizer.key === this.one ? null : optimizer.key, without: null }),
        },
        el("span", { class: "lab-chip", style: { background: optimizer.color } }),
        optimizer.name,
      );
      this.fields.onUpdate(() => chip.setAttribute("aria-pressed", current() === optimizer.key));
      return chip;
    });
    const boxes = optimizers.map((optimizer) => {
      const box = el(
        "div",
        { class: "lab-params", style: { "--lab-color": optimizer.color } },
        this.#rate(optimizer),
        ...this.#others(optimizer),
      );
      this.fields.onUpdate(() => (box.hidden = current() !== optimizer.key));
      return box;
    });
    return el(
      "div",
      { class: "lab-racers" },
      el("div", { class: "lab-chips", role: "group", "aria-label": "Optimizer" }, ...chips),
      ...boxes,
    );
  }

  #penalty() {
    const { penalty, decoupled, optimizers } = this.store.catalog;
    const own = optimizers.filter(({ hypers }) => hypers.some(({ name }) => name === "weight_decay"));
    const label = `λ₂ as ${own.map(({ name }) => name).join(", ")}'s own decay`;
    const apart = this.decoupled ? [this.fields.field({ ...decoupled, label }, "decoupled")] : [];
    const word = el("span", {});
    const labels = { l1: "L1 λ₁", l2: "L2 λ₂", proximal: "proximal step for L1" };
    this.fields.onUpdate(() => {
      const [l1, l2] = ["l1", "l2"].map((name) => this.store.number(name, 0));
      const parts = [l1 ? `L1 ${number(l1)}` : "", l2 ? `L2 ${number(l2)}` : ""].filter(Boolean);
      say(word, parts.join(", ") || "none");
    });
    return el(
      "details",
      {
        class: "lab-fold",
        "data-fold": "penalty",
        open: ["l1", "l2"].some((name) => this.store.isSet(name)),
      },
      el("summary", {}, el("b", {}, "Penalty"), " ", word),
      ...penalty.map((h) => this.fields.field({ ...h, label: labels[h.name] }, h.name)),
      ...apart,
    );
  }

  #race() {
    const { race } = this.store.catalog;
    const fields = Object.entries(RACE).map(([name, label]) =>
      this.fields.field({ ...race.find((h) => h.name === name), label }, name),
    );
    return el("div", { class: "lab-params" }, ...fields);
  }

  #actions() {
    const copy = el("button", { type: "button", onclick: () => this.#copyLink() }, "Copy link");
    this.copied = el("output", { hidden: true });
    this.fields.onUpdate(() => (this.copied.hidden = true)); // it was another link
    const about = "The best learning rate for each, of the same number of trial runs";
    return el(
      "div",
      { class: "lab-actions" },
      this.tune ? el("button", { type: "button", title: about, onclick: this.tune }, "Tune each") : "",
      el("button", { type: "button", onclick: () => this.store.reset() }, "Reset"),
      el("button", { type: "button", onclick: () => this.#randomStart() }, "Random start"),
      copy,
      this.copied,
    );
  }

  #randomStart() {
    const at = this.store.surface.domain.map(([a, b]) =>
      Number((a + Math.random() * (b - a)).toPrecision(3)),
    );
    this.store.set(Object.fromEntries(at.map((v, i) => ["xy"[i], v])));
  }

  // The clipboard API is for https and localhost, and in a frame only with the outer page's leave.
  // Elsewhere the link is copied out of a field; where that is refused too, it stays there, selected.
  async #copyLink() {
    const { query } = this.store;
    const link = location.origin + location.pathname + (query ? `?${query}` : "");
    const tell = (...said) => this.copied.replaceChildren(...said);
    this.copied.hidden = false;
    const isCopied = await navigator.clipboard?.writeText(link).then(
      () => true,
      () => false,
    );
    if (isCopied) return tell("The link is copied.");
    const field = el("input", { type: "text", readonly: true, value: link, "aria-label": "Link" });
    tell("Press Ctrl + C (on a Mac ⌘ C) to copy the link.", field);
    field.select();
    if (document.execCommand("copy"))
      tell("The link is copied, without the clipboard API, which needs https.");
    return undefined;
  }
}
