// The Schedules page: a scene is chosen, and its runs are drawn with the rate under their loss.
import { Controls } from "./controls.js";
import { Fields } from "./fields.js";
import { el } from "./format.js";
import { plan, plans } from "./plans.js";
import { Player } from "./player.js";
import { Store } from "./store.js";

export class Schedules {
  constructor(root, catalog, header, Plotly) {
    root.classList.add("lab-schedules");
    const own = { ...catalog, race: catalog.scheduleRace };
    this.root = root;
    this.store = new Store(own, header, []);
    this.fields = new Fields(this.store);
    this.player = new Player(root, this.store, Plotly);
    root.append(this.#sceneBox(own));
    this.controls = new Controls(root, this.store, {
      one: catalog.defaults.scheduleOf,
      schedule: (fields, store) => this.#plans(fields, store),
    });
    this.store.subscribe(() => this.fields.update());
    this.fields.update();
  }

  get scene() {
    const key = this.store.text("scene") ?? this.store.catalog.defaults.scene;
    return this.store.catalog.scenes.find((scene) => scene.key === key);
  }

  #has = (control) => this.scene.controls.includes(control);

  // A race has several schedules; every other scene has one.
  #plans(fields, store) {
    const several = plans(fields, store, store.catalog.defaults.schedules);
    const one = plan(fields, store, () => this.scene.schedule);
    one.open = true;
    fields.onUpdate(() => {
      several.hidden = !this.#has("sched");
      one.hidden = !several.hidden;
    });
    return el("div", {}, several, one);
  }

  #sceneBox({ scenes, defaults, optimizers, change }) {
    const tabs = scenes.map((scene) => {
      const tab = el(
        "button",
        {
          type: "button",
          role: "tab",
          "data-scene": scene.key,
          title: scene.about,
          onclick: () => this.store.set({ scene: scene.key === defaults.scene ? null : scene.key }),
        },
        scene.name,
      );
      this.fields.onUpdate(() => tab.setAttribute("aria-selected", this.scene === scene));
      return tab;
    });
    this.says = el("p", { class: "lab-verdict", "aria-live": "polite" });
    const steps = this.store.catalog.race.find(({ name }) => name === "steps").default;
    const late = () =>
      Math.max(1, Math.min(change.default, Math.trunc((2 * this.store.number("steps", steps)) / 3)));
    const at = this.fields.field({ ...change, label: "at step" }, "at", late);
    const to = this.fields.select(
      "to",
      "Second optimizer",
      optimizers.map(({ key, name }) => [key, `then ${name}`]),
      () => this.shown?.to ?? defaults.scheduleTo,
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
    return el(
      "div",
      { class: "lab-scene" },
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

  theme = () => this.player.theme();

  take(kind, message) {
    if (kind === "surface") this.player.setSurface(message);
  }

  receive(message) {
    const { scene } = message.header;
    this.store.answered(message.header);
    this.shown = scene;
    this.#showIngredients(scene);
    this.fields.update();
    const { name, about } = this.store.catalog.scenes.find(({ key }) => key === scene.key);
    this.says.replaceChildren(el("b", {}, `${name}. `), about, " ", scene.says);
    this.player.setRuns(message);
  }

  #showIngredients({ of, without }) {
    const { ingredients } = this.store.catalog.optimizers.find(({ key }) => key === of);
    if (this.ingredientsOf !== of) {
      this.ingredientsOf = of;
      const options = ingredients.map(({ key, name }) => el("option", { value: key }, name));
      this.ingredients.replaceChildren(...options);
      this.ingredients.disabled = options.length === 0;
    }
    if (without) this.ingredients.value = without;
  }

  close() {
    this.player.close();
    this.controls.close();
    this.store.close();
  }
}
