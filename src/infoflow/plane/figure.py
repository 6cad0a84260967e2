"""The information plane as one image of print quality: the plane, I(X;T) and accuracy through training.

All is drawn with matplotlib's objects and the Agg canvas: no pyplot, no global state, no rcParams.
"""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import NATS_PER_BIT
from infoflow.core.settings import OneOf, check, validated
from infoflow.plane.compression import BAND
from infoflow.plane.epoch_axis import EpochAxis
from infoflow.plane.table import PlaneTable
from infoflow.plane.text_placement import label_ends, label_points, plain

INK, QUIET, FAINT = "#1c1c1c", "#5f5f5f", "#c4c4c4"
MARKERS = "osD^vP*Xphd<>"
DPI = 300
# Inches. Fixed, so that type has the same size on the page for any number of networks.
COLUMN, LEFT, TOP, BOTTOM, BAR = 2.75, 0.58, 0.84, 0.62, 0.45
ROWS = (2.55, 1.55, 0.95)
ROW_GAPS = (0.62, 0.16)
SMALL, NORMAL, LARGE = 6.5, 7.5, 8.5
LONGEST = 22  # characters of a layer's name that are written
_CEILING: dict[str, Any] = {"color": QUIET, "linewidth": 0.7, "linestyle": (0, (4, 3)), "zorder": 0.5}
_ACCURACY_STYLES = {"train_accuracy": (0, (3, 1.5)), "test_accuracy": "solid"}


def draw(
    plane: PlaneTable,
    path: str | os.PathLike[str],
    *,
    estimator: str | None = None,
    units: Literal["bits", "nats"] = "bits",
    probe: str | None = None,
) -> None:
    """Draw I(T;Y) over I(X;T) of every network, with I(X;T) and accuracy through training, into one image.

    Parameters
    ----------
    plane : Plane
        The plane.
    path
        Image file; its ending (.png, .pdf, .svg) sets the format.
    estimator
        Name of an estimator in the plane; None for the first.
    units
        "bits" or "nats".
    probe
        Name of a probe in the plane; None for the first.

    Raises
    ------
    UnknownName
        If estimator, units or probe do not exist.
    InvalidArgument
        If the format cannot be drawn, the path is a folder, or the plane is empty.

    Notes
    -----
    Points are means over seeds, colored by epoch; thin lines are single seeds, and bands reach from their 10 % to their
    90 % quantile. Dashed lines are ceilings; a hollow point has reached one of them in at least one seed, so it is a
    lower bound only (H(Y) makes no point hollow, as no I(T;Y) exceeds it).

    References
    ----------
    R. Shwartz-Ziv and N. Tishby, "Opening the black box of deep neural networks via information" (2017), figure 2.
    """
    target = Path(path)
    canvas = _canvas_for(target)
    draw_on(canvas.figure, plane, estimator=estimator, units=units, probe=probe)
    target.parent.mkdir(parents=True, exist_ok=True)
    canvas.print_figure(target, dpi=DPI, facecolor="white")


@validated
def draw_on(
    figure: Figure,
    plane: PlaneTable,
    *,
    estimator: str | None = None,
    units: Literal["bits", "nats"] = "bits",
    probe: str | None = None,
) -> None:
    """Draw what `draw` draws on an empty figure that the caller owns; its size is set, and it is not written.

    Parameters
    ----------
    figure
        Empty figure.
    plane : Plane
        The plane.
    estimator
        Name of an estimator in the plane; None for the first.
    units
        "bits" or "nats".
    probe
        Name of a probe in the plane; None for the first.

    Raises
    ------
    UnknownName
        If estimator, units or probe do not exist.
    InvalidArgument
        If the plane is empty.
    """
    if plane.frame.empty:
        raise InvalidArgument("plane", "a plane with estimates", got_text="an empty one")
    name = check(estimator or plane.estimators[0], "estimator", OneOf(tuple(plane.estimators)))
    shown = check(probe or plane.probes[0], "probe", OneOf(tuple(plane.probes)))
    frame = plane.frame[(plane.frame["estimator"] == name) & (plane.frame["probe"] == shown)].copy()
    frame[["nats", "ceiling"]] /= NATS_PER_BIT if units == "bits" else 1.0
    _compose(_Drawing(figure, frame, units, EpochAxis(sorted(set(frame["epoch"])))), plane, name, shown)


def _canvas_for(path: Path) -> FigureCanvasAgg:
    canvas = FigureCanvasAgg(Figure())
    formats = canvas.get_supported_filetypes()
    if path.is_dir():
        raise InvalidArgument("path", "the name of an image file", got_text=f"the folder {str(path)!r}")
    if path.suffix.lower().lstrip(".") not in formats:
        raise InvalidArgument("path", f"the name of a file that ends in {', '.join(sorted(formats))}", str(path))
    return canvas


