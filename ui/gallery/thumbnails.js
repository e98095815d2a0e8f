// Sheets of thumbnails, kept for as long as the page is: each is a CSS variable that the cards refer to.
const kept = (window.descentStamps ??= new Map());

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".descent-thumbnails");
  for (const [name, png] of Object.entries(data.sheets)) kept.set(`${data.theme} ${name}`, `url("data:image/png;base64,${png}")`);
  const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const [r, g, b] = (paper.match(/^#(..)(..)(..)/)?.slice(1) ?? ["ff", "ff", "ff"]).map((part) => parseInt(part, 16));
  const theme = 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
  const missing = data.all.filter((name) => !kept.has(`${theme} ${name}`));
  for (const name of data.all) {
    document.documentElement.style.setProperty(`--stamps-${name}`, kept.get(`${theme} ${name}`) ?? "none");
  }
  root.dataset.missing = missing.length;
  // An answer that got lost on the way is asked for again.
  const ask = () => setTriggerValue("want", { sheets: missing, dark: theme === "dark" });
  const again = missing.length && setInterval(ask, 4000);
  if (missing.length) ask();
  return () => clearInterval(again);
}
