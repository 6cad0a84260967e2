"""The picture of a profile through training: heat maps of depth by step above curves of every layer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from infoflow.core.errors import UnknownName
from infoflow.core.figures import inches, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from infoflow.profiles.training import TrainingProfile

_MOST = 3
# Layers that are named at most, and characters of a name.
_MOST_NAMES, _LONGEST = 16, 32
# A ceiling that is so many times the largest value would flatten the curves, and is stated in the legend instead.
_FAR = 3.0


def maps_and_curves(profile: TrainingProfile, quantities: Sequence[str] | None = None) -> Figure:
    """Draw each quantity in a column: its heat map above, its curves with null values and ceilings below."""
    from matplotlib.figure import Figure

    chosen = list(quantities) if quantities else _usual(profile)
    for quantity in chosen:
        if quantity not in profile.quantities:
            raise UnknownName("quantity", quantity, profile.quantities)
    names = shortened(map(layer_name, profile.layers), _LONGEST)
    legend = [*names[:: _every(names)], "shuffled labels"]
    width = (4.2 + inches(names)) * len(chosen) + 0.6
    columns = max(1, min(8, int(width / (0.7 + 0.8 * inches(legend)))))
    height = 6.4 + 0.2 * (len(legend) + 1) / columns
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(2, len(chosen), squeeze=False)
    for column, quantity in enumerate(chosen):
        _map(profile, quantity, axes[0, column])
        _curves(profile, quantity, axes[1, column])
    handles, labels = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=8, frameon=False)
    return figure


def _every(names: Sequence[str]) -> int:
    """Distance between the layers that are named."""
    return 1 + (len(names) - 1) // _MOST_NAMES


def layer_name(name: str) -> str:
    """The name of a layer as pictures show it: "embedding", "block 1", or the module's own."""
    if re.search(r"\b0:input$", name):
        return "embedding"
    found = re.search(r"blocks?\.(\d+)$", name)
    return f"block {int(found[1]) + 1}" if found else name


def _usual(profile: TrainingProfile) -> list[str]:
    """Up to three quantities about labels, without the controls."""
    frame = profile.frame
    labeled = list(dict.fromkeys(frame["quantity"][frame["label"] != ""]))
    plain = [name for name in labeled if "," not in name] or labeled
    wanted = ("I(current;W)", "V-information of current", "V-information of next")
    return ([name for name in wanted if name in plain] or plain or profile.quantities)[:_MOST]


def _map(profile: TrainingProfile, quantity: str, ax: Axes) -> None:
    table = profile.table(quantity)
    image = ax.imshow(table.to_numpy(dtype=float), aspect="auto", origin="lower", cmap="viridis")
    names = shortened(map(layer_name, table.index), _LONGEST)
    ax.set_yticks(range(0, len(names), _every(names)), names[:: _every(names)], fontsize=8)
    _steps(ax, [int(step) for step in table.columns])
    unit = profile.frame["unit"][profile.frame["quantity"] == quantity].iloc[0]
    [title] = shortened([quantity], _LONGEST)
    ax.set_title(f"{title} ({unit})" if unit else title, fontsize=11)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.colorbar(image, ax=ax, pad=0.02).ax.tick_params(labelsize=7)


def _curves(profile: TrainingProfile, quantity: str, ax: Axes) -> None:
    import matplotlib as mpl

    tables = {name: profile.table(quantity, name) for name in ("value", "null", "ceiling", "se")}
    values = tables["value"].to_numpy(dtype=float)
    places = np.arange(values.shape[1])
    ceilings = tables["ceiling"].to_numpy(dtype=float)
    near = np.isfinite(ceilings).any() and np.nanmin(ceilings) < _FAR * max(np.nanmax(values), 1e-9)
    names = shortened(map(layer_name, tables["value"].index), _LONGEST)
    for depth, name in enumerate(names):
        color = mpl.colormaps["viridis"](0.85 * depth / max(1, len(values) - 1))
        ax.plot(places, values[depth], color=color, linewidth=1.8, label=name if depth % _every(names) == 0 else None)
        error = 2 * np.nan_to_num(tables["se"].to_numpy(dtype=float)[depth])
        ax.fill_between(places, values[depth] - error, values[depth] + error, color=color, alpha=0.15, linewidth=0)
        ax.plot(places, tables["null"].to_numpy(dtype=float)[depth], ":", color=color, linewidth=1)
        if near:
            ax.plot(places, ceilings[depth], "--", color=color, linewidth=0.8, alpha=0.7)
    ax.plot([], [], ":", color="gray", label="shuffled labels")
    ax.plot([], [], "--", color="gray", label="ceiling")
    _steps(ax, [int(step) for step in tables["value"].columns])
    ax.set_xlabel("training step", fontsize=9)
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]), top=1.05 * ax.get_ylim()[1])
    ax.tick_params(labelsize=8)
    ax.grid(alpha=0.3)


def _steps(ax: Axes, steps: list[int]) -> None:
    every = max(1, -(-len(steps) // 7))
    places = list(range(0, len(steps), every))
    ax.set_xticks(places, [str(steps[place]) for place in places], fontsize=8)
