// The race's stage: three linked pictures, the transport below them and the table of verdicts. It draws what it is sent and
// plays, scrubs and zooms on its own.

const SKELETON = `${CONTOUR}
  <div class="picture surface" data-picture="surface"><div class="plot"></div><canvas></canvas></div>
  ${TRANSPORT.replace("<slot></slot>", '<button type="button" data-do="png" class="wide">PNG</button>')}
  ${LIVE}
  <div class="picture loss" data-picture="loss"><div class="plot"></div><canvas></canvas></div>
  <div class="table"><table><thead></thead><tbody></tbody></table><p class="legend"></p></div>`;

class Stage extends Player {
  constructor(root, tell, skeleton = SKELETON) {
    super(root, tell, skeleton);
    const surface = this.find("surface");
    this.surface = surface && new Surface(surface, { scrollZoom: true });
    this.loss = new Plane(this.find("loss"), { displayModeBar: false, scrollZoom: false });
    this.wire([this.contour, ...(surface ? [this.surface] : []), this.loss, ...this.more()]);
    this.wireScrub(this.loss);
    this.live = root.querySelector(".live") && new Live(this);
  }

  // Further pictures, of stages that have some.
  more() {
    return [];
  }

  // How far to the right the curves' axes go.
  span() {
    return Math.max(this.message.runs.steps, 1);
  }

  // ---- what the server says ------------------------------------------------------------------------------------

  async show(message) {
    const still = this.stillOf(message);
    if (!still) return undefined;
    const { runs } = message;
    const atEnd = !this.message || this.step >= this.message.runs.steps;
    const theme = this.readTheme();
    const fresh = this.scene !== message.scene || this.theme?.key !== theme.key;
    const same = this.still?.contour.layout.uirevision === still.contour.layout.uirevision;
    this.still = still;
    this.message = message;
    this.words = still.words;
    this.theme = theme;
    this.scene = message.scene;
    this.root.classList.toggle("projector", still.look.projector);
    this.lanes = runs.lanes.map((lane, k) => this.lane(lane, k, runs));
    this.step = atEnd ? runs.steps : Math.min(this.step, runs.steps);
    if (message.step !== undefined && !this.begun) this.step = Math.min(message.step, runs.steps);
    this.begun = true;
    this.ahead = message.ahead; // the plane alone: the rest is still about the surface before, and comes soon
    this.root.classList.toggle("ahead", Boolean(message.ahead));
    if (!message.ahead) {
      this.live?.show(message, still.words);
      this.drawTable();
    }
    // The paths follow a slider at once, also where the surface below them has yet to be drawn anew.
    if (same) {
      this.contour.ink(this.lanes.map((line) => line.path), this.step, { arrows: true });
      this.root.dataset.paths = draws + 1;
      await shown();
      if (this.closed) return undefined;
    }
    if (fresh) {
      this.label();
      await this.contour.rest(still.contour, theme, still.look);
      if (this.closed) return undefined;
      this.contour.ink(this.tracks("path"), this.step, { arrows: true });
      this.root.dataset.ready = "contour";
      this.root.dataset.scene = message.scene;
    }
    this.contour.ground = null;
    if (this.rising) this.raise(null);
    if (message.ahead) return this.moveStart(message.start);
    await this.rangeLoss(fresh);
    if (this.closed) return undefined;
    this.moveStart(message.start);
    this.go(this.step);
    draws += 1;
    this.root.dataset.draws = draws;
    this.root.dataset.paths = draws;
    if (fresh && !this.surface) this.root.dataset.ready = "all";
    if (fresh && this.surface) {
      // The perspective is slow to draw without a graphics card: it must not hold the others back.
      await painted();
      if (this.closed) return undefined;
      if (this.message === message || !this.surface.drawn) {
        await this.surface.rest(still.surface, theme, still.look);
        this.inkNow();
      }
      this.root.dataset.ready = "all";
    }
    return undefined;
  }

