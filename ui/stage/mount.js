// Streamlit calls `mount` at each new value with the same element: keep the stage that lives there.

const kinds = { stage: Stage, microscope: Microscope, maps: Maps, charts: Charts, schedules: Schedules };
const stages = new WeakMap();
document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));

function mount({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".descent-root") ?? parentElement;
  let inbox = stages.get(root);
  if (!inbox) stages.set(root, (inbox = new Inbox(root)));
  inbox.stage.tell = setTriggerValue;
  if (data.turn === undefined) inbox.take(data);
  else inbox.expect(data);
  return () => {
    inbox.close();
    stages.delete(root);
  };
}

// A stage's messages: from Streamlit, or sooner through a wire of its own (`ui/stage/wire.py` is the other end).
class Inbox {
  constructor(root) {
    this.stage = new kinds[root.dataset.stage](root, () => {});
    this.queue = Promise.resolve();
    this.count = 0; // messages that arrived
    this.newest = {}; // the last that was unpacked
  }

  // Messages are drawn in order, and those that a newer one has overtaken are only remembered.
  take(data) {
    const number = ++this.count;
    this.queue = this.queue
      .then(async () => {
        const message = await unpack(data);
        this.newest = message;
        this.connect(message.wire);
        if (message.still) scenes.set(message.scene, message.still);
        if (this.count === number && !this.stage.closed) await this.stage.show(message);
      })
      .catch((error) => this.stage.closed || console.error("stage:", error));
  }

  // The server says that it has sent a message through the wire.
  expect({ wire, turn }) {
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      const { wire: from, turn: last } = this.newest;
      if (!this.stage.closed && !(from === wire && last >= turn)) this.stage.tell("missing", turn);
    }, 3000);
  }

  // Once the wire has come to its end, the next message through Streamlit opens another.
  connect(name) {
    if (this.socket && this.name === name) return;
    this.name = name;
    this.socket?.close();
    const address = new URL(`wire/${name}`, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.take(event.data);
    let opened = false;
    socket.onopen = () => (opened = true);
    socket.onclose = () => {
      if (opened && this.socket === socket) this.socket = null;
    };
  }

  close() {
    clearTimeout(this.patience);
    this.stage.close();
    this.socket?.close();
  }
}
