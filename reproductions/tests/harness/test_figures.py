"""Curves over training: legends and scales that panels share; error bars within the range of what they show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from infoflow_reproductions.harness.figures import Curves, bars, curves, pack, sheets, training
from infoflow_reproductions.harness.findings import Figure
from matplotlib.figure import Figure as Canvas


def ends(picture: Figure) -> np.ndarray:
    """Lower and upper end of every error bar."""
    canvas = Canvas(layout="constrained")
    picture.draw(canvas)
    (collection,) = canvas.axes[0].collections
    return np.array([segment[:, 1] for segment in collection.get_segments()])


@pytest.mark.parametrize(
    ("label", "values", "low", "high"),
    [
        ("accuracy / %", [0.0, 1.0, 3.0], 0, 100),
        ("accuracy / %", [97.0, 99.0, 99.9], 0, 100),
        ("loss / nats", [0.1, 0.5, 2.0], 0, np.inf),
    ],
)
def test_error_bars_stay_within_the_range(label: str, values: list[float], low: float, high: float) -> None:
    points: Curves = {"a": {1.0: values, 2.0: values}}
    for picture in (
        bars("name", "caption", {"a": {"b": values}}, label),
        curves("name", "caption", points, "x", label),
    ):
        found = ends(picture)
        assert low <= found.min() < np.mean(values) < found.max() <= high


def test_a_single_seed_has_no_error_bar() -> None:
    found = ends(bars("name", "caption", {"a": {"b": [3.0]}}, "accuracy / %"))
    assert found.tolist() == [[3.0, 3.0]]


def drawn(found: dict[str, dict[str, list[list[float]]]], *, sharey: bool = False) -> Canvas:
    canvas = Canvas(layout="constrained")
    training("name", "caption", found, "nats", columns=2, sharey=sharey).draw(canvas)
    canvas.draw_without_rendering()
    return canvas


def test_panels_with_the_same_curves_have_one_legend_below_them() -> None:
    canvas = drawn({"a": {"x": [[1.0, 2.0]], "y": [[2.0, 3.0]]}, "b": {"x": [[5.0, 9.0]], "y": [[0.0, 1.0]]}})
    assert [text.get_text() for text in canvas.legends[0].get_texts()] == ["x", "y"]
    assert all(axes.get_legend() is None for axes in canvas.axes)
    top = canvas.legends[0].get_window_extent().y1
    assert all(top <= axes.xaxis.label.get_window_extent().y0 for axes in canvas.axes)


def test_panels_with_other_curves_have_legends_of_their_own() -> None:
    canvas = drawn({"a": {"x": [[1.0, 2.0]]}, "b": {"y": [[5.0, 9.0]]}})
    assert not canvas.legends
    legends = [axes.get_legend() for axes in canvas.axes]
    assert [[text.get_text() for text in legend.get_texts()] for legend in legends if legend] == [["x"], ["y"]]


def test_the_lowest_panel_of_each_column_names_the_epochs() -> None:
    canvas = drawn({title: {"x": [[1.0, 2.0]]} for title in "abc"})
    assert [axes.get_xlabel() for axes in canvas.axes[:3]] == ["", "epoch", "epoch"]


@pytest.mark.parametrize("sharey", [False, True])
def test_one_scale_if_asked_for(sharey: bool) -> None:
    canvas = drawn({"a": {"x": [[1.0, 2.0]]}, "b": {"x": [[5.0, 9.0]]}}, sharey=sharey)
    first, second = (axes.get_ylim() for axes in canvas.axes)
    assert (first == second) is sharey


@pytest.mark.parametrize(("rows", "columns"), [(10, 5), (5, 9), (2, 8)])
def test_images_of_a_sheet_have_the_same_size_however_many_they_are(rows: int, columns: int) -> None:
    images = pack(torch.zeros(rows, columns, 3, 32, 32, dtype=torch.uint8))
    canvas = Canvas(layout="constrained")
    sheets("name", "caption", {"a": images, "b": images}, first=1).draw(canvas)
    canvas.draw_without_rendering()
    for axes in canvas.axes:
        height, width = axes.images[0].get_array().shape[:2]  # type: ignore[union-attr]
        box = axes.get_window_extent()
        side = 32 * min(box.width / width, box.height / height) / canvas.dpi
        assert 0.3 < side < 0.5  # inches
