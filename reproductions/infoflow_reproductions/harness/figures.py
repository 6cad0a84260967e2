"""Pictures that the papers share: bars, curves over a setting or over training, heat maps and sheets of images."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.harness.inference import range_of
from infoflow_reproductions.harness.seeds import over_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999999")
"""Colors that remain distinct with color blindness (Okabe and Ito)."""

MARKERS = "osD^vP*X"

Curves = Mapping[str, Mapping[float, Sequence[float]]]
"""Name of a curve -> value of the setting -> one number per seed."""

Runs = Mapping[str, Sequence[Sequence[float]]]
"""Name of a curve -> one sequence over training per seed."""


def panels(
    canvas: Canvas, count: int, *, columns: int | None = None, size: tuple[float, float] = (4.2, 3.9), **shared: Any
) -> list[Axes]:
    """Divide a canvas into panels.

    Parameters
    ----------
    canvas
        An empty matplotlib figure, whose size is set.
    count
        Number of panels.
    columns
        Panels in a line; by default all.
    size
        Width and height of a panel in inches.
    **shared
        Options of matplotlib's `subplots`, such as `sharey`.

    Returns
    -------
    list of Axes
        The panels, line by line; places that remain empty are switched off.
    """
    columns = min(columns or count, count)
    lines = -(-count // columns)
    canvas.set_size_inches(max(6.0, size[0] * columns), size[1] * lines)
    found = list(canvas.subplots(lines, columns, squeeze=False, **shared).ravel())
    for axes in found[count:]:
        axes.axis("off")
    return found[:count]


def interval(
    axes: Axes, x: float | Sequence[float], values: Sequence[Sequence[float]], ylabel: str, **style: Any
) -> None:
    """Draw means over seeds with error bars of their 95 % confidence intervals, within the range of their unit.

    Parameters
    ----------
    axes
        Axes to draw on.
    x
        Places on the horizontal axis.
    values
        For each place one value per seed.
    ylabel
        Label of the vertical axis, such as "accuracy / %".
    **style
        Options of matplotlib's `errorbar`.
    """
    unit = ylabel.rpartition(" / ")[2]
    found = [over_seeds(some, span=range_of(unit, some)) for some in values]
    lengths = [[each.below for each in found], [each.above for each in found]]
    axes.errorbar(x, [each.mean for each in found], lengths, **style)


def mean_and_range(axes: Axes, x: Sequence[float], runs: Sequence[Sequence[float]], color: str, label: str) -> None:
    """Draw the mean over seeds as a line and their range as a band.

    Parameters
    ----------
    axes
        Axes to draw on.
    x
        Places on the horizontal axis.
    runs
        For each seed one value per place.
    color
        Color of line and band.
    label
        Name in the legend.
    """
    axes.plot(x, np.mean(runs, axis=0), color=color, label=label, marker="." if len(x) < 3 else "")
    axes.fill_between(x, np.min(runs, axis=0), np.max(runs, axis=0), color=color, alpha=0.15, linewidth=0)


def legend_below(canvas: Canvas, *, columns: int) -> None:
    """Draw the legend of the first panel below all panels.

    Parameters
    ----------
    canvas
        A figure with panels.
    columns
        Entries in a line.
    """
    handles, names = canvas.axes[0].get_legend_handles_labels()
    canvas.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def bars(name: str, caption: str, groups: Mapping[str, Mapping[str, Sequence[float]]], ylabel: str) -> Figure:
    """Return groups of bars with confidence intervals and a dot per seed.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        Text below the picture.
    groups
        Name of a group -> name of a bar -> one value per seed.
    ylabel
        Label of the vertical axis.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(max(7.0, 1.1 * len(groups) + 2), 4.4)
        axes = canvas.subplots()
        names = list(dict.fromkeys(bar for group in groups.values() for bar in group))
        width = 0.8 / len(names)
        for i, (bar, color) in enumerate(zip(names, COLORS, strict=False)):
            places = [place for place, group in enumerate(groups.values()) if bar in group]
            values = [group[bar] for group in groups.values() if bar in group]
            x = [place + (i - (len(names) - 1) / 2) * width for place in places]
            axes.bar(x, [np.mean(some) for some in values], width * 0.92, color=color, alpha=0.75, label=bar)
            interval(axes, x, values, ylabel, color="black", capsize=2, linewidth=1, linestyle="none")
            for place, some in zip(x, values, strict=True):
                axes.plot([place] * len(some), some, ".", color="black", markersize=3)
        axes.set_xticks(range(len(groups)), [key.replace(" ", "\n", 1) for key in groups], fontsize=8)
        axes.set_ylabel(ylabel)
        highest = max(max(values) for group in groups.values() for values in group.values())
        axes.set_ylim(0, highest * 1.18 if highest > 0 else None)  # leaves space for the legend
        axes.grid(axis="y", alpha=0.2)
        axes.set_axisbelow(True)
        if len(names) > 1:
            axes.legend(frameon=False, ncols=len(names), loc="upper left", fontsize=9)

    return Figure(name, caption, draw)


