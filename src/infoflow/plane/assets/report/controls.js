// Controls, and the start of the program.
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
