// Charts: Plotly figures side by side. What rests of each was sent once; what moves is laid over it. A point of a trace that
// can be picked is told to the server when it is clicked.

class Chart extends Picture {
  listen() {
    this.plot.on("plotly_hover", ({ points: [{ data }] }) => this.root.classList.toggle("pickable", (data.meta?.pick ?? null) !== null));
    this.plot.on("plotly_unhover", () => this.root.classList.remove("pickable"));
    this.plot.on("plotly_click", ({ points: [{ data, pointNumber }] }) => {
      const { pick, points } = data.meta ?? {};
      if (pick === undefined || pick === null) return;
      this.onPick?.({ pick, point: points ? points[pointNumber] : pointNumber });
    });
  }

  // Traces say in their `meta` what of them has a colour: of their own, for light and dark pages, or that of the text.
  paint(figure) {
    const { data, layout } = super.paint(figure);
    const { dark, ink, paper } = this.theme;
    const size = this.look.projector ? 15 : 11;
    for (const trace of data) {
      const { colour, edge, fill, veil } = trace.meta ?? {};
      if (veil) {
        const shade = dark ? "#5b6270" : "#b9bec8";
        trace.colorscale = [[0, shade], [1, shade]];
      }
      if (trace.colorbar) trace.colorbar = { ...trace.colorbar, tickfont: { size: size - 1, color: ink } };
      if (!colour) continue;
      const own = colour === "ink" ? ink : colour[dark ? "dark" : "light"];
      if (trace.line) trace.line = { ...trace.line, color: own };
      if (trace.marker) {
        const rim = { ...trace.marker.line, color: edge ? paper : own };
        trace.marker = { ...trace.marker, color: own, line: rim };
      }
      if (fill) trace.fillcolor = own + Math.round(255 * fill).toString(16).padStart(2, "0");
    }
    layout.annotations = layout.annotations?.map((note) => ({ ...note, font: { size: note.name === "soft" ? size - 1 : size + 1, color: ink } }));
    layout.shapes = layout.shapes?.map((shape) => ({ ...shape, line: { ...shape.line, color: ink } }));
    layout.legend = { bgcolor: `${paper}bb`, font: { size, color: ink }, ...layout.legend };
    if (this.look.projector && layout.margin) {
      const { l, r, t, b } = layout.margin;
      layout.margin = { l: l + 16, r, t: t + 6, b: b + 14 };
    }
    layout.hoverlabel = { bgcolor: paper, bordercolor: ink, font: { color: ink, family: this.theme.font, size } };
    return { data, layout };
  }
}

class Charts extends Scene {
  constructor(root, tell) {
    super(root, tell);
    root.classList.add("descent-stage");
    this.charts = new Map();
    this.resizer = new ResizeObserver(() => this.resize());
    this.resizer.observe(root);
  }

  async show(message) {
    const still = this.stillOf(message);
    if (!still) return;
    this.message = message;
    const theme = this.readTheme();
    this.root.classList.toggle("projector", still.look.projector);
    this.place(message.charts.map(({ name }) => name));
    for (const { name, wide, tall, rest, data, layout, alt } of message.charts) {
      const base = still.figures[rest] ?? { data: [], layout: {} };
      const chart = this.charts.get(name);
      chart.root.style.setProperty("--wide", wide);
      chart.root.style.setProperty("--tall", tall);
      chart.canvas.setAttribute("role", "img");
      chart.canvas.setAttribute("aria-label", alt);
      // Of many charts a knob moves a few: the others are not drawn anew.
      const drawn = JSON.stringify([message.scene, theme.key, data, layout]);
      if (chart.drawing === drawn) continue;
      chart.drawing = drawn;
      await chart.rest({ data: [...base.data, ...data], layout: { ...base.layout, ...layout } }, theme, still.look);
      if (this.closed) return;
    }
    draws += 1;
    this.root.dataset.draws = draws;
    this.root.dataset.ready = "all";
  }

  // A box for each chart that is to be seen, in their order; those of others go.
  place(names) {
    for (const [name, chart] of this.charts) {
      if (names.includes(name)) continue;
      Plotly.purge(chart.plot);
      chart.root.remove();
      this.charts.delete(name);
    }
    for (const name of names) {
      if (this.charts.has(name)) continue;
      const box = document.createElement("div");
      box.className = "picture plate";
      box.dataset.picture = name;
      box.innerHTML = '<div class="plot"></div><canvas></canvas>';
      const chart = new Chart(box, { displayModeBar: false, scrollZoom: false });
      chart.onPick = (told) => this.tell("pick", told);
      this.charts.set(name, chart);
    }
    const boxes = names.map((name) => this.charts.get(name).root);
    if (boxes.some((box, k) => this.root.children[k] !== box)) this.root.append(...boxes);
  }

  async resize() {
    if (!this.message || this.closed) return;
    for (const chart of this.charts.values()) await chart.resize();
  }

  close() {
    super.close();
    this.resizer.disconnect();
    for (const chart of this.charts.values()) if (chart.drawn) Plotly.purge(chart.plot);
  }
}