@dataclass(frozen=True, eq=False)
class _Drawing:
    """What every panel needs: the figure, the rows of one estimator and probe in the chosen units, and the epochs."""

    figure: Figure
    frame: pd.DataFrame
    units: str
    epochs: EpochAxis

    def axes(self, left: float, top: float, height: float) -> Axes:
        """New axes of one column's width, their upper left corner in inches."""
        wide, high = self.figure.get_size_inches()
        axes = self.figure.add_axes((left / wide, 1 - (top + height) / high, COLUMN / wide, height / high))
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set(color=QUIET, linewidth=0.6)
        axes.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, width=0.6, length=2.5, pad=2)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        return axes

    def text(self, top: float, words: str, size: float, color: str) -> None:
        """A line above the panels, its upper end in inches from the figure's."""
        wide, high = self.figure.get_size_inches()
        plain(self.figure.text(LEFT / wide, 1 - top / high, words, fontsize=size, color=color, va="top"))

    def line(self, axes: Axes, values: pd.DataFrame, color: Any, *, alpha: float, **style: Any) -> float:
        """The mean of epochs by seeds with its band; returns the last mean."""
        x, mean = self.epochs.position(values.index), values.mean(axis=1)
        if values.shape[1] > 1:
            low, high = (values.quantile(q, axis=1) for q in BAND)
            axes.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0, zorder=1)
        axes.plot(x, mean, color=color, **style)
        return float(mean.iloc[-1])


def _compose(drawing: _Drawing, plane: PlaneTable, name: str, probe: str) -> None:
    frame, epochs = drawing.frame, drawing.epochs
    networks = [str(network) for network in frame["network"].unique()]
    metrics = plane.metrics[plane.metrics["metric"].str.endswith("accuracy")]
    rows = ROWS if len(metrics) else ROWS[:2]
    tops = [TOP + sum(rows[:i]) + sum(ROW_GAPS[:i]) for i in range(len(rows))]
    # At the right of every column, the names of its lines.
    gutter = 0.36 + 0.052 * min(LONGEST, max(map(len, frame["layer"].unique())))
    drawing.figure.set_size_inches(LEFT + len(networks) * (COLUMN + gutter) + BAR, tops[-1] + rows[-1] + BOTTOM)
    ranges = {axis: _range(frame[frame["axis"] == axis]) for axis in ("input", "label")}
    for column, network in enumerate(networks):
        part, first = frame[frame["network"] == network], column == 0
        top, *lower = (
            drawing.axes(LEFT + column * (COLUMN + gutter), above, height)
            for above, height in zip(tops, rows, strict=True)
        )
        top.set(xlim=ranges["input"], ylim=ranges["label"])
        plain(top.set_title(network, fontsize=LARGE, color=INK, loc="left", pad=7, fontweight="bold"))
        _plane_panel(top, drawing, part, first=first)
        lower[0].set_ylim(ranges["input"])
        for axes in lower:
            epochs.apply(axes)
            axes.tick_params(labelbottom=axes is lower[-1])
        lower[-1].set_xlabel("epoch", fontsize=NORMAL, color=INK, labelpad=2)
        _curves_panel(lower[0], drawing, part, first=first)
        if len(metrics):
            _accuracy_panel(lower[1], drawing, metrics, network, first=first)
    _colorbar(drawing, top)
    _captions(drawing, plane, name, probe if len(plane.probes) > 1 else "")


def depth_colors(count: int) -> list[Any]:
    """A color per layer, dark to light with depth, all dark enough to be read on white.

    Parameters
    ----------
    count
        Number of layers.

    Returns
    -------
    list
        Colors (red, green, blue, alpha).
    """
    return [tuple(rgba) for rgba in matplotlib.colormaps["viridis"](np.linspace(0.0, 0.74, max(count, 2)))][:count]


def _range(part: pd.DataFrame) -> tuple[float, float]:
    """From zero (or below, if estimates are), so that distances compare, to a little above the ceiling or the data."""
    top = float(part["nats"].max())
    finite = part["ceiling"][np.isfinite(part["ceiling"])]
    # A ceiling far above all points would only compress the picture.
    if len(finite) and finite.max() < 3 * max(top, 1e-9):
        top = max(top, float(finite.max()))
    low = min(0.0, float(part["nats"].min()))
    top = top if top > low else low + 1.0
    span = top - low
    return low - 0.03 * span, top + 0.09 * span


def _joined(rows: pd.DataFrame, column: str) -> str:
    return " / ".join(rows[column].unique())


