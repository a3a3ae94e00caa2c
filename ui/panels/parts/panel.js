// A step taken apart, drawn where it is taken: what the memory and the gradient add to it, and what
// scaling each coordinate makes of their sum.
import { clip, reachable } from "../../browser/draw/stage.js";
import { el, number, point } from "../../browser/words/format.js";
import { stepAt, stepsOf } from "../formula/steps.js";

const KINDS = {
  decay: { name: "decay", color: "#8b5cf6" },
  memory: { name: "momentum", color: "#0072b2", isRaw: true },
  gradient: { name: "gradient", color: "#d55e00", isRaw: true },
  unscaled: { name: "before scaling", dash: [5, 4], width: 2.5, isRaw: true },
  shrinkage: { name: "L1 shrinks", color: "#be185d" },
  // On top, thin and without a casing: of gradient descent it is the gradient's arrow once more.
  step: { name: "the step", width: 2, isThin: true },
};
const ROOM = 0.35; // of the frame's shorter side: longer arrows before scaling are drawn shorter
const NICE = [1, 2, 5, 10];
const CROSS = 30; // pixels of the larger effective rate
const LANE = 15; // pixels between arrows on a curve
const LENS = 190; // pixels
const TANGENT = 70; // pixels

// The next of 1, 2, 5, 10, 20 …, so that the factor does not flicker from step to step.
const nice = (value) => {
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * NICE.find((n) => n * unit >= value * 0.999999);
};

export default class PartsPanel {
  constructor(lab) {
    this.lab = lab;
    this.legend = el("dl", { class: "lab-facts lab-parts" });
    lab.root.append(this.legend);
    lab.main.layer(40, (above, _, stage) => this.#draw(above, stage));
  }

  // The groups' rows are of memory, gradient, decay, rates and shrinkage, one for each coordinate.
  take({ groups }) {
    const formula = this.lab.part("formula");
    const { dim } = this.lab.surface;
    this.steps = stepsOf(formula, dim);
    const { values } = this.steps;
    const [memory, gradient, decay, rates, shrinkage] = [0, 1, 2, 3, 4].map((k) =>
      groups.parts.slice(k * dim, (k + 1) * dim),
    );
    const ends = values.get("p.after");
    Object.assign(this, { dim, memory, gradient, decay, rates, shrinkage });
    this.positions = values.get("p").map((row, j) => Float64Array.of(...row, ends[j].at(-1)));
    this.isScaled = formula.header.scaled;
    this.probes = values.get("probe"); // where the gradient is taken elsewhere
    this.slopes = dim === 1 ? values.get("g")[0] : null;
    this.time(this.lab.clock.step);
  }

  time(step) {
    if (!this.steps) return;
    this.i = stepAt(this.steps, step);
    this.rate = this.steps.values.get("lr")[0][this.i];
    this.#showLegend();
  }

  theme() {
    if (this.steps) this.#showLegend();
  }

  #at = (rows) => rows.map((row) => row[this.i]);

  // The arrows of this step from where it starts, in data units, and by how much those before
  // scaling are drawn shorter.
  #arrows(stage) {
    const here = this.#at(this.positions);
    const [memory, gradient, decay, rates, shrinkage] = [
      this.memory,
      this.gradient,
      this.decay,
      this.rates,
      this.shrinkage,
    ].map(this.#at);
    const sum = (a, b) => a.map((v, j) => v + b[j]);
    const before = rates.map((rate) => (this.isScaled ? this.rate / rate : 1)); // P
    const raw = [memory, gradient].map((part) => part.map((v, j) => v * before[j]));
    const whole = sum(...raw);
    const room = ROOM * Math.min(stage.frame.width, stage.frame.height);
    const pixels = Math.hypot(...this.#pixels(stage, whole));
    const shrink = this.isScaled && pixels > room && Number.isFinite(pixels) ? nice(pixels / room) : 1;
    const drawn = raw.map((part) => part.map((v) => v / shrink));
    const step = this.positions.map((row, j) => row[this.i + 1] - here[j]);
    const zero = here.map(() => 0);
    const some = (part) => part.some((v) => v !== 0);
    const middle = sum(decay, drawn[0]);
    const end = sum(middle, drawn[1]);
    const arrows = [
      some(decay) && { kind: "decay", from: zero, to: decay, by: decay },
      some(memory) && { kind: "memory", from: decay, to: middle, by: raw[0] },
      { kind: "gradient", from: middle, to: end, by: raw[1] },
      this.isScaled && { kind: "unscaled", from: decay, to: end, by: whole },
      some(shrinkage) && {
        kind: "shrinkage",
        from: step.map((v, j) => v - shrinkage[j]),
        to: step,
        by: shrinkage,
      },
      { kind: "step", from: zero, to: step, by: step },
    ];
    return { arrows: arrows.filter(Boolean), shrink };
  }

  #pixels = (stage, [x, y = 0]) => [
    x * (stage.x(1) - stage.x(0)),
    this.dim === 1 ? 0 : y * (stage.y(1) - stage.y(0)),
  ];

  #showLegend() {
    const { colors, main } = this.lab;
    if (!main.isReady) return;
    const { arrows, shrink } = this.#arrows(main.stage);
    const entry = (term, fact, color = null, dash = false) =>
      el(
        "div",
        {},
        el(
          "dt",
          {},
          color
            ? el("span", { class: `lab-arrow${dash ? " lab-dashed" : ""}`, style: { "--lab-color": color } })
            : "",
          term,
        ),
        el("dd", {}, fact),
      );
    const entries = arrows.map(({ kind, by }) => {
      const { name, color, dash, isRaw } = KINDS[kind];
      const drawn = shrink > 1 && isRaw ? ` (drawn ÷ ${number(shrink)})` : "";
      return entry(name + drawn, point(by, 3), color ? colors.ink(color) : "currentColor", Boolean(dash));
    });
    const rates = this.#at(this.rates);
    const alike = rates.every((rate) => rate === rates[0]);
    entries.push(
      entry(
        this.isScaled ? "effective rate η / P of each coordinate" : "rate η",
        alike ? number(rates[0], 4) : point(rates, 3),
      ),
    );
    this.legend.replaceChildren(...entries);
  }

