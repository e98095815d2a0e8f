// What the server sends: a header in JSON, then arrays, all deflated. `ui/stage/payload.py` is the other side.

// Reader and writer at hand, rather than a Blob piped into a Response: those wait for other work of the page.
async function inflate(bytes) {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  writer.write(bytes);
  writer.close();
  const reader = readable.getReader();
  const parts = [];
  for (let part; !(part = await reader.read()).done; ) parts.push(part.value);
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

// Bytes of equal significance stand together, and small integers of either sign as small ones.
function unfold(bytes, offset, count, width) {
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    let n = 0;
    for (let b = 0; b < width; b++) n |= bytes[offset + b * count + i] << (8 * b);
    out[i] = (n >>> 1) ^ -(n & 1);
  }
  return out;
}

// Heights in [0, 1] travel as differences of levels from their left and upper neighbours.
function heights(differences, rows, columns) {
  const out = [];
  let above = new Int32Array(columns);
  for (let j = 0; j < rows; j++) {
    const line = new Int32Array(columns);
    const row = new Float32Array(columns);
    let left = 0;
    for (let i = 0; i < columns; i++) {
      left += differences[j * columns + i];
      line[i] = left + above[i];
      row[i] = line[i] === 16383 ? NaN : line[i] / 16382;
    }
    above = line;
    out.push(row);
  }
  return out;
}

// Whole numbers travel as differences, other numbers as differences of their bits.
function whole(differences) {
  for (let i = 1; i < differences.length; i++) differences[i] = (differences[i] + differences[i - 1]) | 0;
  return differences;
}

const WIDTH = { bytes: 1, heights: 2, whole: 4, numbers: 4 }; // of an entry, in bytes

function decode(bytes, kind, shape, count, offset) {
  if (kind === "bytes") return bytes.slice(offset, offset + count);
  const differences = unfold(bytes, offset, count, WIDTH[kind]);
  if (kind === "heights") return heights(differences, ...shape);
  return kind === "whole" ? whole(differences) : new Float32Array(whole(differences).buffer);
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
    offset += Math.ceil((count * WIDTH[kind]) / 4) * 4;
    return array;
  });
  return restore(header.tree, arrays);
}
