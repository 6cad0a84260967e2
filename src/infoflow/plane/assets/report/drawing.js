// Drawing: what is drawn again when something changes.
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
