// The page's state: one flat map of texts, the same as the query string in the address bar.

const ADDRESS_DELAY = 250; // browsers refuse more than some 200 changes of the address in 10 s
export const LATE = 200; // ms
const PATIENCE = 1500; // ms after which an unanswered change is sent again

export class Store {
  #values;
  #listeners = new Set();
  #send = () => {};
  #waiting = null; // the query that the server has not answered yet
  #waitingSince = 0;
  #timer = 0;
  #addressTimer = 0;
  #sent;
  #window = null;
  #sentWindow = null;

  constructor(catalog, query) {
    this.catalog = catalog;
    this.#values = new Map(new URLSearchParams(query));
    this.#sent = this.query;
  }

  get query() {
    return new URLSearchParams([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  }

  get surface() {
    const key = this.text("surface") ?? this.catalog.defaults.surface;
    return this.catalog.surfaces.find((s) => s.key === key);
  }

  get racers() {
    const text = this.text("opt");
    if (text === undefined) return this.catalog.defaults.opt;
    return text === "" ? [] : text.split("-");
  }

  get start() {
    return this.surface.start.map((value, i) => this.number("xy"[i], value));
  }

  text = (name) => this.#values.get(name);

  number(name, otherwise) {
    return this.#values.has(name) ? Number(this.#values.get(name)) : otherwise;
  }

  isSet = (name) => this.#values.has(name);

  // null removes a value, so that the default holds again.
  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) this.#values.delete(name);
      else this.#values.set(name, String(value));
    }
    this.#changed();
  }

  reset() {
    this.#values.clear();
    this.#changed();
  }

  // The part of the plane that is looked at, so that the surface is computed for it.
  look(window) {
    this.#window = window;
    this.#schedule();
  }

  // Whether an answer has been missing for longer than a person overlooks.
  get isLate() {
    return this.#waiting !== null && performance.now() - this.#waitingSince > LATE;
  }

  subscribe(listener) {
    this.#listeners.add(listener);
  }

  connect(send) {
    this.#send = send;
  }

  answered({ query }) {
    if (query === this.#waiting) this.#waiting = null;
    this.#schedule();
  }

  close() {
    this.#listeners.clear();
    clearTimeout(this.#timer);
    clearTimeout(this.#addressTimer);
    this.#send = () => {};
  }

  #changed() {
    for (const listener of this.#listeners) listener();
    this.#schedule();
    clearTimeout(this.#addressTimer);
    this.#addressTimer = setTimeout(() => this.#writeAddress(), ADDRESS_DELAY);
  }

  #writeAddress() {
    const query = this.query;
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : ""));
  }

  // At most one change is under way: the newest state leaves when the answer to the last is there.
  #schedule() {
    clearTimeout(this.#timer);
    const query = this.query;
    if (query === this.#sent && this.#window === this.#sentWindow) return;
    const left = this.#waitingSince + PATIENCE - performance.now();
    if (this.#waiting !== null && left > 0) {
      this.#timer = setTimeout(() => this.#schedule(), left);
      return;
    }
    this.#waiting = query;
    this.#waitingSince = performance.now();
    this.#sent = query;
    this.#sentWindow = this.#window;
    this.#send({ query, window: this.#window });
  }
}