def _named(part: pd.DataFrame, axis: str, units: str) -> str:
    """What the axis shows, of which kind: "H(Q(T)) [bits], plug-in"."""
    rows = part[part["axis"] == axis]
    return f"{_joined(rows, 'quantity')} [{units}], {_joined(rows, 'kind')}"


def _layers(part: pd.DataFrame) -> list[str]:
    return [str(name) for name in part.sort_values("depth", kind="stable")["layer"].unique()]


def _by_seed(part: pd.DataFrame, axis: str, layer: str) -> pd.DataFrame:
    """Epochs by seeds."""
    rows = part[(part["axis"] == axis) & (part["layer"] == layer)]
    return rows.pivot_table(index="epoch", columns="seed", values="nats")


def _plane_panel(axes: Axes, drawing: _Drawing, part: pd.DataFrame, *, first: bool) -> None:
    axes.set_xlabel(_named(part, "input", drawing.units), fontsize=NORMAL, color=INK, labelpad=2)
    if first:
        axes.set_ylabel(_named(part, "label", drawing.units), fontsize=NORMAL, color=INK, labelpad=3)
    _ceilings(axes, part)
    # Names avoid the ceilings' lines, too.
    across, up = axes.get_xlim(), axes.get_ylim()
    obstacles = [
        np.column_stack([_along(line.get_xdata(), across), _along(line.get_ydata(), up)]) for line in axes.lines
    ]
    saturated = part[_at_least(part)].groupby("layer")["epoch"].unique()
    ends: list[tuple[str, tuple[float, float]]] = []
    for number, layer in enumerate(_layers(part)):
        x, y = _by_seed(part, "input", layer), _by_seed(part, "label", layer)
        if x.shape[1] > 1:
            seeds = [np.column_stack([x[s], y[s]]) for s in x.columns if s in y.columns]
            axes.add_collection(LineCollection(seeds, colors=FAINT, linewidths=0.35, alpha=0.6, zorder=1))
        mean = pd.concat([x.mean(axis=1), y.mean(axis=1)], axis=1, keys=["x", "y"]).dropna()
        axes.plot(mean["x"], mean["y"], color=QUIET, linewidth=0.5, zorder=2, alpha=0.7)
        colors = drawing.epochs.color(mean.index)
        hollow = mean.index.isin(saturated.get(layer, []))
        fill = np.where(hollow[:, None], (1.0, 1.0, 1.0, 1.0), colors)
        marker: dict[str, Any] = {"s": 11, "marker": MARKERS[number % len(MARKERS)], "linewidths": 0.6}
        axes.scatter(mean["x"], mean["y"], facecolors=fill, edgecolors=colors, zorder=3, clip_on=False, **marker)
        ends.append((_short(layer), (float(mean["x"].iloc[-1]), float(mean["y"].iloc[-1]))))
        obstacles.append(mean.to_numpy())
    label_points(axes, ends, np.concatenate(obstacles), size=SMALL, color=INK, line=QUIET)


