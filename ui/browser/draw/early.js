// A plot as it is until Plotly.js has arrived: its axes, and the surface in the bands of its contours.
import { sharp } from "../words/format.js";
import { decades, ticks } from "./ticks.js";

export class Early {
  constructor(host) {
    this.host = host;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "lab-canvas lab-early";
    host.append(this.canvas);
  }

  close() {
    this.canvas.remove();
  }

  // The same as Plotly gets. What is known then is laid out as in Plotly's own full layout.
  show([trace], { margin, width, height, xaxis, yaxis }, colors) {
    const [across, up] = [width - margin.l - margin.r, height - margin.t - margin.b];
    this.layout = {
      width,
      height,
      xaxis: axisOf(xaxis, margin.l, across, (px, [low, high]) => low + (px / across) * (high - low)),
      yaxis: axisOf(yaxis, margin.t, up, (px, [low, high]) => high - (px / up) * (high - low)),
    };
    if (!(across > 0 && up > 0)) return;
    const context = sharp(this.canvas, width, height);
    [this.canvas.style.width, this.canvas.style.height] = [`${width}px`, `${height}px`];
    const { xaxis: x, yaxis: y } = this.layout;
    const box = [x._offset, y._offset, across, up];
    context.save();
    context.beginPath();
    context.rect(...box);
    context.clip();
    if (trace?.type === "contour") context.drawImage(bands(trace, x, y, colors), ...box);
    else {
      this.#grid(context, x, y, colors, true);
      this.#grid(context, y, x, colors, false);
    }
    if (trace?.type === "scatter") curve(context, trace, x, y);
    context.restore();
    this.#labels(context, x, y, colors);
  }

  #grid(context, { marks, place }, other, colors, isAcross) {
    context.strokeStyle = colors.grid;
    context.lineWidth = 1;
    context.beginPath();
    for (const [value] of marks) {
      const at = place(value);
      const [from, to] = [other._offset, other._offset + other._length];
      context.moveTo(...(isAcross ? [at, from] : [from, at]));
      context.lineTo(...(isAcross ? [at, to] : [to, at]));
    }
    context.stroke();
  }

  #labels(context, x, y, colors) {
    context.font = `13px ${colors.font}`;
    context.fillStyle = colors.text;
    context.textAlign = "center";
    context.textBaseline = "top";
    const bottom = y._offset + y._length;
    for (const [value, text] of x.marks) context.fillText(text, x.place(value), bottom + 6);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const [value, text] of y.marks) context.fillText(text, x._offset - 7, y.place(value));
  }
}

function axisOf({ range, type = "linear" }, offset, length, toLinear) {
  const [low, high] = range;
  const isUp = toLinear(0, range) === high;
  return {
    _offset: offset,
    _length: length,
    range,
    type,
    p2l: (px) => toLinear(px, range),
    place: (v) => offset + (length * (isUp ? high - v : v - low)) / (high - low),
    marks:
      type === "log"
        ? decades(range, length / 40)
        : ticks({ low, high }, "linear", length / (isUp ? 55 : 80)).texts,
  };
}

const rgb = (hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));

function curve(context, { x: xs, y: ys, line }, x, y) {
  context.strokeStyle = line.color;
  context.lineWidth = line.width;
  context.beginPath();
  xs.forEach((v, i) => context.lineTo(x.place(v), y.place(ys[i])));
  context.stroke();
}

// The heights between the samples, in the color of their band, and darker where two bands meet.
function bands({ z, x0, dx, y0, dy, zmin, zmax, contours: { start, size } }, x, y, colors) {
  const [width, height] = [Math.round(x._length), Math.round(y._length)];
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const inks = new Map();
  const ink = (band) => inks.get(band) ?? inks.set(band, mixed(colors.scale, level(band))).get(band);
  const level = (band) => Math.min(1, Math.max(0, (start + (band - 0.5) * size - zmin) / (zmax - zmin)));
  const edge = colors.dark ? 1.4 : 0.86; // as bright as a contour line
  let above = new Float64Array(width).fill(Number.NaN);
  for (let row = 0; row < height; row++) {
    const v = (y.p2l(row + 0.5) - y0) / dy;
    const line = new Float64Array(width);
    for (let column = 0; column < width; column++) {
      const height = between(z, (x.p2l(column + 0.5) - x0) / dx, v);
      const band = (line[column] = Math.ceil((height - start) / size));
      if (Number.isNaN(band)) continue;
      const isEdge = (column && line[column - 1] !== band) || (row && above[column] !== band);
      const [r, g, b] = ink(band);
      const shade = isEdge ? edge : 1;
      image.data.set([r * shade, g * shade, b * shade, 255], 4 * (row * width + column));
    }
    above = line;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function between(z, u, v) {
  const [i, j] = [Math.floor(u), Math.floor(v)];
  const [low, high] = [z[j], z[j + 1]];
  if (!low || !high) return Number.NaN;
  const [s, t] = [u - i, v - j];
  return (1 - t) * ((1 - s) * low[i] + s * low[i + 1]) + t * ((1 - s) * high[i] + s * high[i + 1]);
}

function mixed(scale, share) {
  const above = Math.max(
    1,
    scale.findIndex(([at]) => at >= share),
  );
  const [[a, from], [b, to]] = [scale[above - 1], scale[above]];
  const t = (share - a) / (b - a);
  const [one, two] = [rgb(from), rgb(to)];
  return one.map((c, i) => c + (two[i] - c) * t);
}
