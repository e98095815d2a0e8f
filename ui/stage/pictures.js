// The three pictures. Plotly draws what rests (the field, the surface, the axes) once; the runs are inked on a
// transparent canvas above it, so that playing costs no redraw of the field.

const CONFIG = { displaylogo: false, responsive: false, showTips: false, doubleClick: "reset" };

class Picture {
  constructor(root, config) {
    this.root = root;
    this.plot = root.querySelector(".plot");
    this.canvas = root.querySelector("canvas");
    this.config = { ...CONFIG, ...config };
    this.theme = null;
    this.look = null;
  }

  // Draw a figure, keeping zoom and camera (its uirevision).
  async rest(figure, theme, look) {
    this.theme = theme;
    this.look = look;
    this.figure = figure;
    const { width, height } = this.root.getBoundingClientRect();
    this.size = [width, height];
    const painted = this.paint(figure);
    painted.layout = { ...painted.layout, width, height };
    if (this.drawn) await Plotly.react(this.plot, painted.data, painted.layout, this.config);
    else await Plotly.newPlot(this.plot, painted.data, painted.layout, this.config);
    if (!this.drawn) this.listen?.();
    this.drawn = true;
    this.fit();
  }

  async resize() {
    if (!this.drawn) return;
    const { width, height } = this.root.getBoundingClientRect();
    if (!width || (width === this.size[0] && height === this.size[1])) return;
    this.size = [width, height];
    await Plotly.relayout(this.plot, { width, height });
    this.fit();
  }

  fit() {
    const [width, height] = this.size;
    const ratio = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
    // To give a canvas a size empties it: the ink stays until there is other ink.
    if (this.ctx && this.canvas.width === columns && this.canvas.height === rows) return;
    this.canvas.width = columns;
    this.canvas.height = rows;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    // Without a graphics card a canvas in main memory is ten times faster, and with one not slower for so few lines.
    this.ctx = this.canvas.getContext("2d", { willReadFrequently: true });
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  // The figure in the colours of the page.
  paint(figure) {
    const { dark, ink, paper, faint, font } = this.theme;
    const axis = { color: ink, gridcolor: faint, tickcolor: faint, linecolor: faint };
    const size = this.look.projector ? 15 : 11;
    const ramp = figure.layout.meta?.ramps[dark ? "dark" : "light"];
    const grown = (part) => ({ ...part, ...axis, tickfont: { size: size - 1 }, title: { ...part.title, font: { size } } });
    const layout = { ...figure.layout, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: font, size } };
    for (const name in layout) if (/^[xy]axis\d*$/.test(name)) layout[name] = grown(layout[name]);
    if (layout.scene) {
      layout.scene = { ...layout.scene };
      // WebGL draws translucent lines white.
      const edge = { linecolor: dark ? "#4c5768" : "#b9c2ce", tickcolor: dark ? "#4c5768" : "#b9c2ce" };
      for (const name of ["xaxis", "yaxis", "zaxis"]) layout.scene[name] = { ...layout.scene[name], ...axis, ...edge };
    }
    const data = figure.data.map((trace) => {
      const painted = { ...trace };
      if (trace.colorscale) painted.colorscale = ramp;
      if (trace.type === "contour") {
        painted.line = { ...trace.line, color: dark ? "rgba(255,255,255,.22)" : "rgba(20,40,70,.28)" };
        painted.colorbar = { ...trace.colorbar, tickfont: { size: size - 1, color: ink } };
      }
      if (trace.type === "surface") {
        const lines = { ...trace.contours.z, color: dark ? "#8fb4c0" : "#6580a6" };
        painted.contours = { z: lines };
      }
      if (trace.meta?.ink) painted.marker = { ...trace.marker, color: ink, line: { ...trace.marker.line, color: paper } };
      if (trace.marker?.symbol === "x-thin-open") painted.marker.line.color = ink;
      return painted;
    });
    return { data, layout };
  }

  // Fill and edge of a marker: hollow where a point is reported, but no gradient taken.
  fill(line, colour) {
    return line.hollow ? [this.theme.paper, colour] : [colour, this.theme.paper];
  }

  async image(scale) {
    const base = await Plotly.toImage(this.plot, { format: "png", scale, width: this.size[0], height: this.size[1] });
    const image = new Image();
    image.src = base;
    await image.decode();
    return image;
  }
}

const BANDS = 22; // as in `figures/surfaces.py`

