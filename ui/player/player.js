// Two views of the same runs, the paths on the surface and the loss against the step, and what
// moves them: play, pause, step, scrub, speed, the keyboard, and the start that can be dragged.
import { el, mark, number, point } from "./format.js";
import { clip, reachable, Stage } from "./stage.js";

const LABEL_FONT = "600 15px system-ui, sans-serif";
const GRAB = { mouse: 16, touch: 30, pen: 24 }; // pixels around the start marker that take hold of it
const CLICK = 6; // pixels that a press may wander and still be a click
const NEAR = 14; // pixels around a step within which it is the one hovered
const DOTS = 5; // pixels between two steps from which each gets a dot of its own

const OUTCOMES = {
  minimum: () => "at a minimum",
  saddle: () => "stuck, not at a minimum",
  plateau: () => "on a plateau",
  cycle: ({ period }) => `in a cycle of ${period}`,
  diverged: ({ step }) => (step === null ? "diverging" : `diverged, overflow at step ${step}`),
  moving: () => "still moving",
};

export class Player {
  #t = 0;
  #playing = false;
  #last = 0;
  #frame = 0;
  #runs = [];
  #steps = 1;
  #hover = null;
  #drag = null;
  #opened = false;
  #surface = null;
  #surfaceShown = null;
  #windowOf = null; // the surface whose own frame the view started from
  #abort = new AbortController();
  #themeKey = "";

