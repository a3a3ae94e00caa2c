// A gallery of surfaces, and the parameters of the one that is chosen.
import { el } from "../words/format.js";
import { thumbnail } from "./thumbnail.js";

const OF_SURFACE = ["x", "y", "lr", "panel", "view", "across"]; // what a new surface sets back

export function surface(fields, { store }) {
  const buttons = store.catalog.surfaces.map((one) => {
    const button = el(
      "button",
      {
        type: "button",
        class: "lab-surface",
        "data-surface": one.key,
        title: `${one.name}. ${one.about}`,
        onclick: () => choose(store, one.key),
      },
      thumbnail(one),
      el("span", {}, one.name),
    );
    fields.onUpdate(() => button.setAttribute("aria-pressed", store.value("surface") === one.key));
    return button;
  });
  const params = el("div", { class: "lab-params" });
  let paramsOf = null;
  fields.onUpdate(() => {
    if (!store.surface || paramsOf === store.surface.key) return;
    paramsOf = store.surface.key;
    fields.drop("surface");
    params.replaceChildren(
      ...store.surface.params.map((hyper) => fields.field(hyper.name, { hyper, group: "surface" })),
    );
    fields.update();
  });
  const gallery = el("div", { class: "lab-gallery", role: "group", "aria-label": "Surface" }, ...buttons);
  return el("div", { class: "lab-place" }, gallery, params);
}

// A new surface has its own start and parameters; the optimizers' own settings are kept, but for
// where they start.
function choose(store, key) {
  const own = store.names.filter((name) => /\.[xy]$/.test(name));
  const gone = [...OF_SURFACE, ...own, ...store.surface.params.map(({ name }) => name)];
  const changes = Object.fromEntries(gone.map((name) => [name, null]));
  if (store.surface.dim === store.catalog.surfaces.find((one) => one.key === key).dim) delete changes.panel;
  store.set({ ...changes, surface: key === store.fallback("surface") ? null : key }, { isEntry: true });
}
