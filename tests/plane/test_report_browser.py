"""The report in a real browser, headless: it draws, answers to its controls, asks no network, runs no one's names."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from infoflow.plane import Plane

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
Page = sync_api.Page

# What playwright itself warns of is no fault of the page.
pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<img src=x onerror=alert(1)><b>x</b>"
READY = "() => Boolean(window.infoflowReport) && !window.infoflowReport.busy"
NOW = """i => infoflowReport.cards[i].planeChart.named('now')
         .map(m => ({x: [...m.x], y: [...m.y], text: m.text, open: m.open}))"""
# How many pixels of the canvas of a chart are painted inside a box of it, in CSS pixels.
PAINTED = """([kind, i, box]) => {
  const canvas = document.querySelectorAll(kind)[i].querySelector('canvas'), ratio = canvas.width / canvas.clientWidth;
  const [x, y, w, h] = (box ?? [0, 0, canvas.clientWidth, canvas.clientHeight]).map(v => Math.round(v * ratio));
  const copy = new OffscreenCanvas(w, h).getContext('2d', {willReadFrequently: true});
  copy.drawImage(canvas, -x, -y);
  const data = copy.getImageData(0, 0, w, h).data;
  let count = 0;
  for (let k = 3; k < data.length; k += 4) count += data[k] > 40;
  return count;
}"""
LINES = "i => infoflowReport.cards[i].curveChart.marks.flat().filter(m => m.type === 'line').length"


class Opened:
    """A page of a report, with everything that it complained of or asked for."""

    def __init__(self, browser: Any, path: Path, width: int = 1400, scheme: str = "light") -> None:
        self.path = path
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.settle()

    def _dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def settle(self) -> None:
        # Two frames, so that a redraw that was asked for has begun.
        self.page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        self.until(READY)

    def until(self, true: str, seconds: float = 20.0) -> None:
        # Playwright's own waiting evaluates text inside the page, which the page's security policy forbids.
        end = time.monotonic() + seconds
        while not self.page.evaluate(true):
            assert time.monotonic() < end, f"waited {seconds} s for {true}"
            self.page.wait_for_timeout(20)

    def now(self, network: int = 0) -> Any:
        return self.page.evaluate(NOW, network)

    def at(self, layer: int, network: int = 0) -> tuple[float, float]:
        """Where the point of a layer is in the window."""
        found = self.page.evaluate(
            """([i, layer]) => {
              const chart = infoflowReport.cards[i].planeChart, mark = chart.named('now').find(m => m.layer === layer);
              return chart.place(0, mark.x[0], mark.y[0]);
            }""",
            [network, layer],
        )
        return found["x"], found["y"]

    def titles(self) -> list[str]:
        return [text.strip() for text in self.page.locator(".plane .xtitle, .plane .ytitle").all_text_contents()]

    def curve(self) -> list[float]:
        """The second layer's mean of I(X;T) as the curves of the first network draw it."""
        found: list[float] = self.page.evaluate(
            "() => [...infoflowReport.cards[0].curveChart.marks[0].filter(m => m.type === 'line')[1].y]"
        )
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(make_plane: Callable[..., Plane], tmp_path_factory: pytest.TempPathFactory) -> Path:
    plane = make_plane()
    other = plane.frame.assign(probe="held out", nats=plane.frame["nats"] * 0.9)
    both = Plane(pd.concat([plane.frame, other]), plane.metrics, plane.provenance)
    return both.report(tmp_path_factory.mktemp("report") / "plane.html")


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Opened]:
    made = Opened(browser, report)
    yield made
    assert made.complaints == []
    assert set(made.requests) <= {report.as_uri(), "data:,"}
    made.page.close()


def test_every_plot_has_points_that_can_be_seen(opened: Opened) -> None:
    page = opened.page
    assert page.locator(".plane").count() == page.locator(".curves").count() == 2
    for i in range(2):
        assert page.evaluate(PAINTED, [".plane", i, None]) > 1000
        for point in opened.now(i):  # a disc at each layer's place
            left, top = page.evaluate(
                "([i, x, y]) => { const p = infoflowReport.cards[i].planeChart.panels[0]; return [p.px(x), p.py(y)]; }",
                [i, point["x"][0], point["y"][0]],
            )
            assert page.evaluate(PAINTED, [".plane", i, [left - 4, top - 4, 8, 8]]) == 64
        assert page.evaluate(LINES, i) >= 4 * 2 + 4
        assert page.evaluate(PAINTED, [".curves", i, None]) > 1000
    text = page.inner_text("body")
    for said in ("tanh", "relu", "log N = 9.97", "H(Y) = 1.00", "synthetic curves", "at its ceiling log N"):
        assert said in text
    assert page.title() == "Information plane: tanh, relu"


