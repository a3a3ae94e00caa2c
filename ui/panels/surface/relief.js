// The heights of a surface as a figure for Plotly: a curve of one coordinate, contours of two.

const LEVELS = 24;

const extent = (values) => {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return [low, high];
};

export function curveFigure({ heights: [heights], window: [[a, b]] }, { domain: [[low, high]] }, colors) {
  const x = heights.map((_, i) => a + ((b - a) * i) / (heights.length - 1));
  const [bottom, top] = extent(heights.filter((_, i) => x[i] >= low && x[i] <= high));
  const room = 0.06 * (top - bottom);
  return {
    trace: { type: "scatter", mode: "lines", x, y: heights, line: { color: colors.line, width: 3 } },
    ranges: [
      [low, high],
      [bottom - room, top + room],
    ],
    titles: ["p", "f(p)"],
  };
}

export function contourFigure({ heights, window: [wx, wy] }, { domain }, colors) {
  const last = heights.length - 1;
  const [low, high] = extent(heights.flatMap((row) => [...row].filter(Number.isFinite)));
  const size = (high - low) / LEVELS || 1;
  return {
    trace: {
      type: "contour",
      z: heights,
      x0: wx[0],
      dx: (wx[1] - wx[0]) / last,
      y0: wy[0],
      dy: (wy[1] - wy[0]) / last,
      colorscale: colors.scale,
      showscale: false,
      zmin: low,
      zmax: high,
      // Given, because Plotly's own choice may leave no level at all after a zoom, and fails then.
      autocontour: false,
      contours: { start: low + size / 2, end: high, size },
      line: { color: colors.contour, width: 1 },
    },
    ranges: domain,
    titles: ["x", "y"],
  };
}

// The height of a curve, from the samples that are drawn.
export function heightAt({ heights: [heights], window: [[a, b]] }, p) {
  const place = ((p - a) / (b - a)) * (heights.length - 1);
  const i = Math.min(heights.length - 2, Math.max(0, Math.floor(place)));
  return heights[i] + (place - i) * (heights[i + 1] - heights[i]);
}
