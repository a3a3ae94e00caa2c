// The inverse of wire.py: bytes to a header and named groups of rows (typed arrays).

const inflate = async (bytes) => {
  const { writable, readable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  writer.write(bytes);
  writer.close();
  return new Uint8Array(await new Response(readable).arrayBuffer());
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

// Leading halves of float64s, and trailing ones where they were sent.
const widen = (high, low = null) => {
  const out = new Float64Array(high.length);
  const halves = new Uint32Array(out.buffer);
  high.forEach((word, i) => (halves[2 * i + 1] = word));
  low?.forEach((word, i) => (halves[2 * i] = word));
  return out;
};

const SIZES = { f8: 4, f4: 4, lead4: 4, lead3: 3, u4: 4, u2: 2, u1: 1 };
const WHOLE = {
  u4: (row) => row,
  u2: (row) => Uint16Array.from(row, (w) => w >>> 16),
  u1: (row) => Uint8Array.from(row, (w) => w >>> 24),
};

export async function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const body = await inflate(bytes.subarray(4 + length));
  const groups = {};
  let at = 0;
  for (const { name, kind, rows, n, wide } of header.layout) {
    const size = SIZES[kind];
    const count = kind === "f8" ? 2 * rows : rows;
    const words = unshuffle(body, at, count, n, size);
    at += count * n * size;
    groups[name] = Array.from({ length: rows }, (_, i) => {
      const row = words.slice(i * n, (i + 1) * n);
      if (WHOLE[kind]) return WHOLE[kind](row);
      if (kind === "f8") return widen(row, words.slice((rows + i) * n, (rows + i + 1) * n));
      const isFloat32 = kind === "f4" && !wide.includes(i);
      return isFloat32 ? Float64Array.from(new Float32Array(row.buffer)) : widen(row);
    });
  }
  return { header, groups };
}
