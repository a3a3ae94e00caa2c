// A Plotly plot that is drawn once (axes, contour), and a canvas over it that is drawn often.

const CONFIG = {
  displayModeBar: false,
  showSendToCloud: false,
  doubleClick: false,
  scrollZoom: true,
  responsive: false,
};
const FAR = 1e7; // pixels; beyond this a canvas loses precision

export class Stage {
  #frame = 0;
  #observer;
  #painted = 0;

  constructor(Plotly, host, { draw, margin, scrollZoom = true, dragmode = "pan", onView = () => {} }) {
    this.Plotly = Plotly;
    this.plot = document.createElement("div");
    this.plot.className = "lab-plot";
    this.canvas = document.createElement("canvas");
    this.canvas.className = "lab-canvas";
    host.append(this.plot, this.canvas);
    this.host = host;
    this.draw = draw;
    this.margin = margin;
    this.dragmode = dragmode;
    this.config = { ...CONFIG, scrollZoom };
    this.onView = onView;
    this.#observer = new ResizeObserver(() => this.resize());
    this.#observer.observe(host);
  }

  // Called with whole traces and axes; Plotly.react keeps the plot's DOM.
  async show(traces, { x, y }, colors) {
    const axis = (given) => ({
      gridcolor: colors.grid,
      linecolor: colors.line,
      zeroline: false,
      ticks: "outside",
      tickcolor: colors.line,
      ticklen: 4,
      automargin: false,
      exponentformat: "power",
      minexponent: 4,
      ...given,
    });
    // A phone has no room for axis titles; the line above the plot says what it is.
    const narrow = this.host.clientWidth < 420;
    const untitled = (given) => (narrow ? { ...given, title: undefined } : given);
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
      xaxis: axis(untitled(x)),
      yaxis: axis(untitled(y)),
    };
    const fresh = !this.plot._fullLayout;
    await this.Plotly.react(this.plot, traces, layout, this.config);
    if (fresh) {
      for (const event of ["plotly_afterplot", "plotly_relayouting"])
        this.plot.on(event, () => this.paint());
      this.plot.on("plotly_relayout", () => this.onView());
    }
    this.paint();
  }

  get ready() {
    return Boolean(this.plot._fullLayout?._size);
  }

  get frame() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    return { left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length };
  }

  get window() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    return [xaxis.range.map(Number), yaxis.range.map(Number)];
  }

  // Data to pixels; infinities stay infinities and NaN stays NaN.
  x = (value) => this.#pixel(this.plot._fullLayout.xaxis, value);
  y = (value) => this.#pixel(this.plot._fullLayout.yaxis, value);

  #pixel(axis, value) {
    const linear = axis.type === "log" ? (value > 0 ? Math.log10(value) : -Infinity) : value;
    return axis._offset + axis.l2p(linear);
  }

  at(clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const { xaxis, yaxis } = this.plot._fullLayout;
    const [x, y] = [clientX - box.left, clientY - box.top];
    return { x, y, data: [xaxis.p2l(x - xaxis._offset), yaxis.p2l(y - yaxis._offset)] };
  }

  zoom(factor) {
    const change = {};
    for (const name of ["xaxis", "yaxis"]) {
      const [low, high] = this.plot._fullLayout[name].range;
      const middle = (low + high) / 2;
      const half = ((high - low) / 2) * factor;
      change[`${name}.range`] = [middle - half, middle + half];
    }
    return this.Plotly.relayout(this.plot, change);
  }

  range(x, y) {
    return this.Plotly.relayout(this.plot, { "xaxis.range": x, "yaxis.range": y });
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!this.ready || !width || !height) return;
    if (width === this.plot._fullLayout.width && height === this.plot._fullLayout.height) return;
    this.Plotly.relayout(this.plot, { width, height });
  }

  // Ask for a drawing at the next frame; many asks make one drawing.
  paint() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.ready) this.#paintNow();
    });
  }

  #paintNow() {
    const ratio = devicePixelRatio || 1;
    const { width, height } = this.plot._fullLayout;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineJoin = context.lineCap = "round";
    this.draw(context, this);
    // Tests and the benchmark read when the last picture was finished.
    this.canvas.dataset.painted = ++this.#painted;
  }

  close() {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.Plotly.purge(this.plot);
  }
}

// The part of a segment inside a box (Liang & Barsky 1984), or null. Works to any finite distance.
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

// A point too far away for a canvas, or infinite, moved along its direction from a finite one.
export function reachable(x0, y0, x1, y1) {
  if (Number.isNaN(x1) || Number.isNaN(y1)) return null;
  if (Number.isFinite(x1) && Number.isFinite(y1)) {
    const size = Math.hypot(x1 - x0, y1 - y0);
    if (size <= FAR) return [x1, y1];
    if (Number.isFinite(size)) return [x0 + ((x1 - x0) / size) * FAR, y0 + ((y1 - y0) / size) * FAR];
  }
  const sign = (v) => (Number.isFinite(v) ? 0 : Math.sign(v));
  return [x0 + sign(x1) * FAR, y0 + sign(y1) * FAR];
}