// Of each pixel between ``from`` and ``to``, which four of a grid's ``size`` points between ``low`` and ``high`` it is a
// mixture of, and how (Catmull & Rom, 1974). Beyond the grid the shares are NaN.
function mixture(pixels, from, to, low, high, size) {
  const at = new Int32Array(4 * pixels), share = new Float32Array(4 * pixels);
  for (let p = 0; p < pixels; p++) {
    const place = ((from + ((p + 0.5) / pixels) * (to - from) - low) / (high - low)) * (size - 1);
    const inside = place >= 0 && place <= size - 1;
    const i = Math.min(Math.floor(place), size - 2), t = inside ? place - i : NaN;
    for (let k = 0; k < 4; k++) at[4 * p + k] = Math.min(Math.max(i - 1 + k, 0), size - 1);
    share.set([((2 - t) * t - 1) * t / 2, ((3 * t - 5) * t * t + 2) / 2, ((4 - 3 * t) * t + 1) * t / 2, (t - 1) * t * t / 2], 4 * p);
  }
  return { at, share, pixels };
}

// The bands of a grid of heights, first row below, as pixels, first row above. Where neighbours differ there is a line.
function banded(z, across, down, inks, out) {
  const { pixels: width } = across;
  const rows = z.map((heights) => {
    const row = new Float32Array(width);
    for (let p = 0, q = 0; p < width; p++, q += 4) {
      const { at, share } = across;
      row[p] = share[q] * heights[at[q]] + share[q + 1] * heights[at[q + 1]] + share[q + 2] * heights[at[q + 2]] + share[q + 3] * heights[at[q + 3]];
    }
    return row;
  });
  let above = new Int16Array(width).fill(-1), here = new Int16Array(width);
  for (let p = 0, q = 4 * (down.pixels - 1); q >= 0; p += width, q -= 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => rows[down.at[q + k]]);
    const [wa, wb, wc, wd] = down.share.subarray(q, q + 4);
    let before = -1;
    for (let i = 0; i < width; i++) {
      const height = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i];
      const band = Number.isNaN(height) ? -1 : Math.min(Math.max(Math.floor(height * BANDS), 0), BANDS - 1);
      if (band >= 0) {
        const edge = (above[i] !== band && above[i] >= 0) || (before !== band && before >= 0);
        out[p + i] = inks[edge ? BANDS + band : band];
      }
      here[i] = before = band;
    }
    [above, here] = [here, above];
  }
}

// The colour (r, g, b) of a ramp, [[share, "#rrggbb"], …], at a share.
function shade(ramp, share) {
  const k = Math.max(ramp.findIndex(([at]) => at >= share), 1);
  const [[from, low], [to, high]] = [ramp[k - 1], ramp[k]];
  const parts = (colour) => [1, 3, 5].map((c) => parseInt(colour.slice(c, c + 2), 16));
  const end = parts(high), t = (share - from) / (to - from);
  return parts(low).map((part, c) => Math.round(part + t * (end[c] - part)));
}

// The last point of a line that is not after a step; `times` are the points' steps, where not all are there.
function upTo({ count, times }, step) {
  let k = times ? count - 1 : Math.min(step, count - 1);
  while (times && k > 0 && times[k] > step) k -= 1;
  return k;
}

// A plane picture: runs are polylines over x–y axes.
class Plane extends Picture {
  listen() {
    const redraw = () => this.redraw?.();
    this.plot.on("plotly_relayout", redraw);
    this.plot.on("plotly_relayouting", redraw);
    this.plot.on("plotly_afterplot", redraw);
  }

