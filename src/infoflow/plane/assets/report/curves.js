// Curves by epoch: both quantities, accuracy and loss.
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
