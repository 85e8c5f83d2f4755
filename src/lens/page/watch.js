/* watch.html: a chart for each kind of number, a line for each column of watch.csv. All charts share one step, which
 * the pointer, the slider and the arrow keys move; lists beside them show every line's value there. It uses no
 * library and no network. */
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const rows = data.rows, steps = rows.map((row) => row[0]);
  const charts = [];
  let at = rows.length - 1; /* the row that is told about */

  /* ---- elements ---- */

  function make(name, properties, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {}))
      if (key in element) element[key] = value;
      else element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  /* A number of any size with four digits. */
  function text(value) {
    if (value === null || value === undefined) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  }

  /* ---- how lines look: hue for the part, lightness for the layer, dashes for the side ---- */

  const HUES = { self: 212, cross: 25, feed_forward: 135, norms: 285, embedding: 185, positions: 60, norm: 320, output: 0, pooling: 25,
    residual: 212 };
  const SIDE_HUES = { encoder: 212, decoder: 25 };

  function place(name) {
    const parts = name.split("."), layer = parts.indexOf("layers");
    const found = { side: parts[0], layer: layer < 0 ? -1 : Number(parts[layer + 1]), part: parts[layer < 0 ? parts.length - 1 : layer + 2] };
    if (layer < 0 && !(found.part in HUES)) found.part = parts[0];
    return found;
  }

  function look(name, layers, kind) {
    if (kind === "loss") return { hue: 250 - 230 * layers, light: 0.5, dash: [] };
    const p = place(name);
    const hue = kind === "rms" ? SIDE_HUES[p.side] : HUES[p.part];
    return { hue: hue === undefined ? 0 : hue, grey: hue === undefined, light: p.layer < 0 ? 0.5 : layers > 1 ? p.layer / (layers - 1) : 0.5,
      dash: p.side === "decoder" && kind !== "rms" ? [6, 3] : [] };
  }

  function colour(style, dark) {
    const light = dark ? 45 + 35 * style.light : 62 - 35 * style.light;
    return `hsl(${style.hue} ${style.grey ? 0 : dark ? 70 : 75}% ${light}%)`;
  }

  /* ---- charts ---- */

  const KINDS = [
    { kind: "update", title: "Update / weight: how far a step goes", log: true, rule: 1e-3,
      help: "‖Δw‖ / ‖w‖ of the optimiser's step, by group of parameters. The dashed line at 1e-3 is a rule of thumb, no law: groups that " +
        "stay far below it hardly learn, groups far above it are thrown about." },
    { kind: "gradient", title: "Gradients", log: true,
      help: "‖dL/dw‖ by group of parameters, before clipping. Dashed lines are the decoder's." },
    { kind: "rms", title: "Streams: how large activations are", log: true,
      help: "Root mean square of what runs through the layers: what the first one reads, and what each gives. Padding left out; " +
        "without dropout." },
    { kind: "entropy", title: "Heads: how widely they look", log: false,
      help: "Entropy of a row of attention in nats, mean over the rows of the update's first batch: 0 looks at one token, " +
        "ln n at n tokens alike. Batches of long sentences leave more room than short ones, for all heads together." },
    { kind: "loss", title: "Loss by position", log: false,
      help: "Nats per token, as it is trained, by the token's position in the target (from 0). Without dropout, so it lies below the " +
        "batch's own loss where there is some." }];

  function linesOf(kind) {
    const lines = [];
    data.columns.forEach((column, i) => {
      if (!column.startsWith(kind + ".")) return;
      if (rows.every((row) => row[i] === null)) return; /* positions that no target has */
      lines.push({ name: column.slice(kind.length + 1), column: i, on: true });
    });
    const layers = 1 + Math.max(0, ...lines.map((line) => place(line.name).layer));
    lines.forEach((line, i) => { line.style = look(line.name, kind === "loss" ? i / Math.max(1, lines.length - 1) : layers, kind); });
    return lines;
  }

  function ticks(low, high, log) {
    const found = [];
    const decades = log ? Math.log10(high / low) : 0;
    if (decades > 0.6) {
      for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
        for (const m of decades < 2.2 ? [1, 2, 5] : [1]) {
          const v = Number(`${m}e${e}`);
          if (v >= low && v <= high) found.push(v);
        }
      return found;
    }
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const each = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= rough);
    for (let v = Math.ceil(low / each) * each; v <= high + each * 1e-9; v += each) found.push(Number(v.toPrecision(12)));
    return found;
  }

  /* The range of the lines shown, with a margin. Kept until other lines are shown (`changed`). */
  function limits(chart) {
    if (!chart.reach) chart.reach = reach(chart);
    return chart.reach;
  }

  function changed(chart) {
    chart.reach = chart.painted = null;
    draw(chart);
  }

  function reach(chart) {
    let low = Infinity, high = -Infinity;
    for (const line of chart.lines)
      if (line.on)
        for (const row of rows) {
          const v = row[line.column];
          if (v === null || (chart.log && v <= 0)) continue;
          if (v < low) low = v;
          if (v > high) high = v;
        }
    if (low > high) return chart.log ? [1e-4, 1] : [0, 1];
    if (chart.log) {
      if (chart.rule) low = Math.min(low, chart.rule), high = Math.max(high, chart.rule);
      return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
    }
    low = Math.min(0, low);
    return [low, high === low ? low + 1 : high + (high - low) * 0.05];
  }

  const EDGE = { left: 58, right: 12, top: 10, bottom: 26 };

  function scales(chart) {
    const box = chart.canvas.getBoundingClientRect(), [low, high] = limits(chart);
    const first = steps[0], last = steps[steps.length - 1];
    const wide = box.width - EDGE.left - EDGE.right, tall = box.height - EDGE.top - EDGE.bottom;
    const share = chart.log ? (v) => Math.log(v / low) / Math.log(high / low) : (v) => (v - low) / (high - low);
    return { box, low, high, first, last,
      x: (step) => EDGE.left + (last > first ? (step - first) / (last - first) : 0.5) * wide,
      y: (v) => EDGE.top + (1 - share(v)) * tall };
  }

  function trace(pen, chart, line, s) {
    pen.beginPath();
    let down = false, alone = null;
    rows.forEach((row, i) => {
      const v = row[line.column];
      if (v === null || (chart.log && v <= 0)) { down = false; return; }
      const x = s.x(steps[i]), y = s.y(v);
      if (down) { pen.lineTo(x, y); alone = null; } else { pen.moveTo(x, y); alone = [x, y]; }
      down = true;
    });
    pen.stroke();
    if (alone) { pen.beginPath(); pen.arc(alone[0], alone[1], 2, 0, 7); pen.fill(); } /* a point without neighbours */
  }

  const of = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

  /* Axes and lines have a canvas of their own: while they do not change, only the step is drawn again. */
  function paint(chart, s, ratio) {
    const dark = document.documentElement.dataset.theme === "dark";
    const state = [s.box.width, s.box.height, ratio, dark, chart.near && chart.near.name].join();
    if (chart.painted === state) return;
    chart.painted = state;
    chart.layer.width = Math.round(s.box.width * ratio);
    chart.layer.height = Math.round(s.box.height * ratio);
    const pen = chart.layer.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui, sans-serif";
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const v of ticks(s.low, s.high, chart.log)) {
      pen.strokeStyle = of("--line");
      pen.beginPath(); pen.moveTo(EDGE.left, s.y(v)); pen.lineTo(s.box.width - EDGE.right, s.y(v)); pen.stroke();
      pen.fillStyle = of("--faint");
      pen.fillText(chart.log && v < 0.01 ? v.toExponential(0) : text(v), EDGE.left - 6, s.y(v));
    }
    pen.textBaseline = "top";
    let free = -Infinity; /* where the next number of the axis may begin */
    for (const v of ticks(s.first, s.last > s.first ? s.last : s.first + 1, false)) {
      if (v > s.last) continue;
      const label = String(v), half = pen.measureText(label).width / 2, x = s.x(v);
      if (x - half < free || x + half > s.box.width) continue;
      free = x + half + 12;
      pen.textAlign = "center";
      pen.fillText(label, x, s.box.height - EDGE.bottom + 7);
    }
    const near = chart.near;
    for (const line of [...chart.lines.filter((l) => l !== near), ...(near ? [near] : [])]) {
      if (!line.on) continue;
      pen.strokeStyle = pen.fillStyle = colour(line.style, dark);
      pen.globalAlpha = near && near !== line ? 0.25 : 0.9;
      pen.lineWidth = near === line ? 2.6 : 1.4;
      pen.setLineDash(line.style.dash);
      trace(pen, chart, line, s);
    }
    pen.globalAlpha = 1;
    pen.lineWidth = 1;
    if (chart.rule && chart.rule >= s.low && chart.rule <= s.high) {
      pen.strokeStyle = pen.fillStyle = of("--mark");
      pen.setLineDash([2, 4]);
      pen.beginPath(); pen.moveTo(EDGE.left, s.y(chart.rule)); pen.lineTo(s.box.width - EDGE.right, s.y(chart.rule)); pen.stroke();
      pen.textAlign = "right"; pen.textBaseline = "bottom";
      pen.fillText("rule of thumb: 1e-3", s.box.width - EDGE.right - 4, s.y(chart.rule) - 2);
    }
  }

  function draw(chart) {
    const canvas = chart.canvas, s = scales(chart), ratio = window.devicePixelRatio || 1;
    if (s.box.width < EDGE.left + EDGE.right) return;
    paint(chart, s, ratio);
    canvas.width = chart.layer.width;
    canvas.height = chart.layer.height;
    const pen = canvas.getContext("2d");
    pen.drawImage(chart.layer, 0, 0);
    pen.scale(ratio, ratio);
    pen.strokeStyle = of("--faint");
    pen.beginPath(); pen.moveTo(s.x(steps[at]), EDGE.top); pen.lineTo(s.x(steps[at]), s.box.height - EDGE.bottom); pen.stroke();
    tell(chart, s);
  }

  /* The name and value of the line that is pointed at. */
  function tell(chart, s) {
    const line = chart.near, value = line && line.on ? rows[at][line.column] : null;
    chart.lines.forEach((l) => {
      l.value.textContent = text(rows[at][l.column]);
      l.item.classList.toggle("near", l === line);
      l.item.classList.toggle("off", !l.on);
    });
    chart.tip.style.display = value === null ? "none" : "block";
    if (value === null) return;
    chart.tip.textContent = `${line.name}  ${text(value)}  (update ${steps[at]})`;
    const x = s.x(steps[at]), wide = chart.tip.offsetWidth, left = x > s.box.width / 2 ? x - wide - 8 : x + 8;
    chart.tip.style.left = `${Math.max(0, Math.min(s.box.width - wide, left))}px`;
    chart.tip.style.top = `${Math.max(0, Math.min(s.box.height - 30, s.y(Math.max(value, chart.log ? s.low : value)) - 30))}px`;
  }

  function go(row) {
    at = Math.max(0, Math.min(rows.length - 1, row));
    slider.value = at;
    const loss = data.columns.indexOf("loss"), norm = data.columns.indexOf("gradient_norm"), rate = data.columns.indexOf("learning_rate");
    said.textContent = `update ${steps[at]}: loss ${text(rows[at][loss])}, gradient norm ${text(rows[at][norm])}, ` +
      `learning rate ${text(rows[at][rate])}`;
    charts.forEach(draw);
  }

  /* The row and the line nearest to the pointer. */
  function point(chart, event) {
    const s = scales(chart), x = event.clientX - s.box.left, y = event.clientY - s.box.top;
    let best = 0;
    steps.forEach((step, i) => { if (Math.abs(s.x(step) - x) < Math.abs(s.x(steps[best]) - x)) best = i; });
    let near = null, distance = 40;
    for (const line of chart.lines) {
      const v = rows[best][line.column];
      if (!line.on || v === null || (chart.log && v <= 0)) continue;
      if (Math.abs(s.y(v) - y) < distance) { near = line; distance = Math.abs(s.y(v) - y); }
    }
    chart.near = near;
    go(best);
  }

  function swatch(line) {
    const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
    svg.setAttribute("width", 22);
    svg.setAttribute("height", 10);
    path.setAttribute("d", "M0 5H22");
    path.setAttribute("stroke-width", 2.5);
    if (line.style.dash.length) path.setAttribute("stroke-dasharray", line.style.dash.join(" "));
    svg.append(path);
    line.paint = () => path.setAttribute("stroke", colour(line.style, document.documentElement.dataset.theme === "dark"));
    line.paint();
    return svg;
  }

  function listOf(chart) {
    const list = make("ul", {});
    for (const line of chart.lines) {
      line.box = make("input", { type: "checkbox", checked: true });
      line.value = make("span", { className: "value" });
      line.item = make("li", {}, make("label", {}, line.box, swatch(line), make("span", { className: "name", title: line.name }, line.name), line.value));
      line.box.addEventListener("change", () => { line.on = line.box.checked; changed(chart); });
      line.item.addEventListener("mouseenter", () => { chart.near = line; draw(chart); });
      line.item.addEventListener("mouseleave", () => { chart.near = null; draw(chart); });
      list.append(line.item);
    }
    const set = (wanted) => () => {
      chart.lines.forEach((line) => { if (!line.item.hidden) line.on = line.box.checked = wanted; });
      changed(chart);
    };
    const search = make("input", { type: "search", placeholder: "filter: decoder.*cross", "aria-label": `filter the lines of: ${chart.title}` });
    search.addEventListener("input", () => {
      const parts = search.value.trim().split("*");
      chart.lines.forEach((line) => {
        let from = 0;
        const fits = parts.every((part) => { const i = line.name.indexOf(part, from); from = i + part.length; return i >= 0; });
        line.item.hidden = !fits;
        line.on = line.box.checked = fits;
      });
      changed(chart);
    });
    return make("div", { className: "lines" },
      make("div", { className: "tools" }, search, make("button", { onclick: set(true) }, "all"), make("button", { onclick: set(false) }, "none")),
      list);
  }

  function add(kind) {
    const chart = { ...kind, lines: linesOf(kind.kind), near: null };
    if (!chart.lines.length) return;
    chart.canvas = make("canvas", { tabIndex: 0, "aria-label": chart.title });
    chart.canvas.setAttribute("role", "img");
    chart.layer = make("canvas");
    chart.tip = make("div", { className: "tip" });
    const scale = make("button", { onclick: () => { chart.log = !chart.log; name(); changed(chart); } });
    const name = () => { scale.textContent = chart.log ? "log scale" : "linear scale"; };
    name();
    const list = listOf(chart);
    list.firstChild.append(scale);
    document.body.append(make("section", { id: kind.kind }, make("h2", {}, chart.title), make("p", {}, chart.help),
      make("div", { className: "chart" }, make("div", { className: "plot" }, chart.canvas, chart.tip), list)));
    chart.canvas.addEventListener("pointermove", (event) => point(chart, event));
    chart.canvas.addEventListener("pointerleave", () => { chart.near = null; draw(chart); });
    charts.push(chart);
  }

  /* ---- the page ---- */

  function theme(name) {
    document.documentElement.dataset.theme = name;
    charts.forEach((chart) => { chart.lines.forEach((line) => line.paint()); draw(chart); });
  }

  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
  const every = rows.length > 1 ? steps[1] - steps[0] : steps[0];
  document.body.append(make("header", {}, make("h1", {}, `Training from inside: ${data.title}`),
    make("p", {}, rows.length ? `${rows.length} rows, updates ${steps[0]} to ${steps[rows.length - 1]}, every ${every}` +
      (data.each > 1 ? `; the table is long, so one row in ${data.each} is shown` : "") + "; from watch.csv beside it" : ""),
    make("div", { className: "tools" }, make("button",
      { onclick: () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark") }, "dark / light"))));
  if (!rows.length) {
    document.body.append(make("p", { className: "empty" }, "No update has been watched yet."));
    return;
  }
  const slider = make("input", { type: "range", min: 0, max: rows.length - 1, value: at });
  const said = make("output", {});
  slider.addEventListener("input", () => go(Number(slider.value)));
  document.body.append(make("div", { className: "bar" }, make("label", {}, "update", slider), said));
  KINDS.forEach(add);
  document.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT") return;
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -rows.length, End: rows.length }[event.key];
    if (!move) return;
    event.preventDefault();
    go(at + move);
  });
  window.addEventListener("resize", () => charts.forEach(draw));
  window.addEventListener("beforeprint", () => theme("light"));
  go(at);
});
