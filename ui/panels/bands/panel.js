// The slider, and under it a band for each optimizer: what becomes of it at every rate, its limit.
import { numberBox } from "../../browser/controls/fields.js";
import { SCALES, tidy } from "../../browser/controls/scales.js";
import { apart, el, number, sharp, swatch } from "../../browser/words/format.js";
import { inWords } from "../../browser/words/outcomes.js";
import { CYCLE, DIVERGED, outcomeInk, SETTLED } from "../map/inks.js";

const NOTCHES = 1000;
export const DIGITS = 4; // of a rate that a hand sets
const SHORT = { "closed form": "limit", preconditioned: "limit now", measured: "limit, measured" };

export default class BandsPanel {
  #limits = [];
  #strips = [];

  constructor(lab) {
    Object.assign(this, { lab, store: lab.store });
    this.range = el("input", {
      type: "range",
      min: 0,
      max: NOTCHES,
      step: 1,
      class: "lab-ratebar",
      "aria-label": "Learning rate",
      "data-name": "lr",
      oninput: () => this.#put(tidy(this.#value(this.range.valueAsNumber / NOTCHES), this.hyper, DIGITS)),
    });
    this.box = numberBox(
      "Learning rate",
      () => this.hyper,
      (value) => this.#put(value),
    );
    this.bands = el("div", { class: "lab-bands" });
    lab
      .slot("lab-ratebox")
      .append(
        el(
          "div",
          { class: "lab-rate" },
          el("label", { class: "lab-ratehead" }, el("b", {}, "Learning rate η"), this.range, this.box),
          this.bands,
        ),
      );
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(this.bands);
  }

  get hyper() {
    return this.store.declared("lr");
  }

  get rate() {
    return this.store.number("lr");
  }

  #value = (u) => SCALES.log.value(u, this.hyper);
  #place = (v) => Math.min(1, Math.max(0, SCALES.log.place(v, this.hyper)));

  #put(value) {
    this.store.put("lr", value);
  }

  // Where the slider begins and ends depends on the surface, so there is none before an answer.
  changed() {
    if (!this.lab.message) return;
    const { rate } = this;
    this.range.value = Math.round(NOTCHES * this.#place(rate));
    this.range.setAttribute("aria-valuetext", number(rate));
    if (document.activeElement !== this.box) this.box.value = String(rate);
    this.box.setCustomValidity("");
    this.redraw();
  }

  take({ header, groups }) {
    const { runs } = this.lab;
    const keys = JSON.stringify(runs.map(({ key, look }) => [key, look]));
    if (keys !== this.keys) this.#build(runs, keys);
    this.#limits = header.limits;
    this.#strips = groups.strips;
    const focus = this.lab.part("report")?.header.focus;
    runs.forEach((run, i) => {
      const { element, word } = this.rows[i];
      word.textContent = inWords(run);
      word.dataset.kind = run.kind;
      element.title = header.limits[i].text;
      element.classList.toggle("lab-focus", run.key === focus);
    });
    this.changed();
  }

  #build(runs, keys) {
    this.keys = keys;
    const { catalog } = this.lab;
    this.rows = runs.map(({ key, look, of }) => {
      const canvas = el("canvas", { "aria-hidden": "true" });
      const word = el("span", { class: "lab-bandword" });
      const track = el(
        "div",
        { class: "lab-track", onpointerdown: (event) => this.#press(event, track) },
        canvas,
      );
      const name = el(
        "button",
        {
          type: "button",
          class: "lab-bandname",
          title: `Explain and map ${look.name}`,
          onclick: () => this.store.set({ of: key, across: null, view: null }),
        },
        swatch(look),
        apart(look.name, catalog.optimizers.find((one) => one.key === of).name),
      );
      const element = el("div", { class: "lab-band", "data-band": key }, name, track, word);
      return { element, canvas, word, track };
    });
    this.bands.replaceChildren(...this.rows.map(({ element }) => element));
  }

  theme() {
    this.redraw();
  }

  close() {
    this.observer.disconnect();
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

  redraw() {
    this.rows?.forEach(({ canvas, track }, i) => {
      const [w, h] = [track.clientWidth, track.clientHeight];
      if (w) this.#band(canvas, w, h, this.#strips[i], this.#limits[i]);
    });
  }

  #band(canvas, w, h, strip, limit) {
    const { colors } = this.lab;
    const context = sharp(canvas, w, h);
    const [left, wide] = [9, w - 18]; // as far as the slider's thumb goes
    const unit = wide / strip.length;
    for (let i = 0, from = 0; i < strip.length; i++) {
      if (i + 1 < strip.length && strip[i + 1] === strip[from]) continue;
      context.fillStyle = `rgb(${outcomeInk(
        strip[from],
        { [SETTLED]: 60, [DIVERGED]: 4, [CYCLE]: 3 }[strip[from]] ?? 0,
        300,
      )
        .map(Math.round)
        .join()})`;
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