def curves(name: str, caption: str, lines: Curves, xlabel: str, ylabel: str, *, log: bool = False) -> Figure:
    """Return means over seeds with confidence intervals against a setting.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        Text below the picture.
    lines
        The curves.
    xlabel, ylabel
        Labels of the axes.
    log
        Whether the horizontal axis is logarithmic.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for (label, points), color, marker in zip(lines.items(), COLORS, MARKERS, strict=False):
            style = {"color": color, "marker": marker, "capsize": 3, "label": label, "linewidth": 1.5}
            interval(axes, list(points), list(points.values()), ylabel, **style)
        if log:
            axes.set_xscale("log")
        axes.set_xticks(sorted({x for points in lines.values() for x in points}))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.grid(alpha=0.2)
        if len(lines) > 1:
            axes.legend(frameon=False)

    return Figure(name, caption, draw)


def training(
    name: str,
    caption: str,
    found: Mapping[str, Runs],
    ylabel: str,
    *,
    columns: int | None = None,
    first: int = 1,
    ceilings: Mapping[str, float] | None = None,
    sharey: bool = False,
) -> Figure:
    """Return curves over training, one panel per title; lines are means over seeds and bands their range.

    Panels with the same curves have one legend, below them.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        Text below the picture.
    found
        Title of a panel -> its curves.
    ylabel
        Label of the vertical axes.
    columns
        Panels in a line; by default all.
    first
        Epoch of the first value.
    ceilings
        Upper bound to draw in the panel of a title.
    sharey
        Whether the panels have one vertical scale.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        from matplotlib.ticker import MaxNLocator  # only drawing needs matplotlib

        size = (2.9, 2.5) if columns else (4.2, 3.9)
        every = panels(canvas, len(found), columns=columns, size=size, sharey=sharey)
        one_legend = len({tuple(lines) for lines in found.values()}) == 1
        for place, (axes, (title, lines)) in enumerate(zip(every, found.items(), strict=True)):
            for (label, runs), color in zip(lines.items(), COLORS, strict=False):
                mean_and_range(axes, range(first, first + len(runs[0])), runs, color, label)
            if title in (ceilings or {}):
                axes.axhline((ceilings or {})[title], color="black", linewidth=0.8)
            axes.set_title(title, fontsize=8 if columns else 12)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(alpha=0.2)
            if place + (columns or len(found)) >= len(found):  # no panel is below
                axes.set_xlabel("epoch", fontsize=9)
            if not one_legend:
                axes.legend(frameon=False, fontsize=6 if columns else 8)
        if one_legend:
            legend_below(canvas, columns=4)
        canvas.supylabel(ylabel, fontsize=9)

    return Figure(name, caption, draw)


