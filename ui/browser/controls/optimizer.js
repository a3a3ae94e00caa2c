// One optimizer: a list to choose it from, and all of its hyperparameters.
import { methodOf } from "../kernel/store.js";
import { el } from "../words/format.js";

export function optimizer(fields, { store }) {
  const { optimizers } = store.catalog;
  const current = () => store.value("of");
  const chips = optimizers.map((one) => {
    const chip = el(
      "button",
      {
        type: "button",
        class: "lab-chipbutton",
        "data-of": one.key,
        title: one.convention,
        onclick: () => store.set({ of: one.key === store.fallback("of") ? null : one.key, without: null }),
      },
      el("span", { class: "lab-chip", style: { background: one.color } }),
      one.name,
    );
    fields.onUpdate(() => chip.setAttribute("aria-pressed", methodOf(current()) === one.key));
    return chip;
  });
  // The settings of another run of the method are its own.
  const box = el("div", { class: "lab-params" });
  let shown = null;
  fields.onUpdate(() => {
    const key = current();
    if (key === shown) return;
    shown = key;
    const { color, hypers, name } = optimizers.find((one) => one.key === methodOf(key));
    fields.drop("optimizer");
    box.style.setProperty("--lab-color", color);
    box.replaceChildren(
      ...hypers.map((hyper) =>
        fields.field(`${key}.${hyper.name}`, { hyper, owner: name, group: "optimizer" }),
      ),
    );
    fields.update();
  });
  return el(
    "div",
    { class: "lab-racers" },
    el("div", { class: "lab-chips", role: "group", "aria-label": "Optimizer" }, ...chips),
    box,
  );
}
