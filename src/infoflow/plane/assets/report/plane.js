// The plane: points, trails and limits of its axes.
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