  #draw(context, stage) {
    if (!this.positions) return;
    const place = (p) => this.lab.main.place(p);
    if (!this.legend.childElementCount) this.#showLegend();
    const here = place(this.#at(this.positions));
    if (!here.every(Number.isFinite)) return;
    const arrows = this.#arrows(stage).arrows.map((arrow, lane) => {
      const level = this.dim === 1 ? LANE * (lane + 1.5) : 0; // on a curve, one below the other
      const [from, to] = [arrow.from, arrow.to].map((v) => this.#pixels(stage, v));
      return { ...KINDS[arrow.kind], from: [from[0], from[1] + level], to: [to[0], to[1] + level] };
    });
    const probe =
      this.probes &&
      this.#pixels(
        stage,
        this.#at(this.probes).map((v, j) => v - this.positions[j][this.i]),
      );
    context.save();
    context.lineCap = "butt";
    if (this.slopes) this.#tangent(context, stage, here);
    const lowest = stage.frame.top + stage.frame.height - LANE * (arrows.length + 2);
    const turn = this.dim === 1 && here[1] > lowest ? -1 : 1; // above the curve where it is low
    this.#all(context, stage.frame, arrows, probe, ([x, y]) => [here[0] + x, here[1] + turn * y]);
    const ends = [...arrows.flatMap(({ from, to }) => [from, to]), ...(probe ? [probe] : [])];
    this.#lens(context, stage.frame, here, arrows, probe, ends);
    context.restore();
  }

  #all(context, frame, arrows, probe, put) {
    if (this.dim === 2) this.#rates(context, put([0, 0]));
    for (const arrow of arrows)
      drawArrow(context, frame, put(arrow.from), put(arrow.to), arrow, this.lab.colors);
    if (probe) this.#ghost(context, put(probe));
  }

  // A step too short to see into is shown enlarged, in the corner that is farthest from it.
  #lens(context, { left, top, width, height }, here, arrows, probe, ends) {
    const { colors } = this.lab;
    const [xs, ys] = [0, 1].map((j) => ends.map((end) => end[j]));
    const [low, high] = [
      [Math.min(...xs), Math.min(...ys)],
      [Math.max(...xs), Math.max(...ys)],
    ];
    const isFlat = this.dim === 1; // where arrows are below each other, and only their length counts
    const size = Math.max(high[0] - low[0], isFlat ? 0 : high[1] - low[1]);
    const side = Math.min(LENS, 0.42 * width, 0.42 * height);
    if (!(size > 0) || size > side / 2) return;
    const factor = 1 / nice(size / (side - 44));
    const frame = {
      left: here[0] < left + width / 2 ? left + width - side - 8 : left + 8,
      top: here[1] < top + height / 2 ? top + height - side - 8 : top + 8,
      width: side,
      height: side,
    };
    const middle = [frame.left + side / 2, frame.top + side / 2 + 6];
    const put = (end) =>
      end.map((v, j) => middle[j] + (v - (low[j] + high[j]) / 2) * (isFlat && j ? 1.6 : factor));
    context.save();
    context.fillStyle = colors.back;
    context.globalAlpha = 0.88;
    context.fillRect(frame.left, frame.top, side, side);
    context.globalAlpha = 1;
    context.lineWidth = 1;
    context.strokeStyle = colors.line;
    context.strokeRect(frame.left, frame.top, side, side);
    context.beginPath();
    context.rect(frame.left, frame.top, side, side);
    context.clip();
    this.#all(context, frame, arrows, probe, put);
    context.fillStyle = colors.text;
    context.font = `600 13px ${colors.font}`;
    context.textBaseline = "top";
    context.fillText(`the step × ${number(factor, 3)}`, frame.left + 8, frame.top + 6);
    context.restore();
  }

  #tangent(context, stage, [x, y]) {
    const { colors } = this.lab;
    const run = stage.x(1) - stage.x(0);
    const rise = (stage.y(1) - stage.y(0)) * this.slopes[this.i];
    const size = Math.hypot(run, rise);
    if (!Number.isFinite(size) || this.probes) return;
    context.strokeStyle = colors.ink(KINDS.gradient.color);
    context.lineWidth = 2;
    context.setLineDash([6, 4]);
    context.beginPath();
    context.moveTo(x - (TANGENT * run) / size, y - (TANGENT * rise) / size);
    context.lineTo(x + (TANGENT * run) / size, y + (TANGENT * rise) / size);
    context.stroke();
    context.setLineDash([]);
  }

  // How long a step of each coordinate is for the same gradient, the longer one always of one size.
  #rates(context, [x, y]) {
    const [a, b] = this.#at(this.rates);
    const largest = Math.max(a, b);
    if (!this.isScaled || !(largest > 0) || !Number.isFinite(largest)) return;
    context.strokeStyle = this.lab.colors.text;
    context.globalAlpha = 0.45;
    context.lineWidth = 5;
    context.beginPath();
    context.moveTo(x - (CROSS * a) / largest, y);
    context.lineTo(x + (CROSS * a) / largest, y);
    context.moveTo(x, y - (CROSS * b) / largest);
    context.lineTo(x, y + (CROSS * b) / largest);
    context.stroke();
    context.globalAlpha = 1;
  }

  // Where a method that looks ahead takes its gradient.
  #ghost(context, [x, y]) {
    context.strokeStyle = this.lab.colors.text;
    context.lineWidth = 2;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.arc(x, y, 8, 0, 7);
    context.stroke();
    context.setLineDash([]);
  }
}

