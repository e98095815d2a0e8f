// The microscope's stage: one run on the contour with its arrows at the step shown, and four small charts below. All
// numbers of all steps are here, so that scrubbing asks nobody; those of the step shown also go into the page's text.

const SHORTEST = 14, LONGEST = 0.42; // of arrows: pixels, and share of the picture
const CHARTS = 4;
const SCOPE = `${CONTOUR}
  ${TRANSPORT.replace("<slot></slot>", `<button type="button" data-do="ellipses" class="wide" aria-pressed="true"></button>
    <button type="button" data-do="fork" class="wide"></button>`)}
  ${Array.from({ length: CHARTS }, (_, k) => `<div class="picture chart" data-picture="chart${k}"><div class="plot"></div><canvas></canvas></div>`).join("")}`;

class Microscope extends Player {
  constructor(root, tell) {
    super(root, tell, SCOPE);
    root.classList.add("microscope");
    this.legend = document.createElement("div");
    this.legend.className = "key";
    this.contour.root.append(this.legend);
    this.charts = Array.from({ length: CHARTS }, (_, k) => new Plane(this.find(`chart${k}`), { displayModeBar: false, scrollZoom: false }));
    this.wire([this.contour, ...this.charts]);
    for (const chart of this.charts) this.wireScrub(chart);
    this.slots = new Slots("st-key-slots");
    this.ellipses = true;
  }

  home() {
    return this.message.home;
  }

  act(action) {
    if (action === "fork") return this.tell("fork", { step: this.step });
    if (action === "ellipses") {
      this.ellipses = !this.ellipses;
      this.root.querySelector("[data-do=ellipses]").setAttribute("aria-pressed", this.ellipses);
      return this.inkNow();
    }
    return super.act(action);
  }

  label() {
    super.label();
    for (const name of ["fork", "ellipses"]) {
      const element = this.root.querySelector(`[data-do=${name}]`);
      element.textContent = this.words[name];
      element.title = this.words[`${name}_help`];
      element.setAttribute("aria-label", `${this.words[name]}: ${this.words[`${name}_help`]}`);
    }
  }

  // ---- what the server says ------------------------------------------------------------------------------------------

  async show(message) {
    const still = this.stillOf(message);
    if (!still) return undefined;
    const { steps } = message.runs;
    const theme = this.readTheme();
    const fresh = this.scene !== message.scene || this.theme?.key !== theme.key;
    this.still = still;
    this.message = message;
    this.words = still.words;
    this.theme = theme;
    this.scene = message.scene;
    this.root.classList.toggle("projector", still.look.projector);
    this.read(message);
    this.step = Math.min(this.begun ? this.step : message.step ?? message.home, steps);
    this.begun = true;
    if (fresh) {
      this.label();
      await this.contour.rest(still.contour, theme, still.look);
      if (this.closed) return undefined;
    }
    for (const [k, chart] of message.charts.entries()) {
      await this.drawChart(k, chart, fresh);
      if (this.closed) return undefined;
    }
    this.describe();
    this.moveStart(message.start);
    this.go(this.step);
    draws += 1;
    this.root.dataset.draws = draws;
    this.root.dataset.ready = "all";
    return undefined;
  }