def _at_least(frame: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are lower bounds only: those at a ceiling other than H(Y), which no I(T;Y) exceeds."""
    return frame["saturated"] & ~((frame["axis"] == "label") & (frame["ceiling_name"] == "H(Y)"))


def _along(ends: Any, limits: tuple[float, float], count: int = 200) -> np.ndarray:
    """Points along a straight line: its own position in one direction, the whole axis in the other."""
    first, last = (float(value) for value in ends)
    return np.linspace(*((first, last) if first == last else limits), count)


def _short(name: str) -> str:
    """The end of a long name, in which layers differ (`features.block3.norm`)."""
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]


def _ceilings(axes: Axes, part: pd.DataFrame) -> None:
    """Dashed lines with names, where they lie within the panel."""
    for axis, limits in (("input", axes.get_xlim()), ("label", axes.get_ylim())):
        rows = part[(part["axis"] == axis) & np.isfinite(part["ceiling"])]
        for name, ceiling in rows.groupby("ceiling_name")["ceiling"].max().items():
            if not limits[0] <= ceiling <= limits[1]:
                continue
            if axis == "input":
                axes.axvline(ceiling, **_CEILING)
                corner, coordinates, side = (ceiling, 1.0), axes.get_xaxis_transform(), "center"
            else:
                axes.axhline(ceiling, **_CEILING)
                corner, coordinates, side = (0.01, ceiling), axes.get_yaxis_transform(), "left"
            place: dict[str, Any] = {
                "xy": corner,
                "xycoords": coordinates,
                "xytext": (0, 2),
                "textcoords": "offset points",
                "ha": side,
            }
            plain(axes.annotate(f"{name} = {ceiling:.2f}", va="bottom", fontsize=SMALL, color=QUIET, **place))


def _curves_panel(axes: Axes, drawing: _Drawing, part: pd.DataFrame, *, first: bool) -> None:
    inputs = part[part["axis"] == "input"]
    if first:
        quantity = f"{_joined(inputs, 'quantity')} [{drawing.units}]"
        axes.set_ylabel(quantity, fontsize=NORMAL, color=INK, labelpad=3)
    ceiling = inputs.loc[np.isfinite(inputs["ceiling"]), "ceiling"]
    if len(ceiling) and ceiling.max() <= axes.get_ylim()[1]:
        axes.axhline(ceiling.max(), **_CEILING)
    layers = _layers(part)
    colors = depth_colors(len(layers))
    heights = []
    for number, (layer, color) in enumerate(zip(layers, colors, strict=True)):
        values = _by_seed(part, "input", layer)
        every = max(1, len(values) // 8)
        style = {"marker": MARKERS[number % len(MARKERS)], "markersize": 2.8, "markevery": (number % every, every)}
        heights.append(drawing.line(axes, values, color, alpha=0.16, linewidth=1.0, zorder=2, clip_on=False, **style))
    label_ends(axes, [_short(layer) for layer in layers], heights, colors, size=SMALL)


def _accuracy_panel(axes: Axes, drawing: _Drawing, metrics: pd.DataFrame, network: str, *, first: bool) -> None:
    part = metrics[metrics["network"] == network]
    if first:
        axes.set_ylabel("accuracy", fontsize=NORMAL, color=INK, labelpad=3)
    low = float(metrics["value"].min())
    axes.set_ylim(low - 0.05 * (1.0 - low) - 1e-3, 1.0 + 0.05 * (1.0 - low) + 1e-3)
    names = [str(name) for name in part["metric"].unique()]
    colors = [QUIET if name == "train_accuracy" else INK for name in names]
    heights = []
    for name, color in zip(names, colors, strict=True):
        values = part[part["metric"] == name].pivot_table(index="epoch", columns="seed", values="value")
        style = _ACCURACY_STYLES.get(name, (0, (1, 1)))
        heights.append(drawing.line(axes, values, color, alpha=0.14, linewidth=0.9, linestyle=style))
    label_ends(axes, [name.removesuffix("_accuracy") for name in names], heights, colors, size=SMALL)


def _colorbar(drawing: _Drawing, last: Axes) -> None:
    """The epochs' colors, at the right of the last plane."""
    box, wide = last.get_position(), drawing.figure.get_size_inches()[0]
    axes = drawing.figure.add_axes((box.x1 + 0.28 / wide, box.y0, 0.09 / wide, box.height))
    bar = drawing.figure.colorbar(ScalarMappable(drawing.epochs.norm, drawing.epochs.colors), cax=axes)
    bar.outline.set_visible(False)
    drawing.epochs.format(bar.ax.yaxis)
    bar.ax.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, width=0.6, length=2, pad=2)
    bar.ax.set_title("epoch", fontsize=SMALL, color=INK, loc="left", pad=4)


def _captions(drawing: _Drawing, plane: PlaneTable, name: str, probe: str) -> None:
    """Estimator, samples, seeds and the true I(X;T) above the panels; how to read them below."""
    frame = drawing.frame
    seeds = int(frame["seed"].nunique())
    facts = [f"N = {' / '.join(map(str, sorted(frame['n'].unique())))}", f"{seeds} seeds" if seeds > 1 else "one seed"]
    drawing.text(0.2, name, LARGE, INK)
    drawing.text(0.36, ", ".join([*facts, f"probe {probe}"] if probe else facts), NORMAL, QUIET)
    recordings = plane.provenance.get("recordings", {})
    truths = [recordings.get(network, {}).get("truth") for network in frame["network"].unique()]
    if known := list(dict.fromkeys(str(truth) for truth in truths if truth)):
        drawing.text(0.5, f"true I(X;T): {' / '.join(known)}", SMALL, QUIET)
    notes = ["Hollow points: at a ceiling, lower bound only."] if _at_least(frame).any() else []
    if seeds > 1:
        notes.insert(0, "Points and lines: mean over seeds. Thin lines: single seeds; bands: their 10–90 %.")
    if 0 in set(frame["epoch"]):
        notes.append("Epoch 0: before training.")
    wide, high = drawing.figure.get_size_inches()
    size = SMALL - 0.5
    # A letter is about half as wide as high; a note may be wider than a single panel.
    letters = int((wide - LEFT) * 72 / (0.52 * size))
    words = textwrap.fill(" ".join(notes), letters)
    drawing.figure.text(LEFT / wide, 0.1 / high, words, fontsize=size, color=QUIET, va="bottom")
