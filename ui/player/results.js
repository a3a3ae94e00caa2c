// The table of outcomes, and how an outcome is said in few words.
import { el, number } from "./format.js";

const WORDS = {
  minimum: () => "at a minimum",
  saddle: () => "stuck, not at a minimum",
  plateau: () => "on a plateau",
  cycle: ({ period }) => `in a cycle of ${period}`,
  diverged: ({ step }) => (step === null ? "diverging" : `diverged, overflow at step ${step}`),
  undefined: ({ step }) => `undefined, 0/0 at step ${step}`,
  moving: () => "still moving",
};

export const inWords = (run) => WORDS[run.kind](run);

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

export class Results {
  constructor() {
    this.body = el("tbody");
    const head = el("tr", {}, ...COLUMNS.map((text) => el("th", { scope: "col" }, text)));
    this.element = el(
      "div",
      { class: "lab-results" },
      el("table", {}, el("thead", {}, head), this.body),
      el("p", {}, NOTE),
      (this.plans = el("p", { class: "lab-outlived", hidden: true })),
    );
  }

  // plans: what becomes of the rate where a schedule has ended before its run.
  show(runs, bounded, plans) {
    this.plans.hidden = plans.length === 0;
    this.plans.textContent = plans.join(" ");
    const steps = (value) =>
      !bounded ? "no lowest loss known" : value === null ? "not reached" : String(value);
    this.body.replaceChildren(
      ...runs.map((run) =>
        el(
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
        ),
      ),
    );
  }
}
