"use strict";
// Draws the plane from the data in the page. Names come from users: they enter the page through textContent, and Plotly
// (whose texts allow a few tags) through plain().
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const AXES = ["input", "label"];
  const VIRIDIS = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
  const MOST_ROWS = 300;
  const depth = Math.max(...data.networks.map((network) => network.layers.length));
  const state = {
    estimator: 0, probe: 0, units: "bits", view: "mean", step: data.epochs.length - 1,
    playing: false, hiddenNetworks: new Set(), hiddenLayers: new Set(),
  };
  let theme, colors, cards = [], pending = 0, timer = 0;

  // ---- numbers -----------------------------------------------------------------------------------------------
  const unit = (nats) => (nats === null ? null : state.units === "bits" ? nats / Math.LN2 : nats);
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = (text, most = 30) => (text.length > most ? "…" + text.slice(1 - most) : text);
  const fixed = (value, digits = 3) => (value === null ? "–" : value.toFixed(digits));
  const range = (count) => Array.from({ length: count }, (_, i) => i);
  const present = (values) => values.filter((value) => value !== null);

  function quantile(sorted, q) {
    const at = (sorted.length - 1) * q, below = Math.floor(at), above = Math.ceil(at);
    return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
  }

  function overSeeds(values) { // mean and 10–90 % band of what is there
    const there = present(values).sort((a, b) => a - b);
    if (!there.length) return { mean: null, low: null, high: null };
    const mean = there.reduce((sum, value) => sum + value, 0) / there.length;
    return { mean, low: quantile(there, 0.1), high: quantile(there, 0.9) };
  }

  const cubeOf = (network, axis) => data.cubes.find((cube) => cube.network === network && cube.axis === axis
    && cube.probe === state.probe && cube.estimator === state.estimator);

  // A layer's numbers by epoch, in nats: seeds[s][e], mean, low, high, and how many seeds are at a ceiling.
  function series(network, axis, layer) {
    const cube = cubeOf(network, axis);
    if (!cube) return null;
    cube.cache ??= {};
    return (cube.cache[layer] ??= (() => {
      const { seeds, epochs } = data.networks[network];
      const at = (s) => (layer * seeds.length + s) * epochs.length;
      const slices = (array) => seeds.map((_, s) => array.slice(at(s), at(s) + epochs.length));
      const rows = slices(cube.nats), full = slices(cube.saturated);
      const over = epochs.map((_, e) => overSeeds(rows.map((row) => row[e])));
      const own = seeds.length === 1 && cube.low; // one seed: the estimator's own interval, if any
      return {
        seeds: rows, full, mean: over.map((o) => o.mean),
        low: own ? slices(cube.low)[0] : over.map((o) => o.low),
        high: own ? slices(cube.high)[0] : over.map((o) => o.high),
        saturated: epochs.map((_, e) => full.filter((row) => row[e] === "1").length),
        // No I(T;Y) exceeds H(Y), so a point there is no lower bound.
        atLeast: !(axis === "label" && cube.ceilings.every(({ name }) => name === "H(Y)")),
        banded: seeds.length > 1 || Boolean(own),
      };
    })());
  }

  // Without estimates of I(X;T), layers lie side by side in the order of their depth.
  const planar = () => data.cubes.some((cube) => cube.axis === "input" && cube.probe === state.probe && cube.estimator === state.estimator);
  const along = (value) => (planar() ? unit(value) : value);
  function across(network, layer) {
    if (planar()) return series(network, "input", layer);
    const { seeds, epochs } = data.networks[network], at = epochs.map(() => layer + 1);
    return { seeds: seeds.map(() => at), full: seeds.map(() => epochs.map(() => "0")), mean: at, low: at, high: at,
      saturated: epochs.map(() => 0), atLeast: false, banded: false };
  }

  const firstEpoch = data.epochs.find((epoch) => epoch > 0) ?? 1;
  const place = (epoch) => (epoch > 0 ? epoch : firstEpoch / 2); // epoch 0 at half of the first positive epoch
  function epochTicks() {
    const last = data.epochs[data.epochs.length - 1], values = [], texts = [];
    if (data.epochs[0] === 0) { values.push(place(0)); texts.push("0"); }
    for (let power = 1; power <= last; power *= 10) if (power >= firstEpoch) { values.push(power); texts.push(String(power)); }
    return { tickvals: values, ticktext: texts };
  }
  // Networks may be recorded at different epochs: the last snapshot not later than the selected epoch.
  const stepOf = (network) => data.networks[network].epochs.findLastIndex((epoch) => epoch <= data.epochs[state.step]);

  // ---- style -------------------------------------------------------------------------------------------------
  function readTheme() {
    const style = getComputedStyle(document.documentElement), value = (name) => style.getPropertyValue(name).trim();
    theme = { paper: value("--paper"), ink: value("--ink"), quiet: value("--quiet"), grid: value("--grid"),
      rule: value("--rule"), accent: value("--accent"), font: value("--sans") };
    const low = Number(value("--depth-low")), high = Number(value("--depth-high"));
    colors = range(depth).map((i) => viridis(depth > 1 ? low + ((high - low) * i) / (depth - 1) : low));
  }

  function viridis(part) {
    const at = part * (VIRIDIS.length - 1), i = Math.min(Math.floor(at), VIRIDIS.length - 2), rest = at - i;
    const channel = (hex, k) => parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
    return range(3).map((k) => Math.round(channel(VIRIDIS[i], k) * (1 - rest) + channel(VIRIDIS[i + 1], k) * rest));
  }
  const rgb = (layer, alpha = 1) => `rgba(${colors[layer].join(",")},${alpha})`;
  const onColor = (layer) => (colors[layer][0] * 0.299 + colors[layer][1] * 0.587 + colors[layer][2] * 0.114 > 135 ? "#111" : "#fff");

  const font = (size, color = theme.ink) => ({ family: theme.font, size, color });
  const axisStyle = () => ({ gridcolor: theme.grid, linecolor: theme.rule, zeroline: false, showline: true, ticks: "outside",
    ticklen: 4, tickcolor: theme.rule, tickfont: font(11, theme.quiet), automargin: false });
  const baseLayout = () => ({ paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: font(12), showlegend: false,
    hovermode: "closest", hoverlabel: { bgcolor: theme.paper, bordercolor: theme.rule, font: font(12), align: "left" },
    uirevision: `${state.estimator} ${state.probe} ${state.units}` });
  const CONFIG = { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "resetScale2d"]] };

  // "H(Q(T)) [bits], plug-in": what is drawn, in which unit, of which kind.
  function named(cube, kind = true) {
    return cube ? plain(`${cube.quantity} [${state.units}]${kind ? `, ${cube.kind}` : ""}`) : "no estimates";
  }

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  // ---- the plane ---------------------------------------------------------------------------------------------
  function limits(axis) { // the same for every network and epoch, so that panels can be compared
    if (axis === "input" && !planar()) return [0.5, depth + 0.5];
    let low = 0, high = 0, ceiling = 0;
    for (const cube of data.cubes) {
      if (cube.axis !== axis || cube.probe !== state.probe || cube.estimator !== state.estimator) continue;
      for (const value of cube.nats) if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
      for (const one of cube.ceilings) if (one.nats !== null) ceiling = Math.max(ceiling, one.nats);
    }
    if (ceiling < 3 * high) high = Math.max(high, ceiling);
    const span = high - low || 1;
    return [unit(low - 0.04 * span), unit(high + 0.1 * span)];
  }

  function hoverText(network, layer, step, seed) { // text of a point
    const lines = [`<b>${plain(short(data.networks[network].layers[layer], 60))}</b>, ${data.time} ${data.networks[network].epochs[step]}`
      + (seed === undefined ? "" : `, seed ${data.networks[network].seeds[seed]}`)];
    for (const axis of AXES) {
      const cube = cubeOf(network, axis), line = series(network, axis, layer);
      if (!cube || line.mean[step] === null) continue;
      const value = unit(seed === undefined ? line.mean[step] : line.seeds[seed][step]);
      const band = seed === undefined && line.banded ? ` [${fixed(unit(line.low[step]))}, ${fixed(unit(line.high[step]))}]` : "";
      const count = line.saturated[step], many = data.networks[network].seeds.length;
      const full = seed !== undefined ? (line.full[seed][step] === "1" ? "; saturated" : "")
        : count ? `; saturated${many > 1 ? ` in ${count} of ${many} seeds` : ""}` : "";
      lines.push(`${plain(cube.quantity)} = ${fixed(value)} ${state.units}${band}${full}`);
    }
    return lines.join("<br>");
  }

  // Layers whose points cover one another share one number, "1–3", on the one that lies on top.
  function numbersOn(card, points) {
    const x = limits("input"), y = limits("label"), wide = card.plane.clientWidth - 76, high = card.plane.clientHeight - 72;
    const apart = (p, q) => Math.hypot(((p.x - q.x) * wide) / (x[1] - x[0]), ((p.y - q.y) * high) / (y[1] - y[0]));
    const texts = new Map(), left = [...points].reverse();
    while (left.length) {
      const top = left.shift(), under = left.filter((point) => apart(top, point) < 11);
      for (const point of under) { texts.set(point.layer, ""); left.splice(left.indexOf(point), 1); }
      const all = [...under, top].map((point) => point.layer + 1).sort((a, b) => a - b), last = all[all.length - 1];
      texts.set(top.layer, all.length > 1 && last - all[0] === all.length - 1 ? `${all[0]}–${last}` : all.join(","));
    }
    return texts;
  }

  function planeTraces(card) {
    const { network } = card, step = stepOf(network), trails = [], traces = [];
    const { layers, seeds } = data.networks[network];
    const nowAt = range(layers.length).filter((layer) => !state.hiddenLayers.has(layer)).map((layer) => ({ layer,
      x: along(across(network, layer)?.mean[step] ?? null), y: unit(series(network, "label", layer)?.mean[step] ?? null) }))
      .filter((point) => point.x !== null && point.y !== null);
    const texts = numbersOn(card, nowAt), route = { x: nowAt.map((point) => point.x), y: nowAt.map((point) => point.y) };
    range(layers.length).forEach((layer) => {
      const x = across(network, layer), y = series(network, "label", layer);
      if (state.hiddenLayers.has(layer) || !x || !y) return;
      const color = rgb(layer), past = range(step + 1), meta = { meta: { layer }, hoverinfo: "text" };
      const full = (e) => [x, y].some((line) => line.atLeast && line.saturated[e]);
      if (state.view === "mean") {
        trails.push({ ...meta, type: "scatter", mode: "lines+markers", name: "trail",
          x: past.map((e) => along(x.mean[e])), y: past.map((e) => unit(y.mean[e])),
          hovertext: past.map((e) => hoverText(network, layer, e)),
          line: { color: rgb(layer, 0.4), width: 1 },
          marker: { size: 5, color: color, symbol: past.map((e) => (full(e) ? "circle-open" : "circle")),
            opacity: past.map((e) => 0.22 + (0.55 * (e + 1)) / (step + 1)) } });
      } else {
        const trail = { x: [], y: [] };
        seeds.forEach((_, s) => {
          past.forEach((e) => { trail.x.push(along(x.seeds[s][e])); trail.y.push(unit(y.seeds[s][e])); });
          trail.x.push(null); trail.y.push(null);
        });
        trails.push({ type: "scatter", mode: "lines", name: "trail", ...trail, meta: { layer }, hoverinfo: "skip",
          line: { color: rgb(layer, 0.28), width: 0.8 } });
      }
      if (step < 0 || x.mean[step] === null || y.mean[step] === null) return;
      const here = { x: [along(x.mean[step])], y: [unit(y.mean[step])] }, open = full(step);
      const text = texts.get(layer), small = text.length > 2;
      const number = { text: [text], textfont: { ...font(small ? 9 : 11, open ? theme.ink : onColor(layer)), weight: 600 } };
      if (state.view === "mean") {
        const spread = (line) => ({ type: "data", symmetric: false, array: [unit(line.high[step] - line.mean[step])],
          arrayminus: [unit(line.mean[step] - line.low[step])], color: color, thickness: 1.1, width: 0, visible: line.banded });
        // A filled disc behind the open symbol keeps its number legible.
        traces.push({ ...meta, ...here, ...number, type: "scatter", mode: "markers+text", name: "now", cliponaxis: false,
          hovertext: [hoverText(network, layer, step)], error_x: spread(x), error_y: spread(y),
          marker: { size: small ? 21 : 18, color: open ? theme.paper : color, line: { color: open ? color : theme.paper, width: open ? 2.2 : 1.2 } } });
      } else {
        const points = range(seeds.length).filter((s) => x.seeds[s][step] !== null && y.seeds[s][step] !== null);
        traces.push({ ...meta, type: "scatter", mode: "markers", name: "now", cliponaxis: false,
          x: points.map((s) => along(x.seeds[s][step])), y: points.map((s) => unit(y.seeds[s][step])),
          hovertext: points.map((s) => hoverText(network, layer, step, s)),
          marker: { size: 8, color: color, line: { width: 1.4, color: color },
            symbol: points.map((s) => ([x, y].some((line) => line.atLeast && line.full[s][step] === "1") ? "circle-open" : "circle")) } });
        traces.push({ ...here, text: number.text, type: "scatter", mode: "markers+text", name: "number", hoverinfo: "skip",
          marker: { size: 12, opacity: 0 }, textposition: "top center", textfont: { ...font(12, theme.ink), weight: 700 } });
      }
    });
    const path = { type: "scatter", mode: "lines", name: "layers", ...route, hoverinfo: "skip", line: { color: theme.quiet, width: 1, dash: "dot" } };
    return [...trails, path, ...traces];
  }

  function ceilings(network, xLimits, yLimits) {
    const shapes = [], annotations = [];
    AXES.forEach((axis, i) => {
      for (const { name, nats } of cubeOf(network, axis)?.ceilings ?? []) {
        const value = unit(nats), far = i === 0 ? xLimits : yLimits;
        if (value === null || value > far[1]) continue;
        const across = i === 0 ? { xref: "x", x0: value, x1: value, yref: "paper", y0: 0, y1: 1 } : { yref: "y", y0: value, y1: value, xref: "paper", x0: 0, x1: 1 };
        shapes.push({ type: "line", layer: "below", line: { color: theme.quiet, width: 1.2, dash: "dash" }, ...across });
        const where = i === 0 ? { x: value, xref: "x", y: 1, yref: "paper", yanchor: "bottom", xanchor: "center" }
          : { y: value, yref: "y", x: 0, xref: "paper", yanchor: "bottom", xanchor: "left", xshift: 4 };
        annotations.push({ text: plain(`${name} = ${value.toFixed(2)}`), showarrow: false, font: font(11, theme.quiet), ...where });
      }
    });
    return { shapes, annotations };
  }

  function planeLayout(network) {
    const x = limits("input"), y = limits("label");
    return { ...baseLayout(), margin: { l: 58, r: 18, t: 26, b: 46 }, ...ceilings(network, x, y),
      xaxis: { ...axisStyle(), showgrid: false, range: x, ...(!planar() && { tickmode: "linear", tick0: 1, dtick: Math.ceil(depth / 16) }),
        title: { text: planar() ? named(cubeOf(network, "input")) : "layer, in order of depth", font: font(13), standoff: 6 } },
      yaxis: { ...axisStyle(), showgrid: false, range: y, title: { text: named(cubeOf(network, "label")), font: font(13), standoff: 6 } } };
  }

  // ---- curves ------------------------------------------------------------------------------------------------
  function metricFamilies(network) { // train_accuracy and test_accuracy share one panel, "accuracy"
    const families = new Map();
    for (const name of Object.keys(data.networks[network].metrics)) {
      const found = /^(train|training|test|val|validation)_(.+)$/.exec(name);
      const [part, family] = found ? [found[1], found[2]] : ["", name];
      families.set(family, [...(families.get(family) ?? []), { name, part }]);
    }
    const order = (name) => ["accuracy", "loss"].indexOf(name) >>> 0; // those two first
    return [...families].sort((a, b) => order(a[0]) - order(b[0]));
  }

  function lineTraces(epochs, line, looks) {
    const x = epochs.map(place), { color, fade, axes, label, dash = "solid", open } = looks;
    const common = { type: "scatter", ...axes, hoverinfo: "text" };
    if (state.view === "seeds" && line.seeds.length > 1) {
      const all = { x: [], y: [] };
      line.seeds.forEach((row) => { all.x.push(...x, null); all.y.push(...row, null); });
      return [{ ...common, ...all, mode: "lines", name: label, hoverinfo: "name", line: { color, width: 0.9, dash } }];
    }
    const there = range(x.length).filter((e) => line.low[e] !== null && line.high[e] !== null), back = [...there].reverse();
    const band = { ...common, mode: "lines", fill: "toself", fillcolor: fade, line: { width: 0 }, hoverinfo: "skip", name: "band",
      x: [...there, ...back].map((e) => x[e]), y: [...there.map((e) => line.high[e]), ...back.map((e) => line.low[e])] };
    const mean = { ...common, x, y: line.mean, mode: open ? "lines+markers" : "lines", name: label,
      line: { color, width: 1.7, dash }, hovertext: epochs.map((epoch, e) => `${label}, ${data.time} ${epoch}: ${fixed(line.mean[e])}`) };
    let last = 0; // open symbols at some distance from each other
    const marked = open?.map((full, e) => full && x[e] > 1.5 * last && Boolean(last = x[e]));
    if (open) mean.marker = { size: marked.map((mark) => (mark ? 5 : 0)), symbol: "circle-open", color, opacity: 1 };
    if (x.length === 1) Object.assign(mean, { mode: "markers", marker: { size: 7, color, symbol: open?.[0] ? "circle-open" : "circle" } });
    return line.banded ? [band, mean] : [mean];
  }

  function curves(network, width) {
    const { layers, epochs, metrics, metricEpochs, metricSeeds } = data.networks[network];
    const panels = AXES.filter((axis) => cubeOf(network, axis)).map((axis) => ({ title: named(cubeOf(network, axis), false), axis }));
    for (const [family, members] of metricFamilies(network)) panels.push({ title: plain(family), members });
    const columns = width < 520 ? 1 : 2, rows = Math.ceil(panels.length / columns), height = columns === 1 ? 190 : 215;
    const layout = { ...baseLayout(), margin: { l: 46, r: 14, t: 26, b: 40 }, annotations: [] }, traces = [];
    const gapX = 0.11, gapY = 62 / (height * rows), ticks = epochTicks();
    const lastX = Math.log10(place(data.epochs[data.epochs.length - 1])), firstX = Math.log10(place(data.epochs[0]));
    panels.forEach((panel, i) => {
      const column = i % columns, row = Math.floor(i / columns), id = i === 0 ? "" : String(i + 1);
      const w = (1 - gapX * (columns - 1)) / columns, h = (1 - gapY * (rows - 1)) / rows;
      const left = column * (w + gapX), top = 1 - row * (h + gapY), axes = { xaxis: `x${id}`, yaxis: `y${id}` };
      const pad = 0.03 * (lastX - firstX || 1), lowest = i >= panels.length - columns;
      layout[`xaxis${id}`] = { ...axisStyle(), type: "log", anchor: `y${id}`, domain: [left, left + w], range: [firstX - pad, lastX + pad],
        tickmode: "array", ...ticks, showgrid: false, title: { text: lowest ? data.time : "", font: font(12, theme.quiet), standoff: 4 } };
      layout[`yaxis${id}`] = { ...axisStyle(), anchor: `x${id}`, domain: [Math.max(0, top - h), top], nticks: 5 };
      layout.annotations.push({ text: panel.title, showarrow: false, font: font(12.5), x: left, xref: "paper", xanchor: "left",
        y: top, yref: "paper", yanchor: "bottom", yshift: 4 });
      if (panel.axis) {
        layout[`yaxis${id}`].range = limits(panel.axis);
        layers.forEach((name, layer) => {
          const line = series(network, panel.axis, layer);
          if (!line || state.hiddenLayers.has(layer)) return;
          const inUnit = { seeds: line.seeds.map((r) => r.map(unit)), mean: line.mean.map(unit), low: line.low.map(unit), high: line.high.map(unit), banded: line.banded };
          traces.push(...lineTraces(epochs, inUnit, { color: rgb(layer), fade: rgb(layer, 0.16), axes, label: plain(short(name)), open: line.saturated.map((n) => line.atLeast && n > 0) }));
        });
      } else {
        for (const { name, part } of panel.members) {
          const seeds = metricSeeds.map((_, s) => metrics[name].slice(s * metricEpochs.length, (s + 1) * metricEpochs.length));
          const over = metricEpochs.map((_, e) => overSeeds(seeds.map((values) => values[e])));
          const line = { seeds, mean: over.map((o) => o.mean), low: over.map((o) => o.low), high: over.map((o) => o.high), banded: seeds.length > 1 };
          const early = part.startsWith("train");
          traces.push(...lineTraces(metricEpochs, line, { color: early ? theme.quiet : theme.ink, dash: early ? "dot" : "solid", fade: "rgba(128,128,128,0.16)", axes, label: plain(part || name) }));
        }
        const parts = panel.members.filter(({ part }) => part).map(({ part }) => `${part} ${part.startsWith("train") ? "dotted" : "solid"}`);
        layout.annotations.push({ text: plain(parts.join(", ")), showarrow: false, font: font(11, theme.quiet), x: left + w, xref: "paper",
          xanchor: "right", y: top, yref: "paper", yanchor: "bottom", yshift: 4 });
      }
    });
    layout.height = rows * height;
    return { traces, layout };
  }

  // The selected epoch on the curves: elements over the drawing, as moving a Plotly shape redraws everything.
  function markEpoch({ curves: graph, marks }) {
    const { layout } = graph, ids = Object.keys(layout).filter((name) => name.startsWith("xaxis")).map((name) => name.slice(5));
    while (marks.children.length < ids.length) marks.append(element("i"));
    const wide = graph.clientWidth - layout.margin.l - layout.margin.r, high = layout.height - layout.margin.t - layout.margin.b;
    [...marks.children].forEach((mark, i) => {
      const across = layout[`xaxis${ids[i]}`], up = layout[`yaxis${ids[i]}`];
      if (mark.hidden = !across) return;
      const part = (Math.log10(place(data.epochs[state.step])) - across.range[0]) / (across.range[1] - across.range[0]);
      mark.hidden = !(part >= 0 && part <= 1);
      mark.style.height = `${(up.domain[1] - up.domain[0]) * high}px`;
      const left = layout.margin.l + wide * (across.domain[0] + part * (across.domain[1] - across.domain[0]));
      mark.style.transform = `translate(${left.toFixed(1)}px, ${(layout.margin.t + (1 - up.domain[1]) * high).toFixed(1)}px)`;
    });
  }

  // ---- tables ------------------------------------------------------------------------------------------------
  function table(columns, rows, caption) { // columns: {title, number}; rows: arrays of text or {text, mark}
    const made = element("table"), head = made.createTHead().insertRow(), body = made.createTBody();
    if (caption) made.prepend(element("caption", caption));
    columns.forEach(({ title, number }) => head.append(element("th", title, { scope: "col", ...(number && { class: "number" }) })));
    rows.slice(0, MOST_ROWS).forEach((cells) => {
      const row = body.insertRow();
      cells.forEach((cell, i) => {
        const classes = [columns[i].number && "number", cell?.mark].filter(Boolean).join(" ");
        row.append(element(i ? "td" : "th", cell?.text ?? cell, { ...(classes && { class: classes }), ...(!i && { scope: "row" }) }));
      });
    });
    if (rows.length > MOST_ROWS) body.insertRow().append(element("td", `… and ${rows.length - MOST_ROWS} more`, { colspan: columns.length }));
    return made;
  }

  // Columns of the two tables: name, heading and format; "information" is shown in the selected unit.
  const CHECKS = [["check", "check", "text"], ["network", "network", "text"], ["estimator", "estimator", "text"],
    ["promised", "guaranteed", "yes"], ["checked", "points", "number"], ["violated", "violated", "number"],
    ["worst", "worst by", "information"], ["where", "where", "text"]];
  const COMPRESSION = [["network", "network", "text"], ["probe", "probe", "text"], ["estimator", "estimator", "text"],
    ["layer", "layer", "text"], ["first", "first", "information"], ["peak", "peak", "information"],
    ["peak_epoch", `at ${data.time}`, "number"], ["final", "last", "information"], ["fall", "fall from peak", "information"],
    ["share", "fall / peak", "share"], ["share_low", "10 %", "share"], ["share_high", "90 %", "share"],
    ["fit", "I(T;Y) gained", "information"], ["verdict", "verdict", "text"]];
  const selected = (table, columns) => ({
    columns: columns.map(([name, title, format]) => ({ name, title, format })), values: columns.map(([name]) => table[name]) });

  const MARKS = { compresses: "good", FAILED: "bad" };
  function written(value, format) {
    if (value === null) return "–";
    if (format === "information") return Math.abs(unit(value)) < 5e-4 ? "0" : fixed(unit(value));
    if (format === "share") return `${(100 * value).toFixed(0)} %`;
    if (format === "yes") return value ? "yes" : "no";
    if (format === "number") return String(value);
    return MARKS[value] ? { text: value, mark: MARKS[value] } : value;
  }

  // Rows of the selected estimator, probe and networks, without columns that repeat the selection.
  function audited({ columns, values }) {
    const at = (name) => columns.findIndex((column) => column.name === name), cell = (name, i) => (at(name) < 0 ? null : values[at(name)][i]);
    const chosen = { estimator: data.estimators[state.estimator].label, probe: data.probes[state.probe] };
    const hidden = new Set([...state.hiddenNetworks].map((i) => data.networks[i].name));
    const rows = range(values[0]?.length ?? 0).filter((i) => !hidden.has(cell("network", i))
      && Object.entries(chosen).every(([name, value]) => cell(name, i) === null || cell(name, i) === value || (name === "estimator" && !data.estimators.some(({ label }) => label === cell(name, i)))));
    const shown = range(columns.length).filter((c) => columns[c].name !== "probe" && (columns[c].name !== "estimator" || rows.some((i) => values[c][i] !== chosen.estimator)));
    const titled = ({ title, format }) => ({ title: format === "information" ? `${title} [${state.units}]` : title, number: !["text", "yes"].includes(format) });
    return table(shown.map((c) => titled(columns[c])), rows.map((i) => shown.map((c) => {
      const text = written(values[c][i], columns[c].format);
      return columns[c].name === "violated" && values[c][i] > 0 ? { text, mark: cell("promised", i) ? "bad" : "" } : text;
    })));
  }

  function numbers(network) { // the plane as a table, for screen readers and exact values
    const step = stepOf(network), { layers, epochs } = data.networks[network];
    const shownAxes = AXES.filter((axis) => cubeOf(network, axis));
    const columns = [{ title: "" }, { title: "layer" }, ...shownAxes.map((axis) => ({ title: named(cubeOf(network, axis), false).replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&"), number: true }))];
    const rows = step < 0 ? [] : layers.map((name, layer) => [String(layer + 1), name, ...shownAxes.map((axis) => {
      const line = series(network, axis, layer);
      if (!line || line.mean[step] === null) return "–";
      const band = line.banded ? ` [${fixed(unit(line.low[step]))}, ${fixed(unit(line.high[step]))}]` : "";
      return `${line.atLeast && line.saturated[step] ? "≥ " : ""}${fixed(unit(line.mean[step]))}${band}`;
    })]);
    return table(columns, rows, step < 0 ? "not recorded yet" : `${data.time} ${epochs[step]}; ≥: saturated (lower bound only)`);
  }

  function drawTables() {
    byId("caveat").textContent = data.estimators[state.estimator].caveat;
    byId("caveat-title").textContent = `What this plane can and cannot show: ${data.estimators[state.estimator].label}`;
    byId("compression").replaceChildren(audited(selected(data.audit.compression, COMPRESSION)));
    byId("checks").replaceChildren(audited(selected(data.audit.checks, CHECKS)));
    const bands = data.networks.some((network) => network.seeds.length > 1);
    const spans = data.cubes.find((cube) => cube.spans)?.spans;
    byId("key").textContent = [
      "Numbered points: layers at the selected " + data.time + ", in order of depth. Small points and lines: earlier " + data.time + "s.",
      planar() ? "" : "The estimator measures I(T;Y) alone, which is drawn by depth.",
      bands ? "Points and lines are means over seeds; error bars and bands span their 10–90 % quantiles." : spans ? `Error bars and bands: intervals over ${spans}.` : "",
      "Open symbols: saturated at a ceiling such as log N (dashed) in at least one seed, lower bound only. A point on the line H(Y) holds all information about the label.",
      data.epochs[0] === 0 ? `${data.time === "step" ? "Step" : "Epoch"} 0: before training.` : "",
    ].filter(Boolean).join(" ");
  }

  // ---- drawing -----------------------------------------------------------------------------------------------
  async function drawing(work) { // counts pending drawings, for which playing and tests wait
    pending += 1;
    try { await Promise.all(work); } finally { pending -= 1; }
  }
  const shown = () => cards.filter((_, i) => !state.hiddenNetworks.has(i));

  function drawCard(card) {
    const { traces, layout } = curves(card.network, card.curves.clientWidth);
    card.curves.style.height = `${layout.height}px`;
    const drawn = [Plotly.react(card.plane, planeTraces(card), planeLayout(card.network), CONFIG), Plotly.react(card.curves, traces, layout, CONFIG)];
    if (!card.listens) card.curves.on("plotly_relayout", () => markEpoch(card)); // zoomed, or of another size
    card.listens = true;
    markEpoch(card);
    return drawn;
  }

  function drawNow(card) { // the slider moved
    markEpoch(card);
    return [Plotly.react(card.plane, planeTraces(card), card.plane.layout, CONFIG)];
  }

  function drawWords() {
    const text = `${data.time} ${data.epochs[state.step]}`;
    byId("epoch-text").textContent = text;
    byId("epoch").value = state.step;
    byId("epoch").setAttribute("aria-valuetext", text);
    for (const card of shown()) if (card.details.open) card.numbers.replaceChildren(numbers(card.network));
  }

  function drawAll() {
    cards.forEach((card, i) => { card.box.hidden = state.hiddenNetworks.has(i); });
    drawWords();
    drawTables();
    return drawing(shown().flatMap(drawCard));
  }

  let asked = false;
  function moveTo(step) {
    state.step = Math.max(0, Math.min(data.epochs.length - 1, step));
    drawWords();
    if (asked) return;
    asked = true;
    pending += 1;
    requestAnimationFrame(() => { asked = false; pending -= 1; drawing(shown().flatMap(drawNow)); });
  }

  function play(on) {
    state.playing = on;
    const button = byId("play"), [sign, word] = on ? ["❚❚", "Pause"] : ["▶", "Play"];
    button.setAttribute("aria-pressed", String(on));
    button.replaceChildren(element("span", sign, { "aria-hidden": "true" }), ` ${word}`);
    clearInterval(timer);
    if (!on) return;
    if (state.step === data.epochs.length - 1) moveTo(0);
    timer = setInterval(() => {
      if (pending) return; // a slow machine shows fewer frames
      if (state.step === data.epochs.length - 1) play(false);
      else moveTo(state.step + 1);
    }, Math.min(300, Math.max(60, 9000 / data.epochs.length)));
  }

  // ---- controls ----------------------------------------------------------------------------------------------
  function chip(holder, name, hidden, index, dot) {
    const made = element("button", undefined, { type: "button", class: dot ? "chip" : "network chip", "aria-pressed": "true", title: `show or hide ${name}` });
    if (dot) made.append(dot);
    made.append(element("span", name, { class: "name" }));
    made.addEventListener("click", () => {
      if (hidden.has(index)) hidden.delete(index); else hidden.add(index);
      made.setAttribute("aria-pressed", String(!hidden.has(index)));
      drawAll();
    });
    holder.append(made);
  }

  function layerDots() {
    document.querySelectorAll("#layers-choice .dot").forEach((dot, layer) => {
      dot.style.background = rgb(layer);
      dot.style.color = onColor(layer);
    });
  }

  function build() {
    data.estimators.forEach(({ label }, i) => byId("estimator").append(element("option", label, { value: i })));
    data.probes.forEach((name, i) => byId("probe").append(element("option", name, { value: i })));
    byId("probe-choice").hidden = data.probes.length < 2;
    byId("view-choice").hidden = data.networks.every((network) => network.seeds.length < 2);
    if (data.networks.length > 1) data.networks.forEach(({ name }, i) => chip(byId("networks-choice"), name, state.hiddenNetworks, i));
    range(depth).forEach((layer) => {
      const names = new Set(data.networks.map((network) => network.layers[layer]).filter((name) => name !== undefined));
      chip(byId("layers-choice"), [...names].join(" / "), state.hiddenLayers, layer, element("span", String(layer + 1), { class: "dot" }));
    });
    cards = data.networks.map(({ name }, network) => {
      const box = element("article", undefined, { class: "card", "aria-label": name }), split = element("div", undefined, { class: "split" });
      const plane = element("div", undefined, { class: "plane", role: "img", "aria-label": `information plane of ${name}` });
      const lines = element("div", undefined, { class: "curves", role: "img", "aria-label": `both quantities, accuracy and loss of ${name} by ${data.time}` });
      const details = element("details"), held = element("div");
      details.append(element("summary", `Numbers at this ${data.time}`), held);
      details.addEventListener("toggle", drawWords);
      const marks = element("div", undefined, { class: "marks", "aria-hidden": "true" }), overlaid = element("div", undefined, { class: "marked" });
      overlaid.append(lines, marks);
      split.append(plane, overlaid);
      box.append(element("h3", name, { title: name }), split, details);
      byId("cards").append(box);
      return { network, box, plane, curves: lines, marks, details, numbers: held };
    });
    byId("epoch").max = data.epochs.length - 1;
    byId("epoch").addEventListener("input", (event) => { play(false); moveTo(Number(event.target.value)); });
    byId("play").addEventListener("click", () => play(!state.playing));
    byId("choices").addEventListener("submit", (event) => event.preventDefault());
    byId("choices").addEventListener("change", (event) => {
      const { id, name, value } = event.target;
      if (id) state[id] = Number(value); else state[name] = value;
      drawAll();
    });
    const { ok, checks } = data.audit, found = checks.violated.filter((count) => count > 0).length;
    byId("audit-verdict").replaceChildren(element("span", ok ? "All guaranteed checks hold." : "A guaranteed check failed.", { class: ok ? "good" : "bad" }),
      ` ${found ? `Violated checks: ${found}.` : "No check is violated."} A violation of a check that the estimator does not guarantee is not an error.`);
    byId("warnings").replaceChildren(data.warnings.length
      ? table([{ title: "estimates", number: true }, { title: "estimator" }, { title: "quantity" }, { title: "warning" }],
        data.warnings.map((w) => [String(w.count), w.estimator, w.quantity, w.varies ? `${w.text} (numbers vary)` : w.text]))
      : element("p", "None.", { class: "note" }));
    const provenance = data.provenance.length ? table([{ title: "what" }, { title: "value" }], data.provenance) : element("p", "None.", { class: "note" });
    provenance.classList.add("provenance");
    byId("provenance").replaceChildren(provenance);
  }

  function dress() {
    readTheme();
    layerDots();
    return drawAll();
  }

  build();
  dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  let widths = "";
  new ResizeObserver(() => { // a narrow card stacks its curves
    const now = cards.map((card) => card.curves.clientWidth < 520).join();
    if (widths && now !== widths) drawAll();
    widths = now;
  }).observe(byId("cards"));
  window.infoflowReport = { state, epochs: data.epochs, get busy() { return pending > 0; } };
})();
