"""The panels of the plane's image: the plane or I(T;Y) by depth, curves through training, and accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from infoflow.plane.ceiling_lines import CEILING, draw_ceilings
from infoflow.plane.compression import BAND
from infoflow.plane.epoch_axis import EpochAxis
from infoflow.plane.layer_bands import draw_bands
from infoflow.plane.text_placement import fit, label_ends, label_points, plain

INK, QUIET, FAINT = "#1c1c1c", "#5f5f5f", "#c4c4c4"
MARKERS = "osD^vP*Xphd<>"
# Inches. Fixed, so that type has the same size on the page for any number of networks.
COLUMN, LEFT = 2.75, 0.58
SMALL, NORMAL, LARGE = 6.5, 7.5, 8.5
LONGEST = 22  # characters of a layer's name that are written
MOST_NAMED = 12  # layers with a path and a name each; more are drawn as one band
_BAND_NAMES = 5  # names that are written to a band of many layers
_ACCURACY_STYLES = {"train_accuracy": (0, (3, 1.5)), "test_accuracy": "solid"}


@dataclass(frozen=True, eq=False)
class Drawing:
    """What every panel needs: the figure, the rows of one estimator and probe in the chosen units, and the epochs."""

    figure: Figure
    frame: pd.DataFrame
    units: str
    epochs: EpochAxis
    time: str
    """"epoch" or "step"."""
    top: float = 0.0
    """Upper end of this block of panels, in inches from that of the figure."""

    def axes(self, left: float, top: float, height: float) -> Axes:
        """New axes of one column's width, their upper left corner in inches."""
        wide, high = self.figure.get_size_inches()
        bottom = 1 - (self.top + top + height) / high
        axes = self.figure.add_axes((left / wide, bottom, COLUMN / wide, height / high))
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        for side in ("left", "bottom"):
            axes.spines[side].set(color=QUIET, linewidth=0.6)
        axes.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, width=0.6, length=2.5, pad=2)
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        return axes

    def text(self, top: float, words: str, size: float, color: str) -> None:
        """A line above the panels, its upper end in inches from the block's."""
        wide, high = self.figure.get_size_inches()
        at = (LEFT / wide, 1 - (self.top + top) / high)
        fit(plain(self.figure.text(*at, words, fontsize=size, color=color, va="top")), wide - LEFT - 0.1)

    def line(self, axes: Axes, values: pd.DataFrame, color: Any, *, alpha: float, **style: Any) -> float:
        """The mean of epochs by seeds with its band; returns the last mean."""
        x, mean = self.epochs.position(values.index), values.mean(axis=1)
        if values.shape[1] > 1:
            low, high = (values.quantile(q, axis=1) for q in BAND)
            axes.fill_between(x, low, high, color=color, alpha=alpha, linewidth=0, zorder=1)
        axes.plot(x, mean, color=color, **style)
        return float(mean.iloc[-1])

    @property
    def planar(self) -> bool:
        """Whether there is an input axis."""
        return "input" in set(self.frame["axis"])

    def named(self, part: pd.DataFrame, axis: str) -> str:
        """What the axis shows, of which kind: "H(Q(T)) [bits], plug-in"."""
        rows = part[part["axis"] == axis]
        return f"{_joined(rows, 'quantity')} [{self.units}], {_joined(rows, 'kind')}"


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


def limits(part: pd.DataFrame) -> tuple[float, float]:
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


def layers_of(part: pd.DataFrame) -> list[str]:
    return [str(name) for name in part.sort_values("depth", kind="stable")["layer"].unique()]


def _by_seed(part: pd.DataFrame, axis: str, layer: str) -> pd.DataFrame:
    """Epochs by seeds."""
    rows = part[(part["axis"] == axis) & (part["layer"] == layer)]
    return rows.pivot_table(index="epoch", columns="seed", values="nats")


def plane_panel(axes: Axes, drawing: Drawing, part: pd.DataFrame, *, first: bool) -> None:
    """I(T;Y) over I(X;T), layer by layer."""
    xlabel = axes.set_xlabel(drawing.named(part, "input"), fontsize=NORMAL, color=INK, labelpad=2)
    fit(plain(xlabel), COLUMN)
    _label_axis(axes, drawing, part, first=first)
    draw_ceilings(axes, part, color=QUIET, size=SMALL, longest=COLUMN)
    # Names avoid the ceilings' lines, too.
    across, up = axes.get_xlim(), axes.get_ylim()
    obstacles = [
        np.column_stack([_along(line.get_xdata(), across), _along(line.get_ydata(), up)]) for line in axes.lines
    ]
    layers = layers_of(part)
    paint = _band if len(layers) > MOST_NAMED else _trails
    ends, points = paint(axes, drawing, part, layers)
    label_points(axes, ends, np.concatenate([*obstacles, *points]), size=SMALL, color=INK, line=QUIET)


