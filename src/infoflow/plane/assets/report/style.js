// Style: the theme, colors of layers, and elements of the page.
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
