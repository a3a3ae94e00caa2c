// What is said of a panel: a title for each picture, what there is to see, and a legend.
import { number } from "../../browser/words/format.js";

const OUTCOMES = [
  ["lab-ink-settled", "at a minimum (dark: soon)"],
  ["lab-ink-diverged", "diverged (dark: soon)"],
  ["lab-ink-cycle", "cycle"],
  ["lab-ink-other", "neither, yet (dark: its loss has fallen far)"],
];

const undefinedInk = (header) =>
  header.undefined ? [["lab-ink-undefined", "undefined, 0/0 (dark: soon)"]] : [];

export const WORDS = {
  map: ({ names: [name], header, label }) => ({
    title: [""],
    says: `Every cell is a run of ${name}, ${header.steps} steps${"xy".includes(header.axes[1].name) ? "" : " from the same start"}. ${
      header.boundary
        ? `The line is the theory's limit${header.scheduled ? " of a constant rate" : ""}, and the colors were computed without it. `
        : ""
    }Click a cell to play it; zoom into the edge, which is often a fractal.`,
    legend: [
      ...OUTCOMES,
      ...undefinedInk(header),
      ...(header.boundary ? [["lab-ink-line", `theory’s limit for each ${label(header.axes[1].name)}`]] : []),
    ],
  }),
  basins: ({ names, header, share }) => ({
    title: [names[0], names[1], `Where they differ: ${share}`],
    says: `Every cell is a start, colored by the minimum that the run is at after ${header.steps} steps; darker where it is there sooner. Click a start to play it.`,
    legend: [
      ["lab-ink-basin", "a color for each minimum"],
      ["lab-ink-diverged", "diverged"],
      ...undefinedInk(header),
      ["lab-ink-other", "at no minimum"],
      ["lab-ink-differ", "another end"],
    ],
  }),
  orbits: ({ names: [name], header }) => ({
    title: [`${name}: where it is after ${header.settling} steps, from p = ${number(header.start[0], 3)}`],
    says: "One line above a rate is a run that settles, two or four are a cycle, a smear is chaos; nothing is infinity. The cobweb shows why: a step is up to the curve and across to the diagonal.",
    legend: [
      ["lab-ink-visits", "visited"],
      ["lab-ink-diverged", "diverged"],
    ],
  }),
};
