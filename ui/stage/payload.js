// What the server sends: a header in JSON, then arrays, all deflated. `ui/stage/payload.py` is the other side.

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Bytes of equal significance stand together.
function gather(bytes, offset, count, width) {
  const plain = new Uint8Array(width * count);
  for (let b = 0; b < width; b++) for (let i = 0; i < count; i++) plain[width * i + b] = bytes[offset + b * count + i];
  return plain.buffer;
}

// Heights in [0, 1] travel as folded differences of levels from their left and upper neighbours.
function heights(folded, rows, columns) {
  const out = [];
  let above = new Uint16Array(columns);
  for (let j = 0; j < rows; j++) {
    const line = new Uint16Array(columns);
    const row = new Float32Array(columns);
    let left = 0;
    for (let i = 0; i < columns; i++) {
      const n = folded[j * columns + i];
      left = (left + ((n >>> 1) ^ -(n & 1))) & 65535;
      line[i] = (left + above[i]) & 65535;
      row[i] = line[i] === 16383 ? NaN : line[i] / 16382;
    }
    above = line;
    out.push(row);
  }
  return out;
}

function decode(bytes, kind, shape, count, offset) {
  if (kind === "heights") return heights(new Uint16Array(gather(bytes, offset, count, 2)), ...shape);
  return new Float32Array(gather(bytes, offset, count, 4));
}

function restore(node, arrays) {
  if (Array.isArray(node)) return node.map((item) => restore(item, arrays));
  if (node === null || typeof node !== "object") return node;
  if ("$array" in node) return arrays[node.$array];
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, restore(value, arrays)]));
}

async function unpack(deflated) {
  const bytes = await inflate(deflated);
  const length = new Uint32Array(bytes.buffer, 0, 1)[0];
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let offset = 4 + length;
  const arrays = header.arrays.map(({ kind, shape }) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const array = decode(bytes, kind, shape, count, offset);
    offset += Math.ceil((count * (kind === "heights" ? 2 : 4)) / 4) * 4;
    return array;
  });
  return restore(header.tree, arrays);
}
