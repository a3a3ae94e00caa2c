// The Learning rate page: one rate for all, followed by the runs, their limits and the maps.
import { Controls } from "./controls.js";
import { el, number, point } from "./format.js";
import { Four } from "./four.js";
import { Panel } from "./panel.js";
import { Player } from "./player.js";
import { RateSlider } from "./rate_slider.js";
import { inWords } from "./results.js";
import { Store } from "./store.js";

export class Rates {
  constructor(root, catalog, header, Plotly) {
    root.classList.add("lab-rates");
    this.root = root;
    this.store = new Store(catalog, header, catalog.defaults.ratesOpt);
    this.player = new Player(root, this.store, Plotly, (step) => this.panel?.time(step));
    this.slider = new RateSlider(this.store, this.player);
    this.verdict = el("p", { class: "lab-verdict", "aria-live": "polite" });
    this.four = new Four(this.store, this.player);
    this.facts = el("dl", { class: "lab-facts", hidden: true });
    root.append(
      el("div", { class: "lab-ratebox" }, this.slider.element, this.verdict, this.facts),
      this.four.element,
    );
    this.panel = new Panel(root, this.store, this.player);
    this.controls = new Controls(root, this.store, { shared: true });
  }

  theme() {
    const { key } = this.player.colors;
    this.player.theme();
    if (key === this.player.colors.key) return;
    this.slider.paint();
    this.four.paint();
    this.panel.theme();
  }

  take(kind, message) {
    if (kind === "surface") this.player.setSurface(message);
    if (kind === "map") this.panel.setMap(message);
    if (kind === "answer") {
      this.store.answered(message);
      this.panel.deep.setJob(message.job);
      this.root.classList.toggle("lab-late", this.store.isLate);
    }
  }

  receive(message) {
    this.player.setRuns(message);
    this.slider.show(message);
    this.four.show(message);
    this.panel.setView(message.header.view, message.groups);
    this.#showVerdict(message.header);
  }

  // Of the optimizer that was chosen; where none was, of the first that blew up.
  #showVerdict({ reports, runs, view, limits }) {
    const focus = runs.findIndex(({ key }) => key === view.focus);
    const blown = reports.findIndex(Boolean);
    const i =
      blown >= 0 && (focus < 0 || (!reports[focus] && !this.store.isSet("of"))) ? blown : Math.max(0, focus);
    const run = runs[i];
    const report = reports[i] ?? null;
    this.facts.hidden = !report;
    this.player.showReport(report);
    if (!run) return void this.verdict.replaceChildren("Choose an optimizer to run.");
    const { name } = this.player.looks.get(run.key);
    if (!report) {
      const { lr, text } = limits[i];
      const rate = this.store.isSet("schedule") ? "η₀" : "rate";
      const share = lr ? ` Its ${rate} is ${number(view.lr / lr, 3)} × its limit: ${text}` : ` ${text}`;
      return void this.verdict.replaceChildren(el("b", {}, `${name}: ${inWords(run)}. `), run.reason, share);
    }
    this.verdict.replaceChildren(el("b", {}, `${name} blows up. `), report.sentence);
    this.facts.replaceChildren(
      ...facts(report).map(([term, fact]) => el("div", {}, el("dt", {}, term), el("dd", {}, fact))),
    );
    return undefined;
  }

  close() {
    this.panel.close();
    this.player.close();
    this.controls.close();
    this.store.close();
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
