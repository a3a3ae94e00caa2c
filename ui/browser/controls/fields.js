// Sliders and switches made from declared hyperparameters, each bound to a name in the store.
import { el, number } from "../words/format.js";
import { SCALES, tidy, typed } from "./scales.js";

const NOTCHES = 400; // of a slider; an arrow key moves by one, Page Up and Down by ten

// A field for an exact number; what is no allowed number is told and not taken. hyper() is what
// declares it by then.
export function numberBox(label, hyper, put) {
  const box = el("input", {
    type: "text",
    inputmode: "decimal",
    class: "lab-number",
    "aria-label": `${label}, exact`,
    spellcheck: "false",
    onchange: () => {
      const { value, error = "" } = typed(box.value, hyper(), label);
      box.setCustomValidity(error);
      if (error) box.reportValidity();
      else put(value);
    },
  });
  return box;
}

export class Fields {
  #updates = [];

  constructor(store) {
    this.store = store;
  }

  update() {
    if (this.store.isUnread) return;
    for (const { run } of this.#updates) run();
  }

  // group: of what is dropped together.
  onUpdate(run, group) {
    this.#updates.push({ run, group });
  }

  drop(group) {
    this.#updates = this.#updates.filter((update) => update.group !== group);
  }

  // The control of a value by its name in a link: a switch where its declaration says so, else a
  // slider. owner: whose it is, for who hears the page; group: of what is dropped together.
  field(name, { hyper = this.store.declared(name), label, owner = "", group } = {}) {
    const make = hyper.scale === "switch" ? this.#switch : this.#slider;
    const labelled = { ...hyper, label: label ?? hyper.name.replaceAll("_", " "), owner };
    return make.call(this, labelled, name, group);
  }

  // A slider with the exact number beside it; both follow the hand, and the number takes any value
  // of the domain, also beyond the slider's ends.
  #slider(hyper, name, group) {
    const { value, place } = SCALES[hyper.scale];
    const put = (v) => this.store.put(name, v);
    const range = el("input", {
      type: "range",
      min: 0,
      max: NOTCHES,
      step: 1,
      title: hyper.about,
      "aria-label": `${hyper.owner} ${hyper.label}`.trim(),
      "data-name": name,
      oninput: () => {
        const raw = value(range.valueAsNumber / NOTCHES, hyper);
        put(hyper.whole ? Math.round(raw) : tidy(raw, hyper));
      },
      onkeydown: (event) => {
        const jump = { PageUp: 10, PageDown: -10 }[event.key];
        if (!jump) return;
        event.preventDefault();
        range.value = range.valueAsNumber + jump;
        range.dispatchEvent(new Event("input"));
      },
    });
    const box = numberBox(hyper.label, () => hyper, put);
    const row = el(
      "label",
      { class: "lab-slider", title: hyper.about },
      el("span", {}, hyper.label),
      range,
      box,
    );
    let shown = null;
    this.onUpdate(() => {
      const v = this.store.number(name);
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
    }, group);
    return row;
  }

  #switch(hyper, name, group) {
    const box = el("input", {
      type: "checkbox",
      "data-name": name,
      onchange: () => this.store.put(name, Number(box.checked)),
    });
    this.onUpdate(() => (box.checked = Boolean(this.store.number(name))), group);
    return el("label", { class: "lab-switch", title: hyper.about }, box, ` ${hyper.label}`);
  }

  // A list to choose one of; `options` are [value, text], and an empty value stands for none.
  select(name, label, options, group = undefined) {
    const box = el(
      "select",
      {
        "aria-label": label,
        "data-name": name,
        onchange: () => this.store.put(name, box.value || null),
      },
      ...options.map(([value, text]) => el("option", { value }, text)),
    );
    this.onUpdate(() => (box.value = this.store.value(name) ?? ""), group);
    return box;
  }
}