  // The race at another stop of the live knob, until the next message. `ground` is there if the surface moves as well.
  preview({ lanes, ground }) {
    const rest = scenes.get(this.scene);
    this.still = ground ? { ...rest, height: ground.height, minimum: ground.minimum } : rest;
    const { steps } = this.message.runs;
    for (const [k, { name, verdict, diverged, path, other }] of lanes) {
      const reported = other && { ...other, steps };
      const lane = { ...this.lanes[k], name, verdict, diverged, reported: other ? 0 : null, image: true };
      this.lanes[k] = { ...lane, ...this.lane(lane, 0, { ...path, steps, reported }) };
      this.fillEnd(k);
    }
    this.contour.ground = ground ?? null;
    if (ground) this.raise(ground.z);
    this.rangeLoss(false);
    this.inkNow();
    this.fill();
    this.root.dataset.previews = Number(this.root.dataset.previews ?? 0) + 1;
  }

  // The surface in perspective follows, where a graphics card draws it; else when the knob rests. Null: as it was.
  async raise(heights) {
    this.rising = heights;
    if (this.raising) return;
    this.raising = true;
    let now;
    do {
      now = this.rising;
      await new Promise((resolve) => setTimeout(resolve, this.fast ? 20 : 400));
      await shown();
    } while (!this.fast && this.rising !== now);
    now = this.rising;
    const { x, y, z } = this.still.surface.data[0];
    const every = (x.length - 1) / ((now ?? z).length - 1);
    const thin = (values) => [values.filter((_, k) => k % every === 0)];
    const begun = performance.now();
    if (!this.closed && this.surface.drawn) await Plotly.restyle(this.surface.plot, { x: thin(x), y: thin(y), z: [now ?? z] }, [0]);
    for (let frame = 0; frame < 3; frame++) await shown();
    this.fast = this.fast !== false && performance.now() - begun < 120;
    this.raising = false;
    if (this.rising !== now) this.raise(this.rising);
  }

  // A lane with its path over the plane and its curve of losses; and where an averaging method reports another point
  // than the one it takes gradients at, the path and curve of that, too.
  lane(lane, k, { reported, steps, ...runs }) {
    const own = this.track(lane, k, { ...runs, steps });
    const other = lane.reported === null ? null : this.track(lane, lane.reported, { ...reported, steps });
    if (other) other.path.hollow = other.curve.hollow = true;
    return { ...lane, ...own, other };
  }

  // `times` are the steps of the points, where not all are there.
  track(lane, k, { x, y, losses, steps, times }) {
    const n = times?.length ?? steps + 1;
    const xs = new Float64Array(n), ys = new Float64Array(n), zs = new Float64Array(n), values = new Float64Array(n);
    const shown = new Uint8Array(n);
    const { height, domain, minimum, look } = this.still;
    const [[x0, x1], [y0, y1]] = domain;
    const knee = height.knee ? Math.log1p(height.span / height.knee) : null;
    const passed = Float64Array.from(times ?? { length: n }, (time, t) => time ?? t);
    for (let t = 0; t < n; t++) {
      xs[t] = x[k * n + t];
      ys[t] = y[k * n + t];
      const loss = losses[k * n + t];
      const above = loss - height.base;
      zs[t] = (knee ? Math.log1p(Math.max(above, 0) / height.knee) / knee : above / height.span) + 0.012;
      shown[t] = xs[t] >= x0 && xs[t] <= x1 && ys[t] >= y0 && ys[t] <= y1 && zs[t] > -0.2 && zs[t] < 1.25;
      const value = look.distance && minimum !== null ? loss - minimum : loss;
      values[t] = look.log ? (value > 1e-14 ? value : NaN) : value;
    }
    const count = lane.diverged >= 0 ? Math.max(passed.findLastIndex((time) => time < lane.diverged) + 1, 1) : n;
    const line = { count, times, style: lane.style, diverged: lane.diverged };
    return { losses: losses.subarray(k * n, (k + 1) * n),
      path: { ...line, xs, ys, zs, shown }, curve: { ...line, xs: passed, ys: values } };
  }

  // All paths, or all curves: those of reported points first, below the others.
  tracks(kind) {
    return [...this.lanes.filter(({ other }) => other).map(({ other }) => other[kind]), ...this.lanes.map((lane) => lane[kind])];
  }

