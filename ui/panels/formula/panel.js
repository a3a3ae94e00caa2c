// The update as it is written, and under each line the same with this step's numbers in it.
import { el, number } from "../../browser/words/format.js";
import { mathml, numberInPlaceOf } from "../../browser/words/mathml.js";
import { stepAt, stepsOf } from "./steps.js";

const DIGITS = 5;
const AXES = { 1: ["p"], 2: ["x", "y"] };

export default class FormulaPanel {
  #lines = "";
  #steps = null;
  #slots = []; // { node, name, j, wraps }

  constructor(lab) {
    this.lab = lab;
    this.head = el("h3", {});
    this.body = el("div", { class: "lab-lines" });
    lab
      .slot("lab-stepside")
      .append(
        el(
          "section",
          { class: "lab-formulas", "aria-label": "The update, with this step's numbers" },
          this.head,
          this.body,
        ),
      );
  }

  take(part) {
    const { dim } = this.lab.surface;
    const { lines } = part.header;
    this.#steps = stepsOf(part, dim);
    const key = JSON.stringify([lines, dim]);
    if (key !== this.#lines) this.#build(lines, dim, key);
    this.time(this.lab.clock.step);
  }

  #build(lines, dim, key) {
    this.#lines = key;
    this.#slots = [];
    this.body.replaceChildren(
      ...lines.flatMap((line) => [
        el("div", { class: "lab-line" }, mathml(line.formula)),
        ...(this.#steps.values.get(line.name).length === 1 ? [""] : AXES[dim]).map((axis, j) =>
          this.#numbers(line, axis, j),
        ),
      ]),
    );
  }

  #numbers({ name, numbers }, axis, j) {
    const value = el("b", {});
    this.#slots.push({ node: value, name, j, wraps: false });
    const formula = mathml(numbers);
    for (const text of formula.querySelectorAll("mtext")) {
      const [, wraps, token] = /^@(@?)(.*)$/.exec(text.textContent) ?? [];
      if (token === undefined) continue;
      this.#slots.push({ node: numberInPlaceOf(text), name: token, j, wraps: Boolean(wraps) });
    }
    // What is measured and not computed, as the gradient, is its value and nothing else.
    const terms = formula.querySelectorAll("mn, mo").length > 1 ? [formula, el("span", {}, "=")] : [];
    return el(
      "div",
      { class: "lab-numbers", "data-line": name, "data-axis": axis },
      el("i", {}, axis),
      ...terms,
      value,
    );
  }

  time(step) {
    if (!this.#steps) return;
    const i = stepAt(this.#steps, step);
    this.head.textContent = `From step ${i} to step ${i + 1}`;
    for (const { node, name, j, wraps } of this.#slots) {
      const rows = this.#steps.values.get(name);
      const value = (rows.length === 1 ? rows[0] : rows[j])[i];
      const text = number(value, DIGITS);
      node.textContent = wraps && text.startsWith("−") ? `(${text})` : text;
    }
  }
}
