// A Plotly plot that is drawn once (axes, contour), and two canvases over it that are drawn often:
// one for what stays (the trails), one for what moves. Plotly.js is large: until it has arrived, a plot
// of our own stands in its place.
import { Early } from "./early.js";

const CONFIG = {
  displayModeBar: false,
  showSendToCloud: false,
  doubleClick: false,
  responsive: false,
};
const FAR = 1e15; // pixels; beyond this a float64 has no tenths of a pixel
const PHONE = matchMedia("(max-width: 700px)"); // no room for axis titles; a line above says what it is

const layer = (host) => {
  const canvas = document.createElement("canvas");
  canvas.className = "lab-canvas";
  host.append(canvas);
  return canvas.getContext("2d");
};

export class Stage {
  #frame = 0;
  #observer;
  #painted = 0;
  #turn = Promise.resolve();
  #newest = 0;
  #early = null;
  #shown = { narrow: false, again: () => {} };

  // plotly: a promise of Plotly.js. draw(above, below, stage) paints the canvases; onView is called
  // after a zoom or pan.
  constructor(plotly, host, { draw, margin, scrollZoom = true, dragmode, onView = () => {} }) {
    this.plotly = plotly;
    this.host = host;
    this.draw = draw;
    this.margin = margin;
    this.dragmode = dragmode;
    this.config = { ...CONFIG, scrollZoom };
    this.onView = onView;
    this.plot = document.createElement("div");
    host.append(this.plot);
    this.#early = new Early(host);
    this.below = layer(host);
    this.above = layer(host);
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(host);
  }

  // Whole traces and axes; Plotly.react keeps the plot's DOM. With keepsWindow the ranges are those
  // that are shown by then, else the given ones. Resolves to the milliseconds that Plotly took.
  show(traces, { x, y, keepsWindow = false }, colors) {
    const narrow = PHONE.matches;
    this.#shown = { narrow, again: () => this.show(traces, { x, y, keepsWindow: true }, colors) };
    const axis = (given) => ({
      gridcolor: colors.grid,
      linecolor: colors.line,
      zeroline: false,
      tickcolor: colors.line,
      ticklen: 4,
      exponentformat: "power",
      minexponent: 4,
      ...given,
      ticks: "outside",
      title: narrow ? undefined : given.title,
      nticks: Math.min(narrow ? 5 : 8, given.nticks ?? 8),
    });
    const layout = {
      margin: narrow ? { l: 42, r: 6, t: 6, b: 22 } : this.margin,
      width: this.host.clientWidth,
      height: this.host.clientHeight,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colors.text, family: colors.font, size: colors.size },
      showlegend: false,
      hovermode: false,
      dragmode: this.dragmode,
      xaxis: axis(x),
      yaxis: axis(y),
    };
    if (this.#early) this.#early.show(traces, layout, colors);
    this.paint();
    const call = ++this.#newest;
    return this.#inTurn(async () => {
      const Plotly = await this.plotly;
      const fresh = !this.isPlotted;
      if (this.isClosed || (fresh && call !== this.#newest)) return 0;
      const began = performance.now();
      if (keepsWindow && !fresh) [layout.xaxis.range, layout.yaxis.range] = this.window;
      await Plotly.react(this.plot, traces, layout, this.config);
      if (fresh) {
        for (const event of ["plotly_afterplot", "plotly_relayouting"])
          this.plot.on(event, () => this.paint());
        this.plot.on("plotly_relayout", (change) => "width" in change || this.onView());
        this.#early.close();
        this.#early = null;
      }
      this.paint();
      return performance.now() - began;
    });
  }

