"""Pictures that the experiments share: curves over a setting with the spread over seeds, and maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from infoflow_reproductions.harness.figures import COLORS, MARKERS, Curves, interval
from infoflow_reproductions.harness.findings import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

SPREAD = "Dots are seeds; bars are the 95 % confidence interval of their mean."


def panels(
    name: str,
    caption: str,
    shown: Sequence[tuple[Curves, str, bool]],
    *,
    xlabel: str,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Return a picture of curves in panels side by side.

    Parameters
    ----------
    name
        Name of the file.
    caption
        Text below the picture; the explanation of dots and bars is appended.
    shown
        For each panel its curves, the label of the vertical axis, and whether that axis is logarithmic.
    xlabel
        Label of the horizontal axes.
    size
        Width and height in inches.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        if size is not None:
            canvas.set_size_inches(*size)
        first = 0
        for axes, (found, ylabel, log) in zip(canvas.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            _curves(axes, found, ylabel, log=log, first=first)
            label(axes, xlabel, ylabel)
            first += len(found)
            if len(found) > 1:
                axes.legend(frameon=False, fontsize=8)

    return Figure(name, f"{caption} {SPREAD}", draw)


def _curves(axes: Axes, found: Curves, ylabel: str, *, log: bool, first: int) -> None:
    """Draw each curve's mean over seeds, every seed as a dot and the confidence interval of the mean as a bar."""
    places = sorted({place for curve in found.values() for place in curve})
    # A logarithmic axis has no zero: settings are evenly spaced and labeled.
    at = {place: float(i) for i, place in enumerate(places)}
    for i, (name, curve) in enumerate(found.items(), start=first):
        xs = np.array([at[place] for place in sorted(curve)]) + 0.035 * (i - first - (len(found) - 1) / 2)
        color, marker = COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)]
        values = [curve[place] for place in sorted(curve)]
        style = {"color": color, "marker": marker, "ms": 4.5, "lw": 1.6, "capsize": 2.5, "label": name}
        interval(axes, xs.tolist(), values, ylabel, **style)
        for x, place in zip(xs, sorted(curve), strict=True):
            axes.plot([x] * len(curve[place]), curve[place], ".", color=color, alpha=0.35, ms=4)
    axes.set_xticks(list(at.values()), [f"{place:g}" for place in places])
    if log and all(min(values) > 0 for curve in found.values() for values in curve.values()):
        logarithmic(axes)


def label(axes: Axes, xlabel: str, ylabel: str, title: str = "") -> None:
    """Label axes, and draw a grid in place of the upper and the right border.

    Parameters
    ----------
    axes
        The axes.
    xlabel, ylabel, title
        The labels.
    """
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_title(title, fontsize=9)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def logarithmic(axes: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers, of which there are more where it spans few decades.

    Parameters
    ----------
    axes
        The axes.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = math.log10(high / low)
    steps = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 1.5 else (1.0, 2.0, 5.0) if decades < 3 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def maps(
    name: str,
    caption: str,
    rows: Sequence[Sequence[Any]],
    layers: Sequence[str],
    boxes: Sequence[Any],
    names: Sequence[str] = (),
) -> Figure:
    """Return a grid of images, and beside each image its maps of the information at every place.

    Parameters
    ----------
    name
        Name of the file.
    caption
        Text below the picture.
    rows
        In each row an image and one map per layer, in nats; a layer's maps share one color scale.
    layers
        Names of the layers.
    boxes
        For each row the box to draw: top, left, bottom, right in pixels of the image.
    names
        Labels of the rows.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        titles = ["image", *layers]
        canvas.set_size_inches(1.75 * len(titles), 1.85 * len(rows) + 0.4)
        grid = canvas.subplots(len(rows), len(titles), squeeze=False)
        tops = [max(float(np.max(row[j])) for row in rows) for j in range(len(titles))]
        for i, row in enumerate(rows):
            for j, (axes, image) in enumerate(zip(grid[i], row, strict=True)):
                array = np.asarray(image, float)
                axes.imshow(array, cmap="magma" if j else "gray", vmin=0, vmax=(tops[j] or 1.0) if j else None)
                _box(axes, boxes[i], array.shape[0] / np.asarray(row[0]).shape[0], "white" if j else "#f59e0b")
                axes.set_xticks([])
                axes.set_yticks([])
                if j == 0 and names:
                    axes.set_ylabel(names[i], fontsize=9)
                if i == 0:
                    axes.set_title(titles[j] if j == 0 else f"{titles[j]}\n0 – {tops[j]:.3g} nats", fontsize=8)

    return Figure(name, caption, draw)


def _box(axes: Axes, box: Any, scale: float, color: str) -> None:
    from matplotlib.patches import Rectangle

    top, left, bottom, right = (scale * float(side) for side in box)
    corner = (left - 0.5, top - 0.5)
    axes.add_patch(Rectangle(corner, right - left, bottom - top, fill=False, ec=color, lw=1.0))
