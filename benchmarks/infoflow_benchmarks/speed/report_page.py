"""A step of the slider on the page of a plane, in headless Chromium, compared with plotly.js on the same points."""

from __future__ import annotations

import json
import math
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.errors import MissingData, MissingExtra
from infoflow.plane import Plane
from infoflow_benchmarks.speed.comparison import Row

# A step should take at most 50 ms on a plane of 60 layers and 200 snapshots.
GOAL = 0.05
_STEPS = 12
_TIMED = """async steps => {
  const times = [];
  for (let i = 1; i <= steps; i += 1) {
    const start = performance.now();
    await step(i / steps);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    times.push(performance.now() - start);
  }
  return times;
}"""
_OURS = """window.step = part => {
  const slider = document.getElementById('epoch');
  slider.value = Math.round(part * slider.max);
  slider.dispatchEvent(new Event('input'));
}"""
_PLOTLY = """<!doctype html><meta charset="utf-8"><div id="plot" style="width:660px;height:480px"></div>
<script>{plotly}</script>
<script>
const x = {x}, y = {y};
window.step = part => {{
  const stop = Math.max(1, Math.round(part * x[0].length));
  const opacity = x[0].slice(0, stop).map((_, e) => 0.22 + 0.55 * (e + 1) / stop);
  const traces = x.map((row, i) => ({{ type: 'scatter', mode: 'lines+markers', x: row.slice(0, stop),
    y: y[i].slice(0, stop), line: {{ width: 1 }}, marker: {{ size: 5, opacity }} }}));
  return Plotly.react('plot', traces, {{ showlegend: false }});
}};
step(1);
</script>"""


def made_up(layers: int, snapshots: int) -> tuple[Plane, np.ndarray, np.ndarray]:
    """A plane of these numbers of layers and snapshots, and its nats (layers, snapshots) of both axes."""
    rng = np.random.default_rng(0)
    layer, epoch = np.meshgrid(np.arange(layers), np.arange(snapshots), indexing="ij")
    time, depth = epoch / max(snapshots - 1, 1), layer / layers
    x = 7.0 * (1 - 0.5 * depth * time) + 0.02 * rng.normal(size=time.shape)
    y = 2.3 * (1 - np.exp(-4 * time)) * (1 - 0.1 * depth) + 0.2 + 0.01 * rng.normal(size=time.shape)
    shared = {"network": "net", "probe": "probe", "layer": [f"blocks.{i}" for i in layer.ravel()], "seed": 0}
    shared |= {"depth": layer.ravel(), "epoch": epoch.ravel(), "estimator": "Binning(bins=30)", "kind": "plug-in"}
    shared |= {"ceiling": math.inf, "ceiling_name": "", "saturated": False, "low": math.nan, "high": math.nan}
    shared |= {"spans": "", "n": 2000, "warnings": ""}
    sides = (("input", "H(Q(T))", x), ("label", "I(Q(T);Y)", y))
    frame = pd.concat([pd.DataFrame({**shared, "axis": a, "quantity": q, "nats": v.ravel()}) for a, q, v in sides])
    return Plane(frame), x, y


def cases(quick: bool = False) -> Iterator[Row]:
    """Few layers, and the many of a deep network."""
    try:
        from playwright.sync_api import sync_playwright
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingExtra(f"The benchmark report-page requires playwright and plotly: {error}") from error
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        raise MissingData("The benchmark report-page requires Chromium, which is not on the PATH.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for layers, snapshots in ((4, 5),) if quick else ((4, 200), (60, 200)):
            plane, x, y = made_up(layers, snapshots)
            ours = plane.report(Path(folder) / "ours.html")
            other = Path(folder) / "plotly.html"
            lists = {"x": json.dumps(x.tolist()), "y": json.dumps(y.tolist())}
            other.write_text(_PLOTLY.format(plotly=get_plotlyjs(), **lists), encoding="utf-8")
            page, reference = _opened(browser, ours), _opened(browser, other)
            page.evaluate(_OURS)
            times = [_median(each, 2 if quick else _STEPS) for each in (page, reference)]
            drawn = page.evaluate("() => infoflowReport.cards[0].planeChart.named('now').map(m => [m.x[0], m.y[0]])")
            truth = np.column_stack([x[:, -1], y[:, -1]])
            sizes = [path.stat().st_size / 1e6 for path in (ours, other)]
            nodes = page.evaluate("() => document.querySelectorAll('*').length")
            yield Row(
                case=f"{layers} layers, {snapshots} snapshots, a step of the slider",
                reference="Plotly.react",
                reference_seconds=times[1],
                seconds=times[0],
                ratio=times[1] / times[0],
                target_ratio=times[1] / GOAL if layers == 60 else None,
                difference=float(np.abs(np.array(drawn) * math.log(2) - truth).max()),
                note=f"until the second frame; target: {GOAL:g} s; page of {sizes[0]:.2f} MB and {nodes} elements, "
                f"with plotly.js {sizes[1]:.2f} MB",
            )
        browser.close()


def _opened(browser: Any, path: Path) -> Any:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(path.as_uri())
    page.wait_for_timeout(500)
    return page


def _median(page: Any, steps: int) -> float:
    page.evaluate(_TIMED, 2)
    return float(statistics.median(page.evaluate(_TIMED, steps))) / 1000
