// What is drawn around the paths: minima and saddles, the gradient field, names at the heads.

const CROWD = 20; // minima from which on they are only hinted at
const HEIGHT = 19; // pixels from one label to the next
const NEAR = 1e-6; // pixels: (y + 19) − y may be less than 19

export function drawArrowhead(context, x, y, angle, color, back) {
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
  context.strokeStyle = back;
  context.lineWidth = 2;
  context.stroke();
  context.fill();
  context.restore();
}

// labels: [{ x, y, width }], each beside its point and then moved down or up until none overlap;
// where their frame is high enough for all of them in one column, all are inside of it. Adds `left`
// and `top`, the middle of the label's height.
export function placeLabels({ left, top, width, height }, labels) {
  const [right, highest, lowest] = [left + width, top + HEIGHT / 2, top + height - HEIGHT / 2];
  const placed = labels
    .map((label) => {
      const beside = label.x + 15 + label.width > right ? label.x - 17 - label.width : label.x + 15;
      const inside = Math.max(left + 2, Math.min(beside, right - label.width - 2));
      return { ...label, left: inside, top: Math.min(Math.max(label.y, highest), lowest) };
    })
    .sort((a, b) => a.top - b.top);
  const clash = (a, b) =>
    a.left < b.left + b.width && b.left < a.left + a.width && Math.abs(a.top - b.top) < HEIGHT - NEAR;
  const move = (label, others, by) => {
    for (let other; (other = others.find((one) => clash(one, label))); ) label.top = other.top + by;
  };
  placed.forEach((label, i) => move(label, placed.slice(0, i), HEIGHT));
  // What was pushed out below goes up again, from the lowest on.
  const upwards = [...placed].sort((a, b) => b.top - a.top);
  upwards.forEach((label, i) => {
    label.top = Math.min(label.top, lowest);
    move(label, upwards.slice(0, i), -HEIGHT);
  });
  return placed;
}

// heads: [{ x, y, look, text, arrow?, angle? }].
export function drawLabels(context, frame, heads, colors) {
  context.font = `600 ${frame.width > 340 ? 15 : 12.5}px ${colors.font}`;
  context.textBaseline = "middle";
  const labels = heads.map((head) => ({ ...head, width: context.measureText(head.text).width }));
  for (const label of placeLabels(frame, labels)) {
    const color = colors.ink(label.look.color);
    if (label.arrow) drawArrowhead(context, label.x, label.y, label.angle, color, colors.back);
    context.lineWidth = 4;
    context.strokeStyle = colors.back;
    context.globalAlpha = 0.85;
    context.strokeText(label.text, label.left, label.top);
    context.globalAlpha = 1;
    context.fillStyle = color;
    context.fillText(label.text, label.left, label.top);
  }
}

// The lowest minima as large crosses; the others smaller, and smaller still where there are many.
// `bare` are the minima that a penalty has moved: pale plus signs.
export function drawStationary(context, { minima, lowest, saddles, bare = [] }, place, colors) {
  const crowded = minima.length > CROWD;
  const cross = (p, r) => {
    const [x, y] = place(p);
    context.moveTo(x - r, y - r);
    context.lineTo(x + r, y + r);
    context.moveTo(x + r, y - r);
    context.lineTo(x - r, y + r);
  };
  context.lineWidth = 1.5;
  context.strokeStyle = colors.line;
  context.beginPath();
  minima.forEach((p, i) => lowest[i] || cross(p, crowded ? 2 : 4));
  context.stroke();
  context.lineWidth = 2.5;
  context.strokeStyle = colors.text;
  context.beginPath();
  minima.forEach((p, i) => lowest[i] && cross(p, 6));
  context.stroke();
  if (crowded) return;
  context.lineWidth = 1.5;
  context.strokeStyle = colors.line;
  context.beginPath();
  for (const p of bare) {
    const [x, y] = place(p);
    context.moveTo(x - 4, y);
    context.lineTo(x + 4, y);
    context.moveTo(x, y - 4);
    context.lineTo(x, y + 4);
  }
  context.globalAlpha = 0.6;
  context.stroke();
  context.globalAlpha = 1;
  for (const p of saddles) {
    const [x, y] = place(p);
    context.strokeRect(x - 4, y - 4, 8, 8);
  }
}

export function drawField(context, stage, [xs, ys, us, vs], colors) {
  const { width, height } = stage.frame;
  const [[xa, xb], [ya, yb]] = stage.window;
  const sizes = us.map((u, i) => Math.hypot(u, vs[i]));
  const typical = [...sizes].sort((a, b) => a - b)[sizes.length >> 1] || 1;
  context.strokeStyle = colors.arrow;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let i = 0; i < xs.length; i++) {
    const [du, dv] = [(us[i] * width) / (xb - xa), (-vs[i] * height) / (yb - ya)];
    const size = Math.hypot(du, dv);
    if (!(size > 0)) continue;
    // The square root: steep slopes would otherwise leave nothing to see of the flat ones.
    const length = 20 * Math.min(1, 0.55 * Math.sqrt(sizes[i] / typical));
    const [ux, uy] = [du / size, dv / size];
    const [x, y] = [stage.x(xs[i]), stage.y(ys[i])];
    const [ex, ey] = [x + ux * length, y + uy * length];
    context.moveTo(x, y);
    context.lineTo(ex, ey);
    context.lineTo(ex - 5 * ux + 3 * uy, ey - 5 * uy - 3 * ux);
    context.moveTo(ex, ey);
    context.lineTo(ex - 5 * ux - 3 * uy, ey - 5 * uy + 3 * ux);
  }
  context.stroke();
}

// A line through a point along an axis of the Hessian: the way in which a run blew up.
export function drawAxis(context, stage, { at, direction }, colors) {
  const [x, y] = [stage.x(at[0]), stage.y(at[1])];
  const [dx, dy] = [stage.x(at[0] + direction[0]) - x, stage.y(at[1] + direction[1]) - y];
  const size = Math.hypot(dx, dy);
  const { width, height } = stage.frame;
  const far = (width + height) / size;
  if (![x, y, far].every(Number.isFinite)) return;
  context.save();
  context.strokeStyle = colors.text;
  context.globalAlpha = 0.75;
  context.lineWidth = 1.5;
  context.setLineDash([7, 5]);
  context.beginPath();
  context.moveTo(x - dx * far, y - dy * far);
  context.lineTo(x + dx * far, y + dy * far);
  context.stroke();
  context.restore();
}
