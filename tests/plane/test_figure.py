"""The plane as an image: it draws, says what it shows, and leaves matplotlib as it was."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.plane import Plane
from infoflow.plane import figure as module
from infoflow.plane.epoch_axis import EpochAxis
from infoflow.plane.figure import draw, draw_on
from infoflow.plane.text_placement import spread

Draw = Callable[..., Figure]


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Draw]:
    """Draws, and hands over the figure for a look at what is on it."""
    kept: list[Figure] = []
    make = module._canvas_for

    def keep(path: Path) -> FigureCanvasAgg:
        canvas = make(path)
        kept.append(canvas.figure)
        return canvas

    def draw_and_keep(plane: Plane, ending: str = "png", **options: str) -> Figure:
        draw(plane, tmp_path_factory.mktemp("figure") / f"plane.{ending}", **options)
        return kept[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_canvas_for", keep)
        yield draw_and_keep


@pytest.fixture(scope="module")
def binning(drawing: Draw, make_plane: Callable[..., Plane]) -> Figure:
    return drawing(make_plane())


@pytest.fixture(scope="module")
def kernel(drawing: Draw, make_plane: Callable[..., Plane]) -> Figure:
    plane = make_plane()
    return drawing(plane, estimator=plane.estimators[1], units="nats")


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_an_image_of_print_size_with_ink_in_every_panel(plane: Plane, tmp_path: Path) -> None:
    path = plane.figure(tmp_path / "new" / "plane.png")
    image = imread(path)[..., :3]
    assert image.shape[1] > 1500
    assert image.shape[0] > 1000
    upper, lower = image[: image.shape[0] // 2], image[image.shape[0] // 2 :]
    for part in (upper, lower):
        for half in np.array_split(part, 2, axis=1):
            assert (half.min(axis=2) < 0.5).mean() > 0.005


def test_axes_name_quantity_unit_and_kind(binning: Figure, kernel: Figure) -> None:
    said = words(binning)
    assert said.count("H(Q(T)) [bits], plug-in") == 2
    assert words(kernel).count("I(X;T+ε) [nats], upper bound") == 2
    assert "I(T+ε;Y) [nats], difference of bounds" in words(kernel)
    assert not any("H(Q(T))" in text for text in words(kernel))
    assert {"Binning(bins=30)", "N = 1000, 3 seeds", "accuracy", "train", "test"} <= set(said)
    assert {"tanh", "relu", "tanh1", "relu3", "output"} <= set(said)


def test_points_are_means_over_seeds_in_the_unit_asked_for(plane: Plane, binning: Figure, kernel: Figure) -> None:
    for figure, estimator, scale in zip((binning, kernel), plane.estimators, (np.log(2), 1.0), strict=True):
        rows = plane.frame.query("network == 'tanh' and layer == 'tanh2'")
        means = rows[rows["estimator"] == estimator].groupby(["axis", "epoch"])["nats"].mean()
        expected = np.column_stack([means["input"], means["label"]]) / scale
        offsets = [np.asarray(c.get_offsets()) for c in figure.axes[0].collections]
        assert any(np.allclose(found, expected) for found in offsets if len(found) == 12)


def hollow(figure: Figure) -> int:
    markers = [c for c in figure.axes[0].collections if len(c.get_offsets()) == 12]
    return sum(int((np.asarray(c.get_facecolors())[:, :3] == 1.0).all(axis=1).sum()) for c in markers)


def test_ceilings_are_drawn_and_saturated_points_are_hollow(plane: Plane, binning: Figure) -> None:
    assert {"log N = 9.97", "H(Y) = 1.00"} <= set(words(binning))
    rows = plane.frame.query("network == 'tanh' and estimator == 'Binning(bins=30)'")
    reached = rows.groupby(["layer", "epoch"])["saturated"].any()
    assert 0 < hollow(binning) == int(reached.sum()) < len(reached)


def test_names_of_equal_ceilings_are_one_text(plane: Plane) -> None:
    frame = plane.frame.copy()
    labels = frame["axis"] == "label"
    frame.loc[labels & (frame["epoch"] == frame["epoch"].max()), "ceiling_name"] = "H(L)"
    frame.loc[labels, "ceiling"] = frame.loc[labels, "ceiling"].max()
    figure = Figure()
    draw_on(figure, Plane(frame, plane.metrics))
    assert "H(L) = H(Y) = 1.00" in words(figure)
    assert "H(Y) = 1.00" not in words(figure)
    frame.loc[labels & (frame["epoch"] == frame["epoch"].max()), "ceiling_name"] = "H(L) or H(Y)"
    figure = Figure()
    draw_on(figure, Plane(frame, plane.metrics))
    assert "H(L) or H(Y) = 1.00" in words(figure)  # which of both is the ceiling is unknown, so they need not be equal


@pytest.mark.parametrize(("name", "all_hollow"), [("H(Y)", False), ("log m", True)])
def test_points_at_the_label_entropy_are_not_hollow(
    plane: Plane, binning: Figure, drawing: Draw, name: str, all_hollow: bool
) -> None:
    frame = plane.frame.copy()
    frame.loc[frame["axis"] == "label", ["saturated", "ceiling_name"]] = [True, name]
    assert hollow(drawing(Plane(frame))) == (4 * 12 if all_hollow else hollow(binning))


def covered(figure: Figure) -> list[tuple[str, str]]:
    """Names of which one covers another."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    found = []
    for axes in figure.axes:
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in axes.texts if text.get_text()]
        found += [(a, b) for i, (a, one) in enumerate(boxes) for b, other in boxes[i + 1 :] if one.overlaps(other)]
    return found


