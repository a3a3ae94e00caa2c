// The quantities of every step, out of the formula's part of an answer.

const known = new WeakMap(); // a part to its quantities

// { values: name -> one row (T,) for each coordinate, or a single one that they share; count }
export function stepsOf(part, dim) {
  if (!known.has(part)) {
    const values = new Map();
    let at = 0;
    for (const { name, shared } of part.header.columns) {
      const rows = shared ? 1 : dim;
      values.set(name, part.groups.quantities.slice(at, at + rows));
      at += rows;
    }
    known.set(part, { values, count: values.get("p")[0].length });
  }
  return known.get(part);
}

// A step goes from i to i + 1: at the end of a run its last one is still shown.
export const stepAt = ({ count }, step) => Math.min(step, count - 1);
