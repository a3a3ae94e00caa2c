// The Step by step page: one optimizer's update with this step's numbers in it, and its parts.
import { Controls } from "./controls.js";
import { el } from "./format.js";
import { FormulaPanel } from "./formula_panel.js";
import { Parts } from "./parts.js";
import { Player } from "./player.js";
import { StepTable } from "./step_table.js";
import { Store } from "./store.js";

const INNER = /\.before$/; // of a slot before the step: the row above has it

export class Steps {
  constructor(root, catalog, header, Plotly) {
    root.classList.add("lab-steps");
    this.root = root;
    this.store = new Store({ ...catalog, race: catalog.stepRace }, header, []);
    this.player = new Player(root, this.store, Plotly, (step) => this.#time(step));
    this.parts = new Parts(this.player);
    this.player.overlay = this.parts.draw;
    this.formula = new FormulaPanel();
    this.table = new StepTable((step) => this.#seek(step));
    this.chips = el("div", { class: "lab-chips", role: "group", "aria-label": "Ingredients" });
    this.about = el("p", { class: "lab-says" });
    root.append(
      el("div", { class: "lab-stepside" }, this.chips, this.about, this.formula.element),
      this.parts.legend,
      el("div", { class: "lab-tablebox" }, this.table.element),
    );
    this.controls = new Controls(root, this.store, { one: catalog.defaults.stepOf, decoupled: true });
  }

  theme() {
    this.player.theme();
    this.#time(this.player.shownStep);
  }

  take(kind, message) {
    if (kind === "surface") this.player.setSurface(message);
  }

  receive(message) {
    const { header, groups } = message;
    this.store.answered(header);
    const { step } = header;
    const surface = this.store.catalog.surfaces.find(({ key }) => key === header.surface);
    const { dim } = surface;
    const quantities = new Map();
    let at = 0;
    for (const { name, shared } of step.columns) {
      const count = shared ? 1 : dim;
      quantities.set(name, groups.quantities.slice(at, at + count));
      at += count;
    }
    this.message = step;
    this.steps = quantities.get("p")[0].length;
    const path = quantities
      .get("p")
      .map((row, j) => Float64Array.of(...row, quantities.get("p.after")[j].at(-1)));
    this.rates = quantities.get("lr")[0];
    this.parts.show(groups.parts, path, {
      isScaled: step.scaled,
      probes: quantities.get("probe"),
      slopes: dim === 1 ? quantities.get("g")[0] : null,
    });
    this.formula.show(step, quantities, dim);
    const symbols = new Map(step.lines.map(({ name, symbol }) => [name, symbol]));
    const columns = step.columns
      .filter(({ name, shared }) => !shared && !INNER.test(name))
      .flatMap(({ name }) =>
        quantities.get(name).map((values, j) => ({
          name,
          axis: dim === 1 ? "" : "xy"[j],
          symbol: symbols.get(name) ?? name,
          values,
        })),
      );
    const address = new URL(`lab/step_by_step.csv?${header.clean}`, document.baseURI).href;
    this.player.setRuns(message);
    this.table.show(columns, this.steps, address);
    this.#showChips(step);
    this.#time(this.player.shownStep);
  }

  // The table's row i is the step from i to i + 1, and at the end the last one is still shown.
  #time(step) {
    if (!this.message) return;
    const i = Math.min(step, this.steps - 1);
    this.parts.time(i, this.rates[i]);
    this.formula.time(i, `From step ${i} to step ${i + 1}`);
    this.table.time(i);
  }

  #seek(step) {
    this.player.pause();
    this.player.seek(step);
  }

  // Each ingredient can be taken out; the run without it is drawn beside the whole one.
  #showChips({ of, without, shown }) {
    const key = JSON.stringify([of, without, shown]);
    if (key === this.chipsOf) return;
    this.chipsOf = key;
    const optimizer = this.store.catalog.optimizers.find((o) => o.key === of);
    const chips = optimizer.ingredients.map((one) =>
      el(
        "button",
        {
          type: "button",
          class: "lab-chipbutton",
          "aria-pressed": without.includes(one.key),
          title: one.about,
          "data-ingredient": one.key,
          onclick: () => this.#toggle(one.key, without),
        },
        `without ${one.name.toLowerCase()}`,
      ),
    );
    const which = without.length
      ? [
          el(
            "button",
            {
              type: "button",
              class: "lab-chipbutton lab-which",
              onclick: () => this.store.set({ shown: shown ? null : "without" }),
            },
            shown ? `Formula of ${optimizer.name}` : "Formula of what is left",
          ),
        ]
      : [];
    this.chips.replaceChildren(...chips, ...which);
    this.about.textContent = optimizer.ingredients
      .filter((one) => without.includes(one.key))
      .map((one) => one.about)
      .join(" ");
  }

  #toggle(key, without) {
    const now = without.includes(key) ? without.filter((k) => k !== key) : [...without, key];
    this.store.set({ without: now.join("-") || null, ...(now.length ? {} : { shown: null }) });
  }

  close() {
    this.player.close();
    this.controls.close();
    this.store.close();
  }
}