  // What follows from the numbers that were sent.
  read({ series, runs, style, ghost, charts, unified }) {
    const n = runs.steps + 1;
    const all = { ...series };
    const each = (f) => Float64Array.from({ length: n }, (_, t) => f(t));
    const root = (s) => (t) => Math.sqrt(all[s][t]) + all.eps[t];
    all.gnorm = each((t) => Math.hypot(all.gx[t], all.gy[t]));
    all.unorm = each((t) => Math.hypot(all.ux[t], all.uy[t]));
    all.ratio = each((t) => all.unorm[t] / all.gnorm[t]);
    const [least, most] = [Math.min, Math.max].map((pick) => (t) => pick(Math.abs(all.l1[t]), Math.abs(all.l2[t])));
    all.kappa = each((t) => most(t) / least(t));
    all.stable = each((t) => (all.l2[t] <= 0 ? Infinity : 2 / all.l2[t]));
    if (unified) {
      const [x, y] = [root("sx"), root("sy")];
      all.ex = each((t) => all.alpha[t] / x(t));
      all.ey = each((t) => all.alpha[t] / y(t));
      all.a ??= each(x);
      all.b ??= each(() => 0);
      all.d ??= each(y);
    }
    this.numbers = all;
    const times = each((t) => t);
    const count = runs.diverged >= 0 ? Math.max(runs.diverged, 1) : n;
    const line = { count, diverged: runs.diverged };
    this.path = { ...line, style, xs: Float64Array.from(all.x), ys: Float64Array.from(all.y) };
    this.reported = all.qx ? { ...this.path, hollow: true, xs: Float64Array.from(all.qx), ys: Float64Array.from(all.qy) } : null;
    this.ghost = null;
    if (ghost) {
      const later = (values) => each((t) => (t < ghost.at ? NaN : values[t - ghost.at]));
      this.ghost = { ...ghost, count: ghost.diverged >= 0 ? Math.max(ghost.diverged, 1) : n, xs: later(ghost.x), ys: later(ghost.y),
        losses: later(ghost.losses) };
    }
    this.curves = charts.map(({ lines, log }) => lines.map(({ series: name, style: look, label, faint }) => {
      const ys = each((t) => (log && !(all[name][t] > 0) ? NaN : all[name][t]));
      return { ...line, diverged: -1, style: look, label, faint, xs: times, ys };
    }));
  }

  async drawChart(k, chart, fresh) {
    const [low, high] = this.range(this.curves[k], chart.log);
    const ranges = [[0, Math.max(this.message.runs.steps, 1)], [low, high]];
    const key = JSON.stringify([chart.figure.layout, ranges]);
    const plane = this.charts[k];
    if (!fresh && plane.key === key) return;
    plane.key = key;
    const { layout } = chart.figure;
    const xaxis = { ...layout.xaxis, range: ranges[0] }, yaxis = { ...layout.yaxis, range: ranges[1] };
    if (chart.log && high - low > 0.6) yaxis.dtick = high - low > 1.2 ? Math.ceil((high - low) / 5) : "D2";
    const figure = { data: [], layout: { ...layout, xaxis, yaxis } };
    await plane.rest(figure, this.theme, this.still.look);
  }

