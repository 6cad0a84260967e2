"use strict";
// Draws the plane from the data in the page. Names come from users: they enter the page as text nodes only.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const AXES = ["input", "label"];
  const VIRIDIS = ["#440154", "#482878", "#3e4a89", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
  const MOST_ROWS = 300;
  const MOST_NUMBERED = 12; // layers with a number each; more are one band, colored by depth
  const depth = Math.max(...data.networks.map((network) => network.layers.length));
  const many = depth > MOST_NUMBERED;
  const state = {
    estimator: 0, probe: 0, units: "bits", view: "mean", step: data.epochs.length - 1,
    playing: false, hiddenNetworks: new Set(), hiddenLayers: new Set(),
  };
  const Chart = window.InfoflowChart;
  let theme, colors, cards = [], pending = 0, timer = 0;

  // ---- numbers -----------------------------------------------------------------------------------------------
  const unit = (nats) => (nats === null ? null : state.units === "bits" ? nats / Math.LN2 : nats);
  const short = (text, most = 30) => (text.length > most ? "…" + text.slice(1 - most) : text);
  const fixed = (value, digits = 3) => (value === null || Number.isNaN(value) ? "–" : value.toFixed(digits));
  const range = (count) => Array.from({ length: count }, (_, i) => i);
  const present = (values) => values.filter(Number.isFinite);
  // 32-bit numbers, little-endian, in base64; NaN where there is none.
  const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  for (const cube of data.cubes) for (const name of ["nats", "low", "high"]) if (cube[name]) cube[name] = floats(cube[name]);
  for (const { metrics } of data.networks) for (const name of Object.keys(metrics)) metrics[name] = floats(metrics[name]);

  function quantile(sorted, q) {
    const at = (sorted.length - 1) * q, below = Math.floor(at), above = Math.ceil(at);
    return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
  }

  function overSeeds(values) { // mean and 10–90 % band of what is there
    const there = present(values).sort((a, b) => a - b);
    if (!there.length) return { mean: NaN, low: NaN, high: NaN };
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
    return values.map((at, i) => ({ at, text: texts[i] }));
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

  // "H(Q(T)) [bits], plug-in": what is drawn, in which unit, of which kind.
  function named(cube, kind = true) {
    return cube ? `${cube.quantity} [${state.units}]${kind ? `, ${cube.kind}` : ""}` : "no estimates";
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
      for (const value of cube.nats) if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
      for (const one of cube.ceilings) if (one.nats !== null) ceiling = Math.max(ceiling, one.nats);
    }
    if (ceiling < 3 * high) high = Math.max(high, ceiling);
    const span = high - low || 1;
    return [unit(low - 0.04 * span), unit(high + 0.1 * span)];
  }

  function hoverText(network, layer, step, seed) { // text of a point
    const lines = [`${layer + 1}  ${short(data.networks[network].layers[layer], 60)}, ${data.time} ${data.networks[network].epochs[step]}`
      + (seed === undefined ? "" : `, seed ${data.networks[network].seeds[seed]}`)];
    for (const axis of AXES) {
      const cube = cubeOf(network, axis), line = series(network, axis, layer);
      if (!cube || Number.isNaN(line.mean[step])) continue;
      const value = unit(seed === undefined ? line.mean[step] : line.seeds[seed][step]);
      const band = seed === undefined && line.banded ? ` [${fixed(unit(line.low[step]))}, ${fixed(unit(line.high[step]))}]` : "";
      const count = line.saturated[step], many = data.networks[network].seeds.length;
      const full = seed !== undefined ? (line.full[seed][step] === "1" ? "; saturated" : "")
        : count ? `; saturated${many > 1 ? ` in ${count} of ${many} seeds` : ""}` : "";
      lines.push(`${cube.quantity} = ${fixed(value)} ${state.units}${band}${full}`);
    }
    return lines;
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

  const openAt = (x, y) => (e) => [x, y].some((line) => line.atLeast && line.saturated[e]);
  const rowOpen = (x, y, s) => (e) => [x, y].some((line) => line.atLeast && line.full[s][e] === "1");

  function trail(card, layer, x, y, step) { // the path of a layer up to this step; of many layers only the selected one has points
    const { network, selected } = card, past = range(step + 1), chosen = many && selected === layer;
    if (state.view === "seeds") {
      const apart = (row) => [...row.subarray(0, step + 1), NaN];
      return [{ type: "line", name: "trail", layer, color: rgb(layer, chosen ? 0.9 : 0.28), width: chosen ? 1.6 : 0.8,
        x: x.seeds.flatMap(apart).map(along), y: y.seeds.flatMap(apart).map(unit) }];
    }
    const points = { name: "trail", layer, x: past.map((e) => along(x.mean[e])), y: past.map((e) => unit(y.mean[e])) };
    const line = { ...points, type: "line", color: rgb(layer, many ? (chosen ? 1 : 0.3) : 0.4), width: chosen ? 1.6 : many ? 0.8 : 1 };
    if (many && !chosen) return [line];
    const dots = { ...points, type: "dots", color: rgb(layer), size: 5, open: past.map(openAt(x, y)), hover: (i) => hoverText(network, layer, i),
      alpha: past.map((e) => (chosen ? 0.9 : 0.22 + (0.55 * (e + 1)) / (step + 1))) };
    return [line, dots];
  }

  function current(card, layer, x, y, step, text) { // a layer at this step
    const { network } = card, color = rgb(layer), open = openAt(x, y)(step), { seeds } = data.networks[network];
    const here = { layer, x: [along(x.mean[step])], y: [unit(y.mean[step])] };
    if (state.view === "seeds") {
      const points = range(seeds.length).filter((s) => !Number.isNaN(x.seeds[s][step]) && !Number.isNaN(y.seeds[s][step]));
      return [{ type: "dots", name: "now", layer, color, size: many ? 5 : 8, edge: 1.4, open: points.map((s) => rowOpen(x, y, s)(step)),
        x: points.map((s) => along(x.seeds[s][step])), y: points.map((s) => unit(y.seeds[s][step])), hover: (i) => hoverText(network, layer, step, points[i]) },
      ...(many ? [] : [{ ...here, type: "discs", name: "number", size: 0, text, fontSize: 12, ink: theme.ink }])];
    }
    const hover = () => hoverText(network, layer, step), chosen = card.selected === layer, small = text.length > 2;
    const ends = (line, scale) => (line.banded && (!many || chosen) ? [scale(line.low[step]), scale(line.high[step])] : null);
    const bars = { x: ends(x, along), y: ends(y, unit) };
    const size = many ? (chosen ? 16 : 7) : small ? 21 : 18;
    return [{ ...here, type: "discs", name: "now", color, open, size, edged: !many || chosen, bars, hover, text: many ? "" : text, fontSize: small ? 9 : 11,
      ink: open ? theme.ink : onColor(layer) }];
  }

  function planeMarks(card) {
    const { network } = card, step = stepOf(network), trails = [], now = [];
    const { layers } = data.networks[network];
    const nowAt = range(layers.length).filter((layer) => !state.hiddenLayers.has(layer)).map((layer) => ({ layer,
      x: along(across(network, layer)?.mean[step] ?? NaN), y: unit(series(network, "label", layer)?.mean[step] ?? NaN) }))
      .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
    const texts = many ? new Map() : numbersOn(card, nowAt), route = { x: nowAt.map((point) => point.x), y: nowAt.map((point) => point.y) };
    const ordered = range(layers.length).filter((layer) => !state.hiddenLayers.has(layer) && layer !== card.selected);
    if (many && card.selected !== null && !state.hiddenLayers.has(card.selected)) ordered.push(card.selected);
    for (const layer of ordered) {
      const x = across(network, layer), y = series(network, "label", layer);
      if (!x || !y) continue;
      trails.push(...trail(card, layer, x, y, step));
      if (step < 0 || Number.isNaN(x.mean[step]) || Number.isNaN(y.mean[step])) continue;
      now.push(...current(card, layer, x, y, step, texts.get(layer) ?? ""));
    }
    const band = nowAt.map(({ layer }) => rgb(layer));
    const path = many ? [{ type: "line", name: "layers", ...route, color: theme.paper, width: 9 }, { type: "line", name: "layers", ...route, color: band, width: 6 }]
      : [{ type: "line", name: "layers", ...route, color: theme.quiet, width: 1, dash: [1.5, 3] }];
    return [[...trails, ...path, ...now]];
  }

  function ceilings(network, xLimits, yLimits) {
    return AXES.flatMap((axis, i) => (cubeOf(network, axis)?.ceilings ?? []).map(({ name, nats }) => ({ axis: "xy"[i], at: unit(nats), name }))
      .filter(({ at }) => at !== null && at <= (i === 0 ? xLimits : yLimits)[1])
      .map(({ axis: letter, at, name }) => ({ axis: letter, at, text: `${name} = ${at.toFixed(2)}` })));
  }

  function planePanels({ network, plane }) {
    const x = limits("input"), y = limits("label"), every = Math.ceil(depth / 16);
    const ticks = planar() ? undefined : range(Math.ceil(depth / every)).map((i) => ({ at: 1 + i * every, text: String(1 + i * every) }));
    return [{ left: 58, top: 26, width: plane.clientWidth - 76, height: plane.clientHeight - 72, limits: ceilings(network, x, y),
      x: { range: x, ticks, size: 13, title: planar() ? named(cubeOf(network, "input")) : "layer, in order of depth" },
      y: { range: y, size: 13, title: named(cubeOf(network, "label")) } }];
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

  function lineMarks(epochs, line, looks) {
    const x = epochs.map(place), { color, fade, label, dash, open, layer, thin } = looks;
    const shared = { name: label, layer, color, dash };
    if (state.view === "seeds" && line.seeds.length > 1) {
      return [{ ...shared, type: "line", width: thin ? 0.7 : 0.9, x: line.seeds.flatMap(() => [...x, NaN]), y: line.seeds.flatMap((row) => [...row, NaN]), hover: () => [label] }];
    }
    const mean = { ...shared, x, y: line.mean, hover: (e) => [`${label}, ${data.time} ${epochs[e]}: ${fixed(line.mean[e])}`] };
    const marks = line.banded && !thin ? [{ type: "band", name: "band", layer, x, low: line.low, high: line.high, color: fade }] : [];
    if (x.length === 1) return [...marks, { ...mean, type: "dots", size: 7, open }];
    marks.push({ ...mean, type: "line", width: thin ? 1 : 1.7 });
    let last = 0; // open symbols at some distance from each other
    const marked = open?.map((full, e) => full && x[e] > 1.5 * last && Boolean(last = x[e]));
    if (open?.some(Boolean) && !thin) marks.push({ ...shared, type: "dots", name: "saturated", x, y: line.mean, size: marked.map((mark) => (mark ? 5 : 0)), edge: 1.2, open: marked });
    return marks;
  }

  function layerMarks(network, axis, layer, thin = many) {
    const line = series(network, axis, layer);
    if (!line || state.hiddenLayers.has(layer)) return [];
    const inUnit = { seeds: line.seeds.map((row) => row.map(unit)), mean: line.mean.map(unit), low: line.low.map(unit), high: line.high.map(unit), banded: line.banded };
    return lineMarks(data.networks[network].epochs, inUnit, { color: rgb(layer), fade: rgb(layer, 0.16), layer, thin,
      label: short(data.networks[network].layers[layer]), open: line.saturated.map((n) => line.atLeast && n > 0) });
  }

  function metricMarks(network, { name, part }) {
    const { metrics, metricEpochs, metricSeeds } = data.networks[network], early = part.startsWith("train");
    const seeds = metricSeeds.map((_, s) => metrics[name].slice(s * metricEpochs.length, (s + 1) * metricEpochs.length));
    const over = metricEpochs.map((_, e) => overSeeds(seeds.map((values) => values[e])));
    const line = { seeds, mean: over.map((o) => o.mean), low: over.map((o) => o.low), high: over.map((o) => o.high), banded: seeds.length > 1 };
    return lineMarks(metricEpochs, line, { color: early ? theme.quiet : theme.ink, dash: early ? [2, 3] : undefined, fade: "rgba(128,128,128,0.16)", label: part || name });
  }

  function span(marks) { // limits of what is drawn
    const values = marks.flatMap((mark) => [...(mark.y ?? []), ...(mark.low ?? []), ...(mark.high ?? [])]).filter(Number.isFinite);
    const low = values.reduce((a, b) => Math.min(a, b), Infinity), high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!values.length) return [0, 1];
    const pad = 0.05 * (high - low) || 0.05 * Math.abs(high) || 1;
    return [low - pad, high + pad];
  }

  function curves(network, width) {
    const panels = AXES.filter((axis) => cubeOf(network, axis)).map((axis) => ({ title: named(cubeOf(network, axis), false), axis }));
    for (const [family, members] of metricFamilies(network)) panels.push({ title: family, members });
    const columns = width < 520 ? 1 : 2, rows = Math.ceil(panels.length / columns), each = columns === 1 ? 190 : 215;
    const gapX = 0.11 * (width - 60), gapY = 62, w = (width - 60 - gapX * (columns - 1)) / columns, h = (rows * each - 66 - gapY * (rows - 1)) / rows;
    const lastX = Math.log10(place(data.epochs[data.epochs.length - 1])), firstX = Math.log10(place(data.epochs[0])), pad = 0.03 * (lastX - firstX || 1);
    const marks = panels.map(({ axis, members }) => (axis ? data.networks[network].layers.flatMap((_, layer) => layerMarks(network, axis, layer))
      : members.flatMap((member) => metricMarks(network, member))));
    const frames = panels.map(({ title, axis, members }, i) => ({ axis, gridded: true, heading: title,
      left: 46 + (i % columns) * (w + gapX), top: 26 + Math.floor(i / columns) * (h + gapY), width: w, height: h,
      x: { log: true, range: [firstX - pad, lastX + pad], ticks: epochTicks(), title: i >= panels.length - columns ? data.time : "", size: 12, color: theme.quiet },
      y: { range: axis ? limits(axis) : span(marks[i]) },
      aside: members?.filter(({ part }) => part).map(({ part }) => `${part} ${part.startsWith("train") ? "dotted" : "solid"}`).join(", ") }));
    return { frames, marks, height: rows * each };
  }

  // The selected epoch on the curves: elements over the drawing, so that a step repaints no curve.
  function markEpoch({ curveChart, marks }) {
    while (marks.children.length < curveChart.panels.length) marks.append(element("i"));
    [...marks.children].forEach((mark, i) => {
      const panel = curveChart.panels[i], left = panel?.px(place(data.epochs[state.step]));
      mark.hidden = !panel || !(left >= panel.left && left <= panel.left + panel.width);
      if (mark.hidden) return;
      mark.style.height = `${panel.height}px`;
      mark.style.transform = `translate(${left.toFixed(1)}px, ${panel.top.toFixed(1)}px)`;
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
    const columns = [{ title: "" }, { title: "layer" }, ...shownAxes.map((axis) => ({ title: named(cubeOf(network, axis), false), number: true }))];
    const rows = step < 0 ? [] : layers.map((name, layer) => [String(layer + 1), name, ...shownAxes.map((axis) => {
      const line = series(network, axis, layer);
      if (!line || Number.isNaN(line.mean[step])) return "–";
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
      many ? `Thick band: the layers at the selected ${data.time}, colored by depth; thin lines: earlier ${data.time}s. Point at a layer for its name and numbers.`
        : `Numbered points: layers at the selected ${data.time}, in order of depth. Small points and lines: earlier ${data.time}s.`,
      planar() ? "" : "The estimator measures I(T;Y) alone, which is drawn by depth.",
      bands ? "Points and lines are means over seeds; error bars and bands span their 10–90 % quantiles." : spans ? `Error bars and bands: intervals over ${spans}.` : "",
      "Open symbols: saturated at a ceiling such as log N (dashed) in at least one seed, lower bound only. A point on the line H(Y) holds all information about the label.",
      data.epochs[0] === 0 ? `${data.time === "step" ? "Step" : "Epoch"} 0: before training.` : "",
    ].filter(Boolean).join(" ");
  }

  // ---- drawing -----------------------------------------------------------------------------------------------
  const shown = () => cards.filter(({ network }) => !state.hiddenNetworks.has(network));
  const revision = () => `${state.estimator} ${state.probe} ${state.units}`;

  function drawCard(card) {
    card.plane.style.removeProperty("height");
    card.planeChart.frame(planePanels(card), theme, revision());
    card.planeChart.draw(planeMarks(card));
    const { frames, marks, height } = curves(card.network, card.curves.clientWidth);
    card.curves.style.height = `${height}px`;
    card.curveChart.frame(frames, theme, revision());
    card.curveMarks = marks;
    drawCurves(card);
    markEpoch(card);
  }

  function drawCurves(card) { // with the selected layer on top
    const { selected, network, curveMarks, curveChart } = card;
    curveChart.draw(curveMarks.map((marks, i) => {
      const { axis } = curveChart.panels[i];
      return selected === null || !axis ? marks : [...marks, ...layerMarks(network, axis, selected, false).map((mark) => ({ ...mark, width: 3.2 }))];
    }));
  }

  function drawNow(card) { // the slider moved
    markEpoch(card);
    card.planeChart.draw(planeMarks(card));
  }

  function select(card, mark) { // of many layers, the one at the pointer is emphasized
    const layer = mark?.layer ?? null;
    if (!many || layer === card.selected) return;
    card.selected = layer;
    card.planeChart.draw(planeMarks(card));
    drawCurves(card);
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
    shown().forEach(drawCard);
  }

  let asked = false;
  function moveTo(step) {
    state.step = Math.max(0, Math.min(data.epochs.length - 1, step));
    drawWords();
    if (asked) return;
    asked = true;
    pending += 1;
    requestAnimationFrame(() => { asked = false; pending -= 1; shown().forEach(drawNow); });
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
    const bar = document.querySelector("#layers-choice .depth-bar");
    if (bar) bar.style.background = `linear-gradient(to right, ${range(depth).map((layer) => rgb(layer)).join(", ")})`;
  }

  function build() {
    data.estimators.forEach(({ label }, i) => byId("estimator").append(element("option", label, { value: i })));
    data.probes.forEach((name, i) => byId("probe").append(element("option", name, { value: i })));
    byId("probe-choice").hidden = data.probes.length < 2;
    byId("view-choice").hidden = data.networks.every((network) => network.seeds.length < 2);
    if (data.networks.length > 1) data.networks.forEach(({ name }, i) => chip(byId("networks-choice"), name, state.hiddenNetworks, i));
    const layerChips = many ? element("details") : byId("layers-choice"), chips = many ? element("div", undefined, { class: "group" }) : layerChips;
    const longest = data.networks.find((network) => network.layers.length === depth).layers;
    if (many) {
      const summary = element("summary", undefined, { title: "choose layers" });
      summary.append(element("span", short(longest[0], 18)), element("span", undefined, { class: "depth-bar" }), element("span", short(longest[depth - 1], 18)), element("span", `${depth} layers`, { class: "quiet" }));
      layerChips.append(summary, chips);
      byId("layers-choice").append(layerChips);
    }
    range(depth).forEach((layer) => {
      const names = new Set(data.networks.map((network) => network.layers[layer]).filter((name) => name !== undefined));
      chip(chips, [...names].join(" / "), state.hiddenLayers, layer, element("span", String(layer + 1), { class: "dot" }));
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
      const card = { network, box, plane, curves: lines, marks, details, numbers: held, selected: null };
      const hovered = (mark) => select(card, mark), zoomed = () => markEpoch(card);
      card.planeChart = new Chart(plane, { hovered, name: `${name} plane` });
      card.curveChart = new Chart(lines, { hovered, zoomed, name: `${name} curves` });
      return card;
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
    drawAll();
  }

  build();
  dress();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  let widths = "";
  new ResizeObserver(() => {
    const now = cards.map((card) => `${card.plane.clientWidth} ${card.curves.clientWidth}`).join();
    if (widths && now !== widths) drawAll();
    widths = now;
  }).observe(byId("cards"));
  window.infoflowReport = { state, epochs: data.epochs, cards, get busy() { return pending > 0; } };
})();