  // Plotly works over several frames and fails when it is called again meanwhile.
  #inTurn(act) {
    this.#turn = this.#turn.then(act);
    return this.#turn;
  }

  get isPlotted() {
    return Boolean(this.plot._fullLayout?._size);
  }

  get #layout() {
    return this.isPlotted ? this.plot._fullLayout : this.#early?.layout;
  }

  get ready() {
    return Boolean(this.#layout);
  }

  get frame() {
    const { xaxis, yaxis } = this.#layout;
    return { left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length };
  }

  get window() {
    const { xaxis, yaxis } = this.#layout;
    return [xaxis.range.map(Number), yaxis.range.map(Number)];
  }

  get isLog() {
    return this.#layout.yaxis.type === "log";
  }

  // Changes when any data point moves on the screen.
  get key() {
    const { left, top, width, height } = this.frame;
    return [left, top, width, height, this.isLog, ...this.window.flat(), this.below.canvas.width].join();
  }

  // Data to pixels, as a function; infinities stay infinities and NaN stays NaN. Counted from an end
  // of the axis, since the distance to zero loses its digits where the window is narrow.
  scale(name) {
    const { _offset: offset, _length: length, range, type } = this.#layout[`${name}axis`];
    const [low, high] = range.map(Number);
    const [first, unit] = name === "x" ? [low, length / (high - low)] : [high, -length / (high - low)];
    if (type === "log")
      return (value) => offset + unit * ((value <= 0 ? -Infinity : Math.log10(value)) - first);
    return (value) => offset + unit * (value - first);
  }

  x = (value) => this.scale("x")(value);
  y = (value) => this.scale("y")(value);

  at(clientX, clientY) {
    const box = this.above.canvas.getBoundingClientRect();
    const { xaxis, yaxis } = this.#layout;
    const [x, y] = [clientX - box.left, clientY - box.top];
    return { x, y, data: [xaxis.p2l(x - xaxis._offset), yaxis.p2l(y - yaxis._offset)] };
  }

  zoom(factor) {
    if (!this.isPlotted) return;
    const change = {};
    for (const name of ["xaxis", "yaxis"]) {
      const [low, high] = this.plot._fullLayout[name].range;
      const [middle, half] = [(low + high) / 2, ((high - low) / 2) * factor];
      change[`${name}.range`] = [middle - half, middle + half];
    }
    this.#inTurn(async () => (await this.plotly).relayout(this.plot, change));
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!this.ready || !width || !height) return;
    if (this.#early || this.#shown.narrow !== PHONE.matches) return void this.#shown.again();
    if (width === this.plot._fullLayout.width && height === this.plot._fullLayout.height) return;
    this.#inTurn(async () => (await this.plotly).relayout(this.plot, { width, height }));
  }

  // Ask for a drawing at the next frame; many asks make one drawing.
  paint() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => this.paintNow());
  }

  paintNow() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    if (!this.ready) return;
    const ratio = devicePixelRatio || 1;
    const { width, height } = this.#layout;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    for (const context of [this.below, this.above]) {
      const { canvas } = context;
      if (canvas.width !== w || canvas.height !== h) {
        [canvas.width, canvas.height] = [w, h];
        [canvas.style.width, canvas.style.height] = [`${width}px`, `${height}px`];
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.lineJoin = context.lineCap = "round";
    }
    this.above.clearRect(0, 0, width, height);
    this.draw(this.above, this.below, this);
    // Tests and the benchmark count the pictures.
    this.above.canvas.dataset.painted = ++this.#painted;
  }

  close() {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.isClosed = true;
    if (this.isPlotted) this.plotly.then((Plotly) => Plotly.purge(this.plot));
  }
}

// The part of a segment inside a box (Liang & Barsky 1984) and whether it goes on beyond, or null.
export function clip(x0, y0, x1, y1, { left, top, width, height }) {
  let [from, to] = [0, 1];
  const [dx, dy] = [x1 - x0, y1 - y0];
  const sides = [
    [-dx, x0 - left],
    [dx, left + width - x0],
    [-dy, y0 - top],
    [dy, top + height - y0],
  ];
  for (const [slope, room] of sides) {
    if (slope === 0) {
      if (room < 0) return null;
    } else if (slope < 0) from = Math.max(from, room / slope);
    else to = Math.min(to, room / slope);
  }
  if (!(from <= to)) return null;
  return [x0 + from * dx, y0 + from * dy, x0 + to * dx, y0 + to * dy, to < 1];
}

// A point too far away to be clipped, or infinite, moved along its direction from a finite one.
export function reachable(x0, y0, x1, y1) {
  if (Number.isNaN(x1) || Number.isNaN(y1)) return null;
  const size = Math.hypot(x1 - x0, y1 - y0);
  if (size <= FAR) return [x1, y1];
  if (Number.isFinite(size)) return [x0 + ((x1 - x0) / size) * FAR, y0 + ((y1 - y0) / size) * FAR];
  const sign = (v) => (Number.isFinite(v) ? 0 : Math.sign(v));
  return [x0 + sign(x1) * FAR, y0 + sign(y1) * FAR];
}