def test_names_on_the_figure_cover_no_other_name(binning: Figure) -> None:
    assert covered(binning) == []


@pytest.mark.parametrize("axis", ["input", "label"])
def test_names_of_close_ceilings_cover_no_other_name(plane: Plane, axis: str) -> None:
    frame = plane.frame.copy()
    for number, layer in enumerate(("tanh1", "tanh2")):
        lower = (frame["axis"] == axis) & (frame["layer"] == layer)
        frame.loc[lower, "ceiling_name"] = f"ceiling {number}"
        frame.loc[lower, "ceiling"] *= 0.99 - 0.01 * number
    figure = Figure()
    draw_on(figure, Plane(frame, plane.metrics))
    assert len([text for text in words(figure) if text.startswith("ceiling")]) == 2
    assert covered(figure) == []


@pytest.mark.parametrize("axis", ["input", "label"])
def test_long_names_of_ceilings_stay_at_their_panel(plane: Plane, axis: str) -> None:
    frame = plane.frame.copy()
    frame.loc[frame["axis"] == axis, "ceiling_name"] = "mean entropy of batches or " + "lesser of two entropies " * 4
    figure = Figure()
    draw_on(figure, Plane(frame, plane.metrics))
    renderer = FigureCanvasAgg(figure).get_renderer()
    panels = [axes for axes in figure.axes if any(text.get_text().startswith("mean") for text in axes.texts)]
    assert len(panels) == len(plane.networks)
    for axes in panels:
        name = next(text for text in axes.texts if text.get_text().startswith("mean")).get_window_extent(renderer)
        frame_of = axes.get_window_extent(renderer)
        assert frame_of.x0 - 0.3 * figure.dpi < name.x0 < name.x1 < frame_of.x1 + 0.25 * figure.dpi


def test_notes_lie_within_a_figure_of_one_network(plane: Plane, drawing: Draw) -> None:
    figure = drawing(Plane(plane.frame.query("network == @plane.networks[0]")))
    (note,) = (text for text in figure.texts if text.get_text().startswith("Points and lines"))
    box = note.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert [axis.xaxis.label for axis in figure.axes if axis.xaxis.label.get_window_extent().overlaps(box)] == []


def test_odd_names_are_shown_as_they_are(make_plane: Callable[..., Plane], drawing: Draw) -> None:
    odd = "$x^{_$ a_very_long_name.of.a.network"
    assert odd in words(drawing(make_plane(tanh=odd), "svg"))


