// The Learning rate page: one rate for all, followed by the runs, their limits and the maps.
import { Controls } from "./controls.js";
import { el, number, point, swatch } from "./format.js";
import { CYCLE, DIVERGED, outcomeInk, SETTLED } from "./inks.js";
import { Panel } from "./panel.js";
import { Player } from "./player.js";
import { inWords } from "./results.js";
import { SCALES, tidy, typed } from "./scales.js";
import { Store } from "./store.js";

const NOTCHES = 1000;
const DIGITS = 4; // of a rate that a hand sets
const SHORT = { "closed form": "limit", preconditioned: "limit now", measured: "limit, measured" };

export class Rates {
  constructor(root, catalog, query, Plotly) {
    root.classList.add("lab-rates");
    this.root = root;
    this.store = new Store(catalog, query, catalog.defaults.ratesOpt);
    this.player = new Player(root, this.store, Plotly, (step) => this.panel?.time(step));
    this.slider = new RateSlider(this.store, this.player);
    this.verdict = el("p", { class: "lab-verdict", "aria-live": "polite" });
    this.four = new Four(this.store, this.player);
    this.facts = el("dl", { class: "lab-facts", hidden: true });
    root.append(el("div", { class: "lab-ratebox" }, this.slider.element, this.verdict, this.facts), this.four.element);
    this.panel = new Panel(root, this.store, this.player);
    this.controls = new Controls(root, this.store, { shared: true });
  }

  connect = (send) => this.store.connect(send);

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
    const i = blown >= 0 && (focus < 0 || (!reports[focus] && !this.store.isSet("of"))) ? blown : Math.max(0, focus);
    const run = runs[i];
    const report = reports[i] ?? null;
    this.facts.hidden = !report;
    this.player.showReport(report);
    if (!run) return void this.verdict.replaceChildren("Choose an optimizer to run.");
    const { name } = this.player.looks.get(run.key);
    if (!report) {
      const { lr, text } = limits[i];
      const share = lr ? ` Its rate is ${number(view.lr / lr, 3)} × its limit: ${text}` : ` ${text}`;
      return void this.verdict.replaceChildren(el("b", {}, `${name}: ${inWords(run)}. `), run.reason, share);
    }
    this.verdict.replaceChildren(el("b", {}, `${name} blows up. `), report.sentence);
    this.facts.replaceChildren(...facts(report).map(([term, fact]) => el("div", {}, el("dt", {}, term), el("dd", {}, fact))));
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
  ["growth a step, measured", growth === null ? "–" : `× ${number(growth)}${{ faster: ", ever faster", irregular: " at first" }[pattern] ?? ""}`],
  ["growth a step, theory", expected === null ? "–" : `× ${number(expected)}`],
  ...(direction?.length === 1 ? [] : [["along the axis", direction === null ? "–" : point(direction, 3)]]),
  ["curvature λ there", number(curvature)],
  ["limit on η there", number(limit, 3)],
  ["left the floats at step", overflow ?? "not yet"],
];

// The slider, and under it a band for each optimizer: what becomes of it at every rate, its limit.
class RateSlider {
  #message = null;

  constructor(store, player) {
    Object.assign(this, { store, player });
    this.range = el("input", {
      type: "range", min: 0, max: NOTCHES, step: 1, class: "lab-ratebar", "aria-label": "Learning rate", "data-name": "lr",
      oninput: () => this.#put(tidy(this.#value(this.range.valueAsNumber / NOTCHES), this.hyper, DIGITS)),
    });
    this.box = el("input", {
      type: "text", inputmode: "decimal", class: "lab-number", "aria-label": "Learning rate, exact", spellcheck: "false",
      onchange: () => {
        const value = typed(this.box.value, this.hyper);
        this.box.setCustomValidity(value === null ? `The learning rate must be a number in ${this.hyper.domain}, got “${this.box.value}”.` : "");
        if (value === null) this.box.reportValidity();
        else this.#put(value);
      },
    });
    this.bands = el("div", { class: "lab-bands" });
    this.element = el(
      "div",
      { class: "lab-rate" },
      el("label", { class: "lab-ratehead" }, el("b", {}, "Learning rate η"), this.range, this.box),
      this.bands,
    );
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(this.bands);
    store.subscribe(() => this.#update());
    this.#update();
  }

  get hyper() {
    return this.store.surface.rate;
  }

  get rate() {
    return this.store.number("lr", this.hyper.default);
  }

  #value = (u) => SCALES.log.value(u, this.hyper);
  #place = (v) => Math.min(1, Math.max(0, SCALES.log.place(v, this.hyper)));

  #put(value) {
    this.store.set({ lr: value === this.hyper.default ? null : value });
  }

