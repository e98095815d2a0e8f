// What every stage has: a step that is shown, played and scrubbed, the start point, keys, theme. The server hears only of
// a new start point and of the browser's back button.

const SPEEDS = [0.25, 0.5, 1, 2, 4];
const ICON = {
  first: "M5 4h2v16H5zM19 4v16L8 12z", back: "M16 5v14L7 12z", play: "M7 4v16l13-8z", pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  on: "M8 5v14l9-7z", last: "M17 4h2v16h-2zM5 4v16l11-8z",
  loop: "M12 5V1L6.5 6 12 11V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
};
const icon = (name) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICON[name]}"/></svg>`;
const button = (name) => `<button type="button" data-do="${name}" class="${name}">${icon(name)}</button>`;
const TRANSPORT = `
  <div class="transport" role="toolbar">
    ${["first", "back", "play", "on", "last"].map(button).join("")}
    <input type="range" class="scrub" min="0" value="0" step="1">
    <output class="clock"></output>
    <button type="button" data-do="speed" class="wide"></button>
    ${button("loop")}
    <slot></slot>
  </div>`;
const CONTOUR = `
  <div class="picture contour" data-picture="contour"><div class="plot"></div><canvas></canvas>
    <button class="start" type="button"></button><output class="under"></output></div>`;

// A stage draws what it is sent in `show(message)`, inks a step in `inkNow()` and writes its numbers in `fill()`.
class Player extends Scene {
  constructor(root, tell, skeleton) {
    super(root, tell);
    this.step = 0;
    this.speed = 1;
    this.loop = false;
    this.playing = false;
    root.classList.add("descent-stage");
    root.innerHTML = skeleton;
    this.contour = new Plane(this.find("contour"), { scrollZoom: true, modeBarButtonsToRemove: ["select2d", "lasso2d"] });
    this.scrub = root.querySelector(".scrub");
    this.clock = root.querySelector(".clock");
  }

  find(name) {
    return this.root.querySelector(`[data-picture=${name}]`);
  }

  // Listen, once all pictures are there.
  wire(pictures) {
    this.pictures = pictures;
    for (const picture of pictures) picture.redraw = () => this.scheduleInk();
    this.wireTransport();
    this.wireKeyboard();
    this.wireStart();
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(this.root);
  }

  // The step that links begin at, which they need not say.
  home() {
    return this.message.runs.steps;
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

  // ---- the step shown --------------------------------------------------------------------------------------------

  go(step) {
    const { steps } = this.message.runs;
    this.step = Math.min(Math.max(Math.round(step), 0), steps);
    this.scrub.max = steps;
    this.scrub.value = this.step;
    this.scrub.setAttribute("aria-valuetext", `${this.words.step} ${this.step} / ${steps}`);
    this.clock.textContent = `${this.words.step} ${this.step} / ${steps}`;
    this.inkNow();
    this.fill();
    if (!this.alone && !this.playing) this.remember();
  }

  // The step shown belongs to a link that is shared.
  remember() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => {
      const address = new URL(location.href);
      if (this.step !== this.home()) address.searchParams.set("step", this.step);
      else address.searchParams.delete("step");
      if (address.href !== location.href) history.replaceState(history.state, "", address);
    }, 300);
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

  // ---- curves as scrubbers -----------------------------------------------------------------------------------------

  wireScrub(picture) {
    const box = picture.root;
    const stepAt = (event) => {
      const frame = picture.frame();
      const px = event.clientX - box.getBoundingClientRect().left;
      return px < frame.box.left - 4 || px > frame.box.right + 4 ? null
        : Math.min(Math.max(Math.round(frame.fromX(px)), 0), this.message.runs.steps);
    };
    let down = false;
    box.addEventListener("pointermove", (event) => {
      if (!picture.drawn || this.playing) return;
      const step = stepAt(event);
      if (step === null) return;
      if (down) return this.go(step);
      this.peek = step;
      this.clock.textContent = `${this.words.step} ${step} / ${this.message.runs.steps}`;
      this.scheduleInk();
      return this.fill();
    });
    box.addEventListener("pointerdown", (event) => {
      const step = picture.drawn ? stepAt(event) : null;
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

  close() {
    super.close();
    this.playing = false;
    this.live?.close();
    clearTimeout(this.remembering);
    this.resizer.disconnect();
    document.removeEventListener("keydown", this.onKey);
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