  // Data → pixels, of the axes as they are now (zoomed or not).
  frame() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    const linear = (axis, vertical) => {
      const [low, high] = axis.range;
      const length = axis._length;
      const log = axis.type === "log";
      const to = (value) => {
        const share = ((log ? Math.log10(value) : value) - low) / (high - low);
        return axis._offset + length * (vertical ? 1 - share : share);
      };
      const from = (pixel) => {
        const share = (pixel - axis._offset) / length;
        const value = low + (vertical ? 1 - share : share) * (high - low);
        return log ? 10 ** value : value;
      };
      return [to, from];
    };
    const [x, fromX] = linear(xaxis, false), [y, fromY] = linear(yaxis, true);
    const box = { left: xaxis._offset, right: xaxis._offset + xaxis._length,
      top: yaxis._offset, bottom: yaxis._offset + yaxis._length };
    return { x, y, fromX, fromY, box };
  }

  // Ink all runs up to a step, or `whole`; what comes after it as faint as `later`. `lines` has xs and ys in data, with `count` finite points, and the lane's style.
  ink(lines, step, { arrows = false, cursor = null, whole = false, later = 0.28 } = {}) {
    if (!this.drawn) return;
    const { ctx, theme, look } = this;
    const frame = this.frame();
    const { box } = frame;
    const width = look.projector ? 4 : 2;
    const size = look.projector ? 9 : 6;
    ctx.clearRect(0, 0, ...this.size);
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    ctx.clip();
    this.root.classList.toggle("lifted", Boolean(this.ground));
    if (this.ground) this.lay(frame);
    if (cursor !== null) {
      ctx.setLineDash([]);
      ctx.lineWidth = 1;
      ctx.strokeStyle = theme.ink;
      ctx.globalAlpha = 0.45;
      ctx.beginPath();
      ctx.moveTo(frame.x(cursor), box.top);
      ctx.lineTo(frame.x(cursor), box.bottom);
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    const pixels = lines.map((line) => ({ xs: line.xs.map(frame.x), ys: line.ys.map(frame.y) }));
    ctx.lineJoin = "round";
    lines.forEach((line, k) => {
      const { xs, ys } = pixels[k];
      const last = upTo(line, whole ? Infinity : step);
      const colour = line.style[theme.dark ? "dark" : "light"];
      const thick = line.hollow ? width / 2 : width;
      if (last < line.count - 1) {
        ctx.globalAlpha = later;
        ctx.setLineDash([]);
        ctx.lineWidth = thick * 0.6;
        ctx.strokeStyle = colour;
        trace(ctx, xs, ys, last, line.count - 1, box);
        ctx.stroke();
      }
      ctx.globalAlpha = theme.dark ? 0.5 : 0.75;
      trace(ctx, xs, ys, 0, last, box);
      ctx.setLineDash([]);
      ctx.lineWidth = thick + 2;
      ctx.strokeStyle = theme.paper;
      ctx.stroke();
      ctx.globalAlpha = 1;
      ctx.setLineDash(line.style.dash.map((part) => part * thick));
      ctx.lineWidth = thick;
      ctx.strokeStyle = colour;
      ctx.stroke();
    });
    ctx.restore(); // a runner at the edge is drawn whole
    lines.forEach((line, k) => {
      const { xs, ys } = pixels[k];
      const last = upTo(line, step);
      const colour = line.style[theme.dark ? "dark" : "light"];
      const [x, y] = [xs[last], ys[last]];
      const within = x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
      if (!line.style.marker) return;
      if (within) marker(ctx, line.style.marker, x, y, size, ...this.fill(line, colour));
      else if (arrows && !line.hollow) this.arrow(ctx, xs, ys, last, line.times, colour, box, size);
      if (line.diverged >= 0 && step >= line.diverged && within && !line.hollow) {
        label(ctx, x, y - 2.4 * size, `✕ ${line.diverged}`, colour, theme.paper, box, size);
      }
    });
  }

  // Another ground over the one that Plotly drew: its bands of height, the lines between them, minima and saddles.
  lay(frame) {
    const { ctx, theme, ground } = this;
    const { left, right, top, bottom } = frame.box;
    const [width, height] = [Math.round(right - left), Math.round(bottom - top)];
    const corners = [frame.fromX(left), frame.fromX(right), frame.fromY(top), frame.fromY(bottom)];
    const key = [theme.key, width, height, ...corners].join();
    if (this.laid?.ground !== ground || this.laid.key !== key) {
      this.laid = { ground, key, sheet: this.laid?.sheet ?? document.createElement("canvas") };
      const { x, y } = this.figure.data[0];
      const across = mixture(width, corners[0], corners[1], x[0], x.at(-1), ground.z[0].length);
      const down = mixture(height, corners[3], corners[2], y[0], y.at(-1), ground.z.length);
      const image = new ImageData(width, height);
      banded(ground.z, across, down, this.inks(), new Uint32Array(image.data.buffer));
      [this.laid.sheet.width, this.laid.sheet.height] = [width, height];
      this.laid.sheet.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
    }
    ctx.drawImage(this.laid.sheet, left, top, width, height);
    const size = ground.minima.length > 16 ? 2.4 : 5;
    for (const [x, y] of ground.minima) marker(ctx, "star", frame.x(x), frame.y(y), size, theme.ink, theme.paper);
    ctx.lineWidth = 1.6;
    ctx.strokeStyle = theme.ink;
    ctx.setLineDash([]);
    ctx.beginPath();
    for (const [x, y] of ground.saddles) {
      for (const side of [4, -4]) {
        ctx.moveTo(frame.x(x) - 4, frame.y(y) - side);
        ctx.lineTo(frame.x(x) + 4, frame.y(y) + side);
      }
    }
    ctx.stroke();
  }

  // The colours of the bands, and as many of the lines above them.
  inks() {
    const { dark } = this.theme;
    const ramp = this.figure.layout.meta.ramps[dark ? "dark" : "light"];
    const [line, share] = dark ? [[255, 255, 255], 0.14] : [[20, 40, 70], 0.18]; // a pixel wide, Plotly's 0.6
    const bands = Array.from({ length: BANDS }, (_, k) => shade(ramp, (k + 0.5) / BANDS));
    const lines = bands.map((rgb) => rgb.map((part, c) => part + share * (line[c] - part)));
    return Uint32Array.from([...bands, ...lines], ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r);
  }

  arrow(ctx, xs, ys, last, times, colour, box, size) {
    const inside = (i) => xs[i] >= box.left && xs[i] <= box.right && ys[i] >= box.top && ys[i] <= box.bottom;
    for (let i = last; i > 0; i--) {
      // The last segment that touches the box is where the path left for good.
      const cut = Number.isFinite(xs[i]) && clipped(xs[i - 1], ys[i - 1], xs[i], ys[i], box);
      if (!cut || inside(i)) continue;
      const [dx, dy] = [xs[i] - xs[i - 1], ys[i] - ys[i - 1]];
      leaving(ctx, xs[i - 1] + cut[1] * dx, ys[i - 1] + cut[1] * dy, Math.atan2(dy, dx), `${times?.[i] ?? i}`, colour,
        this.theme.paper, box, size * 1.25);
      return;
    }
    // Never inside: point from the middle to where it is.
    const [mx, my] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    const cut = clipped(mx, my, xs[last], ys[last], box);
    if (!cut) return;
    const [dx, dy] = [xs[last] - mx, ys[last] - my];
    leaving(ctx, mx + cut[1] * dx, my + cut[1] * dy, Math.atan2(dy, dx), `${times?.[last] ?? last}`, colour, this.theme.paper, box,
      size * 1.25);
  }
}

