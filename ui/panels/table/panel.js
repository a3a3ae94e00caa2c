// Every quantity by step. Only the rows in sight are in the page: a run may have thousands.
import { el } from "../../browser/words/format.js";
import { mathml } from "../../browser/words/mathml.js";
import { stepAt, stepsOf } from "../formula/steps.js";

const ROWS = 24; // in the page at once: more than are in sight
const NAMES = {
  p: "position",
  g: "gradient",
  probe: "look-ahead",
  update: "update",
  z: "before shrinking",
  "p.after": "new position",
};
const DECIMALS = { g: 4, update: 4 };
const INNER = /\.before$/; // of a slot before the step: the row above has it
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

export default class TablePanel {
  #head = "";

  constructor(lab) {
    this.lab = lab;
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
    this.link = el("a", { class: "lab-csv", download: "" }, "Download as CSV, all digits");
    lab
      .slot("lab-tablebox")
      .append(
        el(
          "div",
          { class: "lab-steptable" },
          el("p", {}, "All quantities of every step. ", this.link),
          this.scroller,
        ),
      );
  }

  take() {
    const { clock, message, surface } = this.lab;
    const part = this.lab.part("formula");
    this.steps = stepsOf(part, surface.dim);
    const symbols = new Map(part.header.lines.map(({ name, symbol }) => [name, symbol]));
    const columns = part.header.columns
      .filter(({ name, shared }) => !shared && !INNER.test(name))
      .flatMap(({ name }) =>
        this.steps.values.get(name).map((values, j) => ({
          name,
          axis: surface.dim === 1 ? "" : "xy"[j],
          symbol: symbols.get(name) ?? name,
          values,
        })),
      );
    this.link.href = new URL(`lab/step_by_step.csv?${message.clean}`, document.baseURI).href;
    this.#show(columns);
    this.time(clock.step);
  }

  // columns: [{ name, axis, symbol, values }]
  #show(columns) {
    this.columns = columns;
    const head = JSON.stringify(columns.map(({ name, axis, symbol }) => [name, axis, symbol]));
    if (head !== this.#head) {
      this.#head = head;
      const titles = columns.map(({ name, axis, symbol }) =>
        el(
          "th",
          { scope: "col" },
          ...(NAMES[name] ? [NAMES[name]] : [mathml(symbol)]),
          axis ? ` ${axis}` : "",
        ),
      );
      this.headRow.replaceChildren(el("th", { scope: "col" }, "step"), ...titles);
    }
    this.#fill(true);
  }

  time(shown) {
    if (!this.steps) return;
    const step = stepAt(this.steps, shown);
    if (step === this.step) return;
    this.step = step;
    const { scrollTop, clientHeight } = this.scroller;
    const row = this.#rowHeight();
    const room = clientHeight - this.headRow.getBoundingClientRect().height;
    // The row of this step stays in sight, with the ones before and after it.
    const isSeen = (step - 1) * row >= scrollTop && (step + 2) * row <= scrollTop + room;
    const most = Math.max(0, this.steps.count * row - room);
    const top = isSeen ? scrollTop : Math.min(most, Math.max(0, (step - 1) * row));
    // Filled first: the rows that are scrolled to must be there.
    this.#fill(true, top);
    if (top !== scrollTop) this.scroller.scrollTop = top;
  }

  #seek(step) {
    const { clock } = this.lab;
    clock.pause();
    clock.seek(step);
  }

  // Of a row as the browser lays it out, which depends on its fonts; 0 before there is any.
  #rowHeight = () => this.body.rows[0]?.getBoundingClientRect().height ?? 0;

  #fill(anew = false, top = this.scroller.scrollTop) {
    if (!this.columns) return;
    const row = this.#rowHeight();
    const first = row ? Math.max(0, Math.min(this.steps.count - 1, Math.floor(top / row) - 4)) : 0;
    if (!anew && first === this.first) return;
    this.first = first;
    const last = Math.min(this.steps.count, first + ROWS);
    this.above.style.height = `${first * row}px`;
    this.below.style.height = `${(this.steps.count - last) * row}px`;
    const rows = [];
    for (let i = first; i < last; i++) {
      const cells = this.columns.map(({ name, values }) =>
        el("td", {}, fixed(values[i], DECIMALS[name] ?? 2)),
      );
      const attributes = {
        "data-row": i,
        "aria-current": i === this.step ? "step" : null,
        onclick: () => this.#seek(i),
      };
      rows.push(el("tr", attributes, el("th", { scope: "row" }, String(i)), ...cells));
    }
    this.body.replaceChildren(...rows);
  }
}
