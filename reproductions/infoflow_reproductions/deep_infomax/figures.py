"""The pictures: bars by layer, curves over a setting or over training, heat maps, sheets of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from infoflow_reproductions.deep_infomax.pictures import sheet
from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.harness.seeds import over_seeds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# Colors that color-blind readers tell apart (Okabe and Ito).
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#999999")


def _half(values: Sequence[float]) -> float:
    found = over_seeds(values)
    return found.high - found.mean if np.isfinite(found.high) else 0.0


def bars(name: str, caption: str, groups: Mapping[str, Mapping[str, Sequence[float]]], ylabel: str) -> Figure:
    """Groups (methods) of bars (layers) with t intervals over seeds, and a dot for each seed."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(max(7.0, 1.1 * len(groups) + 2), 4.4)
        axes = canvas.subplots()
        layers = list(dict.fromkeys(layer for group in groups.values() for layer in group))
        width = 0.8 / len(layers)
        for i, (layer, color) in enumerate(zip(layers, COLORS, strict=False)):
            label: str | None = layer
            for place, group in enumerate(groups.values()):
                if layer not in group:
                    continue
                x = place + (i - (len(layers) - 1) / 2) * width
                values = group[layer]
                axes.bar(x, np.mean(values), width * 0.92, color=color, alpha=0.75, label=label)
                axes.errorbar(x, np.mean(values), _half(values), color="black", capsize=2, linewidth=1)
                axes.plot([x] * len(values), values, ".", color="black", markersize=3)
                label = None
        axes.set_xticks(range(len(groups)), [key.replace(" ", "\n", 1) for key in groups], fontsize=8)
        axes.set_ylabel(ylabel)
        highest = max(max(values) for group in groups.values() for values in group.values())
        axes.set_ylim(0, highest * 1.18 if highest > 0 else None)  # room for the legend
        axes.grid(axis="y", alpha=0.2)
        axes.set_axisbelow(True)
        if len(layers) > 1:
            axes.legend(frameon=False, ncols=len(layers), loc="upper left", fontsize=9)

    return Figure(name, caption, draw)


def curves(
    name: str,
    caption: str,
    lines: Mapping[str, Mapping[float, Sequence[float]]],
    xlabel: str,
    ylabel: str,
    *,
    log: bool = False,
) -> Figure:
    """A line for each name over a setting: means and t intervals over seeds."""

    def draw(canvas: Canvas) -> None:
        axes = canvas.subplots()
        for (label, points), color, marker in zip(lines.items(), COLORS, "osD^vP*X", strict=False):
            x = np.array(list(points), float)
            mean = [float(np.mean(values)) for values in points.values()]
            half = [_half(values) for values in points.values()]
            axes.errorbar(x, mean, half, color=color, marker=marker, capsize=3, label=label, linewidth=1.5)
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
    name: str, caption: str, panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], ylabel: str
) -> Figure:
    """A panel for each term; lines are means over seeds, thin lines the seeds, over epochs."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(max(6.0, 4.2 * len(panels)), 3.9)
        for axes, (title, lines) in zip(np.atleast_1d(canvas.subplots(1, len(panels))), panels.items(), strict=True):
            for (label, runs), color in zip(lines.items(), COLORS, strict=False):
                epochs = np.arange(1, len(runs[0]) + 1)
                for run in runs:
                    axes.plot(epochs, run, color=color, alpha=0.25, linewidth=0.8)
                axes.plot(
                    epochs, np.mean(runs, axis=0), color=color, label=label, marker="." if len(epochs) < 3 else ""
                )
            axes.set(title=title, xlabel="epoch")
            axes.grid(alpha=0.2)
            axes.legend(frameon=False, fontsize=8)
        canvas.axes[0].set_ylabel(ylabel)

    return Figure(name, caption, draw)


def heat_maps(
    name: str, caption: str, maps: Mapping[str, tuple[Sequence[float], Sequence[float], Any]], x: str, y: str
) -> Figure:
    """A map for each title: (values of x, values of y, mean accuracies [y, x] in per cent, NaN where not run)."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(max(5.0, 3.6 * len(maps)), 3.6)
        grids = [np.asarray(grid, float) for _, _, grid in maps.values()]
        low, high = (float(bound(np.concatenate([g.ravel() for g in grids]))) for bound in (np.nanmin, np.nanmax))
        panels = np.atleast_1d(canvas.subplots(1, len(maps), sharey=True))
        image: Any = None
        for axes, (title, (xs, ys, _)), grid in zip(panels, maps.items(), grids, strict=True):
            image = axes.imshow(grid, cmap="viridis", vmin=low, vmax=high, origin="lower", aspect="auto")
            for (i, j), value in np.ndenumerate(grid):
                if np.isfinite(value):
                    dark = value < (low + high) / 2
                    axes.text(
                        j, i, f"{value:.1f}", ha="center", va="center", color="white" if dark else "black", fontsize=8
                    )
            axes.set_xticks(range(len(xs)), [f"{v:g}" for v in xs])
            axes.set_yticks(range(len(ys)), [f"{v:g}" for v in ys])
            axes.set(title=title, xlabel=x)
        panels[0].set_ylabel(y)
        canvas.colorbar(image, ax=list(panels), label="accuracy on Y / %")

    return Figure(name, caption, draw)


def sheets(name: str, caption: str, packed: Mapping[str, Mapping[str, Any]], *, first: int = 0) -> Figure:
    """One sheet of images for each title, side by side."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(4.2 * len(packed), 2.9)
        panels: Sequence[Axes] = list(np.atleast_1d(canvas.subplots(1, len(packed))))
        for axes, (title, images) in zip(panels, packed.items(), strict=True):
            sheet(axes, images, first=first)
            axes.set_title(title, fontsize=10)

    return Figure(name, caption, draw)
