// Asks for the answers of one kind by plain GETs: one is under way, and the newest state waits.
import { unpack } from "./wire.js";

const OVERTAKEN = 1000; // ms after which an answer that is still under way is given up for a newer one
const PAUSES = [500, 1000, 2000, 4000]; // ms between two tries where there is no connection
const SILENCE = 5000; // ms of it after which that is said
export const LATE = 200; // ms without an answer that a person does not overlook

const NO_CONNECTION =
  "The server does not answer: the connection failed, or it is being restarted. The page goes on by itself when it is there again.";

const early = new Map(); // address to an answer that was asked for before the page was built

export function askEarly(address) {
  const answer = fetch(address);
  answer.catch(() => {}); // it is asked for again, and told then
  early.set(address, answer);
}

function request(address, signal) {
  const known = early.get(address);
  early.delete(address);
  return known ?? fetch(address, { signal });
}

// { bytes }; { status, sentence } where there are none; or { again }, in ms where the server said it.
async function fetched(address, signal) {
  try {
    const response = await request(address, signal);
    if (response.ok) return { bytes: new Uint8Array(await response.arrayBuffer()) };
    if (response.status === 503) return { again: 1000 * Number(response.headers.get("Retry-After") ?? 1) };
    // A proxy says so while there is no server behind it.
    if ([502, 504].includes(response.status)) return { again: null };
    return { status: response.status, sentence: await response.text() };
  } catch (error) {
    if (!(error instanceof TypeError) && error.name !== "AbortError") throw error;
    return { again: null }; // no connection
  }
}

export class Asker {
  #wanted = null;
  #out = null; // { address, controller, since }
  #shown = null;
  #pendingSince = null;
  #tries = 0;
  #timers = { again: 0, overtake: 0, silence: 0 };

  // show(message, address): an answer is there; isShown(): what is wanted is there already;
  // refused(status, sentence): it will not come, or not now; failed(error): it cannot be read or
  // drawn; pending(): whether one is awaited has changed.
  constructor({ show, isShown, refused, failed, pending }) {
    Object.assign(this, { show, isShown, refused, failed, pending });
  }

  get isPending() {
    return this.#pendingSince !== null;
  }

  get isLate() {
    return this.isPending && performance.now() - this.#pendingSince > LATE;
  }

  // isChoice: no drag, whose answers on the way are worth to be seen.
  want(address, isChoice = false) {
    if (address === (this.#wanted ?? this.#out?.address ?? this.#shown)) {
      if (!this.isPending) this.isShown();
      return;
    }
    this.#pendingSince ??= performance.now();
    this.#wanted = address;
    this.pending();
    if (this.#out) {
      const age = performance.now() - this.#out.since;
      clearTimeout(this.#timers.overtake);
      if (isChoice || age > OVERTAKEN) this.#overtake();
      else this.#timers.overtake = setTimeout(() => this.#overtake(), OVERTAKEN - age);
    } else if (!this.#timers.again) this.#go();
  }

  close() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#out?.controller.abort();
    this.#out = this.#wanted = null;
  }

  #overtake() {
    if (!this.#wanted || !this.#out) return;
    this.#out.controller.abort();
    this.#go();
  }

  async #go() {
    clearTimeout(this.#timers.again);
    this.#timers.again = 0;
    const out = { address: this.#wanted, controller: new AbortController(), since: performance.now() };
    this.#out = out;
    this.#wanted = null;
    const answer = await fetched(out.address, out.controller.signal);
    if (this.#out !== out) return; // it was overtaken
    if (answer.again !== undefined) return void this.#later(out.address, answer.again);
    this.#tries = 0;
    clearTimeout(this.#timers.silence);
    this.#timers.silence = 0;
    try {
      const message = answer.bytes && (await unpack(answer.bytes));
      if (this.#out !== out) return;
      if (message) this.#shown = out.address;
      this.#done();
      if (message) this.show(message, out.address);
      else this.refused(answer.status, answer.sentence);
    } catch (error) {
      if (this.#out === out) this.#done();
      this.failed(error);
    }
    this.pending();
  }

  // The newest state leaves.
  #done() {
    clearTimeout(this.#timers.overtake);
    this.#out = null;
    this.#pendingSince = this.#wanted ? performance.now() : null;
    if (this.#wanted) this.#go();
  }

  #later(address, pause) {
    this.#out = null;
    this.#wanted ??= address;
    this.#timers.silence ||= setTimeout(() => this.refused(0, NO_CONNECTION), SILENCE);
    this.#timers.again = setTimeout(
      () => this.#go(),
      pause ?? PAUSES[Math.min(this.#tries++, PAUSES.length - 1)],
    );
  }
}