def test_the_drawn_points_are_the_planes_means(opened: Opened, plane: Plane) -> None:
    rows_at_end = plane.frame.query("estimator == 'Binning(bins=30)' and epoch == 1000")
    for network, name in enumerate(plane.networks):
        rows = rows_at_end[rows_at_end["network"] == name]
        means = rows.groupby(["axis", "depth"])["nats"].mean() / math.log(2)
        drawn = opened.now(network)
        assert [point["x"][0] for point in drawn] == pytest.approx(means["input"].tolist(), rel=1e-4)
        assert [point["y"][0] for point in drawn] == pytest.approx(means["label"].tolist(), rel=1e-4)


def test_saturated_points_are_open(opened: Opened, plane: Plane) -> None:
    rows = plane.frame.query("network == 'relu' and estimator == 'Binning(bins=30)' and epoch == 1000")
    expected = rows[rows["axis"] == "input"].groupby("depth")["saturated"].any().tolist()
    assert True in expected
    assert False in expected
    assert [point["open"] for point in opened.now(1)] == expected


def test_the_slider_moves_the_points_and_the_line_on_the_curves(opened: Opened) -> None:
    page = opened.page
    last, line = opened.now(), page.locator(".marks i").first.bounding_box()
    assert page.locator("#epoch-text").inner_text() == "epoch 1000"
    page.focus("#epoch")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    opened.settle()
    assert page.locator("#epoch-text").inner_text() == "epoch 30"
    assert page.locator("#epoch").get_attribute("aria-valuetext") == "epoch 30"
    moved = opened.now()
    assert [p["x"] for p in moved] != [p["x"] for p in last]
    assert page.locator(".marks i").first.bounding_box()["x"] < line["x"] - 20
    page.keyboard.press("Home")
    opened.settle()
    assert page.evaluate("() => infoflowReport.state.step") == 0
    assert page.locator("#epoch-text").inner_text() == "epoch 0"


def test_play_advances_and_stops_at_the_end(opened: Opened) -> None:
    page = opened.page
    page.click("#play")
    assert page.locator("#play").get_attribute("aria-pressed") == "true"
    opened.until("() => infoflowReport.state.step >= 2")
    page.click("#play")
    assert not page.evaluate("() => infoflowReport.state.playing")
    opened.settle()
    assert page.evaluate("() => infoflowReport.state.step") < len(page.evaluate("() => infoflowReport.epochs"))
    page.click("#play")
    opened.until("() => !infoflowReport.state.playing")
    assert page.locator("#epoch-text").inner_text() == "epoch 1000"
    assert page.locator("#play").inner_text().endswith("Play")


def test_units_switch_values_and_titles(opened: Opened) -> None:
    bits, curve, titles = opened.now(), opened.curve(), opened.titles()
    assert titles == ["H(Q(T)) [bits], plug-in", "I(Q(T);Y) [bits], plug-in"] * 2
    opened.page.get_by_label("nats", exact=True).check()
    opened.settle()
    assert opened.titles() == ["H(Q(T)) [nats], plug-in", "I(Q(T);Y) [nats], plug-in"] * 2
    for in_nats, in_bits in zip(opened.now(), bits, strict=True):
        assert in_nats["x"][0] / math.log(2) == pytest.approx(in_bits["x"][0])
        assert in_nats["y"][0] / math.log(2) == pytest.approx(in_bits["y"][0])
    assert [value / math.log(2) for value in opened.curve()] == pytest.approx(curve)
    assert "log N = 6.91" in opened.page.inner_text("body")
    assert "peak [nats]" in opened.page.inner_text("#compression")


def test_estimators_switch_values_titles_and_caveat(opened: Opened) -> None:
    before, caveat = opened.now(), opened.page.inner_text("#caveat")
    opened.page.select_option("#estimator", label="KernelDensity(variance=0.1)")
    opened.settle()
    assert opened.titles() == ["I(X;T+ε) [bits], upper bound", "I(T+ε;Y) [bits], difference of bounds"] * 2
    assert opened.now() != before
    assert "Gaussian noise" in opened.page.inner_text("#caveat")
    assert opened.page.inner_text("#caveat") != caveat


def test_probes_switch_values(opened: Opened) -> None:
    before = opened.now()
    opened.page.select_option("#probe", label="held out")
    opened.settle()
    for now, then in zip(opened.now(), before, strict=True):
        assert now["x"][0] == pytest.approx(0.9 * then["x"][0], rel=1e-4)