  constructor(root, store, Plotly) {
    this.store = store;
    this.root = root;
    this.looks = new Map(store.catalog.optimizers.map((o) => [o.key, o]));
    this.#build(Plotly);
    this.theme();
    store.subscribe(() => this.#stateChanged());
    this.#listen();
  }

  close() {
    this.#abort.abort();
    cancelAnimationFrame(this.#frame);
    this.main.close();
    this.loss.close();
  }

  // ---- what the server sends

  setSurface({ header, groups }) {
    this.#surface = { ...header, ...groups };
    this.#showSurface();
  }

  setRuns({ header, groups }) {
    const dim = this.#dim(header.surface);
    const { positions, excess, slopes } = groups;
    const atEnd = this.#t >= this.#steps;
    const sameRace = header.surface === this.header?.surface;
    this.header = header;
    this.#runs = header.runs.map((run, i) => {
      const path = positions.slice(i * dim, (i + 1) * dim);
      const losses = excess[i].map((e) => e + (header.base ?? 0));
      return {
        ...run,
        look: this.looks.get(run.key),
        path,
        x: path[0],
        y: dim === 2 ? path[1] : losses,
        excess: excess[i],
        losses,
        slopes: slopes[i],
      };
    });
    this.#steps = Math.max(1, (excess[0]?.length ?? 2) - 1);
    this.scrubber.max = this.#steps;
    if (!this.#opened) {
      this.#opened = true;
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.seek(this.#steps);
      else this.play();
    } else if (!sameRace) {
      this.seek(0);
      this.play();
    } else if (atEnd) this.seek(this.#steps);
    this.#showNotes(header.notes);
    this.#showResults();
    this.#showLoss();
    this.#showSurface();
    this.repaint();
  }

  // Colours come from Streamlit's theme variables, so light and dark follow by themselves.
  theme() {
    const style = getComputedStyle(this.root);
    const [text, back, soft, font] = [
      "--st-text-color",
      "--st-background-color",
      "--st-secondary-background-color",
      "--st-font",
    ].map((name) => style.getPropertyValue(name).trim());
    const key = [text, back, soft].join();
    if (key === this.#themeKey) return;
    this.#themeKey = key;
    const dark = luminance(back) < 0.4;
    this.root.classList.toggle("lab-dark", dark);
    this.colors = {
      text,
      back,
      dark,
      font: font || "system-ui, sans-serif",
      size: 13,
      grid: dark ? "rgba(255,255,255,.10)" : "rgba(0,0,0,.09)",
      line: dark ? "rgba(255,255,255,.35)" : "rgba(0,0,0,.35)",
      // Pale and of one hue, so that a path of any colour stands out on it.
      scale: dark
        ? [[0, "#0b1622"], [0.5, "#1d3246"], [1, "#39536b"]]
        : [[0, "#ffffff"], [0.5, "#e4ebf3"], [1, "#b9c8d9"]],
      contour: dark ? "rgba(160,190,220,.30)" : "rgba(70,95,125,.30)",
      arrow: dark ? "rgba(200,215,235,.55)" : "rgba(60,80,105,.55)",
    };
    this.#surfaceShown = null;
    this.#showSurface();
    this.#lossAxes = "";
    this.#showLoss();
  }

  // ---- time

  play() {
    if (this.#t >= this.#steps) this.#t = 0;
    this.#playing = true;
    this.#last = 0;
    this.#tick();
    this.#showTime();
  }

  pause() {
    this.#playing = false;
    this.#showTime();
  }

  toggle() {
    if (this.#playing) this.pause();
    else this.play();
  }

  seek(t) {
    this.#t = Math.min(this.#steps, Math.max(0, t));
    this.#showTime();
    this.repaint();
  }

  step(by) {
    this.pause();
    this.seek(by > 0 ? Math.floor(this.#t) + by : Math.ceil(this.#t) + by);
  }

  repaint() {
    this.main.paint();
    this.loss.paint();
  }

  #tick() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame((now) => {
      if (!this.#playing) return;
      const passed = this.#last ? Math.min(0.1, (now - this.#last) / 1000) : 0;
      this.#last = now;
      this.#t = Math.min(this.#steps, this.#t + passed * this.#speed);
      if (this.#t >= this.#steps) this.#playing = false;
      this.#showTime();
      this.repaint();
      if (this.#playing) this.#tick();
    });
  }

  get #speed() {
    return this.store.number("speed", this.speedHyper.default);
  }

  #showTime() {
    const shown = Math.floor(this.#t);
    this.scrubber.value = this.#t;
    this.scrubber.setAttribute("aria-valuetext", `step ${shown} of ${this.#steps}`);
    this.clock.textContent = `step ${shown} / ${this.#steps}`;
    this.playButton.textContent = this.#playing ? "❚❚" : "▶";
    this.playButton.setAttribute("aria-label", this.#playing ? "Pause" : "Play");
    this.root.dataset.playing = this.#playing;
    this.root.dataset.step = shown;
  }

  // ---- the surface below the paths

  #dim(key) {
    return this.store.catalog.surfaces.find((s) => s.key === key).dim;
  }

  get #declared() {
    return this.store.catalog.surfaces.find((s) => s.key === this.header.surface);
  }

  #showSurface() {
    const surface = this.#surface;
    // The surface and the runs come in two messages: draw when they speak of the same one.
    if (!surface || !this.header || surface.surface !== this.header.surface) return;
    if (this.#surfaceShown === surface) return;
    this.#surfaceShown = surface;
    const declared = this.#declared;
    const fresh = this.#windowOf !== declared.key;
    this.#windowOf = declared.key;
    this.title.replaceChildren(el("strong", {}, declared.name), ` ${declared.about}`);
    const [wx, wy] = surface.window;
    const kept = fresh ? null : this.main.window;
    if (declared.dim === 1) {
      const heights = surface.heights[0];
      const x = heights.map((_, i) => wx[0] + ((wx[1] - wx[0]) * i) / (heights.length - 1));
      const inside = heights.filter((_, i) => x[i] >= declared.domain[0][0] && x[i] <= declared.domain[0][1]);
      const [low, high] = extent(inside);
      const room = 0.06 * (high - low);
      this.main.show(
        [{ type: "scatter", mode: "lines", x, y: heights, line: { color: this.colors.line, width: 3 } }],
        {
          x: { range: kept?.[0] ?? declared.domain[0], title: { text: "p", standoff: 4 } },
          y: { range: kept?.[1] ?? [low - room, high + room], title: { text: "f(p)", standoff: 4 } },
        },
        this.colors,
      );
      return;
    }
    const n = surface.heights.length;
    this.main.show(
      [
        {
          type: "contour",
          z: surface.heights,
          x0: wx[0],
          dx: (wx[1] - wx[0]) / (n - 1),
          y0: wy[0],
          dy: (wy[1] - wy[0]) / (n - 1),
          colorscale: this.colors.scale,
          showscale: false,
          ncontours: 26,
          line: { color: this.colors.contour, width: 1 },
          hoverinfo: "skip",
        },
      ],
      {
        x: { range: kept?.[0] ?? declared.domain[0], title: { text: "x", standoff: 4 } },
        y: { range: kept?.[1] ?? declared.domain[1], title: { text: "y", standoff: 2 } },
      },
      this.colors,
    );
  }

  // ---- the loss axes change only when their rounded range does: a drag does not shake them

  #lossAxes = "";

  #showLoss() {
    if (!this.header) return;
    const log = this.header.base !== null;
    const range = log ? this.#logRange() : this.#linearRange();
    const axes = JSON.stringify([log, range, this.#steps, this.#themeKey]);
    if (axes === this.#lossAxes) return this.loss.paint();
    this.#lossAxes = axes;
    this.loss.show(
      [],
      {
        x: { range: [0, this.#steps * 1.02], title: { text: "step", standoff: 4 } },
        y: {
          range,
          type: log ? "log" : "linear",
          nticks: 8,
          title: { text: log ? "loss − best known minimum" : "loss", standoff: 2 },
        },
      },
      this.colors,
    );
  }

  #logRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const { excess, kind } of this.#runs)
      for (let i = 0; i < excess.length; i++) {
        const e = excess[i];
        if (!(e > 0) || !Number.isFinite(e)) continue;
        low = Math.min(low, e);
        if (kind !== "diverged" || i === 0) high = Math.max(high, e);
      }
    if (!(high > 0)) [low, high] = [1e-3, 1];
    // A lone diverging run still gets its first decades.
    return [Math.floor(Math.log10(Math.min(low, high / 10))), Math.ceil(Math.log10(high) + 0.3)];
  }

  #linearRange() {
    const finite = this.#runs.flatMap((run) =>
      [...run.losses].filter((_, i) => this.#inDomain(run, i)).filter(Number.isFinite),
    );
    const [low, high] = finite.length ? extent(finite) : [-1, 1];
    const room = 10 ** Math.floor(Math.log10(Math.max(high - low, 1e-9)));
    return [Math.floor(low / room) * room - room / 4, Math.ceil(high / room) * room + room / 4];
  }

  #inDomain(run, i) {
    return this.#declared.domain.every(([a, b], j) => run.path[j][i] >= a && run.path[j][i] <= b);
  }

  // ---- drawing

  #drawMain = (context, stage) => {
    if (!this.header) return;
    const frame = stage.frame;
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.width, frame.height);
    context.clip();
    if (this.store.number("field", 0) && this.#surface?.arrows.length) this.#drawField(context, stage);
    this.#drawStationary(context, stage);
    const heads = this.#runs.map((run) => this.#drawPath(context, stage, run, run.x, run.y));
    context.restore();
    this.#drawStart(context, stage);
    this.#drawLabels(context, frame, heads.filter(Boolean));
    if (this.#hover?.stage === stage) this.#drawHover(context, stage);
  };

  #drawLoss = (context, stage) => {
    if (!this.header) return;
    const frame = stage.frame;
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.width, frame.height);
    context.clip();
    const now = stage.x(this.#t);
    context.strokeStyle = this.colors.line;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(now, frame.top);
    context.lineTo(now, frame.top + frame.height);
    context.stroke();
    const values = (run) => (this.header.base === null ? run.losses : run.excess);
    const time = Float64Array.from({ length: this.#steps + 1 }, (_, i) => i);
    const heads = this.#runs.map((run) =>
      this.#drawPath(context, stage, run, time, values(run), { ahead: true, floor: true }),
    );
    context.restore();
    // On a phone the loss plot is too low for names.
    if (frame.height > 150) this.#drawLabels(context, frame, heads.filter(Boolean));
    if (this.#hover?.stage === stage) this.#drawHover(context, stage);
  };

  // One path up to the time shown. Returns where its label goes, and whether it has left the frame.
  #drawPath(context, stage, run, xs, ys, { ahead = false, floor = false } = {}) {
    const frame = stage.frame;
    const bottom = frame.top + frame.height;
    // A log axis has no zero: an excess of exactly 0 is drawn at its lower edge.
    const py = (i) => {
      const y = stage.y(ys[i]);
      return floor && y === Infinity && ys[i] <= 0 ? bottom : y;
    };
    const px = (i) => stage.x(xs[i]);
    const whole = Math.floor(this.#t);
    let [x0, y0] = [px(0), py(0)];
    const line = new Path2D();
    const crossing = new Path2D(); // steps that only cross the frame, from outside to outside
    const future = ahead ? new Path2D() : null;
    const dots = [];
    let exit = null;
    let head = [x0, y0];
    let pen = null; // where the line was left, to go on without lifting
    const last = ahead ? this.#steps : Math.min(this.#steps, whole + 1);
    for (let i = 1; i <= last; i++) {
      const target = reachable(x0, y0, px(i), py(i));
      if (!target) break;
      let [x1, y1] = target;
      const share = i <= whole ? 1 : this.#t - whole;
      const passed = i <= whole || (i === whole + 1 && share > 0);
      const [hx, hy] = [x0 + (x1 - x0) * share, y0 + (y1 - y0) * share];
      if (passed) {
        head = [hx, hy];
        const seen = clip(x0, y0, hx, hy, frame);
        if (seen) {
          const visits = (seen[0] === x0 && seen[1] === y0) || !seen[4];
          const path = visits ? line : crossing;
          if (path === crossing || !pen || pen[0] !== seen[0] || pen[1] !== seen[1]) path.moveTo(seen[0], seen[1]);
          path.lineTo(seen[2], seen[3]);
          pen = visits ? [seen[2], seen[3]] : null;
          if (seen[4]) exit = { x: seen[2], y: seen[3], angle: Math.atan2(y1 - y0, x1 - x0) };
        }
        if (i <= whole && Math.abs(x1 - x0) + Math.abs(y1 - y0) > DOTS) dots.push([x1, y1]);
      }
      if (future && i > whole) {
        const seen = clip(passed ? hx : x0, passed ? hy : y0, x1, y1, frame);
        if (seen) {
          future.moveTo(seen[0], seen[1]);
          future.lineTo(seen[2], seen[3]);
        }
      }
      [x0, y0] = [x1, y1];
    }
    const { color, dash, marker } = run.look;
    if (future) {
      context.globalAlpha = 0.35;
      context.strokeStyle = color;
      context.lineWidth = 2;
      context.stroke(future);
      context.globalAlpha = 1;
    }
    // Thin, or a run that jumps across at every step would paint the whole frame.
    context.strokeStyle = color;
    context.globalAlpha = 0.5;
    context.lineWidth = 1;
    context.stroke(crossing);
    // A casing in the background's colour keeps the path apart from contour lines and others.
    context.strokeStyle = this.colors.back;
    context.globalAlpha = 0.75;
    context.lineWidth = 7;
    context.stroke(line);
    context.globalAlpha = 1;
    context.strokeStyle = color;
    context.lineWidth = 4;
    context.setLineDash(dash.map((d) => d * 2));
    context.stroke(line);
    context.setLineDash([]);
    context.fillStyle = color;
    if (!ahead)
      for (const [x, y] of dots) {
        context.beginPath();
        context.arc(x, y, 3.6, 0, 7);
        context.fill();
      }
    const inside =
      head[0] >= frame.left - 1 &&
      head[0] <= frame.left + frame.width + 1 &&
      head[1] >= frame.top - 1 &&
      head[1] <= bottom + 1;
    const done = this.#t >= this.#steps || (run.step !== null && run.kind === "diverged" && this.#t >= run.step);
    const name = run.look.name;
    if (inside) {
      context.strokeStyle = this.colors.back;
      context.lineWidth = 2;
      mark(context, marker, head[0], head[1], 8);
      return { x: head[0], y: head[1], color, text: done && run.kind === "diverged" ? `${name}: ${OUTCOMES[run.kind](run)}` : name };
    }
    if (!exit) return null;
    const text = run.kind === "diverged" ? `${name}: ${OUTCOMES[run.kind](run)}` : `${name}: outside, ${OUTCOMES[run.kind](run)}`;
    return { ...exit, color, text: done ? text : `${name}: left the frame`, arrow: true };
  }

  #drawLabels(context, frame, heads) {
    context.font = LABEL_FONT;
    context.textBaseline = "middle";
    const height = 19;
    const right = frame.left + frame.width;
    const bottom = frame.top + frame.height;
    const placed = heads
      .map((head) => {
        const width = context.measureText(head.text).width;
        const left = head.x + 15 + width > right ? head.x - 15 - width : head.x + 15;
        return { ...head, width, left: Math.max(frame.left + 2, Math.min(left, right - width - 2)), top: head.y };
      })
      .sort((a, b) => a.top - b.top);
    const clash = (a, b) => a.left < b.left + b.width && b.left < a.left + a.width && Math.abs(a.top - b.top) < height;
    placed.forEach((label, i) => {
      label.top = Math.min(Math.max(label.top, frame.top + height / 2), bottom - height / 2);
      for (let again = 0; again < placed.length; again++) {
        const other = placed.slice(0, i).find((o) => clash(o, label));
        if (!other) break;
        label.top = other.top + height;
      }
    });
    // Pushed below the frame: shift the whole pile up.
    const over = Math.max(0, ...placed.map((l) => l.top + height / 2 - bottom));
    if (over) for (const label of placed) label.top = Math.max(frame.top + height / 2, label.top - over);
    for (const label of placed) {
      if (label.arrow) this.#drawArrow(context, label.x, label.y, label.angle, label.color);
      context.lineWidth = 4;
      context.strokeStyle = this.colors.back;
      context.globalAlpha = 0.85;
      context.strokeText(label.text, label.left, label.top);
      context.globalAlpha = 1;
      context.fillStyle = this.colors.dark ? lighten(label.color) : label.color;
      context.fillText(label.text, label.left, label.top);
    }
  }

  #drawArrow(context, x, y, angle, color) {
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    context.beginPath();
    context.moveTo(3, 0);
    context.lineTo(-16, -10);
    context.lineTo(-11, 0);
    context.lineTo(-16, 10);
    context.closePath();
    context.fillStyle = color;
    context.strokeStyle = this.colors.back;
    context.lineWidth = 2;
    context.stroke();
    context.fill();
    context.restore();
  }

  #drawStationary(context, stage) {
    const { minima, saddles, dim } = this.#declared;
    const place = (p) => [stage.x(p[0]), stage.y(dim === 2 ? p[1] : this.#heightAt(p[0]))];
    context.lineWidth = 2;
    for (const p of minima) {
      const [x, y] = place(p);
      context.strokeStyle = this.colors.text;
      context.beginPath();
      for (const [dx, dy] of [[5, 5], [5, -5]]) {
        context.moveTo(x - dx, y - dy);
        context.lineTo(x + dx, y + dy);
      }
      context.stroke();
    }
    context.strokeStyle = this.colors.line;
    for (const p of saddles) {
      const [x, y] = place(p);
      context.strokeRect(x - 4, y - 4, 8, 8);
    }
  }

  // The height of a 1-D curve, from the samples that are drawn.
  #heightAt(p) {
    const { heights, window } = this.#surface;
    const place = ((p - window[0][0]) / (window[0][1] - window[0][0])) * (heights[0].length - 1);
    const i = Math.min(heights[0].length - 2, Math.max(0, Math.floor(place)));
    return heights[0][i] + (place - i) * (heights[0][i + 1] - heights[0][i]);
  }

  #drawField(context, stage) {
    const [xs, ys, us, vs] = this.#surface.arrows;
    const { width, height } = stage.frame;
    const [[xa, xb], [ya, yb]] = stage.window;
    const longest = 20;
    context.strokeStyle = this.colors.arrow;
    context.lineWidth = 1.5;
    const sizes = us.map((u, i) => Math.hypot(u, vs[i]));
    const typical = [...sizes].sort((a, b) => a - b)[sizes.length >> 1] || 1;
    for (let i = 0; i < xs.length; i++) {
      const [du, dv] = [(us[i] * width) / (xb - xa), (-vs[i] * height) / (yb - ya)];
      const size = Math.hypot(du, dv);
      if (!(size > 0)) continue;
      // Length grows with the square root: steep slopes would otherwise hide the flat ones.
      const length = longest * Math.min(1, 0.55 * Math.sqrt(sizes[i] / typical));
      const [x, y] = [stage.x(xs[i]), stage.y(ys[i])];
      const [ex, ey] = [x + (du / size) * length, y + (dv / size) * length];
      const [bx, by] = [((ex - x) / (length || 1)) * 5, ((ey - y) / (length || 1)) * 5];
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(ex, ey);
      context.lineTo(ex - bx + by * 0.6, ey - by - bx * 0.6);
      context.moveTo(ex, ey);
      context.lineTo(ex - bx - by * 0.6, ey - by + bx * 0.6);
      context.stroke();
    }
  }

  #startPixels(stage) {
    const start = this.#drag?.start ?? this.store.start;
    const height = this.#runs[0]?.y[0] ?? (this.#declared.dim === 1 ? this.#heightAt(start[0]) : start[1]);
    const y = this.#declared.dim === 2 ? start[1] : this.#drag ? this.#heightAt(start[0]) : height;
    return [stage.x(start[0]), stage.y(y)];
  }

  #drawStart(context, stage) {
    const [x, y] = this.#startPixels(stage);
    const { left, top, width, height } = stage.frame;
    if (!(x >= left && x <= left + width && y >= top && y <= top + height)) return;
    context.beginPath();
    context.arc(x, y, this.#drag ? 13 : 10, 0, 7);
    context.lineWidth = 5;
    context.strokeStyle = this.colors.back;
    context.stroke();
    context.lineWidth = 2.5;
    context.strokeStyle = this.colors.text;
    context.stroke();
  }

  #drawHover(context, stage) {
    const { run, i } = this.#hover;
    if (!this.#runs.includes(run)) return;
    const [x, y] = this.#hoverPixels(stage, run, i);
    context.beginPath();
    context.arc(x, y, 8, 0, 7);
    context.lineWidth = 3;
    context.strokeStyle = this.colors.text;
    context.stroke();
  }

  #hoverPixels(stage, run, i) {
    if (stage === this.main) return [stage.x(run.x[i]), stage.y(run.y[i])];
    return [stage.x(i), stage.y(this.header.base === null ? run.losses[i] : run.excess[i])];
  }

  // ---- hover, start, scrubbing

  #nearest(stage, x, y) {
    let best = null;
    let distance = NEAR ** 2;
    for (const run of this.#runs)
      for (let i = 0; i <= Math.min(this.#steps, Math.floor(this.#t)); i++) {
        const [px, py] = this.#hoverPixels(stage, run, i);
        const d = (px - x) ** 2 + (py - y) ** 2;
        if (d < distance) [best, distance] = [{ stage, run, i }, d];
      }
    return best;
  }

  #showHover(found, event) {
    this.#hover = found;
    this.repaint();
    this.tip.hidden = !found;
    if (!found) return;
    const { run, i } = found;
    this.tip.replaceChildren(
      el("strong", { style: { color: this.colors.dark ? lighten(run.look.color) : run.look.color } }, run.look.name),
      ...[
        ["step", String(i)],
        ["position", point(run.path.map((row) => row[i]), 5)],
        ["loss", number(run.losses[i], 5)],
        ["gradient norm", number(run.slopes[i], 3)],
      ].map(([name, value]) => el("div", {}, el("span", {}, name), ` ${value}`)),
    );
    const box = this.root.getBoundingClientRect();
    const [w, h] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const left = Math.min(Math.max(4, event.clientX - box.left + 18), box.width - w - 4);
    const above = event.clientY - box.top - h - 14;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${above > 0 ? above : event.clientY - box.top + 20}px`;
  }

  #moveStart(event) {
    const { data } = this.main.at(event.clientX, event.clientY);
    const start = data.slice(0, this.#declared.dim);
    const rounded = start.map((v, i) => {
      const [a, b] = this.main.window[i];
      return Number(v.toPrecision(Math.max(2, Math.ceil(Math.log10(Math.abs(v) / (b - a) + 1e-9)) + 4)));
    });
    this.#drag = this.#drag && { ...this.#drag, start: rounded };
    this.store.set(Object.fromEntries(rounded.map((v, i) => ["xy"[i], v])));
    this.main.paint();
  }

  #listen() {
    const { signal } = this.#abort;
    const host = this.main.host;
    const holds = (event) => {
      const { x, y } = this.main.at(event.clientX, event.clientY);
      const [sx, sy] = this.#startPixels(this.main);
      return Math.hypot(x - sx, y - sy) <= (GRAB[event.pointerType] ?? GRAB.mouse);
    };
    const inFrame = (event) => {
      const { x, y } = this.main.at(event.clientX, event.clientY);
      const { left, top, width, height } = this.main.frame;
      return x >= left && x <= left + width && y >= top && y <= top + height;
    };
    let pressed = null;
    // In the capture phase, before Plotly's own layers see it and begin to pan.
    host.addEventListener(
      "pointerdown",
      (event) => {
        if (!this.header || !this.main.ready || event.button > 0 || event.target.closest("button")) return;
        if (!inFrame(event)) return;
        pressed = { x: event.clientX, y: event.clientY, id: event.pointerId };
        if (!holds(event)) return;
        this.#drag = { start: this.store.start, id: event.pointerId };
        this.root.classList.add("lab-dragging");
        this.#showHover(null);
        event.preventDefault();
        event.stopPropagation();
      },
      { capture: true, signal },
    );
    for (const type of ["mousedown", "touchstart"])
      host.addEventListener(
        type,
        (event) => {
          if (!this.#drag) return;
          event.preventDefault();
          event.stopPropagation();
        },
        { capture: true, passive: false, signal },
      );
    // Plotly lays a cover over the page while it pans, so moves are followed on the window.
    addEventListener("pointermove", (event) => this.#drag?.id === event.pointerId && this.#moveStart(event), { signal });
    addEventListener(
      "pointerup",
      (event) => {
        const click = pressed?.id === event.pointerId && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) < CLICK;
        if (!this.#drag && click) {
          const { x, y } = this.main.at(event.clientX, event.clientY);
          const found = event.pointerType === "mouse" ? null : this.#nearest(this.main, x, y);
          if (found) this.#showHover(found, event);
          else this.#moveStart(event);
        }
        this.#endDrag();
        pressed = null;
      },
      { signal },
    );
    addEventListener("pointercancel", () => this.#endDrag(), { signal });
    for (const stage of [this.main, this.loss]) {
      stage.host.addEventListener(
        "pointermove",
        (event) => {
          if (this.#drag || event.buttons || event.pointerType !== "mouse" || !this.header || !stage.ready) return;
          const { x, y } = stage.at(event.clientX, event.clientY);
          this.#showHover(this.#nearest(stage, x, y), event);
          stage.host.style.cursor = stage === this.main && holds(event) ? "grab" : "";
        },
        { signal },
      );
      stage.host.addEventListener("pointerleave", () => this.#showHover(null), { signal });
    }
    const scrub = (event) => {
      this.pause();
      this.seek(Math.round(this.loss.at(event.clientX, event.clientY).data[0]));
    };
    this.loss.host.addEventListener(
      "pointerdown",
      (event) => {
        if (event.button > 0 || !this.loss.ready) return;
        this.loss.host.setPointerCapture(event.pointerId);
        scrub(event);
      },
      { signal },
    );
    this.loss.host.addEventListener("pointermove", (event) => event.buttons && scrub(event), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  #endDrag() {
    if (!this.#drag) return;
    this.#drag = null;
    this.root.classList.remove("lab-dragging");
    this.main.paint();
  }

  #key(event) {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], [role=slider]");
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && typing !== this.scrubber)) return;
    if (event.key === " " && event.target.closest?.("button, summary, a")) return;
    const act = {
      " ": () => this.toggle(),
      ArrowRight: () => this.step(event.shiftKey ? 10 : 1),
      ArrowLeft: () => this.step(event.shiftKey ? -10 : -1),
      Home: () => (this.pause(), this.seek(0)),
      End: () => (this.pause(), this.seek(this.#steps)),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #stateChanged() {
    this.fieldButton.setAttribute("aria-pressed", Boolean(this.store.number("field", 0)));
    this.speedSelect.value = String(this.#speed);
    this.repaint();
  }

  #viewChanged() {
    clearTimeout(this.viewTimer);
    this.viewTimer = setTimeout(() => this.store.look(this.main.window.slice(0, this.#declared.dim)), 120);
  }

  #showNotes(notes) {
    this.notes.hidden = notes.length === 0;
    const more = notes.length > 3 ? ` And ${notes.length - 3} more.` : "";
    this.notes.textContent = notes.slice(0, 3).join(" ") + more;
  }

  #showResults() {
    const bounded = this.header.base !== null;
    const steps = (value) => (!bounded ? "no minimum" : value === null ? "not reached" : `${value}`);
    const rows = this.#runs.map((run) =>
      el(
        "tr",
        { "data-run": run.key, "data-kind": run.kind },
        el(
          "th",
          { scope: "row" },
          el("span", { class: "lab-chip", style: { background: run.look.color } }),
          run.look.name,
        ),
        el("td", { class: "lab-outcome" }, el("b", {}, OUTCOMES[run.kind](run)), el("span", {}, run.reason)),
        el("td", {}, Number.isFinite(run.loss) ? number(run.loss) : "overflow"),
        ...run.within.map((value) => el("td", {}, steps(value))),
        el("td", {}, run.length === null ? "∞" : number(run.length)),
        el("td", {}, String(run.evaluations)),
      ),
    );
    this.tableBody.replaceChildren(...rows);
  }

  // ---- the DOM

  #build(Plotly) {
    const button = (text, label, act, attributes = {}) =>
      el("button", { type: "button", "aria-label": label, title: label, onclick: act, ...attributes }, text);
    const mainHost = el("div", { class: "lab-stage lab-main", "aria-label": "Paths on the surface" });
    const lossHost = el("div", { class: "lab-stage lab-loss", "aria-label": "Loss against step" });
    this.title = el("p", { class: "lab-title" });
    this.notes = el("p", { class: "lab-notes", role: "alert", hidden: true });
    this.tip = el("div", { class: "lab-tip", hidden: true });
    this.speedHyper = this.store.catalog.race.find((h) => h.name === "speed");
    this.playButton = button("▶", "Play", () => this.toggle(), { class: "lab-play" });
    this.clock = el("output", { class: "lab-clock" });
    this.scrubber = el("input", {
      type: "range", min: 0, max: 1, step: "any", value: 0, class: "lab-scrub", "aria-label": "Step",
      oninput: (event) => { this.pause(); this.seek(Math.round(event.target.value)); },
    });
    const speeds = [5, 15, 40, 100, 300, 1000];
    const asked = this.#speed;
    this.speedSelect = el(
      "select",
      { "aria-label": "Speed", title: "Speed", onchange: (e) => this.store.set({ speed: Number(e.target.value) === this.speedHyper.default ? null : e.target.value }) },
      ...[...new Set([...speeds, asked])].sort((a, b) => a - b).map((s) => el("option", { value: s, selected: s === asked }, `${s} steps/s`)),
    );
    this.fieldButton = button("Field", "Show the directions of steepest descent", () =>
      this.store.set({ field: this.store.number("field", 0) ? null : 1 }),
    { "aria-pressed": Boolean(this.store.number("field", 0)) });
    const transport = el(
      "div",
      { class: "lab-transport" },
      this.playButton,
      button("|◀", "Back to the start (Home)", () => { this.pause(); this.seek(0); }),
      button("‹", "One step back (←)", () => this.step(-1)),
      button("›", "One step on (→)", () => this.step(1)),
      this.scrubber,
      this.clock,
    );
    const tools = el(
      "div",
      { class: "lab-tools" },
      this.speedSelect,
      this.fieldButton,
      button("+", "Zoom in", () => this.main.zoom(0.6)),
      button("−", "Zoom out", () => this.main.zoom(1 / 0.6)),
      button("⤢", "Whole frame", () => { this.#windowOf = null; this.#surfaceShown = null; this.store.look(null); this.#showSurface(); }),
    );
    this.tableBody = el("tbody");
    const table = el(
      "div",
      { class: "lab-results" },
      el(
        "table",
        {},
        el(
          "thead",
          {},
          el("tr", {}, ...["Optimizer", "Outcome", "Final loss", "Steps to 10⁻³", "Steps to 10⁻⁶", "Path length", "Gradients"].map((t) => el("th", { scope: "col" }, t))),
        ),
        this.tableBody,
      ),
      el("p", {}, "Steps until the loss stays within 10⁻³ or 10⁻⁶ of the best known minimum. Same start, same noise, one gradient evaluation a step for all."),
    );
    this.root.append(
      el("header", { class: "lab-brand" }, el("b", {}, "Descent Lab"), el("span", {}, "Which optimizer, and why did it blow up?")),
      this.notes,
      this.title,
      el("div", { class: "lab-stagebox" }, el("div", { class: "lab-views" }, mainHost, lossHost), transport),
      tools,
      table,
      this.tip,
    );
    const coarse = matchMedia("(pointer: coarse)").matches;
    this.main = new Stage(Plotly, mainHost, {
      draw: this.#drawMain,
      margin: { l: 52, r: 12, t: 8, b: 44 },
      // With a finger, a swipe scrolls the page; the buttons zoom.
      dragmode: coarse ? false : "pan",
      onView: () => this.#viewChanged(),
    });
    this.loss = new Stage(Plotly, lossHost, {
      draw: this.#drawLoss,
      margin: { l: 64, r: 12, t: 8, b: 44 },
      scrollZoom: false,
      dragmode: false,
    });
    this.#showTime();
  }
}

const extent = (values) => {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) [low, high] = [Math.min(low, v), Math.max(high, v)];
  return [low, high];
};

const channels = (color) => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = color;
  const hex = probe.fillStyle;
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
};

const luminance = (color) => {
  const [r, g, b] = channels(color || "#ffffff");
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
};

const lighten = (color) => `rgb(${channels(color).map((c) => Math.round(c + (255 - c) * 0.45)).join()})`;