  #update() {
    const { rate } = this;
    this.range.value = Math.round(NOTCHES * this.#place(rate));
    this.range.setAttribute("aria-valuetext", number(rate));
    if (document.activeElement !== this.box) this.box.value = String(rate);
    this.box.setCustomValidity("");
    this.paint();
  }

  show({ header, groups }) {
    const keys = header.runs.map(({ key }) => key).join();
    if (keys !== this.keys) this.#build(header.runs, keys);
    this.#message = { header, strips: groups.strips };
    header.runs.forEach((run, i) => {
      const { element, word } = this.rows[i];
      word.textContent = inWords(run);
      word.dataset.kind = run.kind;
      element.title = header.limits[i].text;
      element.classList.toggle("lab-focus", run.key === header.view.focus);
    });
    this.paint();
  }

  #build(runs, keys) {
    this.keys = keys;
    this.rows = runs.map(({ key }) => {
      const look = this.player.looks.get(key);
      const canvas = el("canvas", { "aria-hidden": "true" });
      const word = el("span", { class: "lab-bandword" });
      const track = el("div", { class: "lab-track", onpointerdown: (event) => this.#press(event, track) }, canvas);
      const name = el(
        "button",
        { type: "button", class: "lab-bandname", title: `Explain and map ${look.name}`, onclick: () => this.store.set({ of: key, across: null, view: null }) },
        swatch(look),
        look.name,
      );
      const element = el("div", { class: "lab-band", "data-band": key }, name, track, word);
      return { element, canvas, word, track };
    });
    this.bands.replaceChildren(...this.rows.map(({ element }) => element));
  }

  // A band is a slider too.
  #press(event, track) {
    const follow = ({ clientX }) => {
      const box = track.getBoundingClientRect();
      const u = Math.min(1, Math.max(0, (clientX - box.left - 9) / (box.width - 18)));
      this.#put(tidy(this.#value(u), this.hyper, DIGITS));
    };
    track.setPointerCapture(event.pointerId);
    track.onpointermove = follow;
    track.onpointerup = track.onpointercancel = () => (track.onpointermove = null);
    follow(event);
  }

  paint() {
    if (!this.#message || !this.player.colors || !this.rows) return;
    const { header, strips } = this.#message;
    this.rows.forEach(({ canvas, track }, i) => {
      const [w, h] = [track.clientWidth, track.clientHeight];
      if (w) this.#band(canvas, w, h, strips[i], header.limits[i]);
    });
  }

  #band(canvas, w, h, strip, limit) {
    const { colors } = this.player;
    const ratio = devicePixelRatio || 1;
    [canvas.width, canvas.height] = [w * ratio, h * ratio];
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [left, wide] = [9, w - 18]; // as far as the slider's thumb goes
    const unit = wide / strip.length;
    for (let i = 0, from = 0; i < strip.length; i++) {
      if (i + 1 < strip.length && strip[i + 1] === strip[from]) continue;
      context.fillStyle = `rgb(${outcomeInk(strip[from], { [SETTLED]: 60, [DIVERGED]: 4, [CYCLE]: 3 }[strip[from]] ?? 0, 300).map(Math.round).join()})`;
      context.fillRect(left + from * unit, 0, (i + 1 - from) * unit + 0.5, h);
      from = i + 1;
    }
    const now = left + this.#place(this.rate) * wide;
    context.fillStyle = colors.back;
    context.fillRect(now - 2.5, 0, 5, h);
    context.fillStyle = colors.text;
    context.fillRect(now - 1.5, 0, 3, h);
    if (limit.lr !== null) this.#tick(context, left, wide, h, limit, colors);
  }

