"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const names = Object.keys(data.quantities);
  const first = names.find((name) => name.startsWith("V-information of next")) || names.find((name) => /^I\((?!T)/.test(name)) || names[0];
  const state = { quantity: first, against: "", step: data.steps.length - 1, reading: null, timer: null };
  const SVG = "http://www.w3.org/2000/svg";
  const stops = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

  const make = (tag, attributes, text, title) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    if (title !== undefined) { const tip = document.createElementNS(SVG, "title"); tip.textContent = title; element.append(tip); }
    return element;
  };
  const mix = (part) => {
    const place = Math.max(0, Math.min(1, part)) * (stops.length - 1), low = Math.min(stops.length - 2, Math.floor(place));
    return `rgb(${stops[low].map((value, k) => Math.round(value + (stops[low + 1][k] - value) * (place - low))).join(",")})`;
  };
  const short = (value) => value === null || value === undefined ? "–" : String(Number(value.toPrecision(3)));
  const layerColor = (k) => mix(0.22 + 0.68 * k / Math.max(1, data.layers.length - 1));
  const layerName = (name) => name.replace(/^.*?(\d+):input$/, (all, digit) => digit === "0" ? "embedding" : all).replace(/^.*blocks?\.(\d+)$/, (all, digit) => `block ${Number(digit) + 1}`);
  const known = (values) => values.flat().filter((value) => value !== null);
  const extent = (chosen) => {
    const all = chosen.flatMap((name) => { const q = data.quantities[name]; return [...known(q.value), ...q.value.flatMap((row, k) => row.map((value, s) => value === null ? 0 : value + 2 * (q.se[k][s] || 0))), ...known(q.null), ...ceiling(name)]; });
    let low = Math.min(0, ...all), high = Math.max(0, ...all);
    if (!(high > low)) high = low + 1;
    return [low, high + 0.04 * (high - low)];
  };
  // A ceiling far above every value would flatten the curves; it is then stated in the text below.
  const ceiling = (name) => { const q = data.quantities[name], values = known(q.ceiling), top = Math.max(...known(q.value)); return values.length && Math.min(...values) < 3 * Math.max(top, 1e-9) ? values : []; };
  const shown = () => [state.quantity, ...(state.against && state.against !== state.quantity ? [state.against] : [])];
  const stepX = (k, left, width) => left + (data.steps.length < 2 ? 0.5 : k / (data.steps.length - 1)) * width;
  const ticks = (low, high) => {
    const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw)), size = [1, 2, 5, 10].find((each) => each * power >= raw) * power;
    const found = [];
    for (let value = Math.ceil(low / size) * size; value <= high + 1e-12; value += size) found.push(value);
    return found;
  };
  const labels = (svg, left, width, y) => data.steps.forEach((step, k) => {
    const every = Math.ceil(data.steps.length / 8);
    if (k % every === 0 || k === data.steps.length - 1 && k % every >= every / 2) svg.append(make("text", { x: stepX(k, left, width), y, "text-anchor": "middle" }, step));
  });

  function map() {
    const q = data.quantities[state.quantity], width = 520, left = 84, right = 76, top = 6, cell = Math.max(16, Math.min(44, 260 / data.layers.length)), height = top + cell * data.layers.length + 46;
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${state.quantity} by depth and step` });
    const values = known(q.value), low = Math.min(...values), high = Math.max(...values), wide = (width - left - right) / data.steps.length;
    data.layers.forEach((layer, k) => {
      const y = top + cell * (data.layers.length - 1 - k);
      svg.append(make("text", { x: left - 8, y: y + cell / 2 + 4, "text-anchor": "end", class: "name" }, layerName(layer)));
      data.steps.forEach((step, s) => {
        const value = q.value[k][s];
        const tip = `${layerName(layer)}, step ${step}: ${short(value)} ${q.unit}; null ${short(q.null[k][s])}, ceiling ${short(q.ceiling[k][s])}, standard error ${short(q.se[k][s])}`;
        const box = make("rect", { x: left + wide * s, y, width: wide + 0.4, height: cell + 0.4, fill: value === null ? "none" : mix(high > low ? (value - low) / (high - low) : 0.5) }, undefined, tip);
        box.addEventListener("click", () => set(s));
        svg.append(box);
      });
    });
    const bottom = top + cell * data.layers.length, every = Math.ceil(data.steps.length / 8);
    data.steps.forEach((step, s) => { if (s % every === 0 || s === data.steps.length - 1 && s % every >= every / 2) svg.append(make("text", { x: left + wide * (s + 0.5), y: bottom + 16, "text-anchor": "middle" }, step)); });
    svg.append(make("text", { x: left + (width - left - right) / 2, y: bottom + 36, "text-anchor": "middle" }, "training step"));
    svg.append(make("rect", { x: left + wide * state.step, y: top, width: wide, height: bottom - top, class: "cursor" }));
    for (let k = 0; k < 40; k++) svg.append(make("rect", { x: width - right + 16, y: top + (bottom - top) * k / 40, width: 12, height: (bottom - top) / 40 + 0.5, fill: mix(1 - k / 39) }));
    svg.append(make("text", { x: width - right + 32, y: top + 10 }, short(high)), make("text", { x: width - right + 32, y: bottom }, short(low)));
    get("map").replaceChildren(svg);
  }

  function chart(id, across, points, mark) {
    const width = 520, height = 330, left = 50, right = 84, top = 8, bottom = 46, inner = width - left - right, tall = height - top - bottom;
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${shown().join(" and ")} by ${across}` });
    const [low, high] = extent(shown()), y = (value) => top + tall * (1 - (value - low) / (high - low));
    for (const tick of ticks(low, high)) svg.append(make("line", { x1: left, x2: width - right, y1: y(tick), y2: y(tick), class: "grid" }), make("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
    const x = (k) => left + (points.length < 2 ? 0.5 : k / (points.length - 1)) * inner;
    const line = (values, color, style) => {
      let path = "", open = false;
      values.forEach((value, k) => { if (value === null) { open = false; return; } path += `${open ? "L" : "M"}${x(k).toFixed(1)},${y(value).toFixed(1)}`; open = true; });
      svg.append(make("path", { d: path, fill: "none", stroke: color, ...style }));
    };
    return { svg, line, x, y, width, height, bottomY: height - bottom, left, right, top, inner, bottom, show: () => get(id).replaceChildren(svg) };
  }

  function training() {
    const c = chart("training", "step", data.steps);
    shown().forEach((name, which) => {
      const q = data.quantities[name];
      data.layers.forEach((layer, k) => {
        if (ceiling(name).length) c.line(q.ceiling[k], layerColor(k), { "stroke-dasharray": "6 4", "stroke-width": 1, opacity: 0.55 });
        c.line(q.null[k], layerColor(k), { "stroke-dasharray": "1.5 3", "stroke-width": 1.4 });
        c.line(q.value[k], layerColor(k), { "stroke-width": which ? 1.4 : 2.4, opacity: which ? 0.6 : 1 });
      });
    });
    const placed = data.layers.map((layer, k) => ({ layer, k, y: data.quantities[state.quantity].value[k].at(-1) })).filter((each) => each.y !== null).map((each) => ({ ...each, y: c.y(each.y) })).sort((a, b) => a.y - b.y);
    placed.forEach((each, place) => { if (place && each.y < placed[place - 1].y + 13) each.y = placed[place - 1].y + 13; });
    placed.forEach((each) => { const text = make("text", { x: c.width - c.right + 8, y: each.y + 4 }, layerName(each.layer)); text.style.fill = layerColor(each.k); c.svg.append(text); });
    c.svg.append(make("line", { x1: c.x(state.step), x2: c.x(state.step), y1: c.top, y2: c.height - c.bottom, class: "cursor" }));
    labels(c.svg, c.left, c.inner, c.height - 28);
    c.svg.append(make("text", { x: c.left + c.inner / 2, y: c.height - 8, "text-anchor": "middle" }, "training step"));
    c.show();
  }

  function depth() {
    const c = chart("depth", "depth", data.layers);
    shown().forEach((name, which) => {
      const q = data.quantities[name], at = (table) => table.map((row) => row[state.step]), color = which ? "var(--quiet)" : "var(--accent)";
      if (ceiling(name).length) c.line(at(q.ceiling), color, { "stroke-dasharray": "6 4" });
      c.line(at(q.null), color, { "stroke-dasharray": "1.5 3", "stroke-width": 1.6 });
      c.line(at(q.value), color, { "stroke-width": 2.4 });
      at(q.value).forEach((value, k) => {
        if (value === null) return;
        const error = q.se[k][state.step];
        if (error !== null) c.svg.append(make("line", { x1: c.x(k), x2: c.x(k), y1: Math.min(c.bottomY, c.y(value - 2 * error)), y2: Math.max(c.top, c.y(value + 2 * error)), stroke: color, "stroke-width": 1.4 }));
        c.svg.append(make("circle", { cx: c.x(k), cy: c.y(value), r: 4, fill: color }, undefined, `${layerName(data.layers[k])}: ${short(value)} ${q.unit}`));
      });
    });
    const every = Math.ceil(data.layers.length / 7);
    data.layers.forEach((layer, k) => { if (k % every === 0) c.svg.append(make("text", { x: c.x(k), y: c.height - 28, "text-anchor": "middle" }, layerName(layer))); });
    c.show();
  }

  function tokens() {
    if (!data.tokens) return;
    const step = String(data.steps[state.step]), named = data.tokens.steps[step] || {}, values = named[state.reading] || [];
    const all = Object.values(data.tokens.steps).flatMap((each) => each[state.reading] || []).filter((value) => value !== null).sort((a, b) => a - b);
    const edge = Math.max(1e-9, Math.abs(all[Math.floor(0.02 * all.length)] ?? 0), Math.abs(all[Math.floor(0.98 * (all.length - 1))] ?? 1));
    const negative = all.length && all[0] < 0;
    const color = (value) => value === null || value === undefined ? "transparent" : value >= 0 ? `rgba(226,88,34,${0.75 * Math.min(1, value / edge)})` : `rgba(38,110,190,${0.75 * Math.min(1, -value / edge)})`;
    get("tokens").replaceChildren(...data.tokens.tokens.map((token, k) => {
      const span = document.createElement("span");
      span.textContent = token === "\n" ? "↵\n" : token.replace(/\n/g, "↵\n");
      span.style.background = color(values[k]);
      span.title = `${JSON.stringify(token)}: ${short(values[k])} nats`;
      return span;
    }));
    get("low").textContent = negative ? `${short(-edge)} nats` : "0 nats";
    get("high").textContent = `${short(edge)} nats`;
    get("ramp").style.background = negative ? `linear-gradient(90deg, ${color(-edge)}, transparent, ${color(edge)})` : `linear-gradient(90deg, transparent, ${color(edge)})`;
  }

  function text() {
    const q = data.quantities[state.quantity], tops = known(q.ceiling);
    const losses = Object.entries(data.metrics).map(([name, values]) => [name.replaceAll("_", " "), values[data.steps[state.step]]]).filter(([, value]) => value !== undefined && value !== null);
    get("step-text").textContent = [`step ${data.steps[state.step]}`, ...losses.map(([name, value]) => `${name} ${short(value)}`)].join(", ");
    const far = tops.length && !ceiling(state.quantity).length ? ` The ceiling, ${short(Math.min(...tops))} to ${short(Math.max(...tops))} ${q.unit}, is beyond the axis.` : "";
    get("key").textContent = `${state.quantity}: ${q.kind}${q.unit ? `, in ${q.unit}` : ""}. Solid: value, with two standard errors by depth; dotted: value with shuffled labels; dashed: ceiling.${far} Steps are spaced evenly by their order.`;
  }

  function draw() { map(); training(); depth(); tokens(); text(); }
  function set(step) { state.step = step; get("step").value = String(step); draw(); }
  function fill(select, options, chosen) { for (const [value, name] of options) { const option = new Option(name, value); select.add(option); } select.value = chosen; }

  get("lead").textContent = `${data.layers.length} layers, ${data.steps.length} snapshots, ${names.length} quantities. Geometric quantities describe the arrangement of activations; they are no information about anything.`;
  fill(get("quantity"), names.map((name) => [name, name]), state.quantity);
  fill(get("against"), [["", "nothing"], ...names.map((name) => [name, name])], "");
  get("step").max = String(data.steps.length - 1);
  get("step").value = String(state.step);
  get("quantity").addEventListener("change", (event) => { state.quantity = event.target.value; draw(); });
  get("against").addEventListener("change", (event) => { state.against = event.target.value; draw(); });
  get("step").addEventListener("input", (event) => set(Number(event.target.value)));
  get("play").addEventListener("click", () => {
    const stop = () => { clearInterval(state.timer); state.timer = null; get("play").setAttribute("aria-pressed", "false"); get("play").textContent = "▶ Play"; };
    if (state.timer) { stop(); return; }
    get("play").setAttribute("aria-pressed", "true");
    get("play").textContent = "❚❚ Pause";
    if (state.step === data.steps.length - 1) set(0);
    state.timer = setInterval(() => { if (state.step === data.steps.length - 1) stop(); else set(state.step + 1); }, 600);
  });
  if (data.tokens) {
    const readings = [...new Set(Object.values(data.tokens.steps).flatMap((each) => Object.keys(each)))];
    state.reading = readings[0];
    fill(get("reading"), readings.map((name) => [name, name]), state.reading);
    get("reading").addEventListener("change", (event) => { state.reading = event.target.value; tokens(); });
    get("origin").textContent = data.tokens.title;
    get("passage").hidden = false;
  }
  draw();
})();
