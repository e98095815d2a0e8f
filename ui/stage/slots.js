// Numbers in the page's own text: the server sends sentences and formulas once, with slots such as @alpha@ in them,
// Streamlit typesets them, and the stage writes the numbers of the step shown into the slots.

const SLOT = /@([a-z]\w*)@/g;

class Slots {
  // In all elements whose class says so, now and later.
  constructor(name) {
    this.within = `[class*="${name}"]`;
    this.templates = new Map(); // text node -> its text as it was sent
    this.watcher = new MutationObserver((changes) => {
      let found = false;
      for (const { type, target, addedNodes } of changes) {
        if (type === "characterData") found = this.take(target) || found;
        else for (const node of addedNodes) found = this.scan(node) || found;
      }
      // Before the browser paints: nobody sees a slot.
      if (found && this.value) this.fill(this.value);
    });
    this.watcher.observe(document.body, { subtree: true, childList: true, characterData: true });
    this.scan(document.body);
  }

  take(node) {
    if (!node.data.includes("@") || !node.data.match(SLOT)) return false;
    if (!node.parentElement?.closest(this.within)) return false;
    this.templates.set(node, node.data);
    return true;
  }

  scan(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    let found = root.nodeType === Node.TEXT_NODE && this.take(root);
    while (walker.nextNode()) found = this.take(walker.currentNode) || found;
    return found;
  }

  // `value(name)` is the text for a slot.
  fill(value) {
    this.value = value;
    for (const [node, template] of this.templates) {
      if (!node.isConnected) {
        this.templates.delete(node);
        continue;
      }
      const text = template.replace(SLOT, (_, name) => value(name));
      if (node.data !== text) node.data = text;
    }
    document.body.classList.add("descent-filled");
  }

  close() {
    this.watcher.disconnect();
  }
}
