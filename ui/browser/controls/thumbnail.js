// A surface in little, as a picture on its button.
import { el } from "../words/format.js";

export function thumbnail({ dim, thumbnail: { width, data } }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const height = dim === 1 ? 24 : bytes.length / width;
  const canvas = el("canvas", { width, height });
  const context = canvas.getContext("2d");
  if (dim === 1) {
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    context.strokeStyle = "#0072b2";
    context.lineWidth = 3;
    bytes.forEach((b, i) => context.lineTo((i + 0.5) * 2, 4 + (1 - b / 255) * (2 * height - 8)));
    context.stroke();
    return canvas;
  }
  const image = context.createImageData(width, height);
  bytes.forEach((b, i) => {
    const row = height - 1 - Math.floor(i / width);
    const at = 4 * (row * width + (i % width));
    // Ten bands, so that the little picture reads as a contour plot.
    const u = Math.round(b / 25.5) / 10;
    image.data.set([20 + 215 * u, 60 + 175 * u, 105 + 135 * u, 255], at);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}
