// The address bar: the state of the page, as a link, with what others have put into it.

const PAUSE = 400; // ms; Safari refuses more than 100 changes of the address in 30 s
const OWN = "lab"; // marks the entries of the history that we have written

export const isOurs = () => Boolean(history.state?.[OWN]);

export class Address {
  #timer = 0;
  #writtenAt = -Infinity;
  #foreign;

  // query(): the state as it is by then.
  constructor({ foreign: { names, starts } }, query) {
    this.isForeign = (name) => names.includes(name) || starts.some((start) => name.startsWith(start));
    this.query = query;
    this.#foreign = [...new URLSearchParams(location.search)].filter(([name]) => this.isForeign(name));
  }

  // What the address says now, without what is not ours.
  read() {
    const said = new URLSearchParams(
      [...new URLSearchParams(location.search)].filter(([name]) => !this.isForeign(name)),
    );
    said.sort();
    return said;
  }

  soon() {
    clearTimeout(this.#timer);
    const left = this.#writtenAt + PAUSE - performance.now();
    this.#timer = setTimeout(() => this.now(), Math.max(0, left));
  }

  now() {
    this.#write("replaceState");
  }

  // What comes next is an entry of its own in the history.
  enter() {
    this.#write("pushState");
  }

  mark() {
    history.replaceState({ ...history.state, [OWN]: true }, "", location.href);
  }

  // The state as a link, with some more values.
  link(more = []) {
    const query = new URLSearchParams([...new URLSearchParams(this.query()), ...more]).toString();
    return location.origin + location.pathname + (query ? `?${query}` : "");
  }

  close() {
    clearTimeout(this.#timer);
  }

  #write(how) {
    clearTimeout(this.#timer);
    this.#writtenAt = performance.now();
    history[how]({ ...history.state, [OWN]: true }, "", this.link(this.#foreign) + location.hash);
  }
}
