// The maps' stage: up to four maps side by side, the legend that they share, and one line on what is under the pointer. All
// cells are here, so that looking around asks nobody; the server hears of the points that were chosen.

const MAPS = `<div class="panels"></div><div class="key-table"></div><output class="said" aria-live="polite"></output>`;
const CONTOURS = 16;
const MARGIN = { left: 34, right: 8, top: 4, bottom: 22 };
const TITLE = 16; // more room for the name of an axis

class Maps extends Scene {
  constructor(root, tell) {
    super(root, tell);
    root.classList.add("descent-stage", "maps");
    root.innerHTML = MAPS;
    this.box = root.querySelector(".panels");
    this.said = root.querySelector(".said");
    this.panels = [];
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(root);
    this.onMove = () => this.resize();
    addEventListener("resize", this.onMove);
  }

  async show(message) {
    const still = this.stillOf(message);
    if (!still) return;
    const theme = this.readTheme();
    const fresh = this.scene !== message.scene || this.theme?.key !== theme.key;
    Object.assign(this, { still, message, theme, scene: message.scene });
    this.root.classList.toggle("projector", still.look.projector);
    if (fresh) {
      if (this.panels.length !== still.panels.length) {
        this.panels = still.panels.map(() => new Panel(this));
        this.box.replaceChildren(...this.panels.map((panel) => panel.root));
        this.box.dataset.count = this.panels.length;
      }
      this.panels.forEach((panel, k) => panel.rest(still.panels[k], k));
      this.drawLegend();
      this.say("");
    }
    if (!this.dragging) this.places = still.panels.map((_, k) => message.starts?.[k] ?? message.start);
    this.sent();
    this.ink();
    draws += 1;
    this.root.dataset.draws = draws;
    this.root.dataset.ready = "all";
  }

  resize() {
    if (!this.still || this.closed) return;
    for (const panel of this.panels) panel.draw();
    this.ink();
  }

  ink() {
    for (const panel of this.panels) panel.ink();
  }

  say(text) {
    this.said.textContent = text || this.still.hint;
  }

  // ---- the point that was chosen ----------------------------------------------------------------------------------

  choose(panel, point, done) {
    // A start is everybody's; knobs are one runner's.
    this.places = this.places.map((place, k) => (this.message.start || k === panel ? point : place));
    this.ink();
    this.next = { panel, point: point.map((value) => Number(value.toPrecision(6))), done };
    if (done || !this.sending) this.send();
  }

  // One at a time: the next is sent when the answer to the last has been drawn, or after a while without one.
  send() {
    if (!this.next) return;
    this.tell("start", this.next);
    this.next = null;
    this.sending = true;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.sent(), 400);
  }

  sent() {
    clearTimeout(this.patience);
    this.sending = false;
    this.send();
  }

  // ---- the legend: what became of how many --------------------------------------------------------------------------

  drawLegend() {
    const { outcomes, panels, legend } = this.still;
    if (!legend) return;
    const counts = panels.map(({ cells }) => {
      const count = new Float64Array(outcomes.length);
      for (let i = 0; i < cells.length; i++) count[cells[i]] += 1 / cells.length;
      return count;
    });
    const most = (k) => Math.max(...counts.map((count) => count[k]));
    const there = outcomes.map((_, k) => k).filter((k) => most(k) > 0);
    const told = new Set([...there].sort((a, b) => most(b) - most(a)).slice(0, 12));
    const rows = there.filter((k) => told.has(k)).map((k) => this.row(this.swatch(k), outcomes[k].name, counts.map((count) => count[k])));
    const rest = there.filter((k) => !told.has(k));
    if (rest.length) {
      const shares = counts.map((count) => rest.reduce((sum, k) => sum + count[k], 0));
      rows.push(this.row("", legend.others.replace("{count}", rest.length), shares));
    }
    const table = document.createElement("table");
    const head = document.createElement("thead");
    head.append(this.line(["", ...panels.map((panel) => this.heading(panel, panels.length > 2))], "th"));
    const body = document.createElement("tbody");
    body.append(...rows);
    table.append(head, body);
    const ramp = document.createElement("p");
    const stops = outcomes.find((outcome, k) => most(k) > 0 && outcome.light.length > 1)?.[this.shade()];
    ramp.className = "ramp";
    if (stops) {
      const bar = document.createElement("i");
      bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
      ramp.append(legend.low, bar, legend.high);
    }
    this.root.querySelector(".key-table").replaceChildren(table, ramp);
  }

  // The head of a column: a name, or where there are many, the sign that stands before it above the map.
  heading({ name, style }, brief) {
    if (!brief) return name;
    const sign = mark(style, this.theme);
    sign.title = name;
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", name);
    return sign;
  }

  shade() {
    return this.theme.dark ? "dark" : "light";
  }

  line(texts, kind = "td") {
    const row = document.createElement("tr");
    for (const text of texts) {
      const cell = document.createElement(kind);
      cell.append(text);
      row.append(cell);
    }
    return row;
  }

  row(swatch, name, shares) {
    const row = this.line(["", ...shares.map((share) => percent(share))]);
    row.firstChild.append(swatch, name);
    return row;
  }

  swatch(k) {
    const ratio = window.devicePixelRatio || 1;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [16 * ratio, 16 * ratio];
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    const { pattern, [this.shade()]: stops } = this.still.outcomes[k];
    ctx.fillStyle = stops[Math.min(1, stops.length - 1)];
    ctx.fillRect(0, 0, 16, 16);
    if (pattern) {
      ctx.fillStyle = hatch(ctx, pattern, this.theme.dark, stops[0]);
      ctx.fillRect(0, 0, 16, 16);
    }
    return canvas;
  }

  close() {
    super.close();
    clearTimeout(this.patience);
    this.resizer.disconnect();
    removeEventListener("resize", this.onMove);
  }
}

