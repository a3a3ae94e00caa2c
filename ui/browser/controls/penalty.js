// What is added to the loss: L1 and L2, and how a step takes L1.
import { el, number, say } from "../words/format.js";

const LABELS = { l1: "L1 λ₁", l2: "L2 λ₂", proximal: "proximal step for L1" };

// decoupled: whether L2 may be some method's own decay.
export function penalty(fields, { store }, { decoupled }) {
  const { penalty: hypers, optimizers } = store.catalog;
  const own = optimizers.filter((one) => one.hypers.some(({ name }) => name === "weight_decay"));
  const label = `λ₂ as ${own.map(({ name }) => name).join(", ")}'s own decay`;
  const word = el("span", {});
  fields.onUpdate(() => {
    const [l1, l2] = ["l1", "l2"].map((name) => store.number(name));
    const parts = [l1 ? `L1 ${number(l1)}` : "", l2 ? `L2 ${number(l2)}` : ""].filter(Boolean);
    say(word, parts.join(", ") || "none");
  });
  return el(
    "details",
    { class: "lab-fold", "data-fold": "penalty", open: ["l1", "l2"].some((name) => store.isSet(name)) },
    el("summary", {}, el("b", {}, "Penalty"), " ", word),
    ...hypers.map(({ name }) => fields.field(name, { label: LABELS[name] })),
    decoupled ? fields.field("decoupled", { label }) : "",
  );
}
