// Paths as far as they have been walked. What is drawn stays on a canvas of its own, so a frame of
// the animation adds one step and does not draw all of them again.
import { mark } from "../words/format.js";
import { clip, reachable } from "./stage.js";

const DOTS = 5; // pixels between two steps from which each gets a dot of its own
const FINE = 0.4; // pixels that a line must move to be drawn on

export class Trail {
  #key = null;
  #curves = null;
  #drawn = 0;
  #walkers = [];

  // curves: [{ xs, ys, look, values? }], in data units, one array per change of the runs.
  constructor(stage, { ahead = false } = {}) {
    this.stage = stage;
    this.ahead = ahead; // also show, pale, what is still to come
  }

  // One curve up to time t, as a plain line.
  line(context, { xs, ys, look }, t) {
    const { frame } = this.stage;
    const [toX, toY] = [this.stage.scale("x"), this.stage.scale("y")];
    const walker = { px: (i) => toX(xs[i]), py: (i) => toY(ys[i]), i: 0, n: xs.length - 1, length: 0 };
    [walker.x, walker.y] = [walker.px(0), walker.py(0)];
    context.save();
    box(context, frame);
    context.strokeStyle = look.color;
    context.lineWidth = 3;
    context.stroke(this.#advance(walker, Math.floor(t), frame).line);
    context.restore();
  }

  // Draw up to time t on the two canvases; where each head is, and whether it has left the frame.
  draw(below, above, curves, t, colors) {
    const { frame, key } = this.stage;
    this.wide = frame.width > 340 ? 1 : 0.65;
    const whole = Math.floor(t);
    const now = `${key} ${colors.key}`;
    if (now !== this.#key || curves !== this.#curves || whole < this.#drawn) {
      this.#key = now;
      this.#curves = curves;
      this.#begin(below, frame, whole);
    }
    below.save();
    box(below, frame);
    for (const walker of this.#walkers) this.#walk(below, walker, whole, frame, colors);
    below.restore();
    this.#drawn = whole;
    above.save();
    box(above, frame);
    const heads = this.#walkers.map((walker) => this.#head(above, walker, t - whole, frame, colors));
    above.restore();
    return heads;
  }

  #begin(below, frame, whole) {
    below.save();
    below.setTransform(1, 0, 0, 1, 0, 0);
    below.clearRect(0, 0, below.canvas.width, below.canvas.height);
    below.restore();
    const [toX, toY] = [this.stage.scale("x"), this.stage.scale("y")];
    const bottom = frame.top + frame.height;
    this.#drawn = 0;
    this.#walkers = this.#curves.map(({ xs, ys, look }) => {
      const px = (i) => toX(xs[i]);
      // A log axis has no zero: it is drawn at the lower edge.
      const py = (i) => (this.stage.isLog && ys[i] <= 0 ? bottom : toY(ys[i]));
      return { look, px, py, x: px(0), y: py(0), i: 0, n: xs.length - 1, lost: false, exit: null, length: 0 };
    });
    if (!this.ahead || whole >= this.#walkers[0]?.n) return;
    below.save();
    box(below, frame);
    for (const walker of this.#walkers) {
      const { line, crossing } = this.#advance({ ...walker }, walker.n, frame);
      below.globalAlpha = 0.3;
      below.strokeStyle = walker.look.color;
      below.lineWidth = 2 * this.wide;
      below.stroke(line);
      below.stroke(crossing);
    }
    below.restore();
    below.globalAlpha = 1;
  }