_Ends = list[tuple[str, tuple[float, float]]]


def _trails(
    axes: Axes, drawing: Drawing, part: pd.DataFrame, layers: list[str]
) -> tuple[_Ends, list[np.ndarray[Any, Any]]]:
    """A path through training for each layer, colored by epoch; returns the names' points and all points."""
    saturated = part[at_least(part)].groupby("layer")["epoch"].unique()
    ends: _Ends = []
    points = []
    for number, layer in enumerate(layers):
        x, y = _by_seed(part, "input", layer), _by_seed(part, "label", layer)
        if x.shape[1] > 1:
            seeds = [np.column_stack([x[s], y[s]]) for s in x.columns if s in y.columns]
            faint = min(0.6, 12 / len(seeds)) if seeds else 0.6
            axes.add_collection(LineCollection(seeds, colors=FAINT, linewidths=0.35, alpha=faint, zorder=1))
        mean = pd.concat([x.mean(axis=1), y.mean(axis=1)], axis=1, keys=["x", "y"]).dropna()
        axes.plot(mean["x"], mean["y"], color=QUIET, linewidth=0.5, zorder=2, alpha=0.7)
        colors = drawing.epochs.color(mean.index)
        hollow = mean.index.isin(saturated.get(layer, []))
        fill = np.where(hollow[:, None], (1.0, 1.0, 1.0, 1.0), colors)
        marker: dict[str, Any] = {"s": 11, "marker": MARKERS[number % len(MARKERS)], "linewidths": 0.6}
        axes.scatter(mean["x"], mean["y"], facecolors=fill, edgecolors=colors, zorder=3, clip_on=False, **marker)
        if len(mean):
            ends.append((short(layer), (float(mean["x"].iloc[-1]), float(mean["y"].iloc[-1]))))
        points.append(mean.to_numpy())
    return ends, points


def _band(
    axes: Axes, drawing: Drawing, part: pd.DataFrame, layers: list[str]
) -> tuple[_Ends, list[np.ndarray[Any, Any]]]:
    """Many layers as bands by depth; returns the points of a few layers and all points of the bands."""
    hollow = at_least(part)
    final, points = draw_bands(axes, drawing.epochs, part, layers, hollow, depth_colors(len(layers)), QUIET, SMALL - 1)
    named = [i for i in _some(len(layers), _BAND_NAMES) if np.isfinite(final[i]).all()]
    return [(short(layers[i]), (float(final[i, 0]), float(final[i, 1]))) for i in named], points


