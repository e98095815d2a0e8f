// The stage: three linked pictures, the transport below them and the table of verdicts. It draws what it is sent and
// plays, scrubs and zooms on its own; the server hears only of a new start point.

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const ICON = {
  first: "M5 4h2v16H5zM19 4v16L8 12z", back: "M16 5v14L7 12z", play: "M7 4v16l13-8z", pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  on: "M8 5v14l9-7z", last: "M17 4h2v16h-2zM5 4v16l11-8z",
  loop: "M12 5V1L6.5 6 12 11V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
};
const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICON[name]}"/></svg>`;
const button = (name) => `<button type="button" data-do="${name}" class="${name}">${icon(name)}</button>`;
const SKELETON = `
  <div class="picture contour" data-picture="contour"><div class="plot"></div><canvas></canvas>
    <button class="start" type="button"></button><output class="under"></output></div>
  <div class="picture surface" data-picture="surface"><div class="plot"></div><canvas></canvas></div>
  <div class="transport" role="toolbar">
    ${["first", "back", "play", "on", "last"].map(button).join("")}
    <input type="range" class="scrub" min="0" value="0" step="1">
    <output class="clock"></output>
    <button type="button" data-do="speed" class="wide"></button>
    ${button("loop")}
    <button type="button" data-do="png" class="wide">PNG</button>
  </div>
  <div class="picture loss" data-picture="loss"><div class="plot"></div><canvas></canvas></div>
  <div class="table"><table><thead></thead><tbody></tbody></table><p class="legend"></p></div>`;

// What outlives a stage: Streamlit may take its element away and give it another, when the browser goes back for one.
const scenes = new Map(); // the still parts, by their key
let draws = 0; // messages drawn

class Stage {
  constructor(root, tell) {
    this.root = root;
    this.tell = tell;
    this.step = 0;
    this.speed = 1;
    this.loop = false;
    this.playing = false;
    root.classList.add("descent-stage");
    root.innerHTML = SKELETON;
    const find = (name) => root.querySelector(`[data-picture=${name}]`);
    this.contour = new Plane(find("contour"), { scrollZoom: true, modeBarButtonsToRemove: ["select2d", "lasso2d"] });
    this.surface = new Surface(find("surface"), { scrollZoom: true });
    this.loss = new Plane(find("loss"), { displayModeBar: false, scrollZoom: false });
    this.pictures = [this.contour, this.surface, this.loss];
    for (const picture of this.pictures) picture.redraw = () => this.scheduleInk();
    this.scrub = root.querySelector(".scrub");
    this.clock = root.querySelector(".clock");
    this.wireTransport();
    this.wireKeyboard();
    this.wireStart();
    this.wireLoss();
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(root);
    this.onBack = () => this.tell("address", location.search);
    addEventListener("popstate", this.onBack);
  }

  // ---- what the server says ------------------------------------------------------------------------------------