// The surface in perspective. Plotly draws the paths, too; where the runners are is projected onto the canvas.
class Surface extends Picture {
  listen() {
    const redraw = () => this.redraw?.();
    for (const event of ["plotly_relayout", "plotly_relayouting", "plotly_afterplot"]) this.plot.on(event, redraw);
    // Turning by hand is only announced at its end: follow the camera while a button is down.
    this.plot.addEventListener("pointerdown", () => {
      const follow = () => {
        redraw();
        if (this.turning) requestAnimationFrame(follow);
      };
      this.turning = true;
      follow();
    });
    addEventListener("pointerup", () => (this.turning = false));
    this.plot.addEventListener("wheel", () => requestAnimationFrame(redraw), { passive: true });
  }

  // Plotly's own projection of its scene: data → pixels of the canvas.
  projection() {
    const scene = this.plot._fullLayout?.scene?._scene;
    const camera = scene?.glplot?.cameraParams;
    if (!camera) return null;
    const matrices = [camera.model, camera.view, camera.projection];
    const [width, height] = this.size;
    const scale = scene.dataScale;
    return (x, y, z) => {
      let v = [x * scale[0], y * scale[1], z * scale[2], 1];
      for (const m of matrices) {
        v = [0, 1, 2, 3].map((r) => m[r] * v[0] + m[r + 4] * v[1] + m[r + 8] * v[2] + m[r + 12] * v[3]);
      }
      return [((1 + v[0] / v[3]) / 2) * width, ((1 - v[1] / v[3]) / 2) * height];
    };
  }

  ink(lines, step) {
    if (!this.drawn) return;
    const { ctx, theme, look } = this;
    const box = { left: 0, top: 0, right: this.size[0], bottom: this.size[1] };
    ctx.clearRect(0, 0, ...this.size);
    const project = this.projection();
    if (!project) return;
    for (const line of lines) {
      const width = (look.projector ? 3.5 : 2) * (line.hollow ? 0.5 : 1);
      const last = upTo(line, step);
      const xs = new Float64Array(last + 1), ys = new Float64Array(last + 1);
      for (let i = 0; i <= last; i++) {
        [xs[i], ys[i]] = line.shown[i] ? project(line.xs[i], line.ys[i], line.zs[i]) : [NaN, NaN];
      }
      const colour = line.style[theme.dark ? "dark" : "light"];
      trace(ctx, xs, ys, 0, last, box);
      ctx.setLineDash(line.style.dash.map((part) => part * width));
      ctx.lineJoin = "round";
      ctx.lineWidth = width;
      ctx.strokeStyle = colour;
      ctx.stroke();
      const size = look.projector ? 8 : 5.5;
      if (line.shown[last]) marker(ctx, line.style.marker, xs[last], ys[last], size, ...this.fill(line, colour));
    }
  }
}
