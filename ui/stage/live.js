// The live knob: a slider on the stage whose every stop the server sends before it is dragged, so that dragging asks
// nobody. `ui/live_stage.py` says what is sent, `ui/stage/desk.py` is whom it asks.

const LIVE = `<div class="live" hidden><label><span></span><select></select></label>
  <input type="range" min="0" step="1"><output></output></div>`;

// Levels of 16 bits, or a few less, to numbers.
const EDGE = 8191, DOUBLING = 1229, LAST = 32767;
const place = (level) => (Math.abs(level) <= EDGE ? level / EDGE : Math.sign(level) * 2 ** ((Math.abs(level) - EDGE) / DOUBLING));

let chosen; // the knob that was chosen last: it outlives a stage, as `scenes` do

class Live {
  constructor(stage) {
    this.stage = stage;
    this.id = chosen;
    this.row = stage.root.querySelector(".live");
    [this.title, this.select, this.range, this.output] = ["span", "select", "input", "output"].map((name) => this.row.querySelector(name));
    this.questions = 0;
    this.row.addEventListener("pointerenter", () => this.want());
    this.row.addEventListener("focusin", () => this.want());
    this.select.addEventListener("change", () => {
      this.id = chosen = this.select.value;
      this.packet = null;
      this.doubt();
      this.set();
      this.want();
    });
    this.range.addEventListener("pointerdown", () => ([this.held, this.byKey] = [true, false]));
    this.letGo = () => (this.held = false);
    addEventListener("pointerup", this.letGo);
    addEventListener("pointercancel", this.letGo);
    this.range.addEventListener("input", () => this.move());
    // A pointer says that it is done; keys pause for a moment.
    this.range.addEventListener("change", () => {
      clearTimeout(this.settle);
      this.settle = setTimeout(() => this.release(), this.byKey ? 400 : 0);
    });
    this.range.addEventListener("keydown", (event) => {
      this.byKey = true;
      if (event.key === "Escape" && this.moved) this.back();
    });
  }

  // ---- what there is to turn ------------------------------------------------------------------------------------------

  // A new race is shown: what is known of the knob's stops may be wrong now.
  show({ knobs, wire, live }, words) {
    this.row.hidden = !knobs?.length;
    if (this.row.hidden) return;
    this.wire = wire;
    this.title.textContent = words.live;
    this.title.parentElement.title = words.live_help;
    this.knobs = new Map(knobs.map(([id, label, group, text, at, count]) => [id, { label, group, text, at, count }]));
    if (!this.knobs.has(this.id)) this.id = knobs[0][0];
    const listed = JSON.stringify(knobs.map(([id, label, group]) => [id, label, group]));
    if (listed !== this.listed) this.list();
    this.listed = listed;
    this.doubt();
    this.moved = this.late = false;
    if (!this.held) this.set();
    if (live) this.take(live, this.questions);
    else if (this.wanted()) this.want();
    else this.packet = null;
  }

  list() {
    const groups = new Map();
    for (const [id, { label, group }] of this.knobs) {
      if (!groups.has(group)) groups.set(group, Object.assign(document.createElement("optgroup"), { label: group }));
      groups.get(group).append(new Option(label, id));
    }
    this.select.replaceChildren(...groups.values());
    this.select.value = this.id;
  }

  // The handle where the race has the knob.
  set() {
    const { text, at, count, label } = this.knobs.get(this.id);
    const sent = this.packet?.values.length ?? count;
    this.range.max = sent - 1;
    this.range.value = sent === count ? at : Math.round((at / Math.max(count - 1, 1)) * (sent - 1));
    this.range.setAttribute("aria-label", label);
    this.write(text);
  }

  write(text) {
    this.output.textContent = text;
    this.range.setAttribute("aria-valuetext", text);
  }

  // ---- asking ---------------------------------------------------------------------------------------------------------

  wanted() {
    return this.row.matches(":hover") || this.row.contains(document.activeElement);
  }

