// The table of outcomes, with a way from each run to the pages that look into it.
import { button, el, number } from "../../browser/words/format.js";
import { inWords } from "../../browser/words/outcomes.js";

const COLUMNS = [
  "Run",
  "Outcome",
  "Final loss",
  "Steps to 10⁻³",
  "Steps to 10⁻⁶",
  "Path length",
  "Gradients",
];
const NOTE =
  "Steps until the loss stays within 10⁻³ or 10⁻⁶ of the best known minimum. " +
  "Same start, same noise, one gradient evaluation a step for all.";
const WAYS = [
  ["learning_rate", "Why?", (name) => `Explain on the Learning rate page what became of ${name}`],
  ["step_by_step", "Step through", (name) => `Open ${name} on the Step by step page`],
];

export default class ResultsPanel {
  constructor(lab) {
    this.lab = lab;
    this.body = el("tbody");
    const ways = el("th", { scope: "col", "aria-label": "Open the run on another page" });
    const head = el("tr", {}, ...COLUMNS.map((text) => el("th", { scope: "col" }, text)), ways);
    lab.below.append(
      el(
        "div",
        { class: "lab-results" },
        el("table", {}, el("thead", {}, head), this.body),
        el("p", {}, NOTE),
        (this.plans = el("p", { class: "lab-outlived", hidden: true })),
      ),
    );
  }

  settle() {
    // What becomes of the rate where a schedule has ended before its run.
    const { plans } = this.lab.part("paths").header;
    this.plans.hidden = plans.length === 0;
    this.plans.textContent = plans.join(" ");
    this.body.replaceChildren(...this.lab.runs.map((run) => this.#row(run)));
  }

  #row(run) {
    const { hasMinimum } = this.lab;
    const steps = (value) =>
      !hasMinimum ? "no lowest loss known" : value === null ? "not reached" : String(value);
    return el(
      "tr",
      { "data-run": run.key, "data-kind": run.kind },
      el(
        "th",
        { scope: "row" },
        el("span", { class: "lab-chip", style: { background: run.look.color } }),
        run.look.name,
      ),
      el(
        "td",
        { class: "lab-outcome" },
        el("b", {}, inWords(run)),
        el("span", {}, [run.reason, ...run.zeros].join(" ")),
      ),
      el("td", {}, Number.isFinite(run.loss) ? number(run.loss) : "overflow"),
      ...run.within.map((value) => el("td", {}, steps(value))),
      el("td", {}, run.length === null ? "∞" : number(run.length)),
      el("td", {}, String(run.evaluations)),
      el("td", { class: "lab-ways" }, ...this.#ways(run)),
    );
  }

  // A run that goes on after another is of no other page.
  #ways(run) {
    const { catalog, key, store } = this.lab;
    if (!run.link) return [];
    return WAYS.filter(([page]) => page !== key && page in catalog.pages).map(([page, text, about]) =>
      button(text, about(run.look.name), () => store.go(page, this.#changes(page, run))),
    );
  }

  // What opens a page on exactly this run, beside what goes along.
  #changes(page, { link, lr }) {
    const { catalog, store } = this.lab;
    const { fields } = catalog.pages[page];
    const changes = { ...link };
    if (fields.lr) changes.lr = lr;
    for (const name of ["steps", "noise", "seed"])
      changes[name] = store.number(name) === fields[name].default ? null : store.number(name);
    const shown = store.kept(page, "opt")?.split("-") ?? fields.opt?.default;
    if (shown && !shown.includes(link.of)) changes.opt = [...shown, link.of].join("-");
    return changes;
  }
}