def test_every_seed_can_be_shown(opened: Opened) -> None:
    opened.page.get_by_label("every seed").check()
    opened.settle()
    assert [len(point["x"]) for point in opened.now()] == [3] * 4


def test_networks_and_layers_can_be_hidden(opened: Opened) -> None:
    page = opened.page
    page.locator("#networks-choice button").first.click()
    page.locator("#layers-choice button").last.click()
    opened.settle()
    assert page.locator(".card:visible h3").all_inner_texts() == ["relu"]
    assert len(opened.now(1)) == 3
    assert "tanh1" not in page.inner_text("#compression")
    page.locator("#networks-choice button").first.click()
    opened.settle()
    assert page.locator(".card:visible").count() == 2


def test_numbers_are_there_in_words(opened: Opened, plane: Plane) -> None:
    opened.page.locator("details summary").first.click()
    rows = plane.frame.query("network == 'tanh' and estimator == 'Binning(bins=30)' and epoch == 1000")
    value = rows.query("layer == 'tanh3' and axis == 'input'")["nats"].mean() / math.log(2)
    table = opened.page.locator("details table").first
    assert f"{value:.3f}" in table.locator("tr", has_text="tanh3").inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(1100, "light"), (1600, "dark")])
def test_it_fits_the_width_in_both_schemes(browser: Any, report: Path, width: int, scheme: str) -> None:
    opened = Opened(browser, report, width, scheme)
    assert opened.page.evaluate("() => document.documentElement.scrollWidth") <= width
    background = opened.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in background[4:-1].split(",")) > 384) == (scheme == "light")
    assert opened.complaints == []
    opened.page.close()


def test_one_network_one_seed_and_one_snapshot_are_enough(browser: Any, plane: Plane, tmp_path: Path) -> None:
    path = Plane(plane.frame.query("network == 'relu' and seed == 0 and epoch == 0")).report(tmp_path / "plane.html")
    opened = Opened(browser, path)
    assert len(opened.now()) == 4
    dots = "() => infoflowReport.cards[0].curveChart.marks.flat().filter(m => m.type === 'dots').length"
    assert opened.page.evaluate(dots) == 2 * 4
    assert "at one snapshot (epoch 0), one seed" in opened.page.inner_text("header")
    for choice in ("#probe-choice", "#view-choice", "#networks-choice"):
        assert not opened.page.locator(choice).is_visible()
    opened.page.click("#play")
    opened.until("() => !infoflowReport.state.playing")
    assert opened.complaints == []
    opened.page.close()


def test_hostile_names_are_text_and_run_nothing(browser: Any, make_plane: Callable[..., Plane], tmp_path: Path) -> None:
    plane = make_plane(tanh=f"{HOSTILE} net")
    frame = plane.frame.copy()
    frame["layer"] = HOSTILE + frame["layer"]
    for column in ("quantity", "estimator", "probe", "ceiling_name", "kind"):
        frame[column] = frame[column] + HOSTILE
    frame["warnings"] = f"</script>{HOSTILE}<a href='javascript:alert(1)'>x</a>"
    metrics = plane.metrics.copy()
    metrics["metric"] = HOSTILE + metrics["metric"]
    path = Plane(frame, metrics, {HOSTILE: f"{HOSTILE}&amp;"}).report(tmp_path / "plane.html")
    opened = Opened(browser, path)
    page = opened.page
    page.locator("details summary").first.click()
    page.locator(".plane").first.hover()
    page.mouse.move(*opened.at(0))
    assert HOSTILE in page.locator(".plane .tip").first.text_content()
    page.click("#play")
    opened.until("() => infoflowReport.state.step >= 1")
    page.click("#play")
    opened.settle()
    assert page.locator("img").count() == 0
    assert page.locator(".card h3").first.inner_text() == f"{HOSTILE} net"
    assert HOSTILE in page.locator("#layers-choice .name").first.inner_text()
    assert page.locator("#estimator option").first.inner_text().endswith(HOSTILE)
    assert all(HOSTILE in title for title in opened.titles())
    assert HOSTILE in page.locator(".curves").first.text_content()
    for part in ("#warnings", "#provenance", "#compression", "details"):
        assert HOSTILE in page.locator(part).first.inner_text()
    assert f"{HOSTILE}&amp;" in page.inner_text("#provenance")
    assert page.evaluate("() => document.querySelectorAll('a[href^=javascript], [onerror]').length") == 0
    assert opened.complaints == []
    assert set(opened.requests) <= {path.as_uri(), "data:,"}
    page.close()


