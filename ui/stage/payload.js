// What the server sends: a header in JSON, then arrays, all deflated. `ui/stage/payload.py` is the other side.

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Heights in [0, 1] travel as 16-bit differences from their left and upper neighbours; 65535 is a hole.
function heights(raw, rows, columns) {
  const out = [];
  let above = new Uint16Array(columns);
  for (let j = 0; j < rows; j++) {
    const line = new Uint16Array(columns);
    const row = new Float32Array(columns);
    let left = 0;
    for (let i = 0; i < columns; i++) {
      left = (left + raw[j * columns + i]) & 65535;
      line[i] = (left + above[i]) & 65535;
      row[i] = line[i] === 65535 ? NaN : line[i] / 65534;
    }
    above = line;
    out.push(row);
  }
  return out;
}

function decode(bytes, kind, shape, count, offset) {
  if (kind === "heights") return heights(new Uint16Array(bytes.buffer, offset, count), ...shape);
  // Bytes of equal significance stand together, which deflates better.
  const shuffled = bytes.subarray(offset, offset + 4 * count);
  const plain = new Uint8Array(4 * count);
  for (let b = 0; b < 4; b++) for (let i = 0; i < count; i++) plain[4 * i + b] = shuffled[b * count + i];
  return new Float32Array(plain.buffer);
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