// An arrow as far as the frame; its head is at the frame's edge where it goes on beyond.
function drawArrow(
  context,
  frame,
  [x0, y0],
  [x1, y1],
  { color, dash = [], width = 5, isThin = false },
  colors,
) {
  const end = reachable(x0, y0, x1, y1);
  const seen = end && clip(x0, y0, ...end, frame);
  if (!seen) return;
  const [ax, ay, bx, by] = seen;
  const size = Math.hypot(bx - ax, by - ay);
  if (size < 1.5) return;
  const head = Math.min(9 + width, 0.7 * size + 2);
  const angle = Math.atan2(by - ay, bx - ax);
  const [cx, cy] = [bx - head * 0.8 * Math.cos(angle), by - head * 0.8 * Math.sin(angle)];
  const ink = color ? colors.ink(color) : colors.text;
  for (const isCasing of isThin ? [false] : [true, false]) {
    context.strokeStyle = context.fillStyle = isCasing ? colors.back : ink;
    context.lineWidth = width + (isCasing ? 3 : 0);
    context.setLineDash(isCasing ? [] : dash);
    context.beginPath();
    context.moveTo(ax, ay);
    context.lineTo(cx, cy);
    context.stroke();
    context.setLineDash([]);
    context.lineWidth = isCasing ? 3 : 1;
    context.beginPath();
    context.moveTo(bx, by);
    context.lineTo(bx - head * Math.cos(angle - 0.42), by - head * Math.sin(angle - 0.42));
    context.lineTo(bx - head * Math.cos(angle + 0.42), by - head * Math.sin(angle + 0.42));
    context.closePath();
    context.stroke();
    context.fill();
  }
}