def test_a_plane_of_labels_alone_is_drawn_by_depth(
    browser: Any, make_plane: Callable[..., Plane], tmp_path: Path
) -> None:
    plane = make_plane()
    page = Opened(browser, Plane(plane.frame.query("axis == 'label'")).report(tmp_path / "labels.html"))
    assert page.complaints == []
    assert "layer, in order of depth" in page.titles()
    assert sorted(point["x"][0] for point in page.now()) == [1, 2, 3, 4]
    assert page.page.evaluate(LINES, 0) >= 4
    page.page.close()


def many_layers(layers: int, snapshots: int) -> Plane:
    """A plane of many layers, whose point of layer i at snapshot e is (i + e, i) nats."""
    layer, epoch = np.meshgrid(np.arange(layers), np.arange(snapshots), indexing="ij")
    shared = {
        "network": "deep",
        "probe": "probe",
        "layer": [f"blocks.{i}" for i in layer.ravel()],
        "depth": layer.ravel(),
        "seed": 0,
        "epoch": epoch.ravel(),
        "estimator": "Binning(bins=30)",
        "kind": "plug-in",
        "ceiling": math.inf,
        "ceiling_name": "",
        "saturated": False,
        "low": math.nan,
        "high": math.nan,
        "spans": "",
        "n": 100,
        "warnings": "",
    }
    sides = [("input", "H(Q(T))", layer + epoch), ("label", "I(Q(T);Y)", layer)]
    return Plane(
        pd.concat([pd.DataFrame({**shared, "axis": a, "quantity": q, "nats": v.ravel()}) for a, q, v in sides])
    )


def test_many_layers_are_one_band_with_names_at_the_pointer(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, many_layers(60, 20).report(tmp_path / "deep.html"))
    page = opened.page
    assert page.evaluate("() => document.querySelectorAll('*').length") < 1500
    band = page.evaluate("() => infoflowReport.cards[0].planeChart.named('layers').at(-1)")
    assert len(band["x"]) == 60
    assert len(set(band["color"])) == 60
    assert band["x"][3] * math.log(2) == pytest.approx(3 + 19)
    assert all(point["text"] == "" for point in opened.now())
    assert not page.locator("#layers-choice .chip").first.is_visible()
    page.mouse.move(*opened.at(33))
    tip = page.locator(".plane .tip")
    assert tip.locator("b").inner_text() == "34 blocks.33, epoch 19"
    assert f"I(Q(T);Y) = {33 / math.log(2):.3f} bits" in tip.inner_text()
    assert page.evaluate("() => infoflowReport.cards[0].selected") == 33
    page.mouse.move(2, 2)
    assert not tip.is_visible()
    assert page.evaluate("() => infoflowReport.cards[0].selected") is None
    page.locator("#layers-choice summary").click()
    page.locator("#layers-choice .chip").nth(5).click()
    assert len(opened.now()) == 59
    assert opened.complaints == []
    page.close()


def test_a_drawn_box_zooms_and_a_double_click_undoes_it(opened: Opened) -> None:
    ranges = "() => { const p = infoflowReport.cards[0].planeChart.panels[0]; return [p.rangeX, p.rangeY]; }"
    page, before = opened.page, opened.page.evaluate(ranges)
    x, y = opened.at(2)
    page.mouse.move(x - 60, y - 40)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=3)
    page.mouse.up()
    (left, right), (low, high) = page.evaluate(ranges)
    assert right - left < 0.4 * (before[0][1] - before[0][0])
    middle = opened.now()[2]
    assert (left + right) / 2 == pytest.approx(middle["x"][0], rel=0.01)
    assert (low + high) / 2 == pytest.approx(middle["y"][0], rel=0.01)
    page.mouse.dblclick(x, y)
    assert page.evaluate(ranges) == before


def test_a_chart_is_saved_as_a_picture(opened: Opened, tmp_path: Path) -> None:
    page = opened.page
    page.locator(".plane").first.hover()
    with page.expect_download() as download:
        page.locator(".plane .tools button").first.click()
    download.value.save_as(tmp_path / "plane.png")
    assert download.value.suggested_filename == "tanh-plane.png"
    picture = image.imread(tmp_path / "plane.png")
    assert picture.shape[1] == 2 * page.evaluate("() => document.querySelector('.plane').clientWidth")
    assert (picture[..., :3].min(axis=2) < 0.5).sum() > 2000  # text and axes, and marks in color
    assert (np.ptp(picture[..., :3], axis=2) > 0.3).sum() > 500
    opened.requests[:] = [url for url in opened.requests if not url.startswith(("data:image/svg", "blob:"))]
