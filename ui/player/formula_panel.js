// The update as it is written, and under each line the same with this step's numbers in it.
import { el, number } from "./format.js";
import { mathml, numberInPlaceOf } from "./mathml.js";

const DIGITS = 5;
const AXES = { 1: ["p"], 2: ["x", "y"] };

export class FormulaPanel {
  #lines = "";
  #slots = []; // { node, name, j, wraps }

  constructor() {
    this.head = el("h3", {});
    this.body = el("div", { class: "lab-lines" });
    this.element = el(
      "section",
      { class: "lab-formulas", "aria-label": "The update, with this step's numbers" },
      this.head,
      this.body,
    );
  }

  // quantities: name -> one row (T,) for each coordinate, or a single one that they share.
  show({ lines }, quantities, dim) {
    this.quantities = quantities;
    const key = JSON.stringify([lines, dim]);
    if (key === this.#lines) return;
    this.#lines = key;
    this.#slots = [];
    this.body.replaceChildren(
      ...lines.flatMap((line) => [
        el("div", { class: "lab-line" }, mathml(line.formula)),
        ...(quantities.get(line.name).length === 1 ? [""] : AXES[dim]).map((axis, j) =>
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

  time(i, title) {
    this.head.textContent = title;
    for (const { node, name, j, wraps } of this.#slots) {
      const rows = this.quantities.get(name);
      const value = (rows.length === 1 ? rows[0] : rows[j])[i];
      const text = number(value, DIGITS);
      node.textContent = wraps && text.startsWith("−") ? `(${text})` : text;
    }
  }
}
