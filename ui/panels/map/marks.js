// What is drawn over a map: the theory's limit, and where the setup is now.

// now: the values of both axes.
export function drawMarks(context, heat, { boundary, panel }, now, colors) {
  if (panel === "map" && boundary) drawBoundary(context, heat, boundary, colors);
  const { left, top, width, height } = heat.frame;
  const [x, y] = [heat.x(now[0]), heat.y(now[1])];
  context.strokeStyle = colors.text;
  context.lineWidth = 1;
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, top + height);
  if (panel !== "orbits") {
    context.moveTo(left, y);
    context.lineTo(left + width, y);
  }
  context.stroke();
  context.setLineDash([]);
  if (panel === "orbits") return;
  context.beginPath();
  context.arc(x, y, 6, 0, 7);
  context.fillStyle = colors.back;
  context.lineWidth = 2.5;
  context.fill();
  context.stroke();
}

function drawBoundary(context, heat, boundary, colors) {
  for (const [color, width] of [
    [colors.back, 5],
    [colors.text, 2.5],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    for (const [lr, value] of boundary) context.lineTo(heat.x(lr), heat.y(value));
    context.stroke();
  }
}
