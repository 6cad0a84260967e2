"""The pictures that the experiments share: curves over a setting with their seeds' spread, bars, maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from infoflow_reproductions.harness.seeds import over_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

COLORS = ("#0b5394", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#be185d")
MARKERS = ("o", "s", "^", "D", "v", "P")

Curves = Mapping[str, Mapping[float, Sequence[float]]]
"""Name of the curve -> place on the horizontal axis -> one value per seed."""


def curves(axes: Axes, found: Curves, *, xlabel: str, ylabel: str, log: bool = True, first: int = 0) -> None:
    """Each curve's mean over seeds, with every seed as a dot and the mean's 95 % interval as a bar."""
    places = sorted({place for curve in found.values() for place in curve})
    # A logarithmic axis has no zero: settings are evenly spaced and labeled.
    at = {place: float(i) for i, place in enumerate(places)}
    for i, (name, curve) in enumerate(found.items(), start=first):
        xs = np.array([at[place] for place in sorted(curve)]) + 0.035 * (i - first - (len(found) - 1) / 2)
        over = [over_seeds(curve[place]) for place in sorted(curve)]
        means = np.array([o.mean for o in over])
        bars = np.array([(o.mean - o.low, o.high - o.mean) if o.seeds > 1 else (0.0, 0.0) for o in over]).T
        color, marker = COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)]
        axes.errorbar(xs, means, yerr=bars, color=color, marker=marker, ms=4.5, lw=1.6, capsize=2.5, label=name)
        for x, place in zip(xs, sorted(curve), strict=True):
            axes.plot([x] * len(curve[place]), curve[place], ".", color=color, alpha=0.35, ms=4)
    axes.set_xticks(list(at.values()), [f"{place:g}" for place in places])
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if log and all(min(values) > 0 for curve in found.values() for values in curve.values()):
        logarithmic(axes)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def logarithmic(axes: Axes) -> None:
    """A logarithmic vertical axis with plain numbers on it, enough of them within one decade too."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0), numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def beside(canvas: Canvas, panels: Sequence[tuple[Curves, str, bool]], *, xlabel: str) -> None:
    """Panels of curves side by side: (curves, vertical label, logarithmic)."""
    many = canvas.subplots(1, len(panels), squeeze=False)[0]
    first = 0
    for axes, (found, ylabel, log) in zip(many, panels, strict=True):
        curves(axes, found, xlabel=xlabel, ylabel=ylabel, log=log, first=first)
        first += len(found)
        if len(found) > 1 or not ylabel:
            axes.legend(frameon=False, fontsize=8)


def maps(
    canvas: Canvas, rows: Sequence[Sequence[Any]], titles: Sequence[str], boxes: Sequence[Any], names: Sequence[str]
) -> None:
    """A grid of images, each with its box: the first of a row in gray, the others as nats (one scale per column)."""
    grid = canvas.subplots(len(rows), len(titles), squeeze=False)
    tops = [max(float(np.max(row[j])) for row in rows) for j in range(len(titles))]
    for i, row in enumerate(rows):
        for j, (axes, image) in enumerate(zip(grid[i], row, strict=True)):
            array = np.asarray(image, float)
            if j == 0:
                axes.imshow(array, cmap="gray", vmin=0)
            else:
                axes.imshow(array, cmap="magma", vmin=0, vmax=tops[j] or 1.0)
            _box(axes, boxes[i], array.shape[0] / np.asarray(row[0]).shape[0], "white" if j else "#f59e0b")
            axes.set_xticks([])
            axes.set_yticks([])
            if j == 0 and names:
                axes.set_ylabel(names[i], fontsize=9)
            if i == 0:
                axes.set_title(titles[j] if j == 0 else f"{titles[j]}\n0 – {tops[j]:.3g} nats", fontsize=8)


def _box(axes: Axes, box: Any, scale: float, color: str) -> None:
    from matplotlib.patches import Rectangle

    top, left, bottom, right = (scale * float(side) for side in box)
    corner = (left - 0.5, top - 0.5)
    axes.add_patch(Rectangle(corner, right - left, bottom - top, fill=False, ec=color, lw=1.0))