  async show(message) {
    if (message.still) scenes.set(message.scene, message.still);
    while (scenes.size > 12) scenes.delete(scenes.keys().next().value);
    const still = scenes.get(message.scene);
    if (!still) return this.tell("missing", message.scene);
    const { runs } = message;
    const atEnd = !this.message || this.step >= this.message.runs.steps;
    const theme = this.readTheme();
    const fresh = this.scene !== message.scene || this.theme?.key !== theme.key;
    const same = this.still?.name === still.name;
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
    this.drawTable();
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
      this.root.dataset.ready = "contour";
    }
    await this.rangeLoss(fresh);
    if (this.closed) return undefined;
    this.moveStart(message.start);
    this.go(this.step);
    draws += 1;
    this.root.dataset.draws = draws;
    this.root.dataset.paths = draws;
    if (fresh) {
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

  // A lane with its path over the plane and its curve of losses; and where an averaging method reports another point
  // than the one it takes gradients at, the path and curve of that, too.
  lane(lane, k, { x, y, losses, steps, reported }) {
    const own = this.track(lane, k, { x, y, losses, steps });
    const other = lane.reported === null ? null : this.track(lane, lane.reported, { ...reported, steps });
    if (other) other.path.hollow = other.curve.hollow = true;
    return { ...lane, ...own, other };
  }

  track(lane, k, { x, y, losses, steps }) {
    const n = steps + 1;
    const xs = new Float64Array(n), ys = new Float64Array(n), zs = new Float64Array(n), values = new Float64Array(n);
    const shown = new Uint8Array(n);
    const { height, domain, minimum, look } = this.still;
    const [[x0, x1], [y0, y1]] = domain;
    const knee = height.knee ? Math.log1p(height.span / height.knee) : null;
    const times = Float64Array.from({ length: n }, (_, t) => t);
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
    const count = lane.diverged >= 0 ? Math.max(lane.diverged, 1) : n;
    const line = { count, style: lane.style, diverged: lane.diverged };
    return { losses: losses.subarray(k * n, (k + 1) * n),
      path: { ...line, xs, ys, zs, shown }, curve: { ...line, xs: times, ys: values } };
  }

  readTheme() {
    const css = getComputedStyle(this.root);
    const read = (name, other) => css.getPropertyValue(name).trim() || other;
    const paper = read("--st-background-color", "#ffffff");
    const ink = read("--st-text-color", "#31333f");
    const rgb = (paper.match(/^#(..)(..)(..)/)?.slice(1) ?? ["ff", "ff", "ff"]).map((part) => parseInt(part, 16));
    const dark = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 128;
    return { key: paper + ink, paper, ink, dark, faint: dark ? "rgba(255,255,255,.14)" : "rgba(49,51,63,.14)",
      font: read("--st-font", "system-ui, sans-serif") };
  }

  // Names for people who do not see the pictures, and tooltips for those who do.
  label() {
    const { words } = this;
    for (const button of this.root.querySelectorAll("[data-do]")) {
      const name = words[button.dataset.do] ?? button.textContent;
      button.title = name;
      button.setAttribute("aria-label", name);
    }
    this.scrub.setAttribute("aria-label", words.scrub);
    this.root.querySelector(".start").title = words.start;
    this.root.querySelector(".start").setAttribute("aria-label", words.start);
    this.root.querySelector("[data-do=speed]").textContent = `${this.speed}×`;
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
    const ranges = [[0, Math.max(this.message.runs.steps, 1)], [low - room, high + room]];
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

  // ---- the step shown --------------------------------------------------------------------------------------------

  go(step) {
    const { steps } = this.message.runs;
    this.step = Math.min(Math.max(Math.round(step), 0), steps);
    this.scrub.max = steps;
    this.scrub.value = this.step;
    this.scrub.setAttribute("aria-valuetext", `${this.words.step} ${this.step} / ${steps}`);
    this.clock.textContent = `${this.words.step} ${this.step} / ${steps}`;
    this.inkNow();
    this.fillTable();
    if (!this.alone && !this.playing) this.remember();
  }

  // The step shown belongs to a link that is shared; the end, where every link begins, need not be said.
  remember() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => {
      const address = new URL(location.href);
      if (this.step < this.message.runs.steps) address.searchParams.set("step", this.step);
      else address.searchParams.delete("step");
      if (address.href !== location.href) history.replaceState(history.state, "", address);
    }, 300);
  }

  inkNow() {
    if (!this.lanes || this.closed) return;
    const step = this.peek ?? this.step;
    const paths = this.tracks("path");
    this.contour.ink(paths, step, { arrows: true });
    this.loss.ink(this.tracks("curve"), step, { cursor: step });
    // While playing, the perspective never holds the plane pictures back: on a slow machine it skips frames.
    const now = performance.now();
    const slow = now - (this.inkedAt ?? 0) > 24;
    if (!this.playing || !slow || now - (this.turnedAt ?? 0) > 150) {
      this.surface.ink(paths, step);
      this.turnedAt = now;
    }
    this.inkedAt = now;
    this.root.dataset.step = step;
    if (this.contour.drawn) this.placeStart();
  }

  scheduleInk() {
    if (this.inkPending || this.closed) return;
    this.inkPending = true;
    requestAnimationFrame(() => {
      this.inkPending = false;
      this.inkNow();
    });
  }

  async resize() {
    if (!this.message || this.closed) return;
    for (const picture of this.pictures) await picture.resize();
    this.inkNow();
  }

  // ---- transport --------------------------------------------------------------------------------------------------

  wireTransport() {
    this.root.querySelector(".transport").addEventListener("click", (event) => {
      const action = event.target.closest("[data-do]")?.dataset.do;
      if (action && this.message) this.act(action);
    });
    this.scrub.addEventListener("input", () => {
      this.pause();
      this.go(Number(this.scrub.value));
    });
  }

  act(action) {
    const { steps } = this.message.runs;
    if (action === "play") return this.playing ? this.pause() : this.play();
    if (action === "loop") {
      this.loop = !this.loop;
      return this.root.querySelector("[data-do=loop]").setAttribute("aria-pressed", this.loop);
    }
    if (action === "speed") {
      this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
      this.root.querySelector("[data-do=speed]").textContent = `${this.speed}×`;
      return undefined;
    }
    if (action === "png") return this.png();
    this.pause();
    return this.go({ first: 0, back: this.step - 1, on: this.step + 1, last: steps }[action]);
  }

  play() {
    const { steps } = this.message.runs;
    if (this.step >= steps) this.go(0);
    this.playing = true;
    this.showPlaying();
    let before = performance.now(), at = this.step;
    const tick = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      const { steps: total } = this.message.runs;
      // The whole run takes four to twelve seconds at 1×, however long it is.
      const seconds = Math.min(Math.max(total / 60, 4), 12) / this.speed;
      if (Math.round(at) !== this.step) at = this.step;
      at += ((now - before) / 1000) * (total / seconds);
      before = now;
      if (at >= total) {
        if (!this.loop) {
          this.go(total);
          return this.pause();
        }
        at = 0;
      }
      this.go(at);
      at = Math.max(at, this.step - 0.499);
      return requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  pause() {
    this.playing = false;
    this.showPlaying();
    this.scheduleInk();
    if (!this.alone) this.remember();
  }

  showPlaying() {
    const button = this.root.querySelector("[data-do=play]");
    button.innerHTML = icon(this.playing ? "pause" : "play");
    const name = this.playing ? this.words.pause : this.words.play;
    button.title = name;
    button.setAttribute("aria-label", name);
    this.root.dataset.playing = this.playing;
  }

  wireKeyboard() {
    const keys = { " ": "play", ArrowLeft: "back", ArrowRight: "on", Home: "first", End: "last" };
    this.onKey = (event) => {
      const action = keys[event.key];
      if (!action || !this.message || event.ctrlKey || event.metaKey || event.altKey) return;
      // Keys belong to whatever control has them; the stage takes those that nobody else would.
      const busy = "input, textarea, select, button, a, summary, [role=slider], [role=combobox], [role=listbox], [role=dialog], [contenteditable=true]";
      // A button of the transport that was clicked has the focus, and use for the space bar alone.
      const spare = event.key === " " ? event.target === this.scrub : event.target.closest?.(".transport button");
      if (event.target.closest?.(busy) && !spare) return;
      if (event.defaultPrevented) return;
      event.preventDefault();
      this.act(action);
    };
    document.addEventListener("keydown", this.onKey);
  }

  // ---- the start point ---------------------------------------------------------------------------------------------

  wireStart() {
    const box = this.contour.root;
    this.handle = box.querySelector(".start");
    const under = box.querySelector(".under");
    const at = (event) => {
      const { left, top } = box.getBoundingClientRect();
      const frame = this.contour.frame();
      const [px, py] = [event.clientX - left, event.clientY - top];
      const inside = px >= frame.box.left && px <= frame.box.right && py >= frame.box.top && py <= frame.box.bottom;
      const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
      const x = frame.fromX(clamp(px, frame.box.left, frame.box.right));
      const y = frame.fromY(clamp(py, frame.box.top, frame.box.bottom));
      return { inside, point: [x, y] };
    };
    box.addEventListener("pointerdown", (event) => {
      if (!this.contour.drawn || event.button || event.target.closest(".modebar")) return;
      const { inside, point } = at(event);
      const onHandle = event.target === this.handle;
      if (!inside && !onHandle) return;
      // A finger on the picture scrolls the page; a finger on the handle drags the start.
      if (event.pointerType === "touch" && !onHandle) {
        this.tap = [event.clientX, event.clientY];
        return;
      }
      event.preventDefault();
      this.handle.focus({ preventScroll: true });
      box.setPointerCapture(event.pointerId);
      this.dragging = true;
      if (!onHandle) this.dragStart(point);
    });
    box.addEventListener("pointermove", (event) => {
      if (!this.contour.drawn) return;
      const { inside, point } = at(event);
      if (this.dragging) this.dragStart(point);
      under.textContent = inside ? `(${number(point[0])}, ${number(point[1])})   ${this.words.loss} ${number(this.lossAt(point))}` : "";
    });
    box.addEventListener("pointerleave", () => (under.textContent = ""));
    const drop = (event) => {
      if (this.dragging) {
        this.dragging = false;
        this.sendStart(true);
      } else if (this.tap && event.type === "pointerup" && Math.hypot(event.clientX - this.tap[0], event.clientY - this.tap[1]) < 8) {
        this.dragStart(at(event).point);
        this.sendStart(true);
      }
      this.tap = null;
    };
    box.addEventListener("pointerup", drop);
    box.addEventListener("pointercancel", drop);
    this.handle.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      const share = event.shiftKey ? 0.05 : 0.01;
      this.dragStart(this.startAt.map((value, k) => value + move[k] * share * (this.still.domain[k][1] - this.still.domain[k][0])));
      clearTimeout(this.settle);
      this.settle = setTimeout(() => this.sendStart(true), 400);
    });
  }

  dragStart(point) {
    this.startAt = point;
    this.placeStart();
    this.unsent = true;
    if (!this.sending) this.sendStart(false);
  }

  // One at a time: the next is sent when the answer to the last has been drawn, or after a while without one.
  sendStart(done) {
    if (!done && !this.unsent) return;
    this.unsent = false;
    this.sending = true;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.sent(), 400);
    this.tell("start", { point: this.startAt.map((value) => Number(value.toPrecision(6))), done });
  }

