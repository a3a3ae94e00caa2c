// Every quantity by step. Only the rows in sight are in the page: a run may have thousands.
import { el, mathml } from "./format.js";

const ROW = 27; // pixels
const ROWS = 9;
const NAMES = { p: "position", g: "gradient", probe: "look-ahead", update: "update", z: "before shrinking", "p.after": "new position" };
const DECIMALS = { g: 4, update: 4 };
const LONG = 1e6; // from here on, and where its decimals would be zeros, a number has an exponent

// With so many decimals, or as many more as two digits need.
export function fixed(value, decimals) {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  const needed = size === 0 ? decimals : Math.max(decimals, 1 - Math.floor(Math.log10(size)));
  const text = size >= LONG || needed > decimals + 3 ? value.toExponential(decimals) : value.toFixed(needed);
  return text.replace("e+", "e").replaceAll("-", "−");
}

export class StepTable {
  #head = "";

  constructor(seek) {
    this.seek = seek;
    this.headRow = el("tr", {});
    this.body = el("tbody", {});
    this.above = el("div", {});
    this.below = el("div", {});
    this.scroller = el(
      "div",
      { class: "lab-rows", tabindex: 0, "aria-label": "Table of all steps", onscroll: () => this.#fill() },
      this.above,
      el("table", {}, el("thead", {}, this.headRow), this.body),
      this.below,
    );
    this.scroller.style.height = `${ROW * (ROWS + 1)}px`;
    this.link = el("a", { class: "lab-csv", download: "" }, "Download as CSV, all digits");
    this.element = el("div", { class: "lab-steptable" }, el("p", {}, "All quantities of every step. ", this.link), this.scroller);
  }

  // columns: [{ name, axis, symbol, values }]
  show(columns, steps, address) {
    Object.assign(this, { columns, steps });
    this.link.href = address;
    const head = JSON.stringify(columns.map(({ name, axis, symbol }) => [name, axis, symbol]));
    if (head !== this.#head) {
      this.#head = head;
      const titles = columns.map(({ name, axis, symbol }) =>
        el("th", { scope: "col" }, ...(NAMES[name] ? [NAMES[name]] : [mathml(symbol)]), axis ? ` ${axis}` : ""),
      );
      this.headRow.replaceChildren(el("th", { scope: "col" }, "step"), ...titles);
    }
    this.#fill(true);
  }

  time(step) {
    if (step === this.step) return;
    this.step = step;
    const { scrollTop, clientHeight } = this.scroller;
    const top = step * ROW;
    // The row of this step stays in sight, with the one before it.
    if (top - ROW < scrollTop || top + 2 * ROW > scrollTop + clientHeight) this.scroller.scrollTop = Math.max(0, top - ROW);
    this.#fill(true);
  }

  #fill(anew = false) {
    if (!this.columns) return;
    const first = Math.max(0, Math.min(this.steps - 1, Math.floor(this.scroller.scrollTop / ROW) - 4));
    if (!anew && first === this.first) return;
    this.first = first;
    const last = Math.min(this.steps, first + ROWS + 12);
    this.above.style.height = `${first * ROW}px`;
    this.below.style.height = `${(this.steps - last) * ROW}px`;
    const rows = [];
    for (let i = first; i < last; i++) {
      const cells = this.columns.map(({ name, values }) => el("td", {}, fixed(values[i], DECIMALS[name] ?? 2)));
      const attributes = { "data-row": i, "aria-current": i === this.step ? "step" : null, onclick: () => this.seek(i) };
      rows.push(el("tr", attributes, el("th", { scope: "row" }, String(i)), ...cells));
    }
    this.body.replaceChildren(...rows);
  }
}
