// The schedules' stage: the race's, with the learning rates α_t above the losses instead of the perspective. The end of
// the run is a handle on the rates.

const RATES = `
  <div class="picture rates" data-picture="rates"><div class="plot"></div><canvas></canvas>
    <button class="horizon" type="button" role="slider"></button></div>
  ${CONTOUR}
  <div class="picture loss" data-picture="loss"><div class="plot"></div><canvas></canvas></div>
  ${TRANSPORT.replace("<slot></slot>", '<button type="button" data-do="png" class="wide">PNG</button>')}
  <div class="table"><table><thead></thead><tbody></tbody></table><p class="legend"></p></div>`;

class Schedules extends Stage {
  constructor(root, tell) {
    super(root, tell, RATES);
    root.classList.add("schedules");
    this.wireScrub(this.rates);
    this.wireHorizon();
  }

  more() {
    this.rates = new Plane(this.find("rates"), { displayModeBar: false, scrollZoom: false });
    return [this.rates];
  }

  // Room to the right, into which the run can be drawn out; the axes rest while it is.
  span() {
    if (!this.pulling) this.room = Math.max(this.message.runs.steps * 1.12, 2);
    return this.room;
  }

  async show(message) {
    await super.show(message);
    this.waiting = false;
    if (this.wanted && this.wanted !== this.message?.runs.steps) this.sendHorizon(!this.pulling);
    else if (!this.pulling) this.wanted = null;
  }

  label() {
    super.label();
    this.horizon.title = this.words.horizon;
    this.horizon.setAttribute("aria-label", this.words.horizon);
  }

  lane(lane, k, runs) {
    const n = runs.steps;
    const xs = Float64Array.from({ length: n }, (_, t) => t), ys = Float64Array.from(runs.rates.subarray(k * n, (k + 1) * n));
    return { ...super.lane(lane, k, runs), rate: { xs, ys, count: n, style: lane.style, diverged: -1 } };
  }

  // The axes of the rates: from 0 to the highest.
  async rangeLoss(fresh) {
    const before = this.ranges;
    await super.rangeLoss(fresh);
    let high = 0;
    for (const { rate } of this.lanes) for (const value of rate.ys) if (value > high) high = value;
    const top = (high || 1) * 1.06;
    if (!fresh && this.rates.drawn && top === this.top && before === this.ranges) return;
    this.top = top;
    const ranges = [[0, this.span()], [0, top]];
    if (fresh || !this.rates.drawn) {
      const figure = structuredClone(this.still.rates);
      [figure.layout.xaxis.range, figure.layout.yaxis.range] = ranges;
      await this.rates.rest(figure, this.theme, this.still.look);
    } else {
      await Plotly.relayout(this.rates.plot, { "xaxis.range": ranges[0], "yaxis.range": ranges[1] });
    }
  }

  inkNow() {
    super.inkNow();
    if (!this.lanes || this.closed || !this.rates.drawn) return;
    const step = this.peek ?? this.step;
    this.rates.ink(this.lanes.map(({ rate }) => rate), step, { cursor: step, whole: true });
    for (const { events, rate, curve } of this.lanes) {
      this.mark(this.rates, rate, events);
      this.mark(this.loss, curve, events);
    }
    this.placeHorizon();
  }

  // Where a schedule lowered the rate because of what it saw.
  mark(picture, line, events) {
    if (!events.length || !picture.drawn) return;
    const { ctx, theme, look } = picture;
    const frame = picture.frame();
    const size = look.projector ? 7 : 4.5;
    for (const t of events) {
      const [x, y] = [frame.x(t), frame.y(line.ys[t]) - 2.2 * size];
      if (x > frame.box.right || !Number.isFinite(y)) continue;
      const within = Math.min(Math.max(y, frame.box.top + size), frame.box.bottom - size);
      marker(ctx, "triangle-down", x, within, size, line.style[theme.dark ? "dark" : "light"], theme.paper);
    }
  }

  drawTable() {
    super.drawTable();
    this.rates.root.querySelector("canvas").setAttribute("aria-label", this.message.alt.rates);
  }

  // ---- the horizon -------------------------------------------------------------------------------------------------

  wireHorizon() {
    this.horizon = this.root.querySelector(".horizon");
    let grip = 0;
    this.horizon.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      this.horizon.focus({ preventScroll: true });
      this.horizon.setPointerCapture(event.pointerId);
      grip = event.clientX - this.rates.frame().x(this.message.runs.steps);
      this.pulling = true;
    });
    this.horizon.addEventListener("pointermove", (event) => {
      event.stopPropagation();
      if (this.pulling) this.pull(this.rates.frame().fromX(event.clientX - grip));
    });
    const drop = () => {
      if (!this.pulling) return;
      this.pulling = false;
      this.sendHorizon(true);
    };
    this.horizon.addEventListener("pointerup", drop);
    this.horizon.addEventListener("pointercancel", drop);
    this.horizon.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      const { steps } = this.message.runs;
      this.pull((this.wanted ?? steps) + move * (event.shiftKey ? Math.max(Math.round(steps / 20), 1) : 1));
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.sendHorizon(true), 400);
    });
  }

  // Draw the run out, or in: the server is asked for as many steps at a time as it can answer.
  pull(steps) {
    this.wanted = Math.round(Math.min(Math.max(steps, 1), this.still.longest, this.room));
    this.placeHorizon();
    if (this.pulling && !this.waiting) this.sendHorizon(false);
  }

  sendHorizon(done) {
    if (!this.wanted) return;
    this.waiting = true;
    this.tell("horizon", { steps: this.wanted, done });
  }

  placeHorizon() {
    const steps = this.wanted ?? this.message.runs.steps;
    const { x, box } = this.rates.frame();
    this.horizon.style.transform = `translate(${x(steps)}px, ${box.top}px) translate(-50%, 0)`;
    this.horizon.style.height = `${box.bottom - box.top}px`;
    this.horizon.textContent = `T = ${steps}`;
    const about = { valuenow: steps, valuemin: 1, valuemax: this.still.longest, valuetext: `T = ${steps}` };
    for (const [name, value] of Object.entries(about)) this.horizon.setAttribute(`aria-${name}`, value);
  }
}
