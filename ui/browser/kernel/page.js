// One page: its state, its controls and its panels, which get their parts of each answer. Panels see
// it as `lab`.
import { Controls } from "../controls/controls.js";
import { Hover } from "../draw/hover.js";
import { readTheme } from "../draw/theme.js";
import { el } from "../words/format.js";
import { Asker, LATE } from "./asker.js";
import { Clock } from "./clock.js";
import { plotly } from "./load.js";
import { answerAddress, largeAddress } from "./questions.js";
import { failed, hush, newVersion, say, wentWrong } from "./sayings.js";
import { Store } from "./store.js";

const FRAME = 34; // ms, two frames
const SHOWN = 3; // notes; the others are counted

export class Page {
  runs = [];
  message = null; // the header of the last answer
  #panels = new Map();
  #askers = new Map(); // "" is the page's own
  #asked = new Map(); // an address to the state's query that it is of
  #wishes = {};
  #answers = 0;
  #timers = { settle: 0, late: 0 };
  #abort = new AbortController();
  #see; // called when the first picture is on the screen
  #seen = new Promise((done) => (this.#see = done));
  #said = null; // the asker of whom something is said

  constructor(root, key, { catalog, panels }) {
    Object.assign(this, { root, key, catalog });
    this.plotly = this.#seen.then(() => plotly(root));
    this.store = new Store(catalog, key);
    root.classList.add(`lab-page-${key}`, ...catalog.pages[key].panels.map((name) => `lab-with-${name}`));
    this.#frame();
    this.theme();
    this.clock = new Clock(this, (isFrame) => this.#each(isFrame ? "frame" : "paint"));
    this.stagebox.append(this.clock.element);
    this.hover = new Hover(this);
    for (const [name, Panel] of panels) this.#panels.set(name, new Panel(this));
    this.#askers.set(
      "",
      this.#asker("", (message, query) => this.#answered(message, query)),
    );
    for (const name of catalog.pages[key].large)
      this.#askers.set(
        name,
        this.#asker(name, (message) => this.panel(name).takeLarge(message)),
      );
    this.store.subscribe((change) => {
      this.#each("changed");
      if (!change.isAnswer) this.#ask(change.isChoice);
    });
    document.addEventListener("keydown", (event) => this.#key(event), { signal: this.signal });
    this.#ask(true);
  }

  // Aborted when the page is closed.
  get signal() {
    return this.#abort.signal;
  }

  get surface() {
    return this.message.surface;
  }

  panel = (name) => this.#panels.get(name);
  // A panel's share of the last answer, { header, groups }, or undefined.
  part = (name) => this.parts?.get(name);

  // A box of the page that several panels put something into.
  slot(name) {
    return this.root.querySelector(`:scope > .${name}`) ?? this.root.appendChild(el("div", { class: name }));
  }

  // What is asked for beside the state: _window, _exact, _coarse.
  wish(part) {
    this.#wishes = { ...this.#wishes, ...part };
    this.#ask(false);
  }

  theme() {
    const colors = readTheme(this.root);
    if (colors.key === this.colors?.key) return;
    this.colors = colors;
    this.root.classList.toggle("lab-dark", colors.dark);
    this.#each("theme");
  }

  // The clock shows a step.
  timed(step) {
    this.#each("time", step);
  }

  close() {
    this.#abort.abort();
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    for (const asker of this.#askers.values()) asker.close();
    this.#each("close");
    this.store.close();
  }

  #each(act, ...given) {
    for (const panel of this.#panels.values()) panel[act]?.(...given);
  }

  #frame() {
    this.notes = el("p", { class: "lab-notes", role: "alert", hidden: true });
    this.title = el("p", { class: "lab-title" });
    this.plots = el("div", { class: "lab-plots" });
    this.views = el("div", { class: "lab-views" }, this.plots);
    this.stagebox = el("div", { class: "lab-stagebox" }, this.views);
    this.root.append(
      el(
        "header",
        { class: "lab-brand" },
        el("b", {}, "Descent Lab"),
        el("span", {}, "Which optimizer, and why did it blow up?"),
      ),
      this.notes,
      this.title,
      this.stagebox,
    );
    this.tools = this.slot("lab-tools");
    this.below = this.slot("lab-below");
  }

