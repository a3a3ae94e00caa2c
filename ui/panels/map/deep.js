// A map with many cells and steps, computed while the page is used: ordered, followed, cancelled.
import { typed } from "../../browser/controls/scales.js";
import { jobAddress } from "../../browser/kernel/questions.js";
import { unpack } from "../../browser/kernel/wire.js";
import { button, el } from "../../browser/words/format.js";

const SILENCE = 10000; // ms without a word from the server after which that is said
const BOUNDS = { cells: [2, 4000], steps: [1, 100000] };

const WHO = crypto.getRandomValues(new Uint32Array(4)).join("-"); // of this tab, for the server

export class Deep {
  #job = null; // { query, wishes, controller } of the one that is ordered
  #timer = 0;
  #pause = 500; // ms between two questions; the server says how long
  #heard = 0;

  // query(): what the map is of now; show(message): it is there, or the live one again (null).
  constructor(lab, query, show) {
    Object.assign(this, { lab, query, show });
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
    this.#leave();
  }

  // What the map is of has changed.
  dropped() {
    if (this.#job) this.#end("It was dropped, because what it was to show has changed.");
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
    this.#leave();
    const wishes = { cells: wanted.cells, steps: wanted.steps, who: WHO };
    this.#job = { query: this.query(), wishes, controller: new AbortController() };
    this.#heard = performance.now();
    this.#show("running", "waiting …");
    return this.#ask(this.#job);
  }

  async #ask(job) {
    const { query, wishes, controller } = job;
    const address = jobAddress(this.lab.key, "map", query, wishes);
    const answer = await fetch(address, { signal: controller.signal }).catch(() => null);
    if (this.#job !== job) return;
    if (answer?.status === 200) {
      const message = await unpack(new Uint8Array(await answer.arrayBuffer()));
      if (this.#job !== job) return;
      this.#show("done", "");
      this.show(message);
    } else if (answer?.status === 400) this.#end(await answer.text());
    else {
      if (answer?.status === 202) this.#follow(await answer.json());
      else if (performance.now() - this.#heard > SILENCE)
        this.#show("running", "The server does not answer; still asking …");
      this.#timer = setTimeout(() => this.#ask(job), this.#pause);
    }
  }

  // How far the server is with it.
  #follow({ before, done, total, pause }) {
    this.#heard = performance.now();
    this.#pause = 1000 * pause;
    this.bar.value = total ? done / total : 0;
    this.#show("running", before ? `${before} before yours` : `${Math.round(100 * this.bar.value)} %`);
  }

  #leave() {
    clearTimeout(this.#timer);
    if (!this.#job) return;
    const { query, controller } = this.#job;
    this.#job = null;
    controller.abort();
    fetch(jobAddress(this.lab.key, "map", query, { who: WHO, leave: 1 }), { keepalive: true }).catch(
      () => {},
    );
  }

  #end(text) {
    this.#leave();
    this.#show("idle", text);
    this.show(null);
  }

  #show(state, text) {
    this.element.dataset.state = state;
    this.start.hidden = state !== "idle";
    this.stop.hidden = state === "idle";
    this.stop.textContent = state === "running" ? "Cancel" : "Back to the live map";
    this.bar.hidden = state !== "running";
    this.word.textContent = text;
  }
}
