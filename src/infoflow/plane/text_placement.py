"""Place names at points and lines of a matplotlib figure so that none covers another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox

_RADII = (5, 8, 12, 17, 23, 30, 38, 47, 57)
_ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
_FORBIDDEN = 400.0
_SMALLEST = 5.5


def _figure(axes: Axes) -> tuple[Figure, float]:
    """The axes' figure, and its pixels per typographic point."""
    figure = axes.get_figure()
    if not isinstance(figure, Figure):
        raise TypeError("the axes belong to no figure")
    return figure, figure.dpi / 72


def plain(text: Text) -> Text:
    """Show a user's name unchanged: dollar signs in it do not start a formula."""
    text.set_parse_math(False)
    return text


def width(figure: Figure, words: str, size: float) -> float:
    """Inches that a line of text takes."""
    text = plain(figure.text(0, 0, words, fontsize=size))
    renderer: RendererBase = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    found = text.get_window_extent(renderer).width / figure.dpi
    text.remove()
    return float(found)


def fit(text: Text, inches: float) -> Text:
    """Shrink a line to this length, then shorten it in its middle, so that it is never cropped."""
    figure = text.get_figure(root=True)
    assert isinstance(figure, Figure)
    renderer: RendererBase = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    words, size = text.get_text(), float(text.get_fontsize())

    def too_long() -> bool:
        extent = text.get_window_extent(renderer)
        return bool(max(extent.width, extent.height) > inches * figure.dpi)

    while too_long() and size > _SMALLEST:
        size -= 0.5
        text.set_fontsize(size)
    kept = len(words) - 1
    while too_long() and kept > 2:
        text.set_text(f"{words[: (kept + 1) // 2]}…{words[len(words) - kept // 2 :]}")
        kept -= 1
    return text


def label_points(
    axes: Axes,
    ends: Sequence[tuple[str, tuple[float, float]]],
    points: np.ndarray,
    *,
    size: float,
    color: str,
    line: str,
) -> None:
    """Write each name near its point, where it covers no other text and as few `points` (n, 2) as possible.

    Names are placed one after the other, each at the cheapest of some two hundred positions around its point; a name
    far from its point gets a thin line to it. The axes' limits must be final.
    """
    figure, unit = _figure(axes)
    renderer: RendererBase = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    frame = axes.get_window_extent(renderer).padded(4 * unit)
    pixels = axes.transData.transform(points)
    taken = [text.get_window_extent(renderer) for text in axes.texts]
    back = axes.transData.inverted()
    for name, end in ends:
        text = plain(axes.text(0, 0, name, fontsize=size, color=color, va="bottom", zorder=6))
        text.set_path_effects([withStroke(linewidth=1.6, foreground="white")])
        extent = text.get_window_extent(renderer)
        anchor = axes.transData.transform(end)
        half = np.array([extent.width, extent.height]) / 2
        best, chosen = np.inf, extent
        for radius in _RADII:
            for angle in _ANGLES:
                direction = np.array([np.cos(angle), np.sin(angle)])
                center = anchor + direction * (radius * unit + half)
                box = Bbox([center - half, center + half])
                roomy = box.padded(1.2 * unit)
                clashes = sum(roomy.overlaps(other) for other in taken) + (not _holds(frame, box))
                cost = radius + 4.0 * _count(roomy.padded(unit), pixels) + _FORBIDDEN * clashes
                if cost < best:
                    best, chosen = cost, box
        taken.append(chosen)
        x, y = back.transform((chosen.x0, chosen.y0))
        text.set_position((float(x), float(y)))
        nearest = np.clip(anchor, [chosen.x0, chosen.y0], [chosen.x1, chosen.y1])
        if np.linalg.norm(nearest - anchor) > 9 * unit:
            (x0, y0), (x1, y1) = back.transform([anchor, nearest])
            axes.plot([x0, x1], [y0, y1], color=line, linewidth=0.4, zorder=5, clip_on=False)


def _holds(outer: Bbox, inner: Bbox) -> bool:
    return bool(outer.x0 <= inner.x0 and inner.x1 <= outer.x1 and outer.y0 <= inner.y0 and inner.y1 <= outer.y1)


def _count(box: Bbox, pixels: np.ndarray) -> int:
    x, y = pixels[:, 0], pixels[:, 1]
    return int(np.count_nonzero((box.x0 < x) & (x < box.x1) & (box.y0 < y) & (y < box.y1)))


def label_ends(
    axes: Axes, names: Sequence[str], heights: Sequence[float], colors: Sequence[Any], *, size: float
) -> None:
    """Write names to the right of the axes at the lines' last heights (data units), moved apart where they overlap."""
    _, unit = _figure(axes)
    inverse = axes.transAxes.inverted()
    step = (inverse.transform((0, 1.25 * size * unit)) - inverse.transform((0, 0)))[1]
    wanted = [axes.transAxes.inverted().transform(axes.transData.transform((1, h)))[1] for h in heights]
    # Lines that end at almost the same height stay in their order.
    places = spread([round(4 * w / step) * step / 4 for w in wanted], float(step))
    for name, was, place, color in zip(names, wanted, places, colors, strict=True):
        red, green, blue = to_rgb(color)
        dark = (0.8 * red, 0.8 * green, 0.8 * blue)
        moved = abs(place - was) > step / 6
        if moved:
            leader = Line2D([1.0, 1.04], [was, place], linewidth=0.5, color=dark, transform=axes.transAxes)
            leader.set_clip_on(False)
            axes.add_line(leader)
        place_x = 1.05 if moved else 1.03
        text = axes.text(place_x, place, name, transform=axes.transAxes, fontsize=size, color=dark, va="center")
        plain(text)


def spread(wanted: Sequence[float], step: float) -> list[float]:
    """The nearest heights (least squares) in the same order that are at least `step` apart.

    Of equal heights, the first is placed highest. Pool-adjacent-violators on wanted − rank·step: a block of names that
    would overlap shares the mean position.

    Examples
    --------
    >>> spread([0.5, 0.5, 0.0], 0.2)
    [0.6, 0.4, 0.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], -i))
    blocks: list[tuple[float, int]] = []
    for rank, i in enumerate(order):
        blocks.append((wanted[i] - rank * step, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [((a * m + b * n) / (m + n), m + n)]
    heights = [0.0] * len(wanted)
    rank = 0
    for value, count in blocks:
        for _ in range(count):
            heights[order[rank]] = value + rank * step
            rank += 1
    return heights
