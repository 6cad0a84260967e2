"""Figures of profiles: matplotlib axes in, axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoflow.core.figures import axes, inches, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from infoflow.profiles.result import Profile

_MOST_NAMES = 40


def curves(profile: Profile, quantities: list[str], ax: Axes | None) -> Axes:
    """Values by depth, one color per quantity."""
    layers = shortened(profile.layers)
    every = 1 + (len(layers) - 1) // _MOST_NAMES
    shown = dict(zip(quantities, shortened(quantities), strict=True))
    legend = inches(f"{name}: ceiling" for name in shown.values())
    # Width and height of the names of layers, which are drawn at an angle of 45 degrees.
    names = 0.71 * inches(layers)
    ax = axes(ax, 3.5 + max(0.35 * min(len(layers), _MOST_NAMES), names) + 0.8 * legend, 3.5 + names)
    for quantity in quantities:
        rows = profile.select(quantity)
        depth, value = rows["depth"].to_numpy(), rows["value"].to_numpy(dtype=float)
        error = np.nan_to_num(rows["se"].to_numpy(dtype=float))
        line = ax.errorbar(depth, value, yerr=2 * error, marker="o", markersize=4, capsize=2, label=shown[quantity])
        color = line[0].get_color()
        for column, style in (("null", ":"), ("ceiling", "--")):
            limit = rows[column].to_numpy(dtype=float)
            if np.isfinite(limit).any():
                ax.plot(depth, limit, style, color=color, linewidth=1, label=f"{shown[quantity]}: {column}")
    ax.set_xticks(range(0, len(layers), every), layers[::every], rotation=45, ha="right", rotation_mode="anchor")
    units = {unit for quantity in quantities for unit in profile.select(quantity)["unit"]}
    ax.set_ylabel(" / ".join(sorted(unit for unit in units if unit)) or "value")
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))  # differences between layers look as large as they are
    ax.grid(alpha=0.3)
    ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax
