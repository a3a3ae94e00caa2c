// A map with many cells and steps, computed while the page is used: ordered, followed, cancelled.
import { button, el } from "./format.js";
import { typed } from "./scales.js";

const SILENCE = 10000; // ms without a word from the server after which that is said
const BOUNDS = { cells: [2, 4000], steps: [1, 100000] };

export class Deep {
  #order = null;
  #timer = 0;
  #pause = 500; // ms between two questions; the server says how long
  #heard = 0;

  constructor(store) {
    this.store = store;
    const box = (name, value) =>
      el("input", {
        type: "text",
        inputmode: "numeric",
        class: "lab-number lab-deepnumber",
        value,
        "aria-label": `Deep map: ${name}`,
      });
    this.cells = box("cells a side", 1600);
    this.steps = box("steps", 5000);
    this.bar = el("progress", { max: 1, value: 0, hidden: true });
    this.word = el("output", { class: "lab-deepword" });
    this.start = button("Compute", "Compute the deep map", () => this.#begin());
    this.stop = button("Cancel", "Cancel the deep map", () => this.#end("It was cancelled."), {
      hidden: true,
    });
    this.element = el(
      "div",
      { class: "lab-deep" },
      el("span", {}, "Deep map:"),
      this.cells,
      "× as many cells,",
      this.steps,
      "steps",
      this.start,
      this.stop,
      this.bar,
      this.word,
    );
  }

  close() {
    clearTimeout(this.#timer);
  }

  #begin() {
    const wanted = {};
    for (const [name, [min, max]] of Object.entries(BOUNDS)) {
      const { value, error = "" } = typed(
        this[name].value,
        { min, max, whole: true, domain: `[${min}, ${max}]` },
        name,
      );
      this[name].setCustomValidity(error);
      if (error) return this[name].reportValidity();
      wanted[name] = value;
    }
    this.#order = Date.now();
    this.store.wish({ deep: { order: this.#order, ...wanted } });
    this.#heard = performance.now();
    this.#askAgain();
    return this.#show("running", "waiting …");
  }

  // Whether or not the last question was answered: an answer can be lost.
  #askAgain() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (performance.now() - this.#heard > SILENCE)
        this.#show("running", "The server does not answer; still asking …");
      this.store.wish({ poll: Date.now() });
      this.#askAgain();
    }, this.#pause);
  }

  #end(text) {
    clearTimeout(this.#timer);
    this.#order = null;
    this.store.wish({ deep: null });
    this.#show("idle", text);
  }

  #show(state, text) {
    this.element.dataset.state = state;
    this.start.hidden = state !== "idle";
    this.stop.hidden = state === "idle";
    this.stop.textContent = state === "running" ? "Cancel" : "Back to the live map";
    this.bar.hidden = state !== "running";
    this.word.textContent = text;
  }

  // How far the server is with it.
  setJob(job) {
    if (!job || job.order !== this.#order) return;
    if (job.error) return void this.#end(job.error);
    this.#heard = performance.now();
    this.#pause = 1000 * job.pause;
    if (job.ready) {
      clearTimeout(this.#timer);
      return void this.#show("done", "");
    }
    this.bar.value = job.total ? job.done / job.total : 0;
    this.#show(
      "running",
      job.before ? `${job.before} before yours` : `${Math.round(100 * this.bar.value)} %`,
    );
    this.#askAgain();
  }
}
