// What a map's numbers look like: pictures, a pixel for each cell, the second axis upwards.
export const [DIVERGED, SETTLED, CYCLE, OTHER, UNDEFINED] = [0, 1, 2, 3, 4];
const NOWHERE = 255;
export const ARRIVED = 65535; // of a cell that is neither settled nor diverged: its loss is the least known
const COUNTS = 2 ** 32; // more than any count, to make one key of two numbers
const WHITE = [255, 255, 255];
const LISTED = 6; // minima in the table of shares, those with the most starts

const mix = (a, b, t) => a.map((v, i) => v + (b[i] - v) * t);
const SCALE = {
  [SETTLED]: [
    [0, 68, 120],
    [168, 212, 240],
  ],
  [DIVERGED]: [
    [120, 20, 0],
    [255, 186, 132],
  ],
  [CYCLE]: [
    [116, 52, 160],
    [206, 160, 236],
  ],
  [UNDEFINED]: [
    [120, 98, 0],
    [240, 220, 130],
  ],
};
const LOST = { [DIVERGED]: "diverged", [UNDEFINED]: "undefined (0/0)" };
const GREY = [190, 192, 194];
const NEARLY = [58, 68, 76];
const FALLEN = 600; // hundredths of a decade
const BASINS = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [148, 90, 40],
  [140, 120, 230],
  [190, 190, 60],
];

// soon is dark, late is pale
const late = (count, steps) => Math.min(1, Math.sqrt(count / steps));

// Of a run that has neither settled nor diverged: the further its loss has fallen, the darker.
export const outcomeInk = (kind, count, steps) => {
  if (kind === OTHER) return mix(GREY, NEARLY, Math.min(1, count / FALLEN));
  const [soon, pale] = SCALE[kind];
  return mix(soon, pale, kind === CYCLE ? Math.min(1, (count - 2) / 6) : late(count, steps));
};

function paint(rows, columns, ink) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const words = new Uint32Array(image.data.buffer);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) words[(rows - 1 - r) * columns + c] = ink(r, c);
  context.putImageData(image, 0, 0);
  return canvas;
}

const word = ([r, g, b]) =>
  ((255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r)) >>> 0;

// A cell's ink depends on few numbers: each is mixed once.
function kept(make) {
  const known = new Map();
  return (key, ...rest) => {
    if (!known.has(key)) known.set(key, word(make(...rest)));
    return known.get(key);
  };
}

export function mapImage(kinds, counts, steps) {
  const ink = kept((kind, count) => outcomeInk(kind, count, steps));
  return paint(kinds.length, kinds[0].length, (r, c) =>
    ink(kinds[r][c] * COUNTS + counts[r][c], kinds[r][c], counts[r][c]),
  );
}

const basinColor = (i) => (i < BASINS.length ? BASINS[i] : hue((i * 137.508) % 360));

function hue(degrees) {
  const channel = (n) => {
    const k = (n + degrees / 30) % 12;
    return 255 * (0.5 - 0.32 * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

export function basinImage(kinds, counts, minima, steps) {
  const ink = kept((kind, count, minimum) =>
    kind === SETTLED
      ? mix(basinColor(minimum), WHITE, 0.65 * late(count, steps) ** 3)
      : LOST[kind]
        ? outcomeInk(kind, count, steps)
        : outcomeInk(OTHER, 0, steps),
  );
  return paint(kinds.length, kinds[0].length, (r, c) => {
    const [kind, count, minimum] = [kinds[r][c], counts[r][c], minima[r][c]];
    return ink((minimum * 5 + kind) * COUNTS + count, kind, count, minimum);
  });
}

// Where two methods end differently from the same start, and what share of the starts that is.
export function differenceImage({ kind0, kind1, minimum0, minimum1 }, { dark }) {
  const end = (kind, minimum) => (kind === SETTLED ? minimum : NOWHERE + 1 + kind);
  const [same, other] = [dark ? [52, 58, 66] : [232, 235, 238], [213, 94, 0]].map(word);
  let differ = 0;
  const image = paint(kind0.length, kind0[0].length, (r, c) => {
    const isSame = end(kind0[r][c], minimum0[r][c]) === end(kind1[r][c], minimum1[r][c]);
    differ += isSame ? 0 : 1;
    return isSame ? same : other;
  });
  const percent = (100 * differ) / (kind0.length * kind0[0].length);
  return {
    image,
    share: `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toPrecision(2)} % of the starts`,
  };
}

// What share of the starts ends where, for the two methods of a basins' map.
export function basinShares({ kind0, kind1, minimum0, minimum1 }) {
  const total = kind0.length * kind0[0].length;
  const found = new Map();
  [
    [kind0, minimum0],
    [kind1, minimum1],
  ].forEach(([kinds, minima], which) =>
    kinds.forEach((row, r) =>
      row.forEach((kind, c) => {
        const end = kind === SETTLED ? minima[r][c] : (LOST[kind] ?? "at no minimum");
        if (!found.has(end)) found.set(end, [0, 0]);
        found.get(end)[which] += 1 / total;
      }),
    ),
  );
  const entry = ([end, shares]) => {
    const isMinimum = typeof end === "number";
    const lost = Object.keys(LOST).find((kind) => LOST[kind] === end);
    const rgb = isMinimum ? basinColor(end) : lost ? SCALE[lost][0] : GREY;
    return { css: `rgb(${rgb.map(Math.round).join()})`, minimum: isMinimum ? end : null, text: end, shares };
  };
  const rows = [...found].map(entry).sort((a, b) => Math.max(...b.shares) - Math.max(...a.shares));
  const minima = rows.filter(({ minimum }) => minimum !== null);
  return [...minima.slice(0, LISTED), ...rows.filter(({ minimum }) => minimum === null)];
}

export function visitsImage(visits, kinds, { dark }) {
  const [empty, full] = dark
    ? [
        [20, 28, 38],
        [190, 225, 255],
      ]
    : [
        [255, 255, 255],
        [0, 50, 95],
      ];
  const gone = dark ? [74, 40, 28] : [250, 222, 205];
  const ink = kept((count, diverged) =>
    count ? mix(empty, full, 0.35 + 0.65 * Math.min(1, count / 12)) : diverged ? gone : empty,
  );
  return paint(visits.length, visits[0].length, (r, c) => {
    const [count, diverged] = [visits[r][c], kinds[c] === DIVERGED];
    return ink(count * 2 + diverged, count, diverged);
  });
}
