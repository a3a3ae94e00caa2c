// A scene of several runs: which one, who takes part, and what came of it in a sentence.
import { Fields } from "../../browser/controls/fields.js";
import { sceneOf } from "../../browser/controls/schedules.js";
import { methodOf } from "../../browser/kernel/store.js";
import { el } from "../../browser/words/format.js";

export default class ScenePanel {
  constructor(lab) {
    Object.assign(this, { lab, store: lab.store });
    this.fields = new Fields(lab.store);
    this.#build();
  }

  #has = (control) => sceneOf(this.store).controls.includes(control);

  #build() {
    const { fields } = this.store.own;
    const tabs = fields.scene.scenes.map((scene) => {
      const tab = el(
        "button",
        {
          type: "button",
          role: "tab",
          "data-scene": scene.key,
          title: scene.about,
          onclick: () => this.store.put("scene", scene.key),
        },
        scene.name,
      );
      this.fields.onUpdate(() => tab.setAttribute("aria-selected", sceneOf(this.store) === scene));
      return tab;
    });
    this.says = el("p", { class: "lab-verdict", "aria-live": "polite" });
    const at = this.fields.field("at", { label: "at step" });
    const to = this.fields.select(
      "to",
      "Second optimizer",
      fields.to.options.map(([key, name]) => [key, `then ${name}`]),
    );
    this.ingredients = el("select", {
      "aria-label": "What is done otherwise",
      onchange: () => this.store.set({ without: this.ingredients.value }),
    });
    this.fields.onUpdate(() => {
      at.hidden = !this.#has("at");
      to.hidden = !this.#has("to");
      this.ingredients.hidden = !this.#has("without");
    });
    this.lab
      .slot("lab-scene")
      .append(
        el(
          "div",
          { class: "lab-panelhead" },
          el("div", { class: "lab-tabs", role: "tablist", "aria-label": "Scene" }, ...tabs),
          to,
          this.ingredients,
          at,
        ),
        this.says,
      );
  }

  changed() {
    this.fields.update();
  }

  take({ header: { key, says, of, without } }) {
    this.#showIngredients(of, without);
    this.fields.update();
    const { name, about } = this.store.own.fields.scene.scenes.find((scene) => scene.key === key);
    this.says.replaceChildren(el("b", {}, `${name}. `), about, " ", says);
  }

  #showIngredients(of, without) {
    const { ingredients } = this.lab.catalog.optimizers.find(({ key }) => key === methodOf(of));
    if (this.ingredientsOf !== of) {
      this.ingredientsOf = of;
      const options = ingredients.map(({ key, name }) => el("option", { value: key }, name));
      this.ingredients.replaceChildren(...options);
      this.ingredients.disabled = options.length === 0;
    }
    if (without) this.ingredients.value = without;
  }
}