  #tick(context, left, wide, h, { lr, kind }, colors) {
    const u = SCALES.log.place(lr, this.hyper);
    const x = left + Math.min(1, Math.max(0, u)) * wide;
    const text = `${u < 0 ? "◂ " : ""}${SHORT[kind]} ${number(lr, 3)}${u > 1 ? " ▸" : ""}`;
    context.font = `600 12px ${colors.font}`;
    context.textBaseline = "middle";
    const width = context.measureText(text).width;
    const fits = x + width + 12 < left + wide;
    const at = fits ? x + 6 : x - width - 6;
    context.fillStyle = colors.back;
    context.globalAlpha = 0.8;
    context.fillRect(at - 3, 1, width + 6, h - 2);
    context.globalAlpha = 1;
    context.fillStyle = colors.text;
    context.fillRect(x - 1, 0, 2, h);
    context.fillText(text, at, h / 2 + 0.5);
  }
}

// Four small learning curves of the optimizer that the map is of; a click takes its rate.
class Four {
  constructor(store, player) {
    Object.assign(this, { store, player });
    this.cards = Array.from({ length: 4 }, () => {
      const canvas = el("canvas", {});
      const text = el("span", {});
      const button = el("button", { type: "button", class: "lab-card" }, text, canvas);
      return { button, canvas, text };
    });
    this.says = el("p", {});
    this.element = el("div", { class: "lab-four", role: "group", "aria-label": "Four learning curves" }, this.says, ...this.cards.map(({ button }) => button));
    this.observer = new ResizeObserver(() => this.paint());
    this.observer.observe(this.element);
  }

  // While a hand moves they are not sent, and stay as they are.
  show({ header, groups }) {
    const shown = JSON.stringify([header.four, header.view.focus, groups.four?.at(-1)?.at(-1)]);
    if (!header.four || shown === this.shown) return;
    this.shown = shown;
    this.curves = groups.four;
    this.look = this.player.looks.get(header.view.focus);
    this.says.textContent = header.four.length
      ? `${this.look.name} at four rates, chosen from its limit, on one axis of the loss. Click a curve to run it.`
      : `For ${this.look.name} there are no four telling rates from here: nothing to settle at, or nothing that is too high.`;
    header.four.forEach(({ label, lr }, i) => {
      const { button, text } = this.cards[i];
      text.replaceChildren(el("b", {}, label), ` η = ${number(lr, 3)}`);
      button.onclick = () => {
        this.store.set({ lr: Number(lr.toPrecision(DIGITS)) });
        this.player.play(0);
      };
      button.title = `${this.look.name} at η = ${number(lr, 6)}`;
    });
    this.cards.forEach(({ button }, i) => (button.hidden = i >= header.four.length));
    this.paint();
  }

  // One log axis for all four, from the best of them to a hundred times the start.
  paint() {
    if (!this.curves?.length || !this.player.colors) return;
    const values = this.curves.flatMap((curve) => [...curve].filter((v) => v > 0 && Number.isFinite(v)));
    const first = Math.max(...this.curves.map((curve) => curve[0]));
    const top = Math.log10(first > 0 ? 100 * first : 1);
    const bottom = Math.max(top - 14, Math.log10(Math.min(...values, first > 0 ? first / 10 : 0.1)));
    this.cards.forEach(({ canvas }, i) => this.curves[i] && this.#curve(canvas, this.curves[i], bottom, top));
  }

  #curve(canvas, curve, bottom, top) {
    const [w, h] = [canvas.clientWidth, canvas.clientHeight];
    const ratio = devicePixelRatio || 1;
    [canvas.width, canvas.height] = [w * ratio, h * ratio];
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.strokeStyle = this.look.color;
    context.lineWidth = 2.5;
    context.lineJoin = "round";
    context.beginPath();
    for (let i = 0; i < curve.length; i++) {
      const u = (Math.log10(curve[i]) - bottom) / (top - bottom);
      if (Number.isNaN(u)) break;
      context.lineTo(2 + (i / (curve.length - 1)) * (w - 4), Math.max(-50, Math.min(h + 50, h - 3 - u * (h - 6))));
    }
    context.stroke();
  }
}
