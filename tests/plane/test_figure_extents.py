"""No name of a user's makes a picture of the library lose text at its edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from torch import nn

from infoflow import profile
from infoflow.estimators import Gaussian
from infoflow.plane import Plane
from infoflow.plane.figure import draw_on
from infoflow.profiles import Profile, TrainingProfile
from infoflow.tables import information_matrix, rank

LONG = "WWWW encoder of a very long experiment, run 17 with everything, WWWW"


def outside(figure: Figure) -> list[str]:
    """Texts of a figure, as it is written, that reach beyond its edges by more than a pixel."""
    canvas = FigureCanvasAgg(figure)
    written: list[str] = []
    edge = figure.bbox.padded(1.0)
    draw = Text.draw

    def check(text: Text, renderer: RendererBase, *arguments: object, **options: object) -> None:
        box = text.get_window_extent(renderer)
        if text.get_text() and (box.x0 < edge.x0 or box.x1 > edge.x1 or box.y0 < edge.y0 or box.y1 > edge.y1):
            written.append(f"{text.get_text()} {box.extents.round()} {edge.extents.round()}")
        draw(text, renderer, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", check)
        canvas.draw()  # type: ignore[no-untyped-call]
    return written


def long_plane(plane: Plane) -> Plane:
    """Long names of networks, layers, estimators, probes and metrics."""
    names = {layer: f"WWWWWWWW.stage{i}.{LONG}.{layer}" for i, layer in enumerate(plane.frame["layer"].unique())}
    frame = plane.frame.assign(layer=plane.frame["layer"].map(names))
    frame = frame.assign(estimator=frame["estimator"].map({name: f"{name}{LONG}" for name in plane.estimators}))
    frame = frame.assign(quantity=f"I({LONG};T)")
    metrics = plane.metrics.assign(metric=plane.metrics["metric"].str.replace("test", LONG))
    return Plane(pd.concat([frame, frame.assign(probe=LONG)]), metrics, plane.provenance)


def many(plane: Plane, *, networks: int = 1, layers: int = 4, seeds: int = 3) -> Plane:
    """The first network again and again: more networks, deeper, with more seeds."""
    one = plane.frame.query("network == @plane.networks[0]")
    depths = sorted(one["depth"].unique())
    parts = []
    for network in range(networks):
        for depth in range(layers):
            for seed in range(seeds):
                part = one[(one["depth"] == depths[depth % len(depths)]) & (one["seed"] == seed % 3)]
                part = part.assign(network=f"network {network}", layer=f"block{depth}.act", depth=depth, seed=seed)
                parts.append(part.assign(nats=part["nats"] * (1 - 0.5 * depth / layers)))
    return Plane(pd.concat(parts))


@pytest.mark.parametrize("options", [{"estimator": "all"}, {"units": "nats", "probe": LONG}], ids=str)
@pytest.mark.parametrize("axes", [["input", "label"], pytest.param(["label"], marks=pytest.mark.slow)], ids=str)
def test_long_names_stay_within_the_figure(
    make_plane: Callable[..., Plane], axes: list[str], options: dict[str, str]
) -> None:
    plane = long_plane(make_plane(tanh=f"tanh {LONG}", relu=f"relu {LONG}"))
    figure = Figure()
    draw_on(figure, Plane(plane.frame[plane.frame["axis"].isin(axes)], plane.metrics), **options)  # type: ignore[arg-type]
    assert outside(figure) == []
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert any(title.startswith("tanh WWWW") and title.endswith("WWWW") for title in titles)  # both ends are kept


@pytest.mark.parametrize("counts", [{"networks": 6}, {"layers": 40}, {"seeds": 30}, {"layers": 1, "seeds": 1}], ids=str)
@pytest.mark.parametrize("axes", [["input", "label"], pytest.param(["label"], marks=pytest.mark.slow)], ids=str)
def test_many_of_everything_stay_within_the_figure(plane: Plane, axes: list[str], counts: dict[str, int]) -> None:
    crowd = many(plane, **counts)
    figure = Figure()
    draw_on(figure, Plane(crowd.frame[crowd.frame["axis"].isin(axes)]))
    assert outside(figure) == []
    assert max(figure.get_size_inches()) < 20
    for panel in figure.axes:
        renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        boxes = [text.get_window_extent(renderer) for text in panel.texts if text.get_text()]
        assert not [1 for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]


def test_every_estimator_is_drawn_or_named(plane: Plane) -> None:
    figure = Figure()
    draw_on(figure, plane)
    words = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    assert plane.estimators[0] in words
    assert f"Not drawn: {plane.estimators[1]}" in words
    every = Figure()
    draw_on(every, plane, estimator="all")
    words = " ".join(text.get_text() for text in every.texts)
    assert all(name in words for name in plane.estimators)
    assert "Not drawn" not in words
    assert every.get_size_inches()[1] > 1.8 * figure.get_size_inches()[1]


def test_an_estimator_is_found_by_the_text_that_was_typed(plane: Plane) -> None:
    named = Plane(plane.frame.replace({"estimator": {plane.estimators[0]: "Binning(width=0.07)"}}))
    for text in ("binning:width=0.07", "Binning(width=0.07)", "binning"):
        figure = Figure()
        draw_on(figure, named, estimator=text)
        assert any(each.get_text() == "Binning(width=0.07)" for each in figure.texts)


@pytest.mark.parametrize(("layers", "name"), [(3, LONG), (40, "block")])
def test_pictures_of_profiles_keep_long_names_and_many_layers(layers: int, name: str) -> None:
    network = nn.Sequential(nn.Embedding(50, 80), nn.Linear(80, 50))
    one = profile(network, [torch.randint(50, (8, 16)) for _ in range(4)], quantities=["soft-entropy"]).frame
    base = one[(one["depth"] == one["depth"].min()) & (one["quantity"] == "I(current;W)")]
    rows = [base.assign(depth=i, layer=f"{name} {i}", quantity=f"I({LONG};W)") for i in range(layers)]
    found = Profile(pd.concat(rows, ignore_index=True))
    curves = found.plot().get_figure(root=True)
    assert curves is not None
    for figure in (curves, TrainingProfile.of({0: found, 1: found, 1000: found}).plot()):
        assert outside(figure) == []  # a layout that does not fit is a warning, which is an error here
        assert max(figure.get_size_inches()) < 24


def test_pictures_of_estimates_keep_long_names() -> None:
    estimate = replace(Gaussian().estimate(torch.randn(50, 1), torch.randn(50, 1)), quantity=f"I({LONG};Y)")
    figure = estimate.plot(history=[estimate]).get_figure(root=True)
    assert figure is not None
    assert outside(figure) == []


def test_pictures_of_tables_keep_long_names() -> None:
    generator = np.random.default_rng(0)
    table = pd.DataFrame({f"{LONG} {i}": generator.normal(size=60) for i in range(4)})
    table["target"] = table.iloc[:, 0] + generator.normal(size=60)
    for axes in (
        rank(table, "target", estimator="gaussian").plot(),
        information_matrix(table, estimator="gaussian").plot(),
    ):
        figure = axes.get_figure(root=True)
        assert figure is not None
        assert outside(figure) == []
