// What may be taken out of a method: the run without it is drawn beside the whole one.
import { methodOf } from "../../browser/kernel/store.js";
import { el } from "../../browser/words/format.js";

export default class IngredientsPanel {
  constructor(lab) {
    Object.assign(this, { lab, store: lab.store });
    this.chips = el("div", { class: "lab-chips", role: "group", "aria-label": "Ingredients" });
    this.about = el("p", { class: "lab-says" });
    lab.slot("lab-stepside").append(this.chips, this.about);
  }

  take() {
    const { of, without, shown } = this.lab.part("formula").header;
    const key = JSON.stringify([of, without, shown]);
    if (key === this.chipsOf) return;
    this.chipsOf = key;
    const optimizer = this.lab.catalog.optimizers.find((one) => one.key === methodOf(of));
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
}
