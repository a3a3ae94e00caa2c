// The runs that are compared: each method with a switch and its settings, and under it its other runs.
import { methodOf } from "../kernel/store.js";
import { apart, button, el, say, swatch } from "../words/format.js";

const MOST = 9; // runs of one method

// shared: one learning rate for all, which has a slider of its own elsewhere.
export function entries(fields, lab, { shared }) {
  const { store } = lab;
  const list = el("div", { class: "lab-racers", role: "group", "aria-label": "Optimizers" });
  const rows = new Map(); // an entry's key to its row
  const { optimizers } = store.catalog;
  const order = optimizers.flatMap(({ key }) => [
    key,
    ...Array.from({ length: MOST - 1 }, (_, i) => `${key}~${i + 2}`),
  ]);
  const choose = (keys, more = {}) => store.set({ ...store.choice("opt", order, keys), ...more });
  const make = (key) => new Row(key, { fields, store, shared, order, choose });
  // The methods themselves are always there, and their other runs while they run.
  const update = () => {
    const wanted = order.filter((key) => key === methodOf(key) || store.chosen("opt").includes(key));
    for (const [key, row] of rows)
      if (!wanted.includes(key)) {
        row.close();
        rows.delete(key);
      }
    if (wanted.length === rows.size) return;
    let before = null;
    for (const key of wanted) {
      if (!rows.has(key)) {
        rows.set(key, make(key));
        if (before) before.after(rows.get(key).element);
        else list.prepend(rows.get(key).element);
      }
      before = rows.get(key).element;
    }
    fields.update();
  };
  fields.onUpdate(update);
  return list;
}

class Row {
  constructor(key, { fields, store, shared, order, choose }) {
    Object.assign(this, { key, fields, store, order, choose });
    this.method = store.catalog.optimizers.find((one) => one.key === methodOf(key));
    this.isAgain = key !== this.method.key;
    const { name } = this.method;
    const toggle = el("input", {
      type: "checkbox",
      "data-name": key,
      "aria-label": `Race ${name}${this.isAgain ? ` ${key.split("~")[1]}` : ""}`,
      onchange: () => this.#toggle(toggle.checked),
    });
    this.word = el("b", {}, name);
    this.mark = el("span", { class: "lab-mark" }, swatch(this.method));
    const [lr, ...others] = this.method.hypers;
    const more = `More of ${name}${this.isAgain ? ` ${key.split("~")[1]}` : ""}`;
    this.element = el(
      "div",
      { class: `lab-racer${this.isAgain ? " lab-again" : ""}`, style: { "--lab-color": this.method.color } },
      el("label", { class: "lab-name", title: this.method.convention }, toggle, this.mark, this.word),
      shared ? "" : this.#field(lr),
      el(
        "details",
        {},
        el("summary", { title: more, "aria-label": more }),
        ...others.map((hyper) => this.#field(hyper)),
        this.#own(),
        el("p", {}, this.method.convention),
      ),
    );
    fields.onUpdate(() => {
      toggle.checked = store.chosen("opt").includes(key);
      this.element.classList.toggle("lab-off", !toggle.checked);
      this.#showLook();
    }, this);
  }

  close() {
    this.fields.drop(this);
    this.element.remove();
  }

  #field = (hyper) =>
    this.fields.field(`${this.key}.${hyper.name}`, { hyper, owner: this.method.name, group: this });

  #toggle(isOn) {
    const chosen = this.store.chosen("opt");
    this.choose(isOn ? [...chosen, this.key] : chosen.filter((key) => key !== this.key));
  }

  // What tells it from the others, as the last answer says.
  #showLook() {
    const entry = this.store.entries.find(({ key }) => key === this.key) ?? this.method;
    const look = JSON.stringify([entry.color, entry.dash, entry.marker]);
    say(this.word, this.isAgain ? apart(entry.name, this.method.name) : this.method.name);
    this.element.title = entry.name;
    if (look === this.look) return;
    this.look = look;
    this.element.style.setProperty("--lab-color", entry.color);
    this.mark.replaceChildren(swatch(entry));
  }

  // Its own start and schedule, and another run of the same method.
  #own() {
    const { key, store } = this;
    const start = el("input", {
      type: "checkbox",
      "aria-label": `Own start of ${this.method.name}`,
      "data-own": key,
      onchange: () => this.#ownStart(start.checked),
    });
    const places = el("span", { class: "lab-params" });
    let dim = 0;
    this.fields.onUpdate(() => {
      start.checked = ["x", "y"].some((axis) => store.isSet(`${key}.${axis}`));
      places.hidden = !start.checked;
      if (!store.surface || dim === store.surface.dim) return;
      dim = store.surface.dim;
      const axes = ["x", "y"].slice(0, dim);
      places.replaceChildren(...axes.map((axis, i) => this.#coordinate(axis, store.surface.domain[i])));
    }, this);
    const schedules = store.catalog.schedules.map((one) => [one.key, one.name]);
    const isShared = store.own.controls.some(([name]) => name === "schedule");
    return el(
      "div",
      { class: "lab-own" },
      el("label", { class: "lab-switch", title: "Where this run starts" }, start, " own start"),
      places,
      isShared
        ? this.fields.select(
            `${key}.schedule`,
            `Schedule of ${this.method.name}`,
            [["", "schedule of all"], ...schedules],
            this,
          )
        : "",
      button("Duplicate", `Another run of ${this.method.name}`, () => this.#duplicate()),
      this.isAgain ? button("Remove", `Remove this run of ${this.method.name}`, () => this.#remove()) : "",
    );
  }

  #coordinate(axis, [low, high]) {
    const hyper = {
      name: axis,
      low,
      high,
      scale: "linear",
      min: null,
      max: null,
      domain: "(-inf, inf)",
      about: "",
    };
    return this.fields.field(`${this.key}.${axis}`, { hyper, owner: this.method.name, group: this });
  }

  #ownStart(isOn) {
    const { start } = this.store;
    this.store.set(
      Object.fromEntries(start.map((value, i) => [`${this.key}.${"xy"[i]}`, isOn ? value : null])),
    );
  }

  #settings = (key) =>
    this.store.names.filter((name) => name.startsWith(`${key}.`)).map((name) => name.slice(key.length + 1));

  #duplicate() {
    const chosen = this.store.chosen("opt");
    const free = this.order.find(
      (key) => methodOf(key) === this.method.key && key !== this.method.key && !chosen.includes(key),
    );
    if (!free) return;
    const copied = this.#settings(this.key).map((name) => [
      `${free}.${name}`,
      this.store.text(`${this.key}.${name}`),
    ]);
    const gone = this.#settings(free).map((name) => [`${free}.${name}`, null]);
    this.choose([...chosen, this.key, free], Object.fromEntries([...gone, ...copied]));
  }

  #remove() {
    const gone = this.#settings(this.key).map((name) => [`${this.key}.${name}`, null]);
    this.choose(
      this.store.chosen("opt").filter((key) => key !== this.key),
      Object.fromEntries(gone),
    );
  }
}
