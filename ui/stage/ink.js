// Drawing primitives on a 2-D canvas: markers, dashed paths, arrows with a label.

const TURN = 2 * Math.PI;

const POLYGONS = {
  square: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
  diamond: [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]],
  "triangle-up": [[0, -1.15], [1.1, 0.8], [-1.1, 0.8]],
  "triangle-down": [[0, 1.15], [1.1, -0.8], [-1.1, -0.8]],
  cross: [[-0.4, -1.1], [0.4, -1.1], [0.4, -0.4], [1.1, -0.4], [1.1, 0.4], [0.4, 0.4], [0.4, 1.1], [-0.4, 1.1],
    [-0.4, 0.4], [-1.1, 0.4], [-1.1, -0.4], [-0.4, -0.4]],
  star: Array.from({ length: 10 }, (_, k) => polar(k % 2 ? 0.5 : 1.25, k / 10)),
  pentagon: Array.from({ length: 5 }, (_, k) => polar(1.1, k / 5)),
  hexagon: Array.from({ length: 6 }, (_, k) => polar(1.1, k / 6)),
};

function polar(radius, share) {
  return [radius * Math.sin(share * TURN), -radius * Math.cos(share * TURN)];
}

function marker(ctx, kind, x, y, size, fill, edge) {
  ctx.beginPath();
  if (kind in POLYGONS) {
    for (const [dx, dy] of POLYGONS[kind]) ctx.lineTo(x + dx * size, y + dy * size);
    ctx.closePath();
  } else {
    ctx.arc(x, y, size, 0, TURN);
  }
  ctx.setLineDash([]);
  ctx.lineJoin = "round";
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = edge;
  ctx.stroke();
  ctx.fillStyle = fill;
  ctx.fill();
}

// Where the segment a → b meets a box, as shares of its length; null if it misses (Liang & Barsky, 1984).
function clipped(ax, ay, bx, by, { left, top, right, bottom }) {
  let from = 0, to = 1;
  const dx = bx - ax, dy = by - ay;
  for (const [p, q] of [[-dx, ax - left], [dx, right - ax], [-dy, ay - top], [dy, bottom - ay]]) {
    if (p === 0) {
      if (q < 0) return null;
    } else {
      const t = q / p;
      if (p < 0) from = Math.max(from, t);
      else to = Math.min(to, t);
      if (from > to) return null;
    }
  }
  return [from, to];
}

const SEEN = 0.35; // pixels: who moves less draws nothing new, and lines of thousands of points take long to draw

// A polyline through pixels (xs, ys)[first..last], without what lies far outside the box, where canvases overflow.
function trace(ctx, xs, ys, first, last, box) {
  const far = { left: box.left - 500, right: box.right + 500, top: box.top - 500, bottom: box.bottom + 500 };
  const inside = (i) => xs[i] > far.left && xs[i] < far.right && ys[i] > far.top && ys[i] < far.bottom;
  ctx.beginPath();
  let pen = false, [x, y] = [NaN, NaN]; // where the pen is
  for (let i = first; i <= last; i++) {
    if (!Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) {
      pen = false;
    } else if (inside(i)) {
      if (pen && i < last && Math.abs(xs[i] - x) < SEEN && Math.abs(ys[i] - y) < SEEN) continue;
      if (!pen && i > first && Number.isFinite(xs[i - 1])) enter(ctx, xs, ys, i, far);
      else if (!pen) ctx.moveTo(xs[i], ys[i]);
      [x, y] = [xs[i], ys[i]];
      ctx.lineTo(x, y);
      pen = true;
    } else {
      if (i > first && Number.isFinite(xs[i - 1])) {
        const cut = clipped(xs[i - 1], ys[i - 1], xs[i], ys[i], far);
        if (cut) {
          const at = (t) => [xs[i - 1] + t * (xs[i] - xs[i - 1]), ys[i - 1] + t * (ys[i] - ys[i - 1])];
          if (!pen) ctx.moveTo(...at(cut[0]));
          ctx.lineTo(...at(cut[1]));
        }
      }
      pen = false;
    }
  }
}

function enter(ctx, xs, ys, i, far) {
  const [from] = clipped(xs[i - 1], ys[i - 1], xs[i], ys[i], far) ?? [1];
  ctx.moveTo(xs[i - 1] + from * (xs[i] - xs[i - 1]), ys[i - 1] + from * (ys[i] - ys[i - 1]));
}

// A path that left the box: an arrow head at its edge, pointing the way it went, and the step's number.
function leaving(ctx, x, y, angle, text, colour, paper, box, size) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(angle);
  ctx.beginPath();
  for (const [dx, dy] of [[0, 0], [-1.5, 0.8], [-1.1, 0], [-1.5, -0.8]]) ctx.lineTo(dx * size, dy * size);
  ctx.closePath();
  ctx.setLineDash([]);
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = paper;
  ctx.stroke();
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.restore();
  label(ctx, x - 2.2 * size * Math.cos(angle), y - 2.2 * size * Math.sin(angle), text, colour, paper, box, size);
}

function label(ctx, x, y, text, colour, paper, box, size) {
  ctx.font = `600 ${Math.round(1.45 * size)}px ${FONT}`;
  const half = ctx.measureText(text).width / 2 + 3;
  const at = Math.min(Math.max(x, box.left + half), box.right - half);
  const level = Math.min(Math.max(y, box.top + size), box.bottom - size);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.lineWidth = 4;
  ctx.lineJoin = "round";
  ctx.strokeStyle = paper;
  ctx.strokeText(text, at, level);
  ctx.fillStyle = colour;
  ctx.fillText(text, at, level);
}

const FONT = "'Source Sans', 'Noto Sans SC', system-ui, sans-serif";

// An arrow from one pixel to another.
function pointer(ctx, x0, y0, x1, y1, colour, paper, width) {
  const length = Math.hypot(x1 - x0, y1 - y0), angle = Math.atan2(y1 - y0, x1 - x0);
  const head = Math.min(5 + 2 * width, 0.6 * length);
  ctx.save();
  ctx.translate(x0, y0);
  ctx.rotate(angle);
  ctx.setLineDash([]);
  ctx.lineJoin = "round";
  for (const [stroke, more] of [[paper, 3], [colour, 0]]) {
    ctx.strokeStyle = ctx.fillStyle = stroke;
    ctx.lineWidth = width + more;
    ctx.beginPath();
    ctx.moveTo(0, 0);
    ctx.lineTo(length - 0.8 * head, 0);
    ctx.stroke();
    ctx.lineWidth = more || 0.5;
    ctx.beginPath();
    for (const [dx, dy] of [[0, 0], [-head, 0.42 * head], [-head, -0.42 * head]]) ctx.lineTo(length + dx, dy);
    ctx.closePath();
    ctx.stroke();
    ctx.fill();
  }
  ctx.restore();
}
