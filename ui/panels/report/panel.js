// Why a run blew up, in a sentence and facts; of one that did not, how far its rate is from the limit.
import { drawAxis } from "../../browser/draw/scenery.js";
import { box } from "../../browser/draw/trail.js";
import { el, number, point } from "../../browser/words/format.js";
import { inWords } from "../../browser/words/outcomes.js";

export default class ReportPanel {
  constructor(lab) {
    this.lab = lab;
    this.verdict = el("p", { class: "lab-verdict", "aria-live": "polite" });
    this.facts = el("dl", { class: "lab-facts", hidden: true });
    lab.slot("lab-ratebox").append(this.verdict, this.facts);
    lab.main?.layer(15, (above, _, stage) => this.#draw(above, stage));
  }

  // Of the run that was chosen; where none was, of the first that blew up.
  take({ header: { reports, limits, focus, lr } }) {
    const { runs, store } = this.lab;
    const chosen = runs.findIndex(({ key }) => key === focus);
    const blown = reports.findIndex(Boolean);
    const i =
      blown >= 0 && (chosen < 0 || (!reports[chosen] && !store.isSet("of"))) ? blown : Math.max(0, chosen);
    this.report = reports[i] ?? null;
    this.facts.hidden = !this.report;
    this.#say(runs[i], limits[i], lr);
  }

  #say(run, limit, lr) {
    const { report } = this;
    if (!run) return void this.verdict.replaceChildren("Choose an optimizer to run.");
    const { name } = run.look;
    if (!report) {
      const rate = this.lab.store.isSet("schedule") ? "η₀" : "rate";
      const share = limit.lr
        ? ` Its ${rate} is ${number(lr / limit.lr, 3)} × its limit: ${limit.text}`
        : ` ${limit.text}`;
      return void this.verdict.replaceChildren(el("b", {}, `${name}: ${inWords(run)}. `), run.reason, share);
    }
    this.verdict.replaceChildren(el("b", {}, `${name} blows up. `), report.sentence);
    this.facts.replaceChildren(
      ...facts(report).map(([term, fact]) => el("div", {}, el("dt", {}, term), el("dd", {}, fact))),
    );
    return undefined;
  }

  // Where the run blew up and along which axis, over its path.
  #draw(context, stage) {
    if (!this.report?.at || this.lab.surface.dim !== 2) return;
    context.save();
    box(context, stage.frame);
    drawAxis(context, stage, this.report, this.lab.colors);
    context.restore();
  }
}

const facts = ({ rise, growth, expected, pattern, direction, curvature, limit, overflow }) => [
  ["loss rose for good from step", rise ?? "–"],
  [
    "growth a step, measured",
    growth === null
      ? "–"
      : `× ${number(growth)}${{ faster: ", ever faster", irregular: " at first" }[pattern] ?? ""}`,
  ],
  ["growth a step, theory", expected === null ? "–" : `× ${number(expected)}`],
  ...(direction?.length === 1 ? [] : [["along the axis", direction === null ? "–" : point(direction, 3)]]),
  ["curvature λ there", number(curvature)],
  ["limit on η there", number(limit, 3)],
  ["overflowed at step", overflow ?? "not yet"],
];
