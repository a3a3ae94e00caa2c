// Above a map: which kind it is, of which method, over what.
import { methodOf } from "../../browser/kernel/store.js";
import { el } from "../../browser/words/format.js";

const NAMES = { map: "Map", basins: "Basins", orbits: "Orbits" };
const LABELS = { lr: "learning rate η", x: "start x", y: "start y" };

export const labelOf = (name) => LABELS[name] ?? name.replaceAll("_", " ");

const select = (label, options, value, act) =>
  el(
    "select",
    { "aria-label": label, title: label, onchange: (event) => act(event.target.value) },
    ...options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)),
  );

export class Head {
  constructor(lab) {
    Object.assign(this, { lab, store: lab.store });
    this.tabs = el("div", { class: "lab-tabs", role: "tablist" });
    this.picks = el("div", { class: "lab-picks" });
  }

  show({ panel, panels, focus, versus, across }) {
    const { catalog, runs } = this.lab;
    this.tabs.replaceChildren(...panels.map((key, i) => this.#tab(key, i ? key : null, panel)));
    const again = runs.filter(({ key }) => key !== methodOf(key)).map(({ key, look }) => [key, look.name]);
    const optimizers = [...catalog.optimizers.map((one) => [one.key, one.name]), ...again];
    const picks = [
      select("Optimizer of the map", optimizers, focus, (key) =>
        this.store.set({ of: key, across: null, view: null, versus: key === versus ? focus : versus }),
      ),
    ];
    if (panel === "map") picks.push("lr ×", this.#across(focus, across));
    if (panel === "basins")
      picks.push(
        "and",
        select("Optimizer of the other basins", optimizers, versus, (key) => this.store.set({ versus: key })),
      );
    this.picks.replaceChildren(...picks);
  }

  #tab(key, value, shown) {
    return el(
      "button",
      {
        type: "button",
        role: "tab",
        "data-panel": key,
        "aria-selected": String(key === shown),
        onclick: () => this.store.set({ panel: value, view: null }),
      },
      NAMES[key],
    );
  }

  #across(focus, across) {
    const { catalog, surface } = this.lab;
    const { hypers } = catalog.optimizers.find((one) => one.key === methodOf(focus));
    const own = hypers.filter((hyper) => hyper.name !== "lr" && hyper.scale !== "switch");
    const names = [...own, ...surface.params].map(({ name }) => name);
    names.push(...["x", "y"].slice(0, surface.dim));
    const options = names.map((name) => [name, labelOf(name)]);
    return select("Second axis", options, across, (name) => this.store.set({ across: name, view: null }));
  }
}