  doubt() {
    this.ready = false;
    this.row.dataset.live = "";
    this.questions += 1; // answers that are under way are to be ignored
  }

  want() {
    if (this.ready || this.row.dataset.live === "asked" || this.stage.closed) return;
    this.row.dataset.live = "asked";
    this.questions += 1;
    const question = { number: this.questions, knob: this.id, have: this.packet?.key ?? "" };
    if (this.socket?.readyState === WebSocket.OPEN && this.line === this.wire) this.socket.send(JSON.stringify(question));
    else this.connect(question);
  }

  // A line to the server; where there is none, Streamlit carries question and answer.
  connect(question) {
    this.socket?.close();
    this.line = this.wire;
    const address = new URL(`ask/${this.wire}`, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(JSON.stringify(question));
    socket.onmessage = async ({ data }) => {
      const number = new DataView(data).getUint32(0, true);
      const { live } = await unpack(new Uint8Array(data, 4));
      this.take(live, number);
    };
    socket.onclose = () => {
      if (this.socket !== socket || this.stage.closed || this.row.dataset.live !== "asked") return;
      this.stage.tell("asked", question);
    };
  }

  take(live, number) {
    if (number !== this.questions || live.knob !== this.id || this.stage.closed) return;
    if (live.values) {
      this.packet = live;
      const share = this.range.value / Math.max(this.range.max, 1);
      this.range.max = live.values.length - 1;
      this.range.value = this.moved ? Math.round(share * this.range.max) : live.at;
    }
    this.ready = true;
    this.row.dataset.live = "ready";
    if (this.moved) this.move();
    if (this.late) this.release();
  }

  // ---- turning --------------------------------------------------------------------------------------------------------

  move() {
    this.moved = true;
    this.want();
    if (!this.ready) return this.write("…");
    this.write(this.packet.texts[this.range.value]);
    if (this.drawing) return undefined;
    this.drawing = true;
    return requestAnimationFrame(() => {
      this.drawing = false;
      if (this.moved && this.ready && !this.stage.closed) this.stage.preview(this.frame(Number(this.range.value)));
    });
  }

  // The value goes to the real slider; the race that is then run takes the picture's place.
  release() {
    clearTimeout(this.settle);
    this.late = this.moved && !this.ready;
    if (!this.moved || this.late) return;
    const value = this.packet.values[this.range.value];
    this.stage.tell("knob", { knob: this.id, value });
  }

  back() {
    clearTimeout(this.settle);
    this.moved = false;
    this.stage.show(this.stage.message);
  }

  // ---- a stop's race ----------------------------------------------------------------------------------------------------

  frame(stop) {
    const { packet } = this;
    const ground = packet.grounds[stop];
    const lanes = new Map(packet.lanes.map((lane) => [lane.lane, {
      name: lane.names[stop], verdict: lane.verdicts[stop], diverged: lane.diverged[stop],
      path: this.path(lane.path, stop), other: lane.reported && this.path(lane.reported, stop),
    }]));
    return { lanes, ground };
  }

  // A path at the steps that were sent.
  path({ x, y, loss }, stop) {
    const { steps: times, coarser, range, references } = this.packet;
    const [[x0, x1], [y0, y1]] = this.stage.still.domain;
    const top = (LAST >> coarser) - 1, scale = 1 << coarser;
    const above = (level) => level && Math.sign(level) * 2 ** (range[0] + ((Math.abs(level) - 1) / top) * (range[1] - range[0]));
    const at = (levels, value) => Float64Array.from(levels.subarray(stop * times.length, (stop + 1) * times.length), value);
    return { times, x: at(x, (level) => (x0 + x1 + place(level * scale) * (x1 - x0)) / 2),
      y: at(y, (level) => (y0 + y1 + place(level * scale) * (y1 - y0)) / 2),
      losses: at(loss, (level) => references[stop] + above(level)) };
  }

  close() {
    removeEventListener("pointerup", this.letGo);
    removeEventListener("pointercancel", this.letGo);
    clearTimeout(this.settle);
    this.socket?.close();
  }
}
