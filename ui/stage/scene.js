// What all stages have, with or without a transport: the still parts that they were sent, the theme, the back button.

// What outlives a stage: Streamlit may take its element away and give it another, when the browser goes back for one.
const scenes = new Map(); // the still parts, by their key
let draws = 0; // messages drawn

class Scene {
  constructor(root, tell) {
    this.root = root;
    this.tell = tell;
    // Back to another page is none of this one's business.
    const { pathname } = location;
    this.onBack = () => location.pathname === pathname && this.tell("address", location.search);
    addEventListener("popstate", this.onBack);
  }

  // The still part that a message belongs to; asks for it if it is not here.
  stillOf(message) {
    if (message.still) scenes.set(message.scene, message.still);
    while (scenes.size > 12) scenes.delete(scenes.keys().next().value);
    const still = scenes.get(message.scene);
    if (!still) this.tell("missing", message.scene);
    return still;
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

  close() {
    this.closed = true;
    removeEventListener("popstate", this.onBack);
  }
}

function number(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1).replace("e+", "e");
  return String(Number(value.toPrecision(digits)));
}
