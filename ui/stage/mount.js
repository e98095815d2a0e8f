// Streamlit calls `mount` at each new value with the same element: keep the stage that lives there.

const kinds = { stage: Stage, microscope: Microscope };
const stages = new WeakMap();
document.head.append(Object.assign(document.createElement("style"), { textContent: STYLE }));

function mount({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".descent-root") ?? parentElement;
  let stage = stages.get(root);
  if (!stage) {
    stage = new kinds[root.dataset.stage](root, (name, value) => stage.trigger(name, value));
    stage.queue = Promise.resolve();
    stages.set(root, stage);
  }
  stage.trigger = setTriggerValue;
  stage.newest = data;
  // Messages are drawn in order, and those that a newer one has overtaken are only remembered.
  stage.queue = stage.queue
    .then(async () => {
      const message = await unpack(data);
      if (message.still) scenes.set(message.scene, message.still);
      if (stage.newest === data && !stage.closed) await stage.show(message);
    })
    .catch((error) => stage.closed || console.error("stage:", error));
  return () => {
    stage.close();
    stages.delete(root);
  };
}
