// The page's state: one flat map of texts, the same as the query string in the address bar. What holds
// where it has no value is told by the server with each answer, or declared in the catalog.
import { Address, isOurs } from "./address.js";
import { recall, remember } from "./along.js";
import { Journal } from "./journal.js";
import { addressOf, pageAt } from "./place.js";

const MOMENT = ["t", "paused", "zoom"]; // of a link to a moment; any change ends it
const AGAIN = "~"; // before the number of another run of a method

export const methodOf = (key) => key.split(AGAIN)[0];

const sorted = (values) => new URLSearchParams([...values].sort(([a], [b]) => (a < b ? -1 : 1))).toString();
const among = (list, wanted) => list?.find(({ name }) => name === wanted);

export class Store {
  #values;
  #listeners = new Set();
  #gestures = new Set();
  #journal = new Journal();
  #unread = null; // an address as it stands, while the server has not read it
  #told = { defaults: {}, hypers: {}, surface: null, entries: [] };
  #heard = "";

  constructor(catalog, page) {
    Object.assign(this, { catalog, page, own: catalog.pages[page] });
    this.address = new Address(catalog, () => this.query);
    const found = this.address.read();
    // An entry of the history is as we left it; a page chosen from the navigation has nothing yet.
    const along = !found.size && !isOurs() && recall(page);
    this.#values = along || new Map(found);
    this.#unread = along ? this.query : found.toString();
    this.onPop = () => this.#popped();
    addEventListener("popstate", this.onPop);
    if (along) this.address.now();
    else this.address.mark();
  }

  get query() {
    return this.#unread ?? sorted(this.#values);
  }

  // Whether it may hold what no control can show.
  get isUnread() {
    return this.#unread !== null;
  }

  // The query of some names only.
  queryOf(isWanted) {
    return sorted([...this.#values].filter(([name]) => isWanted(name)));
  }

  get surface() {
    return this.#told.surface;
  }

  get entries() {
    return this.#told.entries;
  }

  get names() {
    return [...this.#values.keys()];
  }

  text = (name) => this.#values.get(name);
  isSet = (name) => this.#values.has(name);

  // What declares a value, by its name in a link.
  declared(name) {
    const { optimizers, schedules, shared, penalty } = this.catalog;
    const [owner, setting] = name.split(".");
    if (setting) {
      const known = [...optimizers, ...schedules].find(({ key }) => key === methodOf(owner));
      return among(known?.hypers, setting);
    }
    return (
      this.#told.hypers[name] ??
      this.own.fields[name] ??
      among(shared, name) ??
      among(penalty, name) ??
      among(this.surface?.params, name)
    );
  }

  // The value that holds where there is none.
  fallback(name) {
    const { defaults } = this.#told;
    const [owner, setting] = name.split(".");
    if (setting === "x" || setting === "y") return this.number(setting); // the start of all runs
    const first = setting ? `${methodOf(owner)}.${setting}` : name;
    return defaults[name] ?? defaults[first] ?? this.declared(first)?.default ?? null;
  }

  value = (name) => this.text(name) ?? this.fallback(name);
  number = (name) => Number(this.value(name));

  get start() {
    return this.surface.start.map((_, i) => this.number("xy"[i]));
  }

  // Several keys in one value, as gd-momentum-adam.
  chosen(name) {
    const text = this.text(name);
    if (text === undefined) return this.fallback(name);
    return text === "" ? [] : text.split("-");
  }

  // The change that chooses some keys; `order` are all that there are.
  choice(name, order, keys) {
    const text = order.filter((key) => keys.includes(key)).join("-");
    return { [name]: text === this.fallback(name).join("-") ? null : text };
  }

  // null removes a value. isEntry: whether it is a choice that Back takes back.
  set(changes, { isEntry = false } = {}) {
    const next = new Map(this.#values);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) next.delete(name);
      else next.set(name, String(value));
    }
    if (sorted(next) === this.query) return;
    this.#unread = null;
    for (const name of MOMENT) if (!(name in changes)) next.delete(name);
    if (isEntry) this.address.now();
    const isGesture = this.#journal.note(this.#values, isEntry ? null : Object.keys(changes).sort().join());
    if (isGesture) for (const begin of this.#gestures) begin();
    this.#values = next;
    if (isEntry) this.address.enter();
    this.#changed(isEntry);
  }

  // A value, or none where it is the one that holds without.
  put = (name, value) => this.set({ [name]: value === this.fallback(name) ? null : value });

  // All values whose names are wanted at their defaults again.
  reset(isWanted = () => true) {
    this.set(Object.fromEntries(this.names.filter(isWanted).map((name) => [name, null])));
  }

  undo = () => this.#restore(this.#journal.undo(this.#values));
  redo = () => this.#restore(this.#journal.redo(this.#values));

  #restore(values) {
    if (!values) return;
    this.#unread = null;
    this.#values = values;
    this.#changed(true);
  }

  // A value that another page would begin with, or undefined.
  kept = (page, name) => recall(page)?.get(name);

  // Another page in this state with some changes.
  go(page, changes) {
    this.address.now();
    const values = new Map(recall(page));
    for (const [name, value] of Object.entries(changes))
      if (value === null) values.delete(name);
      else values.set(name, String(value));
    history.pushState(null, "", addressOf(this.catalog, page, sorted(values)));
    // Streamlit shows the page that the address names after such an event.
    dispatchEvent(new PopStateEvent("popstate"));
  }

  #popped() {
    if (pageAt(this.catalog, location) !== this.page) return;
    const found = this.address.read();
    this.#values = new Map(found);
    this.#unread = found.toString();
    this.#tell({ isChoice: true });
  }

  // What an answer says of the state that it was computed for.
  learn({ query, clean, defaults, hypers, surface, entries }) {
    const isRead = query === this.#unread;
    if (isRead) {
      this.#values = new Map(new URLSearchParams(clean));
      this.#unread = null;
    }
    remember(this.catalog, this.page, surface, this.#values);
    const heard = JSON.stringify([defaults, hypers, surface, entries]);
    if (heard === this.#heard && !isRead) return;
    this.#heard = heard;
    this.#told = { defaults, hypers, surface, entries };
    this.#tell({ isAnswer: true });
  }

  // listener({ isChoice, isAnswer }): after each change, and when an answer says more of the state.
  subscribe(listener) {
    this.#listeners.add(listener);
  }

  // begin(): before the first change of a gesture.
  onGesture(begin) {
    this.#gestures.add(begin);
  }

  close() {
    this.#listeners.clear();
    removeEventListener("popstate", this.onPop);
    this.address.close();
  }

  #changed(isChoice) {
    if (this.surface) remember(this.catalog, this.page, this.surface, this.#values);
    this.address.soon();
    this.#tell({ isChoice });
  }

  #tell({ isChoice = false, isAnswer = false }) {
    for (const listener of this.#listeners) listener({ isChoice, isAnswer });
  }
}