def heat_maps(
    name: str,
    caption: str,
    maps: Mapping[str, tuple[Sequence[float], Sequence[float], Any]],
    xlabel: str,
    ylabel: str,
    unit: str,
) -> Figure:
    """Return one map per title, all on one scale of colors, with the values written in.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        Text below the picture.
    maps
        Title -> values of x, values of y, and the map [y, x], NaN where there is no run.
    xlabel, ylabel
        Labels of the axes.
    unit
        Label of the color scale.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        grids = [np.asarray(grid, float) for _, _, grid in maps.values()]
        every = np.concatenate([grid.ravel() for grid in grids])
        low, high = float(np.nanmin(every)), float(np.nanmax(every))
        found = panels(canvas, len(maps), size=(3.6, 3.6), sharey=True)
        image: Any = None
        for axes, (title, (xs, ys, _)), grid in zip(found, maps.items(), grids, strict=True):
            image = axes.imshow(grid, cmap="viridis", vmin=low, vmax=high, origin="lower", aspect="auto")
            for (i, j), value in np.ndenumerate(grid):
                if np.isfinite(value):
                    color = "white" if value < (low + high) / 2 else "black"
                    axes.text(j, i, f"{value:.1f}", ha="center", va="center", color=color, fontsize=8)
            axes.set_xticks(range(len(xs)), [f"{v:g}" for v in xs])
            axes.set_yticks(range(len(ys)), [f"{v:g}" for v in ys])
            axes.set(title=title, xlabel=xlabel)
        found[0].set_ylabel(ylabel)
        canvas.colorbar(image, ax=found, label=unit)

    return Figure(name, caption, draw)


_TILE = 0.44
"""Side of an image of a sheet in inches."""


def sheets(name: str, caption: str, packed: Mapping[str, Mapping[str, Any]], *, first: int = 0) -> Figure:
    """Return one sheet of images per title, side by side.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        Text below the picture.
    packed
        Title -> images as `pack` returns them.
    first
        Number of columns that are set apart at the left.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        grids = {title: unpack(images) for title, images in packed.items()}
        rows, columns = (max(grid.shape[axis] for grid in grids.values()) for axis in (0, 1))
        size = (_TILE * columns + 0.8, _TILE * rows + 0.8)
        for axes, (title, grid) in zip(panels(canvas, len(grids), size=size), grids.items(), strict=True):
            _sheet(axes, grid, first)
            axes.set_title(title, fontsize=10)

    return Figure(name, caption, draw)


def _sheet(axes: Axes, images: np.ndarray[Any, Any], first: int, gap: int = 2) -> None:
    """Draw images as one picture with white gaps, a wider one after the first columns."""
    rows, columns, channels, height, width = images.shape
    extra = 3 * gap if first else 0
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap + extra, channels), 255, np.uint8)
    for i, j in np.ndindex(rows, columns):
        top, left = i * (height + gap), j * (width + gap) + (extra if first and j >= first else 0)
        canvas[top : top + height, left : left + width] = images[i, j].transpose(1, 2, 0)
    axes.imshow(canvas if channels == 3 else canvas[..., 0], cmap="gray", interpolation="nearest")
    axes.set_axis_off()


def pack(images: Tensor) -> dict[str, Any]:
    """Return images in a compressed JSON form, to store them in results.

    Parameters
    ----------
    images
        Images (rows, columns, C, H, W) of type uint8.

    Returns
    -------
    dict
        Their shape and compressed bytes.

    Examples
    --------
    >>> import torch
    >>> unpack(pack(torch.arange(12, dtype=torch.uint8).reshape(1, 2, 3, 2, 1)))[0, 1, :, 0, 0].tolist()
    [6, 8, 10]
    """
    array = np.ascontiguousarray(images.cpu().numpy().astype(np.uint8))
    return {"shape": list(array.shape), "zlib": base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()}


def unpack(packed: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Return the images that `pack` stored.

    Parameters
    ----------
    packed
        What `pack` returned.

    Returns
    -------
    ndarray
        Images (rows, columns, C, H, W) of type uint8.

    Examples
    --------
    >>> import torch
    >>> unpack(pack(torch.zeros(1, 1, 3, 2, 2))).shape
    (1, 1, 3, 2, 2)
    """
    data = zlib.decompress(base64.b64decode(packed["zlib"]))
    return np.frombuffer(data, np.uint8).reshape(packed["shape"])
