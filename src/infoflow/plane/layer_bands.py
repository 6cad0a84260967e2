"""Many layers in the plane's image: bands colored by depth instead of a path with symbols for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patheffects import withStroke

from infoflow.plane.epoch_axis import EpochAxis
from infoflow.plane.text_placement import plain

SNAPSHOTS = 6
"""Snapshots at which the layers are drawn, evenly spaced on the axis of epochs."""


def draw_bands(
    axes: Axes,
    epochs: EpochAxis,
    part: pd.DataFrame,
    layers: Sequence[str],
    bounds: pd.Series[bool],
    colors: Sequence[Any],
    quiet: str,
    size: float,
) -> tuple[np.ndarray[Any, Any], list[np.ndarray[Any, Any]]]:
    """Draw the last snapshot as one thick band through all layers, thinner bands at a few earlier ones.

    `bounds` marks the rows of `part` that are lower bounds; names of epochs have the color `quiet` and this size.
    Returns the layers' last points, NaN where there is none, and all points of the bands.
    """
    means = part.pivot_table(index="layer", columns=["epoch", "axis"], values="nats").reindex(list(layers))
    for layer, color in zip(layers, colors, strict=True):
        path = means.loc[layer].unstack("axis")[["input", "label"]].dropna().to_numpy()
        axes.plot(*path.T, color=color, linewidth=0.3, alpha=0.35, zorder=1)
    recorded = np.array(sorted(means.columns.unique("epoch")))
    last = recorded[-1]
    places = np.log(epochs.position(recorded))
    nearest = np.abs(places - np.linspace(places[0], places[-1], SNAPSHOTS)[:, None]).argmin(axis=1)
    points = []
    for epoch in np.unique(recorded[nearest]):
        band = means[epoch][["input", "label"]].to_numpy()
        pieces = list(np.stack([band[:-1], band[1:]], axis=1))
        now = epoch == last
        axes.add_collection(LineCollection(pieces, colors=colors[1:], linewidths=3.0 if now else 1.0, zorder=3))
        there = np.isfinite(band).all(axis=1)
        if now:
            hollow = np.isin(layers, part[bounds & (part["epoch"] == last)]["layer"].unique())
            fill = [(1.0, 1.0, 1.0, 1.0) if open_ else color for open_, color in zip(hollow, colors, strict=True)]
            style: dict[str, Any] = {"linewidths": 0.7, "zorder": 4, "clip_on": False}
            axes.scatter(band[:, 0], band[:, 1], s=7, facecolors=fill, edgecolors=list(colors), **style)
        elif there.any():
            side = band[there][band[there, 0].argmin()]
            place: dict[str, Any] = {"xytext": (-3, 0), "textcoords": "offset points", "ha": "right", "va": "center"}
            name = plain(axes.annotate(str(epoch), side, fontsize=size, color=quiet, zorder=5, **place))
            name.set_path_effects([withStroke(linewidth=1.4, foreground="white")])
        points.append(band[there])
    final: np.ndarray[Any, Any] = means[last][["input", "label"]].to_numpy()
    return final, points
