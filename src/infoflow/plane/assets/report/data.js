// What the page holds, what is selected, and what is drawn with. Names come from users: they enter the page as text
// nodes only.
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
