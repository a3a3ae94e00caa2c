// How long all runs are, and with what noise.
import { el } from "../words/format.js";

const LABELS = { steps: "steps", noise: "noise σ", seed: "seed" };

export const race = (fields) =>
  el(
    "div",
    { class: "lab-params" },
    ...Object.entries(LABELS).map(([name, label]) => fields.field(name, { label })),
  );