// One map: what rests on one canvas, what moves on another above it.
class Panel {
  constructor(maps) {
    this.maps = maps;
    this.root = document.createElement("figure");
    this.root.innerHTML = `<figcaption></figcaption><div class="map"><canvas></canvas><canvas tabindex="0" role="application"></canvas></div>`;
    this.box = this.root.querySelector(".map");
    [this.below, this.above] = this.root.querySelectorAll("canvas");
    this.listen();
  }

  rest(panel, number) {
    this.panel = panel;
    this.number = number;
    this.caption();
    this.above.setAttribute("aria-label", panel.alt);
    this.paint();
    this.draw();
  }

  caption() {
    const { theme } = this.maps;
    const caption = this.root.querySelector("figcaption");
    caption.replaceChildren();
    const { style, name } = this.panel;
    if (style) caption.append(mark(style, theme));
    caption.append(name);
  }

  // The cells in their colours, a pixel each; and those that have a pattern as a mask for each pattern.
  paint() {
    const { still, theme } = this.maps;
    const { cells, values, columns, rows } = this.panel;
    const share = scaled(still.bright);
    const ramps = still.outcomes.map((outcome) => ramp(outcome[theme.dark ? "dark" : "light"]));
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    this.masks = {};
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const at = j * columns + i, to = (rows - 1 - j) * columns + i;
        const colours = ramps[cells[at]];
        pixels[to] = colours.length > 1 ? colours[Math.round(share(values[at]) * (colours.length - 1))] : colours[0];
        const { pattern } = still.outcomes[cells[at]];
        if (pattern) (this.masks[cells[at]] ??= new Uint32Array(columns * rows))[to] = 0xff000000;
      }
    }
    this.image = bitmap(image);
    for (const [cell, mask] of Object.entries(this.masks)) {
      this.masks[cell] = bitmap(new ImageData(new Uint8ClampedArray(mask.buffer), columns, rows));
    }
  }

  // ---- where things are ------------------------------------------------------------------------------------------

  // Data → pixels and back.
  measure() {
    const { still } = this.maps;
    const { width, height } = this.box.getBoundingClientRect();
    this.size = [width, height];
    const grow = still.look.projector ? 1.5 : 1;
    const title = still.x.name ? TITLE : 0;
    const box = { left: (MARGIN.left + title) * grow, right: width - MARGIN.right, top: MARGIN.top, bottom: height - (MARGIN.bottom + title) * grow };
    const [toX, fromX] = axis(still.x, box.left, box.right), [toY, fromY] = axis(still.y, box.bottom, box.top);
    this.frame = { x: toX, y: toY, fromX, fromY, box };
  }

  canvas(element) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = this.size;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    const ctx = element.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    return ctx;
  }

  cellAt([x, y]) {
    const { columns, rows } = this.panel;
    const { box, x: toX, y: toY } = this.frame;
    const i = Math.floor(((toX(x) - box.left) / (box.right - box.left)) * columns);
    const j = Math.floor(((box.bottom - toY(y)) / (box.bottom - box.top)) * rows);
    return i < 0 || j < 0 || i >= columns || j >= rows ? -1 : j * columns + i;
  }

  // ---- drawing -----------------------------------------------------------------------------------------------------

  draw() {
    if (!this.panel) return;
    this.measure();
    const { still, theme } = this.maps;
    const { box, x, y } = this.frame;
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    if (width <= 0 || height <= 0) return;
    const ctx = this.canvas(this.below);
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.image, box.left, box.top, width, height);
    for (const [cell, mask] of Object.entries(this.masks)) this.hatch(ctx, mask, still.outcomes[cell]);
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left, box.top, width, height);
    ctx.clip();
    if (still.heights) {
      ctx.translate(box.left, box.bottom);
      ctx.scale(width, -height);
      ctx.lineWidth = 0.7 / Math.min(width, height);
      ctx.strokeStyle = "rgba(0,0,0,.34)";
      still.lines ??= contours(still.heights);
      ctx.stroke(still.lines);
    }
    ctx.restore();
    const size = (still.minima.length > 16 ? 3 : 5.5) * (still.look.projector ? 1.5 : 1);
    for (const [px, py] of still.minima) if (this.inside(x(px), y(py))) marker(ctx, "star", x(px), y(py), size, "#fff", "#111");
    for (const [px, py] of still.saddles) {
      if (!this.inside(x(px), y(py))) continue;
      for (const [colour, line] of [["#fff", 4], ["#111", 1.6]]) cross(ctx, x(px), y(py), size * 0.8, colour, line);
    }
    this.curves(ctx);
    this.axes(ctx, theme);
  }

  // What theory says: lines and points, named where they are.
  curves(ctx) {
    const { box, x, y } = this.frame;
    const size = this.maps.still.look.projector ? 16 : 12;
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    ctx.clip();
    const places = (this.panel.curves ?? []).map(({ xs, ys, dashed }) => {
      const [px, py] = [Float64Array.from(xs, x), Float64Array.from(ys, y)];
      if (px.length === 1) {
        marker(ctx, "star", px[0], py[0], 8, "#fff", "#111");
        return [px[0], py[0] - 18];
      }
      trace(ctx, px, py, 0, px.length - 1, box);
      ctx.lineJoin = "round";
      for (const [colour, line] of [["#111", 4], ["#fff", 2]]) {
        ctx.setLineDash(dashed && colour === "#fff" ? [6, 4] : []);
        ctx.strokeStyle = colour;
        ctx.lineWidth = line;
        ctx.stroke();
      }
      ctx.setLineDash([]);
      // Beside the middle of what is seen of it.
      const seen = [...px.keys()].filter((k) => this.inside(px[k], py[k]));
      const k = seen[Math.floor(seen.length * (dashed ? 0.25 : 0.6))];
      return k === undefined ? null : [px[k], py[k]];
    });
    ctx.restore();
    places.forEach((place, k) => {
      if (!place || !this.inside(...place)) return;
      const { label: text, xs } = this.panel.curves[k];
      ctx.font = `600 ${size}px ${FONT}`;
      // To the left of a line, above a point.
      const aside = xs.length > 1 ? ctx.measureText(text).width / 2 + 14 : 0;
      label(ctx, place[0] - aside, place[1], text, "#111", "#fff", box, size / 1.45);
    });
  }

  inside(px, py) {
    const { left, right, top, bottom } = this.frame.box;
    return px >= left - 1 && px <= right + 1 && py >= top - 1 && py <= bottom + 1;
  }

  hatch(ctx, mask, { pattern, light, dark }) {
    const { theme } = this.maps;
    const { box } = this.frame;
    const ratio = window.devicePixelRatio || 1;
    const sheet = document.createElement("canvas");
    const [width, height] = [box.right - box.left, box.bottom - box.top];
    [sheet.width, sheet.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const on = sheet.getContext("2d");
    on.imageSmoothingEnabled = false;
    on.drawImage(mask, 0, 0, sheet.width, sheet.height);
    on.globalCompositeOperation = "source-in";
    on.scale(ratio, ratio);
    on.fillStyle = hatch(on, pattern, theme.dark, (theme.dark ? dark : light)[0]);
    on.fillRect(0, 0, width, height);
    ctx.drawImage(sheet, box.left, box.top, width, height);
  }

  axes(ctx, theme) {
    const { still } = this.maps;
    const { box, x, y } = this.frame;
    const size = still.look.projector ? 15 : 11;
    ctx.strokeStyle = theme.ink;
    ctx.globalAlpha = 0.5;
    ctx.lineWidth = 1;
    ctx.strokeRect(box.left - 0.5, box.top - 0.5, box.right - box.left + 1, box.bottom - box.top + 1);
    ctx.globalAlpha = 1;
    ctx.fillStyle = theme.ink;
    ctx.font = `${size}px ${FONT}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    for (const [value, text] of ticks(still.x, (box.right - box.left) / 60)) {
      const half = ctx.measureText(text).width / 2;
      const at = Math.min(Math.max(x(value), half), this.size[0] - half);
      ctx.fillText(text, at, box.bottom + 5);
      ctx.fillRect(x(value) - 0.5, box.bottom, 1, 3);
    }
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    for (const [value, text] of ticks(still.y, (box.bottom - box.top) / 45)) {
      ctx.fillText(text, box.left - 5, Math.max(y(value), size / 2));
      ctx.fillRect(box.left - 3, y(value) - 0.5, 3, 1);
    }
    if (!still.x.name) return;
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    ctx.fillText(still.x.name, (box.left + box.right) / 2, this.size[1]);
    ctx.save();
    ctx.translate(0, (box.top + box.bottom) / 2);
    ctx.rotate(-TURN / 4);
    ctx.textBaseline = "top";
    ctx.fillText(still.y.name, 0, 0);
    ctx.restore();
  }

  // What moves: paths, the point that was chosen, the pointer's cross.
  ink() {
    if (!this.frame) return;
    const { message, still, theme } = this.maps;
    const { box, x, y } = this.frame;
    const ctx = this.canvas(this.above);
    const width = still.look.projector ? 4 : 2;
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    ctx.clip();
    const { paths } = message;
    paths?.panels.forEach((panel, k) => {
      if (panel !== this.number) return;
      const n = paths.steps + 1;
      const count = paths.diverged[k] >= 0 ? Math.max(paths.diverged[k], 1) : n;
      const xs = Float64Array.from({ length: count }, (_, t) => x(paths.x[k * n + t]));
      const ys = Float64Array.from({ length: count }, (_, t) => y(paths.y[k * n + t]));
      trace(ctx, xs, ys, 0, count - 1, box);
      ctx.setLineDash([]);
      ctx.lineJoin = "round";
      for (const [colour, more] of [["#fff", 2.4], ["#111", 0]]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = width + more;
        ctx.stroke();
      }
      const [ex, ey] = [xs[count - 1], ys[count - 1]];
      if (this.inside(ex, ey)) marker(ctx, this.panel.style?.marker ?? "circle", ex, ey, 3 * width, this.panel.style?.light ?? "#111", "#fff");
    });
    const place = this.maps.places[this.number];
    if (place) {
      const [px, py] = [x(place[0]), y(place[1])];
      for (const [colour, line] of [["#fff", 5], ["#111", 2.2]]) {
        ctx.strokeStyle = colour;
        ctx.lineWidth = line;
        ctx.beginPath();
        ctx.arc(px, py, 4 * width, 0, TURN);
        ctx.stroke();
      }
    }
    if (this.cursor) for (const [colour, line] of [["#fff", 3.5], [theme.dark ? "#000" : "#111", 1.2]]) plus(ctx, x(this.cursor[0]), y(this.cursor[1]), 10, colour, line);
    ctx.restore();
  }

  // ---- looking around and choosing ---------------------------------------------------------------------------------

  look(point) {
    this.cursor = point;
    const at = point ? this.cellAt(point) : -1;
    this.maps.say(at < 0 ? "" : this.sentence(point, at));
    this.ink();
  }

  sentence(point, at) {
    const { still } = this.maps;
    const { name, says } = still.outcomes[this.panel.cells[at]];
    const told = [name, says].filter(Boolean).join(" ").replace("{value}", number(this.panel.values[at]));
    const where = still.where.replace("{x}", number(point[0])).replace("{y}", number(point[1]));
    return `${this.panel.name}: ${where} – ${told}`;
  }

  listen() {
    const { maps, above } = this;
    const at = (event) => {
      const { left, top } = above.getBoundingClientRect();
      const { box, fromX, fromY } = this.frame;
      const [px, py] = [event.clientX - left, event.clientY - top];
      const within = (value, low, high) => Math.min(Math.max(value, low), high);
      return { inside: this.inside(px, py), point: [fromX(within(px, box.left, box.right)), fromY(within(py, box.top, box.bottom))] };
    };
    above.addEventListener("pointerdown", (event) => {
      if (!this.frame || event.button) return;
      const { inside, point } = at(event);
      if (!inside) return;
      this.tap = event.pointerType === "touch" ? [event.clientX, event.clientY] : null;
      if (this.tap) return; // a finger scrolls the page, unless it lifts where it came down
      above.setPointerCapture(event.pointerId);
      maps.dragging = true;
      maps.choose(this.number, point, false);
    });
    above.addEventListener("pointermove", (event) => {
      if (!this.frame) return;
      const { inside, point } = at(event);
      this.look(inside ? point : null);
      if (maps.dragging) maps.choose(this.number, point, false);
    });
    above.addEventListener("pointerup", (event) => {
      const still = this.tap && Math.hypot(event.clientX - this.tap[0], event.clientY - this.tap[1]) < 8;
      if (maps.dragging || still) maps.choose(this.number, at(event).point, true);
      if (still) this.look(at(event).point);
      maps.dragging = false;
      this.tap = null;
    });
    above.addEventListener("pointercancel", () => {
      maps.dragging = false;
      this.tap = null;
    });
    above.addEventListener("pointerleave", () => this.look(null));
    above.addEventListener("blur", () => this.look(null));
    above.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      const { box, x, y, fromX, fromY } = this.frame;
      if (move) {
        const [px, py] = this.cursor ?? maps.places[this.number] ?? [fromX((box.left + box.right) / 2), fromY((box.top + box.bottom) / 2)];
        const far = event.shiftKey ? 0.1 : 0.01;
        const to = (value, way, low, high) => Math.min(Math.max(value + way * far * (high - low), low), high);
        this.look([fromX(to(x(px), move[0], box.left, box.right)), fromY(to(y(py), -move[1], box.top, box.bottom))]);
      } else if ((event.key === "Enter" || event.key === " ") && this.cursor) {
        maps.choose(this.number, this.cursor, true);
      } else {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
    });
  }
}

// An optimizer's sign, small.
function mark(style, theme) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [16 * ratio, 16 * ratio];
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  marker(ctx, style.marker, 8, 8, 5, style[theme.dark ? "dark" : "light"], theme.paper);
  return canvas;
}

// ---- axes ------------------------------------------------------------------------------------------------------------

// Data → pixels between two ends, and back; `log` axes are even in decades.
function axis({ low, high, log }, from, to) {
  const [f, g] = log ? [Math.log, Math.exp] : [(v) => v, (v) => v];
  const [a, b] = [f(low), f(high)];
  return [(value) => from + ((f(value) - a) / (b - a)) * (to - from), (pixel) => g(a + ((pixel - from) / (to - from)) * (b - a))];
}

// At most so many round values, and how they are written.
function ticks({ low, high, log }, most) {
  const found = [];
  if (log) {
    const decades = Math.log10(high / low);
    for (const steps of [[1, 2, 5], [1, 3], [1]]) {
      if (decades * steps.length > most && steps.length > 1) continue;
      const stride = Math.max(1, Math.ceil(decades / most));
      for (let d = Math.floor(Math.log10(low)); d <= Math.log10(high); d++) {
        for (const m of steps) if (d % stride === 0 && m * 10 ** d >= low * 0.999 && m * 10 ** d <= high * 1.001) found.push(m * 10 ** d);
      }
      break;
    }
  } else {
    const rough = (high - low) / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  }
  return found.map((value) => [value, number(Number(value.toPrecision(10)))]);
}

// A value's place in a range, from 0 to 1; `from` is what it is counted from.
function scaled({ low, high, log, from = 0 }) {
  const f = log ? Math.log : (value) => value;
  const [a, b] = [f(low), f(high)];
  return (value) => Math.min(Math.max((f(Math.max(value - from, low)) - a) / (b - a || 1), 0), 1);
}

function percent(share) {
  if (share === 0) return "–";
  return share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

// ---- colours and lines -------------------------------------------------------------------------------------------------

// Colours between a few stops, as pixels in memory.
function ramp(stops) {
  const parts = stops.map((stop) => [1, 3, 5].map((i) => parseInt(stop.slice(i, i + 2), 16)));
  const count = stops.length > 1 ? 64 : 1;
  return Uint32Array.from({ length: count }, (_, k) => {
    const at = count > 1 ? (k / (count - 1)) * (parts.length - 1) : 0;
    const [a, b] = [parts[Math.floor(at)], parts[Math.ceil(at)]];
    const [r, g, blue] = a.map((value, c) => Math.round(value + (b[c] - value) * (at - Math.floor(at))));
    return (255 << 24) | (blue << 16) | (g << 8) | r;
  });
}

function bitmap(image) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

const HATCHES = {
  stripes: [[0, 8, 8, 0], [-2, 2, 2, -2], [6, 10, 10, 6]],
  cross: [[0, 8, 8, 0], [0, 0, 8, 8]],
  rows: [[0, 4, 8, 4]],
  dots: [[1, 1, 1.01, 1], [5, 5, 5.01, 5]],
  rings: [],
};

function hatch(ctx, kind, dark, ground) {
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [8, 8];
  const on = tile.getContext("2d");
  const light = parseInt(ground.slice(1, 3), 16) > 128;
  on.strokeStyle = light ? "rgba(30,40,55,.75)" : "rgba(255,255,255,.55)";
  on.lineWidth = kind === "dots" ? 2 : 1;
  on.lineCap = kind === "dots" ? "round" : "butt";
  on.beginPath();
  for (const [x0, y0, x1, y1] of HATCHES[kind]) {
    on.moveTo(x0, y0);
    on.lineTo(x1, y1);
  }
  if (kind === "rings") on.arc(4, 4, 2.5, 0, TURN);
  on.stroke();
  return ctx.createPattern(tile, "repeat");
}

function cross(ctx, x, y, size, colour, width) {
  lines(ctx, [[x - size, y - size, x + size, y + size], [x - size, y + size, x + size, y - size]], colour, width);
}

function plus(ctx, x, y, size, colour, width) {
  lines(ctx, [[x - size, y, x + size, y], [x, y - size, x, y + size]], colour, width);
}

function lines(ctx, segments, colour, width) {
  ctx.setLineDash([]);
  ctx.lineCap = "round";
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.beginPath();
  for (const [x0, y0, x1, y1] of segments) {
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
  }
  ctx.stroke();
  ctx.lineCap = "butt";
}

// Contour lines at even heights, over the unit square: each cell between four heights is crossed by straight pieces.
function contours(heights) {
  const path = new Path2D();
  const rows = heights.length - 1, columns = heights[0].length - 1;
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const corners = [heights[j][i], heights[j][i + 1], heights[j + 1][i + 1], heights[j + 1][i]];
      const low = Math.ceil(Math.min(...corners) * CONTOURS), high = Math.floor(Math.max(...corners) * CONTOURS);
      for (let k = low; k <= high; k++) {
        const found = [];
        for (let c = 0; c < 4; c++) {
          const a = corners[c] - k / CONTOURS, b = corners[(c + 1) % 4] - k / CONTOURS;
          if (a < 0 === b < 0) continue;
          const s = a / (a - b);
          found.push([[i + s, j], [i + 1, j + s], [i + 1 - s, j + 1], [i, j + 1 - s]][c]);
        }
        for (let c = 0; c + 1 < found.length; c += 2) {
          path.moveTo(found[c][0] / columns, found[c][1] / rows);
          path.lineTo(found[c + 1][0] / columns, found[c + 1][1] / rows);
        }
      }
    }
  }
  return path;
}
