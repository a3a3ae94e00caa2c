// Which cell of a map is under a point, and what became of it, in words.
import { number, superscript } from "../../browser/words/format.js";
import { ARRIVED, CYCLE, DIVERGED, SETTLED, UNDEFINED } from "./inks.js";

function nearest(sorted, value) {
  let [low, high] = [0, sorted.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle;
  }
  return Math.abs(sorted[high] - value) < Math.abs(sorted[low] - value) ? high : low;
}

// { column, row } of the cell at some values of the axes, or null outside the map.
export function cellAt({ places, window }, values) {
  if (!window.every(([low, high], i) => values[i] >= low && values[i] <= high)) return null;
  const [column, row] = places.map((along, i) => nearest(along, values[i]));
  return { column, row };
}

// What became of the i-th method in a cell.
export function fateOf({ groups, header }, i, { column, row }) {
  const r = header.panel === "orbits" ? 0 : row;
  const [kind, count] = [groups[`kind${i}`][r][column], groups[`count${i}`][r][column]];
  const loss = groups[`loss${i}`]?.[r][column];
  const said = loss === undefined ? "" : `, loss ${number(loss, 3)}`;
  if (kind === DIVERGED) return `diverges, out of the frame for good from step ${count}${said}`;
  if (kind === UNDEFINED) return `undefined, 0/0 at step ${count}`;
  if (kind === SETTLED) return `at a minimum from step ${count}${said}`;
  if (kind === CYCLE) return `in a cycle of ${count}${said}`;
  const fallen =
    count === ARRIVED
      ? ", its loss fell to the lowest known"
      : count
        ? `, its loss fell by 10${superscript((-count / 100).toFixed(1))}`
        : "";
  return `neither settled nor diverged in ${header.steps} steps${fallen}${said}`;
}
