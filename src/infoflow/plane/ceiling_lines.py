"""The ceilings of estimates as dashed lines with names in a panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from infoflow.plane.text_placement import fit, plain, spread, width

CEILING: dict[str, Any] = {"linewidth": 0.7, "linestyle": (0, (4, 3)), "zorder": 0.5}
"""Style of the lines."""

# Inches: between two names, and what a name may take beyond the panel, where the color bar stands.
_APART, _BEYOND = 0.08, 0.2


def draw_ceilings(axes: Axes, part: pd.DataFrame, *, color: str, size: float, longest: float) -> None:
    """Draw the ceilings of both axes that lie within the panel; names beside each other, of at most `longest` inches.

    The axes' limits must be final.
    """
    _draw_across(axes, _within(part, "input", axes.get_xlim()), color, size, longest)
    _draw_up(axes, _within(part, "label", axes.get_ylim()), color, size, longest)


def _within(part: pd.DataFrame, axis: str, limits: tuple[float, float]) -> dict[str, float]:
    """Name -> value, ascending. Equal ceilings, as H(L) and H(Y) of a fitted layer, have one name."""
    rows = part[(part["axis"] == axis) & np.isfinite(part["ceiling"])]
    highest = rows.groupby("ceiling_name")["ceiling"].max()
    groups = [(_joined(list(equal.index)), float(equal.max())) for _, equal in highest.groupby(highest.round(2))]
    return {f"{name} = {value:.2f}": value for name, value in groups if limits[0] <= value <= limits[1]}


def _joined(names: Sequence[str]) -> str:
    """Each name once, also those within "A or B", of which one or the other holds by row."""
    parts = dict.fromkeys(part for name in names for part in name.split(" or "))
    return (" or " if any(" or " in name for name in names) else " = ").join(parts)


def _draw_across(axes: Axes, found: dict[str, float], color: str, size: float, longest: float) -> None:
    """Vertical lines, named above the panel."""
    names = []
    for text, value in found.items():
        axes.axvline(value, color=color, **CEILING)
        place: dict[str, Any] = {"xy": (value, 1.0), "xycoords": axes.get_xaxis_transform(), "ha": "center"}
        place |= {"xytext": (0, 2), "textcoords": "offset points", "va": "bottom"}
        names.append(axes.annotate(text, fontsize=size, color=color, **place))
    if not names:
        return
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    for name in names:
        fit(plain(name), longest)
    widest = max(width(figure, name.get_text(), size) for name in names)
    limits = axes.get_xlim()
    inch = (limits[1] - limits[0]) / (axes.get_window_extent().width / figure.dpi)
    step = (widest + _APART) * inch
    places = _before(spread(list(found.values()), step), limits[1] - (widest / 2 - _BEYOND) * inch, step)
    for name, x in zip(names, places, strict=True):
        name.xy = (x, 1.0)


def _draw_up(axes: Axes, found: dict[str, float], color: str, size: float, longest: float) -> None:
    """Horizontal lines, named at their left ends."""
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    limits = axes.get_ylim()
    inch = (limits[1] - limits[0]) / (axes.get_window_extent().height / figure.dpi)
    for (text, value), height in zip(found.items(), spread(list(found.values()), 1.25 * size / 72 * inch), strict=True):
        axes.axhline(value, color=color, **CEILING)
        place: dict[str, Any] = {"xy": (0.01, height), "xycoords": axes.get_yaxis_transform(), "ha": "left"}
        place |= {"xytext": (0, 2), "textcoords": "offset points", "va": "bottom"}
        fit(plain(axes.annotate(text, fontsize=size, color=color, **place)), longest)


def _before(places: Sequence[float], last: float, step: float) -> list[float]:
    """Ascending places moved to the left, so that none lies beyond `last` and all stay `step` apart."""
    moved: list[float] = []
    for place in reversed(places):
        moved.append(min(place, last))
        last = moved[-1] - step
    return moved[::-1]
