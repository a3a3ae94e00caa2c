// The page's state: one flat map of texts, the same as the query string in the address bar.

const ADDRESS_PAUSE = 400; // ms; Safari refuses more than 100 changes of the address in 30 s
const ANEW = 1000; // ms after which what a server has forgotten is asked once more
export const LATE = 200; // ms
const PATIENCE = 1500; // ms after which an unanswered change is sent again

export class Store {
  #values;
  #listeners = new Set();
  #send = () => {};
  #isWaiting = false; // whether the server has not answered the last ask yet
  #waitingSince = 0;
  #askedAt = 0;
  #timer = 0;
  #addressTimer = 0;
  #writtenAt = -Infinity;
  #foreign; // parameters of the address that are no control of ours, and stay in it
  #sent;
  #serial; // of the last ask
  #heard; // of the newest answer
  #wish = { window: null };
  #sentWish = this.#wish;
  #learned = null; // the surface of the last answer, with its own rates
  #told = "";

  // usual: the keys of the optimizers that are shown where the link names none.
  constructor(catalog, { clean, serial }, usual) {
    this.catalog = catalog;
    this.usual = usual;
    this.#values = new Map(new URLSearchParams(clean));
    this.#sent = this.query;
    this.#serial = this.#heard = serial;
    const { names, starts } = catalog.foreign;
    const isForeign = (name) => names.includes(name) || starts.some((start) => name.startsWith(start));
    this.#foreign = [...new URLSearchParams(location.search)].filter(([name]) => isForeign(name));
  }

  get query() {
    return new URLSearchParams([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  }

  get surface() {
    const key = this.text("surface") ?? this.catalog.defaults.surface;
    return this.#learned?.key === key ? this.#learned : this.catalog.surfaces.find((s) => s.key === key);
  }

  // The rates that hold where the link has none; they follow the surface's parameters.
  learn({ surface, defaults, rate }) {
    const lr = Object.fromEntries(Object.entries(defaults).map(([key, own]) => [key, own.lr]));
    const told = JSON.stringify([surface, lr, rate]);
    if (told === this.#told) return;
    this.#told = told;
    const declared = this.catalog.surfaces.find((s) => s.key === surface);
    this.#learned = { ...declared, lr, rate: rate ?? declared.rate };
    for (const listener of this.#listeners) listener();
  }

  get racers() {
    return this.chosen("opt", this.usual);
  }

  // Several keys in one value, as gd-momentum-adam; `usual` are those where none are named.
  chosen(name, usual) {
    const text = this.text(name);
    if (text === undefined) return usual;
    return text === "" ? [] : text.split("-");
  }

  choose(name, usual, key, on) {
    const now = new Set(this.chosen(name, usual));
    if (on) now.add(key);
    else now.delete(key);
    const order = name === "opt" ? this.catalog.optimizers : this.catalog.schedules;
    const text = order
      .map((o) => o.key)
      .filter((k) => now.has(k))
      .join("-");
    this.set({ [name]: text === usual.join("-") ? null : text });
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

  // The state without some names, as a text: what does not depend on them has not changed.
  without(names) {
    return JSON.stringify([...this.#values].filter(([name]) => !names.includes(name)).sort());
  }

  reset() {
    this.#values.clear();
    this.#changed();
  }

  // What is asked for beside the state: the part of the plane that is looked at, so that the
  // surface is computed for it, and what a page adds.
  wish(part) {
    this.#wish = { ...this.#wish, ...part };
    this.#schedule();
  }

  // Whether an answer has been missing for longer than a person overlooks.
  get isLate() {
    return this.#isWaiting && performance.now() - this.#waitingSince > LATE;
  }

  subscribe(listener) {
    this.#listeners.add(listener);
  }

  connect(send) {
    this.#send = send;
  }

  // Whether an answer is to be shown. One that knows less than an earlier one did is of a server that
  // has lost the session, and knows only the address that the page was opened at: it is asked anew.
  accepts({ serial }) {
    const isForgotten = serial < this.#heard || (serial === 0 && this.#serial > 0);
    this.#heard = serial;
    if (isForgotten && performance.now() - this.#askedAt > ANEW) this.#ask(this.#send);
    return !isForgotten;
  }

  // Ask `serial` is answered; where an answer comes in parts, with its last part.
  answered({ serial }) {
    if (serial === this.#serial) this.#isWaiting = false;
    this.#schedule();
  }

  // The connection was lost and is there again: what was under way is not answered any more.
  reconnected(askAnew) {
    this.#ask(askAnew ?? this.#send);
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
    const left = this.#writtenAt + ADDRESS_PAUSE - performance.now();
    this.#addressTimer = setTimeout(() => this.#writeAddress(), Math.max(0, left));
  }

  #writeAddress() {
    this.#writtenAt = performance.now();
    const query = new URLSearchParams([...new URLSearchParams(this.query), ...this.#foreign]).toString();
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : "") + location.hash);
  }

  // At most one change is under way: the newest state leaves when the answer to the last is there.
  #schedule() {
    clearTimeout(this.#timer);
    if (this.query === this.#sent && this.#wish === this.#sentWish) return;
    const left = this.#askedAt + PATIENCE - performance.now();
    if (this.#isWaiting && left > 0) this.#timer = setTimeout(() => this.#schedule(), left);
    else this.#ask(this.#send);
  }

  #ask(send) {
    clearTimeout(this.#timer);
    this.#askedAt = performance.now();
    if (!this.#isWaiting) this.#waitingSince = this.#askedAt;
    this.#isWaiting = true;
    this.#sent = this.query;
    this.#sentWish = this.#wish;
    send({ query: this.#sent, serial: ++this.#serial, ...this.#wish });
  }
}
