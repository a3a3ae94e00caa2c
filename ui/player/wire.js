// The inverse of wire.py: bytes to a header and named groups of Float64Array rows.

const inflate = async (bytes) => {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

const unshuffle = (body, at, count, n, size) => {
  const words = new Uint32Array(count * n);
  const plane = count * n;
  for (let row = 0; row < count; row++) {
    let sum = 0;
    for (let i = row * n; i < (row + 1) * n; i++) {
      let step = 0;
      for (let b = 0; b < size; b++) step |= body[at + b * plane + i] << (24 - 8 * b);
      sum = (sum + step) >>> 0;
      words[i] = sum;
    }
  }
  return words;
};

const fromHalves = (high, low, n) => {
  const out = new Float64Array(n);
  const halves = new Uint32Array(out.buffer);
  for (let i = 0; i < n; i++) {
    halves[2 * i + 1] = high[i];
    if (low) halves[2 * i] = low[i];
  }
  return out;
};

export async function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const body = await inflate(bytes.subarray(4 + length));
  const groups = {};
  let at = 0;
  for (const { name, kind, rows, n, wide = [] } of header.layout) {
    const size = kind === "lead3" ? 3 : 4;
    const count = rows + 2 * wide.length;
    const words = unshuffle(body, at, count, n, size);
    at += count * n * size;
    const row = (i) => words.subarray(i * n, (i + 1) * n);
    groups[name] = Array.from({ length: rows }, (_, i) => {
      if (kind !== "f4") return fromHalves(row(i), null, n);
      const j = wide.indexOf(i);
      if (j >= 0) return fromHalves(row(rows + j), row(rows + wide.length + j), n);
      return Float64Array.from(new Float32Array(row(i).slice().buffer));
    });
  }
  return { header, groups };
}