  async rangeLoss(fresh) {
    const { look } = this.still;
    const curves = this.tracks("curve");
    let low = Infinity, high = -Infinity;
    for (const curve of curves) {
      for (let t = 0; t < curve.count; t++) {
        const value = curve.ys[t];
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (!(low <= high)) [low, high] = look.log ? [1e-3, 1] : [0, 1];
    // A run on its way to infinity must not flatten all others.
    const start = Math.max(...curves.map((curve) => curve.ys[0]).filter(Number.isFinite), low);
    const reach = Math.max(1, Math.abs(start));
    if (look.log) [low, high] = [low, Math.min(high, Math.max(start, 1e-9) * 1e4)].map(Math.log10);
    else [low, high] = [Math.max(low, start - 50 * reach), Math.min(high, start + 3 * reach)];
    // Whole steps of a round size: the axis stays put while a slider or the start moves a little.
    const unit = look.log ? 1 : 10 ** Math.floor(Math.log10(high - low || 1)) / 2;
    low = unit * Math.floor(low / unit + 1e-9);
    high = Math.max(unit * Math.ceil(high / unit - 1e-9), low + unit);
    const room = (high - low) * 0.03;
    // What has no logarithm, because the minimum is reached to the last digit, lies on the floor of the chart.
    if (look.log) {
      for (const curve of curves) {
        for (let t = 0; t < curve.count; t++) if (Number.isNaN(curve.ys[t])) curve.ys[t] = 10 ** (low - room);
      }
    }
    const ranges = [[0, this.span()], [low - room, high + room]];
    const key = JSON.stringify(ranges);
    if (!fresh && key === this.ranges) return;
    this.ranges = key;
    if (fresh || !this.loss.drawn) {
      const figure = structuredClone(this.still.loss);
      figure.layout.xaxis.range = ranges[0];
      figure.layout.yaxis.range = ranges[1];
      await this.loss.rest(figure, this.theme, look);
    } else {
      await Plotly.relayout(this.loss.plot, { "xaxis.range": ranges[0], "yaxis.range": ranges[1] });
    }
  }

  inkNow() {
    if (!this.lanes || this.closed) return;
    const step = this.peek ?? this.step;
    const paths = this.tracks("path");
    this.contour.ink(paths, step, { arrows: true });
    if (this.ahead) return;
    this.loss.ink(this.tracks("curve"), step, { cursor: step });
    // While playing, the perspective never holds the plane pictures back: on a slow machine it skips frames.
    const now = performance.now();
    const slow = now - (this.inkedAt ?? 0) > 24;
    if (this.surface && (!this.playing || !slow || now - (this.turnedAt ?? 0) > 150)) {
      this.surface.ink(paths, step);
      this.turnedAt = now;
    }
    this.inkedAt = now;
    this.root.dataset.step = step;
    if (this.contour.drawn) this.placeStart();
  }

  // ---- the table --------------------------------------------------------------------------------------------------------

  drawTable() {
    const { words, lanes } = this;
    const ends = ["final", "slope", "reached", "evaluations", ...(this.still.look.slice ? ["off"] : [])];
    const heads = ["runner", "loss", "position", "verdict", ...ends];
    const cell = (kind, text, title) => {
      const element = document.createElement(kind);
      element.textContent = text;
      if (title) element.title = title;
      return element;
    };
    const head = document.createElement("tr");
    for (const name of heads) head.append(cell("th", words[name], words[`${name}_help`]));
    this.root.querySelector("thead").replaceChildren(head);
    const ratio = window.devicePixelRatio || 1;
    this.cells = [];
    this.ends = [];
    const rows = lanes.map((lane) => {
      const row = document.createElement("tr");
      const name = cell("th", "");
      name.scope = "row";
      const swatch = document.createElement("canvas");
      [swatch.width, swatch.height] = [34 * ratio, 14 * ratio];
      const ctx = swatch.getContext("2d");
      ctx.scale(ratio, ratio);
      const colour = lane.style[this.theme.dark ? "dark" : "light"];
      ctx.strokeStyle = colour;
      ctx.lineWidth = 2;
      ctx.setLineDash(lane.style.dash.map((part) => part * 2));
      ctx.beginPath();
      ctx.moveTo(0, 7);
      ctx.lineTo(34, 7);
      ctx.stroke();
      marker(ctx, lane.style.marker, 17, 7, 4.5, colour, this.theme.paper);
      name.append(swatch, lane.name);
      const now = [cell("td", ""), cell("td", "")];
      this.cells.push(now);
      const end = ["text", ...ends].map((key) => cell("td", lane.verdict[key]));
      this.ends.push({ name: name.lastChild, cells: end, keys: ["text", ...ends] });
      row.append(name, ...now, ...end);
      return row;
    });
    lanes.forEach((_, k) => this.fillEnd(k));
    if (!rows.length) {
      const row = document.createElement("tr");
      const note = cell("td", words.nobody);
      note.colSpan = heads.length;
      row.append(note);
      rows.push(row);
    }
    this.root.querySelector("tbody").replaceChildren(...rows);
    this.root.querySelector(".legend").textContent = lanes.some((lane) => lane.other) ? words.reported : "";
    this.contour.root.querySelector("canvas").setAttribute("aria-label", this.message.alt.contour);
    this.surface?.root.querySelector("canvas").setAttribute("aria-label", this.message.alt.surface);
    this.loss.root.querySelector("canvas").setAttribute("aria-label", this.message.alt.loss);
    for (const picture of this.pictures) picture.canvas.setAttribute("role", "img");
  }

  // What became of a runner.
  fillEnd(k) {
    const { name, cells, keys } = this.ends[k];
    const { verdict, name: text } = this.lanes[k];
    name.data = text;
    keys.forEach((key, n) => (cells[n].textContent = verdict[key]));
    cells[0].className = `verdict ${verdict.kind}`;
    cells[0].title = verdict.help;
  }

  // Where everyone is now. Ten times a second is enough for reading while it plays.
  fill() {
    if (this.ahead) return;
    const now = performance.now();
    if (this.playing && now - (this.filled ?? 0) < 100) return;
    this.filled = now;
    const step = this.peek ?? this.step;
    // Of the image of a run that the live knob draws, only as many digits as are right.
    const grain = this.still.domain.map(([low, high]) => 10 ** Math.ceil(Math.log10((high - low) / 16000)));
    this.lanes.forEach(({ losses, path, image }, k) => {
      const at = upTo(path, step);
      const gone = path.diverged >= 0 && step >= path.diverged;
      const place = [path.xs[at], path.ys[at]].map((value, axis) => (image ? Math.round(value / grain[axis]) * grain[axis] : value));
      this.cells[k][0].textContent = gone ? "✕" : number(losses[at], image ? 3 : 4);
      this.cells[k][1].textContent = gone ? "✕" : `${number(place[0])}, ${number(place[1])}`;
    });
  }

  // ---- a picture to keep -----------------------------------------------------------------------------------------------

  async png() {
    const scale = 2;
    const outer = this.root.getBoundingClientRect();
    const boxes = this.pictures.map((picture) => picture.root.getBoundingClientRect());
    const bottom = Math.max(...boxes.map((box) => box.bottom)) - outer.top;
    const sheet = document.createElement("canvas");
    const foot = 30 + 18 * Math.ceil(this.lanes.length / 5);
    [sheet.width, sheet.height] = [outer.width * scale, (bottom + foot) * scale];
    const ctx = sheet.getContext("2d");
    ctx.fillStyle = this.theme.paper;
    ctx.fillRect(0, 0, sheet.width, sheet.height);
    for (const [k, picture] of this.pictures.entries()) {
      const image = await picture.image(scale);
      const place = [(boxes[k].left - outer.left) * scale, (boxes[k].top - outer.top) * scale, boxes[k].width * scale, boxes[k].height * scale];
      ctx.drawImage(image, ...place);
      ctx.drawImage(picture.canvas, ...place);
    }
    ctx.scale(scale, scale);
    ctx.font = `13px ${FONT}`;
    ctx.textBaseline = "middle";
    this.lanes.forEach((lane, k) => {
      const [x, y] = [14 + (k % 5) * ((outer.width - 20) / 5), bottom + 16 + 18 * Math.floor(k / 5)];
      const colour = lane.style[this.theme.dark ? "dark" : "light"];
      ctx.strokeStyle = colour;
      ctx.lineWidth = 2;
      ctx.setLineDash(lane.style.dash.map((part) => part * 2));
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x + 30, y);
      ctx.stroke();
      marker(ctx, lane.style.marker, x + 15, y, 4.5, colour, this.theme.paper);
      ctx.fillStyle = this.theme.ink;
      ctx.textAlign = "left";
      ctx.fillText(lane.name, x + 36, y);
    });
    const link = document.createElement("a");
    link.href = sheet.toDataURL("image/png");
    link.download = `${this.still.name}.png`;
    link.click();
  }
}