  // From low to high in round numbers.
  range(curves, log) {
    let low = Infinity, high = -Infinity, usual = 0;
    for (const { ys } of curves) {
      for (let t = 0; t < ys.length; t++) {
        if (!Number.isFinite(ys[t])) continue;
        const value = log ? Math.log10(ys[t]) : ys[t];
        if (t < 10) usual = Math.max(usual, Math.abs(value));
        [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
    }
    if (low > high) return [0, 1];
    // A run on its way to infinity must not flatten its own beginning, nor one that arrives to the last digit its way.
    if (log) [low, high] = [Math.max(low, Math.min(high, usual + 6) - 12), Math.min(high, usual + 6)];
    else [low, high] = [Math.max(low, -20 * usual), Math.min(high, 20 * usual)];
    if (high - low < 1e-9 * Math.max(Math.abs(high), 1e-300)) [low, high] = [low - Math.max(Math.abs(low), 1e-6) / 2, high + Math.max(Math.abs(high), 1e-6) / 2];
    const unit = log ? 0.5 : 10 ** Math.floor(Math.log10(high - low)) / 2;
    low = unit * Math.floor(low / unit + 1e-9);
    high = Math.max(unit * Math.ceil(high / unit - 1e-9), low + unit);
    const room = 0.04 * (high - low);
    return [low - room, high + room];
  }

  describe() {
    const { alt } = this.message;
    this.pictures.forEach((picture, k) => {
      picture.canvas.setAttribute("role", "img");
      picture.canvas.setAttribute("aria-label", k ? alt.charts[k - 1] : alt.contour);
    });
  }

  // ---- the step shown ------------------------------------------------------------------------------------------------

  inkNow() {
    if (!this.path || this.closed) return;
    const step = this.peek ?? this.step;
    const beside = this.ghost && step >= this.ghost.at ? [this.ghost] : [];
    if (this.reported) beside.push(this.reported);
    this.contour.ink([...beside, this.path], step, { arrows: true, later: 0.6 });
    if (this.contour.drawn) this.overlay(step);
    this.charts.forEach((chart, k) => {
      if (!chart.drawn) return;
      chart.ink(this.curves[k], step, { cursor: step, whole: true });
      this.key(chart, this.curves[k]);
    });
    this.root.dataset.step = step;
    if (this.contour.drawn) this.placeStart();
  }

  // What the lines of a chart are, above its right end.
  key(chart, curves) {
    const { ctx, theme, size } = chart;
    let x = size[0] - 8;
    ctx.font = `11px ${FONT}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    for (const { label: text, style, faint } of [...curves].reverse()) {
      ctx.fillStyle = theme.ink;
      ctx.fillText(text, x, 9);
      x -= ctx.measureText(text).width + 4;
      ctx.setLineDash(style.dash.map((part) => part * 1.6));
      ctx.lineWidth = faint ? 1.2 : 2;
      ctx.strokeStyle = style[theme.dark ? "dark" : "light"];
      ctx.beginPath();
      ctx.moveTo(x - 16, 9);
      ctx.lineTo(x, 9);
      ctx.stroke();
      x -= 24;
    }
  }

  // Arrows, ellipses and points at a step, above the paths.
  overlay(step) {
    const { ctx, theme, look } = this.contour;
    const frame = this.contour.frame();
    const { box } = frame;
    const n = this.numbers;
    const shade = theme.dark ? "dark" : "light";
    const rows = [];
    const at = [frame.x(n.x[step]), frame.y(n.y[step])];
    ctx.save();
    ctx.beginPath();
    ctx.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    ctx.clip();
    if (this.ghost) {
      const colour = this.ghost.style[shade];
      trace(ctx, this.ghost.xs.map(frame.x), this.ghost.ys.map(frame.y), this.ghost.at, this.ghost.count - 1, box);
      ctx.setLineDash([7, 4]);
      ctx.lineWidth = 1.8;
      ctx.strokeStyle = colour;
      ctx.stroke();
      marker(ctx, "diamond", frame.x(n.x[this.ghost.at]), frame.y(n.y[this.ghost.at]), 4, theme.paper, colour);
      rows.push([colour, this.words.other, "", "dashes"]);
    }
    if (at.every(Number.isFinite)) {
      if (this.ellipses) rows.push(...this.inkEllipses(ctx, frame, step, at));
      rows.push(...this.inkProbes(ctx, frame, step, at));
      rows.push(...this.inkArrows(ctx, frame, step, at));
      marker(ctx, "circle", ...at, look.projector ? 5 : 3.5, theme.ink, theme.paper);
    } else {
      rows.push([theme.ink, `${this.words.diverged} (${this.message.runs.diverged})`, "", "cross"]);
    }
    ctx.restore();
    this.explain(rows);
  }

  // The legend: rows of colour, text, factor and sign.
  explain(rows) {
    const key = JSON.stringify(rows);
    if (key === this.legendKey) return;
    this.legendKey = key;
    this.legend.replaceChildren(...rows.map(([colour, text, factor, sign]) => {
      const [row, swatch, small] = ["span", "i", "small"].map((tag) => document.createElement(tag));
      swatch.className = sign;
      swatch.style.color = colour;
      small.textContent = factor;
      row.append(swatch, text, small);
      return row;
    }));
  }

  inkArrows(ctx, frame, step, [px, py]) {
    const { theme, still, words, numbers: n } = this;
    const { box } = frame;
    const shade = theme.dark ? "dark" : "light";
    const span = (dx, dy) => [frame.x(n.x[step] + dx) - px, frame.y(n.y[step] + dy) - py];
    const most = LONGEST * Math.min(box.right - box.left, box.bottom - box.top);
    const arrows = [["gradient", -n.gx[step], -n.gy[step]]];
    if (n.mx) arrows.push(["direction", -n.mx[step], -n.my[step]]);
    const spans = arrows.map(([, dx, dy]) => span(dx, dy)).filter((v) => v.every(Number.isFinite));
    const longest = Math.max(0, ...spans.map(([dx, dy]) => Math.hypot(dx, dy)));
    // Both times α, if that can be seen, else times a round number.
    const alpha = n.alpha[step];
    const usual = alpha * longest >= SHORTEST && alpha * longest <= most;
    const factor = usual ? alpha : round125((0.6 * most) / longest);
    const rows = [];
    for (const [name, dx, dy] of arrows) {
      const [vx, vy] = span(dx * factor, dy * factor);
      if (!Number.isFinite(vx + vy)) continue;
      const colour = still.colours[name][shade];
      if (Math.hypot(vx, vy) > 2) pointer(ctx, px, py, px + vx, py + vy, colour, theme.paper, name === "gradient" ? 4.5 : 3);
      rows.push([colour, words[name], usual ? "× α" : `× ${digits(factor)}`, "arrow"]);
    }
    const [ux, uy] = span(n.ux[step], n.uy[step]);
    const length = Math.hypot(ux, uy);
    if (length > 0 && Number.isFinite(length)) {
      const grown = length < SHORTEST ? 10 ** Math.ceil(Math.log10(SHORTEST / length)) : 1;
      pointer(ctx, px, py, px + ux * grown, py + uy * grown, theme.ink, theme.paper, 2);
      rows.push([theme.ink, words.update, grown > 1 ? `× ${digits(grown)}` : "", "arrow"]);
    }
    return rows;
  }

  inkProbes(ctx, frame, step, [px, py]) {
    const { theme, message, words, numbers: n } = this;
    const { box } = frame;
    const points = message.probes.map((name, k) => [name, n[`p${k}x`][step], n[`p${k}y`][step], "diamond"]);
    if (n.qx) points.push([words.reported_here, n.qx[step], n.qy[step], "star"]);
    const rows = [];
    for (const [name, x, y, kind] of points) {
      const [qx, qy] = [frame.x(x), frame.y(y)];
      if (!Number.isFinite(qx + qy)) continue;
      ctx.setLineDash([2, 4]);
      ctx.lineWidth = 1.2;
      ctx.strokeStyle = theme.ink;
      ctx.beginPath();
      ctx.moveTo(px, py);
      ctx.lineTo(qx, qy);
      ctx.stroke();
      const inside = qx >= box.left && qx <= box.right && qy >= box.top && qy <= box.bottom;
      marker(ctx, kind, qx, qy, 4.5, theme.paper, theme.ink);
      rows.push([theme.ink, name, inside ? "" : `(${digits(x)}, ${digits(y)})`, kind]);
    }
    return rows;
  }

  // {d : dᵀA d = c} of the metric and of the Hessian, c such that both have one area; where the surface does not curve
  // up everywhere there is no such ellipse, and the directions are drawn instead.
  inkEllipses(ctx, frame, step, [px, py]) {
    const { theme, words, numbers: n } = this;
    const { box } = frame;
    const scale = [frame.x(1) - frame.x(0), frame.y(1) - frame.y(0)];
    const size = 0.13 * Math.min(box.right - box.left, box.bottom - box.top);
    const unit = size / Math.sqrt(Math.abs(scale[0] * scale[1])); // in data
    const turn = (n.phi[step] * Math.PI) / 180;
    const axes = [[-Math.sin(turn), Math.cos(turn)], [Math.cos(turn), Math.sin(turn)]];
    const ellipse = (values, vectors, colour, dash, width) => {
      const shrink = unit * Math.abs(values[0] * values[1]) ** 0.25;
      ctx.beginPath();
      for (let k = 0; k <= 96; k++) {
        const [c, s] = [Math.cos((k / 96) * TURN), Math.sin((k / 96) * TURN)];
        const [r, q] = [shrink / Math.sqrt(Math.abs(values[0])), shrink / Math.sqrt(Math.abs(values[1]))];
        ctx.lineTo(px + scale[0] * (c * r * vectors[0][0] + s * q * vectors[1][0]), py + scale[1] * (c * r * vectors[0][1] + s * q * vectors[1][1]));
      }
      stroke(colour, dash, width);
    };
    const stroke = (colour, dash, width) => {
      ctx.setLineDash([]);
      ctx.lineWidth = width + 2;
      ctx.strokeStyle = theme.paper;
      ctx.globalAlpha = 0.7;
      ctx.stroke();
      ctx.globalAlpha = 1;
      ctx.setLineDash(dash);
      ctx.lineWidth = width;
      ctx.strokeStyle = colour;
      ctx.stroke();
    };
    const along = (vector, length, colour, dash) => {
      ctx.beginPath();
      ctx.moveTo(px - scale[0] * vector[0] * length, py - scale[1] * vector[1] * length);
      ctx.lineTo(px + scale[0] * vector[0] * length, py + scale[1] * vector[1] * length);
      stroke(colour, dash, 1.6);
    };
    const rows = [];
    const hessian = theme.dark ? "#A5DBFF" : "#0072B2", metric = theme.dark ? "#F2C84B" : "#8A4B08";
    const values = [n.l1[step], n.l2[step]];
    const shape = this.shape(step);
    if (shape === "bowl" || shape === "dome") {
      ellipse(values, axes, hessian, shape === "bowl" ? [] : [2, 4], 1.6);
      rows.push([hessian, shape === "bowl" ? words.hessian : words.dome, "", shape === "bowl" ? "oval" : "oval dotted"]);
    } else if (shape) {
      const [low, high] = values;
      const size = (value) => unit * 1.4 * Math.min(Math.max((Math.max(Math.abs(low), Math.abs(high)) / Math.abs(value)) ** 0.25, 1), 4);
      if (shape === "saddle") {
        along(axes[1], size(high), hessian, []);
        along(axes[0], size(low), hessian, [5, 4]);
        rows.push([hessian, words.indefinite, "", "cross"]);
      } else {
        along(axes[Math.abs(low) < Math.abs(high) ? 0 : 1], unit * 4, hessian, []);
        rows.push([hessian, words.trough, "", "dashes solid"]);
      }
    }
    if (n.a && Number.isFinite(n.a[step] + n.b[step] + n.d[step])) {
      const [a, b, d] = [n.a[step], n.b[step], n.d[step]];
      const mean = (a + d) / 2, half = (a - d) / 2, radius = Math.hypot(half, b);
      const angle = Math.atan2(b, half) / 2;
      const pair = [mean - radius, mean + radius];
      if (pair[0] > 1e-12 * pair[1]) {
        ellipse(pair, [[-Math.sin(angle), Math.cos(angle)], [Math.cos(angle), Math.sin(angle)]], metric, [7, 4], 1.8);
        rows.push([metric, words.metric, "", "oval dashed"]);
      }
    }
    return rows;
  }

  shape(step) {
    const [low, high] = [this.numbers.l1[step], this.numbers.l2[step]];
    if (!Number.isFinite(low + high)) return "";
    const zero = 1e-6 * Math.max(Math.abs(low), Math.abs(high));
    if (Math.abs(low) <= zero || Math.abs(high) <= zero) return "trough";
    return low > 0 ? "bowl" : high < 0 ? "dome" : "saddle";
  }

  // ---- numbers in the text -------------------------------------------------------------------------------------------

  fill() {
    if (!this.numbers) return;
    const step = this.peek ?? this.step;
    this.clock.textContent = `${this.words.step} ${step} / ${this.message.runs.steps}`;
    this.slots.fill((name) => this.slot(name, step));
  }

  slot(name, step) {
    const { words, message, numbers: n } = this;
    if (name === "k") return `${step}`;
    if (name === "t") return step < message.runs.steps ? `${step + 1}` : "–";
    if (name === "kind") return words.kinds[message.kinds[n.kind[step]]] ?? words.diverged;
    if (name === "shape") return words.shapes[this.shape(step)] ?? "–";
    if (name === "side") {
      if (n.stable[step] === Infinity) return words.no_limit;
      return n.alpha[step] < n.stable[step] ? words.below : n.alpha[step] >= n.stable[step] ? words.above : "–";
    }
    if (name === "side2") return n.sharp[step] < n.limit[step] ? words.below : n.sharp[step] >= n.limit[step] ? words.above : "–";
    if (name === "glosses") return this.ghost ? digits(step < this.ghost.at ? n.loss[step] : this.ghost.losses[step]) : "–";
    return name in n ? digits(n[name][step]) : "–";
  }

  close() {
    this.slots.close();
    super.close();
  }
}

// 1, 2 or 5 times a power of ten, at most the number.
function round125(value) {
  if (!Number.isFinite(value) || value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [5, 2, 1].find((digit) => digit * power <= value * (1 + 1e-9));
}

// Four digits, for reading.
function digits(value) {
  if (value === Infinity) return "∞";
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2).replace("e+", "e") : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−");
}
