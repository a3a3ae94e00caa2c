// Every quantity by step. Only the rows in sight are in the page: a run may have thousands.
import { el } from "./format.js";
import { mathml } from "./mathml.js";

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
    this.link = el("a", { class: "lab-csv", download: "" }, "Download as CSV, all digits");
    this.element = el(
      "div",
      { class: "lab-steptable" },
      el("p", {}, "All quantities of every step. ", this.link),
      this.scroller,
    );
  }

  // columns: [{ name, axis, symbol, values }]
  show(columns, steps, address) {
    Object.assign(this, { columns, steps });
    this.link.href = address;
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

  time(step) {
    if (step === this.step) return;
    this.step = step;
    const { scrollTop, clientHeight } = this.scroller;
    const row = this.#rowHeight();
    const room = clientHeight - this.headRow.getBoundingClientRect().height;
    // The row of this step stays in sight, with the ones before and after it.
    const isSeen = (step - 1) * row >= scrollTop && (step + 2) * row <= scrollTop + room;
    const most = Math.max(0, this.steps * row - room);
    const top = isSeen ? scrollTop : Math.min(most, Math.max(0, (step - 1) * row));
    // Filled first: the rows that are scrolled to must be there.
    this.#fill(true, top);
    if (top !== scrollTop) this.scroller.scrollTop = top;
  }

  // Of a row as the browser lays it out, which depends on its fonts; 0 before there is any.
  #rowHeight = () => this.body.rows[0]?.getBoundingClientRect().height ?? 0;

  #fill(anew = false, top = this.scroller.scrollTop) {
    if (!this.columns) return;
    const row = this.#rowHeight();
    const first = row ? Math.max(0, Math.min(this.steps - 1, Math.floor(top / row) - 4)) : 0;
    if (!anew && first === this.first) return;
    this.first = first;
    const last = Math.min(this.steps, first + ROWS);
    this.above.style.height = `${first * row}px`;
    this.below.style.height = `${(this.steps - last) * row}px`;
    const rows = [];
    for (let i = first; i < last; i++) {
      const cells = this.columns.map(({ name, values }) =>
        el("td", {}, fixed(values[i], DECIMALS[name] ?? 2)),
      );
      const attributes = {
        "data-row": i,
        "aria-current": i === this.step ? "step" : null,
        onclick: () => this.seek(i),
      };
      rows.push(el("tr", attributes, el("th", { scope: "row" }, String(i)), ...cells));
    }
    this.body.replaceChildren(...rows);
  }
}
