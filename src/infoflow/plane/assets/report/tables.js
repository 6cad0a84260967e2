// Tables: checks, compression, and the plane's numbers.
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
