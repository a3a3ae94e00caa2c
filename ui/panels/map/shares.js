// Under basins: how many of the starts end at each minimum, for both methods.
import { el, number, point } from "../../browser/words/format.js";
import { basinShares } from "./inks.js";

export function sharesTable(groups, minima, names) {
  const rows = basinShares(groups).map(({ css, minimum, text, shares }) =>
    el(
      "tr",
      {},
      el(
        "th",
        { scope: "row" },
        el("i", { style: { background: css } }),
        minimum === null ? text : point(minima[minimum], 3),
      ),
      ...shares.map((share) => el("td", {}, share === 0 ? "–" : `${number(100 * share, 2)} %`)),
    ),
  );
  const head = el(
    "tr",
    {},
    el("th", {}, "Share of the starts"),
    ...names.map((name) => el("th", { scope: "col" }, name)),
  );
  return [head, ...rows];
}
