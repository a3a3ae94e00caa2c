// What can be undone: the states before each gesture of a hand.

const GESTURE = 600; // ms; later, another change of the same values is a gesture of its own
const MOST = 200; // gestures

export class Journal {
  #past = [];
  #future = [];
  #last = { names: null, at: -Infinity };

  // Note the state before a change of some names, or of more than a hand changes (null); whether a
  // new gesture begins with it.
  note(values, names, now = performance.now()) {
    const isNew = names === null || names !== this.#last.names || now - this.#last.at > GESTURE;
    this.#last = { names, at: now };
    if (!isNew) return false;
    this.#past.push(values);
    if (this.#past.length > MOST) this.#past.shift();
    this.#future = [];
    return true;
  }

  // The state before, or after again; null if there is none. `values` are those of now.
  undo = (values) => this.#move(this.#past, this.#future, values);
  redo = (values) => this.#move(this.#future, this.#past, values);

  #move(from, to, values) {
    if (!from.length) return null;
    to.push(values);
    this.#last = { names: null, at: -Infinity };
    return from.pop();
  }
}
