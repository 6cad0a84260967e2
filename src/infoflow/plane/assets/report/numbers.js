// Numbers: units, quantiles over seeds, and the series of a layer.
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