def at_least(frame: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are lower bounds only: those at a ceiling other than H(Y), which no I(T;Y) exceeds."""
    return frame["saturated"] & ~((frame["axis"] == "label") & (frame["ceiling_name"] == "H(Y)"))


def _along(ends: Any, limits: tuple[float, float], count: int = 200) -> np.ndarray:
    """Points along a straight line: its own position in one direction, the whole axis in the other."""
    first, last = (float(value) for value in ends)
    return np.linspace(*((first, last) if first == last else limits), count)


def short(name: str) -> str:
    """The end of a long name, in which layers differ (`features.block3.norm`)."""
    return name if len(name) <= LONGEST else "…" + name[1 - LONGEST :]


def depth_panel(axes: Axes, drawing: Drawing, part: pd.DataFrame, *, first: bool, angle: float) -> None:
    """I(T;Y) by depth, a line per epoch: what is left of a plane where I(X;T) was not estimated.

    Names of layers are written at an angle (in degrees).
    """
    layers = layers_of(part)
    shown = _some(len(layers), MOST_NAMED)
    axes.set_xlim(-0.5, len(layers) - 0.5)
    _label_axis(axes, drawing, part, first=first)
    draw_ceilings(axes, part, color=QUIET, size=SMALL, longest=COLUMN)
    labels = part[part["axis"] == "label"]
    table = labels.pivot_table(index="epoch", columns="layer", values="nats")[layers]
    bounds = labels.assign(bound=at_least(labels)).pivot_table(index="epoch", columns="layer", values="bound")[layers]
    rows = zip(table.index, table.to_numpy(), bounds.reindex(table.index).to_numpy(), strict=True)
    for epoch, heights, reached in rows:
        color = drawing.epochs.color([epoch])[0]
        depths = np.flatnonzero(np.isfinite(heights))
        values, hollow = heights[depths], reached[depths] > 0
        axes.plot(depths, values, color=color, linewidth=0.7, zorder=2)
        fill = np.where(hollow[:, None], (1.0, 1.0, 1.0, 1.0), np.asarray(color)[None])
        marks: dict[str, Any] = {"s": 11, "linewidths": 0.6, "edgecolors": [color], "zorder": 3, "clip_on": False}
        axes.scatter(depths, values, facecolors=fill, **marks)
    names = [short(layer) if number in shown else "" for number, layer in enumerate(layers)]
    axes.set_xticks(range(len(layers)), names, rotation=angle, ha="right", va="center_baseline", rotation_mode="anchor")
    for tick in axes.get_xticklabels():
        plain(tick)


def _label_axis(axes: Axes, drawing: Drawing, part: pd.DataFrame, *, first: bool) -> None:
    if first:
        label = axes.set_ylabel(drawing.named(part, "label"), fontsize=NORMAL, color=INK, labelpad=3)
        fit(plain(label), axes.get_window_extent().height / axes.figure.dpi)


def _some(count: int, most: int) -> list[int]:
    """Positions of at most `most` of `count` things, evenly spaced, with the first and the last."""
    return list(dict.fromkeys(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def curves_panel(axes: Axes, drawing: Drawing, part: pd.DataFrame, *, first: bool) -> None:
    """I(X;T) through training, layer by layer; I(T;Y) where there is no I(X;T)."""
    axis = "input" if drawing.planar else "label"
    rows = part[part["axis"] == axis]
    if first:
        label = axes.set_ylabel(
            f"{_joined(rows, 'quantity')} [{drawing.units}]", fontsize=NORMAL, color=INK, labelpad=3
        )
        fit(plain(label), axes.get_window_extent().height / axes.figure.dpi)
    ceiling = rows.loc[np.isfinite(rows["ceiling"]), "ceiling"]
    if len(ceiling) and ceiling.max() <= axes.get_ylim()[1]:
        axes.axhline(ceiling.max(), color=QUIET, **CEILING)
    layers = layers_of(part)
    colors = depth_colors(len(layers))
    heights = []
    for number, (layer, color) in enumerate(zip(layers, colors, strict=True)):
        values = _by_seed(part, axis, layer)
        every = max(1, len(values) // 8)
        style: dict[str, Any] = {"linewidth": 0.7}
        if len(layers) <= MOST_NAMED:
            marks = {"marker": MARKERS[number % len(MARKERS)], "markersize": 2.8}
            style = {"linewidth": 1.0, "markevery": (number % every, every), **marks}
        heights.append(drawing.line(axes, values, color, alpha=0.16, zorder=2, clip_on=False, **style))
    fitting = int(axes.get_window_extent().height / axes.figure.dpi * 72 / (1.25 * SMALL))
    shown = _some(len(layers), max(2, fitting))
    named = [(short(layers[i]), heights[i], colors[i]) for i in shown]
    label_ends(axes, *(list(values) for values in zip(*named, strict=True)), size=SMALL)


def accuracy_panel(axes: Axes, drawing: Drawing, metrics: pd.DataFrame, network: str, *, first: bool) -> None:
    """Accuracy through training."""
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
    label_ends(axes, [short(name.removesuffix("_accuracy")) for name in names], heights, colors, size=SMALL)


def colorbar(drawing: Drawing, last: Axes, layers: int) -> None:
    """The epochs' colors, or those of many layers by depth, at the right of the last plane."""
    box, wide = last.get_position(), drawing.figure.get_size_inches()[0]
    axes = drawing.figure.add_axes((box.x1 + 0.28 / wide, box.y0, 0.09 / wide, box.height))
    if drawing.planar and layers > MOST_NAMED:
        shades = ListedColormap(depth_colors(layers))
        bar = drawing.figure.colorbar(ScalarMappable(Normalize(0.5, layers + 0.5), shades), cax=axes)
        bar.outline.set_visible(False)
        bar.set_ticks([i + 1 for i in _some(layers, _BAND_NAMES)])
        bar.ax.invert_yaxis()
        bar.ax.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, width=0.6, length=2, pad=2)
        bar.ax.set_title("layer", fontsize=SMALL, color=INK, loc="left", pad=4)
        return
    bar = drawing.figure.colorbar(ScalarMappable(drawing.epochs.norm, drawing.epochs.colors), cax=axes)
    bar.outline.set_visible(False)
    drawing.epochs.format(bar.ax.yaxis)
    bar.ax.tick_params(labelsize=SMALL, color=QUIET, labelcolor=INK, width=0.6, length=2, pad=2)
    bar.ax.set_title(drawing.time, fontsize=SMALL, color=INK, loc="left", pad=4)
