"""Estimators of I(T;Y) alone: their plane has no input axis, and is drawn by depth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators import create
from infoflow.estimators.registry import Ability, names
from infoflow.plane import Plane, analyse, record
from infoflow.plane.figure import draw_on
from infoflow.plane.placing import placed
from infoflow.plane.report import payload


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes far apart, which the first layer passes on and the second merges."""
    y = np.arange(200) % 2
    x = torch.as_tensor(np.random.default_rng(0).normal(size=(200, 2)) + 20.0 * y[:, None], dtype=torch.float32)
    last = nn.Linear(2, 3)
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[1.0, -1.0], [-2.0, 2.0], [0.5, -0.5]]))
    model = nn.Sequential(nn.Identity(), last)
    path = tmp_path_factory.mktemp("labels") / "run"
    with record(model, x, y, store=path, layers=["0", "output"], unit="step") as recorder:
        recorder.snapshot(0)
        recorder.snapshot(100)
    return path


@pytest.fixture(scope="module")
def plane(store: Path) -> Plane:
    return analyse(store, ["class-neighbors", "mixed", "classifier-bound"])


def test_every_estimator_of_labels_fills_the_label_axis_alone(plane: Plane) -> None:
    assert set(plane.frame["axis"]) == {"label"}
    assert set(plane.frame["quantity"]) == {"I(T;Y)"}
    nats = plane.frame.groupby(["estimator", "layer"])["nats"].max()
    for estimator in plane.estimators:
        assert nats[estimator, "0"] == pytest.approx(math.log(2), abs=0.05)
        assert nats[estimator, "output"] < 0.1  # x1 − x2 has the same distribution in both classes
    assert plane.audit().compression.empty
    assert plane.audit().ok
    assert "I(X;T)" not in str(plane.audit())


def test_what_is_registered_for_labels_can_be_placed(store: Path) -> None:
    assert {"auto", "class-neighbors", "classifier-bound", "mixed"} <= set(names(Ability.LABEL))
    for name in names(Ability.LABEL):
        assert placed(name) == create(name)
    assert set(analyse(store, ["auto"], epochs=[0], layers=["0"]).frame["axis"]) == {"label"}


def test_an_estimator_of_ones_own_needs_only_estimate(store: Path) -> None:
    class Counting:
        def estimate(self, x: Any, y: Any) -> Estimate:
            return Estimate(float(len(y)), "I(X;Y)", Kind.POINT, "Counting", n=len(y))

    assert analyse(store, [Counting()]).frame["nats"].tolist() == [200.0] * 4


def test_an_estimator_without_a_place_names_those_that_have_one() -> None:
    with pytest.raises(InvalidArgument, match=r"binning, .*I\(T;Y\) alone: .*class-neighbors.*mixed"):
        placed("cca")


def test_picture_and_page_show_the_label_axis_by_depth(plane: Plane) -> None:
    figure = Figure()
    draw_on(figure, plane, estimator="classifier-bound")
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    top, curves = figure.axes[:2]
    assert top.get_ylabel() == "I(T;Y) [bits], lower bound"
    assert [tick.get_text() for tick in top.get_xticklabels()] == ["0", "output"]
    assert len(top.collections) == 2  # one for each snapshot
    rows = plane.frame[(plane.frame["estimator"] == "ClassifierBound") & (plane.frame["epoch"] == 0)]
    offsets = np.asarray(top.collections[0].get_offsets())
    assert np.allclose(offsets[:, 1], rows.sort_values("depth")["nats"] / math.log(2))
    assert curves.get_ylabel() == "I(T;Y) [bits]"
    assert curves.get_xlabel() == "step"
    page = payload(plane)
    assert {cube["axis"] for cube in page["cubes"]} == {"label"}
    assert page["time"] == "step"
    assert "at 2 snapshots from step 0 to 100" in page["summary"]