  sent() {
    clearTimeout(this.patience);
    this.sending = false;
    if (this.unsent) this.sendStart(false);
  }

  moveStart(point) {
    if (!this.dragging && !this.unsent) this.startAt = point;
    this.placeStart();
    if (this.sending) this.sent();
  }

  placeStart() {
    if (!this.startAt || !this.contour.drawn) return;
    const frame = this.contour.frame();
    const [x, y] = [frame.x(this.startAt[0]), frame.y(this.startAt[1])];
    const { left, right, top, bottom } = frame.box;
    this.handle.hidden = !(x >= left && x <= right && y >= top && y <= bottom);
    this.handle.style.transform = `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  }

  // The loss under the pointer, from the grid of the picture.
  lossAt([x, y]) {
    const { contour, height, domain } = this.still;
    const rows = contour.data[0].z;
    const at = (value, [low, high], n) => Math.round(Math.min(Math.max((value - low) / (high - low), 0), 1) * (n - 1));
    const h = rows[at(y, domain[1], rows.length)][at(x, domain[0], rows[0].length)];
    return height.knee ? height.base + height.knee * Math.expm1(h * Math.log1p(height.span / height.knee)) : height.base + h * height.span;
  }

  // ---- the loss curve as a scrubber ----------------------------------------------------------------------------------

  wireLoss() {
    const box = this.loss.root;
    const stepAt = (event) => {
      const frame = this.loss.frame();
      const px = event.clientX - box.getBoundingClientRect().left;
      return px < frame.box.left - 4 || px > frame.box.right + 4 ? null
        : Math.min(Math.max(Math.round(frame.fromX(px)), 0), this.message.runs.steps);
    };
    let down = false;
    box.addEventListener("pointermove", (event) => {
      if (!this.loss.drawn || this.playing) return;
      const step = stepAt(event);
      if (step === null) return;
      if (down) return this.go(step);
      this.peek = step;
      this.clock.textContent = `${this.words.step} ${step} / ${this.message.runs.steps}`;
      this.scheduleInk();
      return this.fillTable();
    });
    box.addEventListener("pointerdown", (event) => {
      const step = this.loss.drawn ? stepAt(event) : null;
      if (step === null) return;
      down = true;
      this.peek = null;
      this.pause();
      this.go(step);
    });
    addEventListener("pointerup", () => (down = false));
    box.addEventListener("pointerleave", () => {
      if (this.peek === null || this.peek === undefined) return;
      this.peek = null;
      this.go(this.step);
    });
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
      const verdict = cell("td", lane.verdict.text, lane.verdict.help);
      verdict.className = `verdict ${lane.verdict.kind}`;
      row.append(name, ...now, verdict, ...ends.map((key) => cell("td", lane.verdict[key])));
      return row;
    });
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
    this.surface.root.querySelector("canvas").setAttribute("aria-label", this.message.alt.surface);
    this.loss.root.querySelector("canvas").setAttribute("aria-label", this.message.alt.loss);
    for (const picture of this.pictures) picture.canvas.setAttribute("role", "img");
  }

  // Where everyone is now. Ten times a second is enough for reading while it plays.
  fillTable() {
    if (this.cells?.length !== this.lanes.length) return; // it plays on while the next table is not drawn yet
    const now = performance.now();
    if (this.playing && now - (this.filled ?? 0) < 100) return;
    this.filled = now;
    const step = this.peek ?? this.step;
    this.lanes.forEach(({ losses, path }, k) => {
      const at = Math.min(step, path.count - 1);
      const gone = path.diverged >= 0 && step >= path.diverged;
      this.cells[k][0].textContent = gone ? "✕" : number(losses[at]);
      this.cells[k][1].textContent = gone ? "✕" : `${number(path.xs[at])}, ${number(path.ys[at])}`;
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

  close() {
    this.closed = true;
    this.playing = false;
    clearTimeout(this.remembering);
    this.resizer.disconnect();
    document.removeEventListener("keydown", this.onKey);
    removeEventListener("popstate", this.onBack);
    for (const picture of this.pictures) if (picture.drawn) Plotly.purge(picture.plot);
  }
}

// After the browser has shown what was drawn so far; a page in the background shows nothing.
function shown() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100);
  });
}

// And has had a moment for the user.
async function painted() {
  await shown();
  await new Promise((resolve) => setTimeout(resolve, 60));
  await new Promise((resolve) => (window.requestIdleCallback ?? setTimeout)(resolve, { timeout: 500 }));
}

function number(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}