def test_one_seed_one_epoch_and_no_metrics_are_enough(plane: Plane, tmp_path: Path) -> None:
    frame = plane.frame.query("seed == 0 and epoch == 0")
    draw(Plane(frame), tmp_path / "plane.png")
    assert (tmp_path / "plane.png").stat().st_size > 10_000


def test_matplotlib_is_left_as_it_was(plane: Plane, tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    worker = threading.Thread(target=draw, args=(plane, tmp_path / "plane.png"))
    worker.start()
    worker.join()
    assert (tmp_path / "plane.png").exists()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"estimator": "Bining(bins=30)"}, UnknownName, "Did you mean 'Binning"),
        ({"units": "bytes"}, UnknownName, "unknown units 'bytes'"),
        ({"probe": "test"}, UnknownName, "unknown probe 'test'"),
    ],
)
def test_unknown_names_are_reported(
    plane: Plane, tmp_path: Path, options: dict[str, str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        draw(plane, tmp_path / "plane.png", **options)
    assert list(tmp_path.iterdir()) == []


def test_invalid_paths_are_rejected(plane: Plane, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"^path must .*png"):
        draw(plane, tmp_path / "plane.docx")
    with pytest.raises(InvalidArgument, match=r"^path must"):
        draw(plane, tmp_path)
    with pytest.raises(InvalidArgument, match=r"^plane must"):
        draw(Plane(plane.frame.iloc[:0]), tmp_path / "plane.png")


def test_spread_keeps_order_and_distance_and_moves_little() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        wanted = generator.random(8).tolist()
        places = spread(wanted, 0.05)
        order = np.argsort(wanted)
        gaps = np.diff(np.array(places)[order])
        assert gaps.min() > 0.05 - 1e-9
        # Least squares: no common shift makes it better.
        assert abs(np.sum(np.array(places) - wanted)) < 1e-9


def test_many_layers_are_bands_by_depth_with_a_color_bar(plane: Plane, drawing: Draw) -> None:
    one = plane.frame.query("network == 'relu' and estimator == 'Binning(bins=30)' and layer == 'output'")
    parts = [one.assign(layer=f"blocks.{i}", depth=i, nats=one["nats"] * (1 - i / 60)) for i in range(30)]
    figure = drawing(Plane(pd.concat(parts), plane.metrics, plane.provenance))
    top, bar = figure.axes[0], figure.axes[-1]
    bands = [band for band in top.collections if isinstance(band, LineCollection)]
    assert len(bands) == 6  # log-spaced snapshots, the first and the last among them
    means = one[one["epoch"] == 1000].groupby("axis")["nats"].mean() / math.log(2)
    thick = max(bands, key=lambda band: band.get_linewidth()[0])
    assert len(thick.get_segments()) == 29
    np.testing.assert_allclose(thick.get_segments()[0][0], [means["input"], means["label"]])
    np.testing.assert_allclose(thick.get_segments()[28][1], means[["input", "label"]] * (1 - 29 / 60))
    assert len({tuple(color) for color in thick.get_colors()}) == 29
    assert bar.get_title(loc="left") == "layer"
    assert [tick.get_text() for tick in bar.get_yticklabels()][:: len(bar.get_yticks()) - 1] == ["1", "30"]
    names = {text.get_text() for text in top.texts}
    assert {"blocks.0", "blocks.29", "0"} <= names
    assert len([word for word in names if word.startswith("blocks.")]) == 5


def test_the_last_epoch_has_a_tick_where_there_is_space() -> None:
    def ticks(*epochs: int) -> list[float]:
        axes = Figure().subplots()
        EpochAxis(epochs).apply(axes)
        return [float(tick) for tick in axes.get_xticks()]

    assert ticks(0, 1, 5, 9) == [0.5, 1, 9]
    assert ticks(0, 1, 30, 600) == [0.5, 1, 10, 100, 600]
    assert ticks(0, 1, 50, 110) == [0.5, 1, 10, 100]
    assert ticks(0, 1) == [0.5, 1]