  // Move a walker to a step; the pieces of its path that are inside the frame.
  #advance(walker, step, frame) {
    const line = new Path2D();
    const crossing = new Path2D(); // steps that only cross the frame, from outside to outside
    const dots = [];
    const { left, top } = frame;
    const [right, bottom] = [left + frame.width, top + frame.height];
    const within = (x, y) => x >= left && x <= right && y >= top && y <= bottom;
    let [penX, penY] = [NaN, NaN]; // where the line was left, to go on without lifting
    let inside = within(walker.x, walker.y);
    while (walker.i < Math.min(step, walker.n)) {
      let x = walker.px(walker.i + 1);
      let y = walker.py(walker.i + 1);
      const arrives = within(x, y);
      const far = Math.abs(x - walker.x) + Math.abs(y - walker.y);
      if (inside && arrives) {
        // Most steps of a run that has arrived move by less than can be seen.
        if (Math.abs(x - penX) + Math.abs(y - penY) < FINE) {
          [walker.x, walker.y] = [x, y];
          walker.i += 1;
          continue;
        }
        if (penX !== walker.x || penY !== walker.y) {
          if (!(Math.abs(walker.x - penX) + Math.abs(walker.y - penY) < FINE))
            line.moveTo(walker.x, walker.y);
        }
        line.lineTo(x, y);
        [penX, penY] = [x, y];
      } else {
        const target = reachable(walker.x, walker.y, x, y);
        if (!target) {
          walker.lost = true;
          break;
        }
        // Kept where it is, however far: else a run that comes back would end beside its place.
        if (!Number.isFinite(x + y)) [x, y] = target;
        const seen = arrives
          ? clip(...reachable(x, y, walker.x, walker.y), x, y, frame)
          : clip(walker.x, walker.y, ...target, frame);
        if (seen) {
          const [ax, ay, bx, by, leaves] = seen;
          const path = inside || arrives ? line : crossing;
          path.moveTo(ax, ay);
          path.lineTo(bx, by);
          [penX, penY] = [bx, by];
          if (leaves) walker.exit = { x: bx, y: by, angle: Math.atan2(y - walker.y, x - walker.x) };
        }
      }
      if (far > DOTS && arrives) dots.push([x, y]);
      [walker.x, walker.y] = [x, y];
      inside = arrives;
      walker.i += 1;
    }
    return { line, crossing, dots };
  }

  #walk(context, walker, step, frame, colors) {
    if (walker.lost || walker.i >= Math.min(step, walker.n)) return;
    const from = [walker.x, walker.y];
    const { line, crossing, dots } = this.#advance(walker, step, frame);
    const { color, dash } = walker.look;
    context.strokeStyle = context.fillStyle = color;
    context.lineJoin = this.ahead ? "bevel" : "round";
    // Thin, or a run that jumps across at every step would paint the whole frame.
    context.globalAlpha = 0.5;
    context.lineWidth = 1;
    context.stroke(crossing);
    context.globalAlpha = 1;
    context.lineWidth = 4 * this.wide;
    context.setLineDash(dash.map((d) => 2 * d * this.wide));
    context.lineDashOffset = walker.length;
    walker.length += Math.min(1e4, Math.hypot(walker.x - from[0], walker.y - from[1]));
    context.stroke(line);
    context.setLineDash([]);
    if (this.ahead) return; // no dots and no casing where 500 steps share 300 pixels
    context.beginPath();
    for (const [x, y] of dots) {
      context.moveTo(x, y);
      context.arc(x, y, 3.6 * this.wide, 0, 7);
    }
    context.fill();
    // A casing in the background's colour, below all paths, keeps them apart from contour lines.
    context.globalCompositeOperation = "destination-over";
    context.strokeStyle = colors.back;
    context.globalAlpha = 0.75;
    context.lineWidth = 7 * this.wide;
    context.stroke(line);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "source-over";
  }

  // The step under way and the mark at its end.
  #head(context, walker, share, frame, colors) {
    const { color, marker } = walker.look;
    let [x, y] = [walker.x, walker.y];
    let { exit } = walker;
    const target =
      walker.i < walker.n &&
      !walker.lost &&
      share > 0 &&
      reachable(x, y, walker.px(walker.i + 1), walker.py(walker.i + 1));
    if (target) {
      const [hx, hy] = [x + (target[0] - x) * share, y + (target[1] - y) * share];
      const seen = clip(x, y, hx, hy, frame);
      if (seen) {
        const inside = seen[0] === x && seen[1] === y;
        context.strokeStyle = color;
        context.lineWidth = (inside || !seen[4] ? 4 : 1) * this.wide;
        context.beginPath();
        context.moveTo(seen[0], seen[1]);
        context.lineTo(seen[2], seen[3]);
        context.stroke();
        if (seen[4]) exit = { x: seen[2], y: seen[3], angle: Math.atan2(hy - y, hx - x) };
      }
      [x, y] = [hx, hy];
    }
    const inside =
      !walker.lost &&
      x >= frame.left - 1 &&
      x <= frame.left + frame.width + 1 &&
      y >= frame.top - 1 &&
      y <= frame.top + frame.height + 1;
    if (!inside) return exit && { ...exit, arrow: true, look: walker.look };
    context.fillStyle = color;
    context.strokeStyle = colors.back;
    context.lineWidth = 2;
    mark(context, marker, x, y, 8 * Math.sqrt(this.wide));
    return { x, y, look: walker.look };
  }
}

export function box(context, { left, top, width, height }) {
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
}

// A line over a plot against the step, where the clock is.
export function drawNow(context, stage, time, colors) {
  const { frame } = stage;
  const now = stage.x(time);
  context.strokeStyle = colors.line;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(now, frame.top);
  context.lineTo(now, frame.top + frame.height);
  context.stroke();
}
