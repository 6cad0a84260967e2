"""Figures of rankings and matrices: matplotlib axes in, axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoflow.core.figures import axes, inches, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIGNIFICANT, _OTHER = "#2c6fbb", "#b0b0b0"


def bars(frame: Any, label: str, ax: Axes | None) -> Axes:
    """Horizontal bars of a ranking, the best on top, with intervals; gray where the q-value exceeds 0.05."""
    names, (label,) = shortened(frame["column"]), shortened([label])
    ax = axes(ax, 4.5 + inches(names), 1.0 + 0.25 * len(frame))
    place = np.arange(len(frame))
    nats = frame["nats"].fillna(0.0).to_numpy()
    doubtful = (frame["q_value"] > 0.05).to_numpy()
    ax.barh(place, nats, color=np.where(doubtful, _OTHER, _SIGNIFICANT))
    known = frame["low"].notna().to_numpy() & np.isfinite(nats)
    if known.any():
        ends = np.stack([nats - frame["low"].to_numpy(), frame["high"].to_numpy() - nats])[:, known].clip(min=0)
        ax.errorbar(nats[known], place[known], xerr=ends, fmt="none", ecolor="black", elinewidth=0.8)
    ax.set_yticks(place, names)
    ax.invert_yaxis()
    ax.set_xlabel(f"{label}\n(gray: q > 0.05)" if doubtful.any() else label)
    return ax


def heat_map(frame: Any, ax: Axes | None, *, clustered: bool) -> Axes:
    """A matrix of nats; `clustered` puts columns that share information next to each other."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    values = frame.to_numpy(dtype=float)
    if clustered and len(values) > 2:
        near = np.nan_to_num(np.minimum((values + values.T) / 2, 1e6))
        distance = 1.0 / (1.0 + np.maximum(near, 0.0))
        np.fill_diagonal(distance, 0.0)
        order = leaves_list(linkage(squareform(distance, checks=False), "average"))
        frame = frame.iloc[order, order]
        values = frame.to_numpy(dtype=float)
    size = 2.0 + 0.3 * len(values)
    across, down = shortened(frame.columns), shortened(frame.index)
    ax = axes(ax, size + inches(down), size + inches(across))
    image = ax.imshow(np.ma.masked_invalid(values), cmap="viridis", vmin=0.0)
    ax.set_xticks(range(len(values)), across, rotation=90)
    ax.set_yticks(range(len(values)), down)
    if ax.figure is not None:
        ax.figure.colorbar(image, ax=ax, label="nats")
    return ax