  #asker(name, show) {
    const unsay = () => {
      if (name === "" || this.#said === asker) hush();
    };
    const asker = new Asker({
      show: (message, address) => {
        unsay();
        show(message, this.#asked.get(address));
      },
      isShown: () => this.#said === asker && hush(),
      refused: (status, sentence) => {
        this.#said = asker;
        if (status === 404) newVersion();
        else if (status >= 500) failed(sentence);
        else say(sentence);
      },
      failed: (error) => {
        console.error(error);
        this.#said = asker;
        wentWrong();
      },
      pending: () => this.#showLate(),
    });
    return asker;
  }

  #ask(isChoice) {
    const { _exact, _coarse } = this.#wishes;
    const { coarse } = this.catalog.pages[this.key];
    const { query } = this.store;
    const address = answerAddress(this.key, query, { exact: _exact, coarse: coarse && _coarse });
    this.#asked.clear();
    this.#asked.set(address, query);
    this.#askers.get("").want(address, isChoice);
    for (const [name, asker] of this.#askers) {
      const question = name && this.panel(name).question(this.#wishes);
      if (question) asker.want(largeAddress(this.key, name, ...question), isChoice);
    }
  }

  #showLate() {
    const askers = [...this.#askers.values()];
    this.root.classList.toggle(
      "lab-late",
      askers.some(({ isLate }) => isLate),
    );
    clearTimeout(this.#timers.late);
    if (askers.some(({ isPending }) => isPending))
      this.#timers.late = setTimeout(() => this.#showLate(), LATE / 2);
    else setTimeout(this.#see, 2 * FRAME);
  }

  #answered({ header, groups }, query) {
    const before = this.message?.surface.key;
    this.message = header;
    this.store.learn({ query, ...header });
    this.parts = split(header.panels, groups);
    for (const [name, panel] of this.#panels) panel.take?.(this.part(name));
    if (before !== header.surface.key) this.#present(before === undefined);
    this.#each("frame");
    // Tests and the benchmark read which answer the picture shows.
    this.root.dataset.answer = ++this.#answers;
    // The picture first; what needs a new layout follows when it is on the screen.
    clearTimeout(this.#timers.settle);
    this.#timers.settle = setTimeout(() => {
      this.controls ??= new Controls(this);
      this.#showNotes(header.notes);
      this.#each("settle");
    }, FRAME);
  }

  // A link to a moment shows its step.
  #present(isFirst) {
    if (!isFirst || !this.store.isSet("t")) return this.clock.present();
    this.clock.present();
    if (this.store.number("paused")) this.clock.pause();
    return this.clock.seek(this.store.number("t"));
  }

  #showNotes(notes) {
    this.notes.hidden = notes.length === 0;
    const more = notes.length > SHOWN ? ` And ${notes.length - SHOWN} more.` : "";
    this.notes.textContent = notes.slice(0, SHOWN).join(" ") + more;
  }

  #key(event) {
    const { key, shiftKey, target } = event;
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (target.matches?.("input[type=text], textarea, [contenteditable]")) return; // it has its own
    const act = { z: shiftKey ? "redo" : "undo", y: "redo" }[key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    this.store[act]();
  }
}

// The panels' parts; groups are named <panel>.<name>.
function split(headers, groups) {
  const parts = new Map(Object.entries(headers).map(([name, header]) => [name, { header, groups: {} }]));
  for (const [name, rows] of Object.entries(groups)) {
    const [panel, group] = name.split(".");
    parts.get(panel).groups[group] = rows;
  }
  return parts;
}
