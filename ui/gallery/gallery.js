// Streamlit calls this at each new value with the same element.
export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".descent-gallery");
  if (root.shown !== data.html) {
    root.innerHTML = root.shown = data.html;
    root.dataset.ready = "";
  }
  const paper = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  const [r, g, b] = (paper.match(/^#(..)(..)(..)/)?.slice(1) ?? ["ff", "ff", "ff"]).map((part) => parseInt(part, 16));
  root.toggleAttribute("data-dark", 0.299 * r + 0.587 * g + 0.114 * b < 128);

  root.onclick = (event) => {
    const link = event.target.closest("a[data-item]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    setTriggerValue("open", link.dataset.item);
  };
  // The line back to where it all began.
  root.onmouseover = root.onfocusin = (event) => {
    for (const row of root.querySelectorAll(".lit")) row.classList.remove("lit");
    let row = event.target.closest(".tree li a")?.parentElement;
    while (row) {
      row.classList.add("lit");
      row = row.dataset.parent && root.querySelector(`.tree li[data-id="${row.dataset.parent}"]`);
    }
  };
  const back = () => setTriggerValue("address", location.search);
  addEventListener("popstate", back);
  return () => removeEventListener("popstate", back);
}
