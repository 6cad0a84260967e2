"""Pictures of the comparisons: both accuracies against each other, and curves over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.comparison import both
from infoflow_reproductions.ifm.methods import METHODS

_MARKERS = "osD^vP*X<>ph8d"
_DIGIT, _TEXTURE = "#0072b2", "#d55e00"


def plane(
    results: Results,
    methods: Sequence[str],
    selections: Sequence[str],
    published: Mapping[tuple[str, str], tuple[float, float]] | None = None,
) -> Figure:
    """Digit accuracy over texture accuracy: a point a seed, a large one their mean, and the bound on their sum."""
    agree = float(np.mean([found["agree"] for name in methods for found in results.of(method=name)]))

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(4.6 * len(selections) + 3.0, 4.9)
        axes = canvas.subplots(1, len(selections), sharex=True, sharey=True, squeeze=False)[0]
        colors = mpl.colormaps["tab20"](np.arange(20))
        for axis, selection in zip(axes, selections, strict=True):
            axis.plot([agree, 100], [100, agree], color="black", lw=1)
            axis.fill_between([agree, 100], [100, agree], 100, color="0.93", zorder=0)
            for i, name in enumerate(methods):
                texture, digit = np.array(both(results, name, selection))[:, ::-1].T
                look = {"color": colors[(2 * i) % 20 + (i >= 10)], "marker": _MARKERS[i % len(_MARKERS)]}
                axis.scatter(texture, digit, s=16, alpha=0.45, linewidths=0, **look)
                axis.scatter(texture.mean(), digit.mean(), s=75, edgecolors="black", linewidths=0.7, zorder=3, **look)
            axis.scatter([10], [10], marker="+", color="black", s=60)
            axis.annotate("chance", (10, 10), (4, -11), textcoords="offset points", fontsize=8)
            axis.annotate("1 + P(digit = texture)", (80, 38), rotation=-45, fontsize=8, ha="center", va="center")
            for i, name in enumerate(methods):
                if (figures := (published or {}).get((name, selection))) is not None:
                    axis.scatter(
                        *figures[::-1], marker="*", s=150, color=colors[(2 * i) % 20], edgecolors="black", zorder=4
                    )
            axis.set(xlim=(0, 100), ylim=(0, 100), xlabel="texture accuracy, %", aspect="equal")
            axis.set_title(_NAMES[selection], fontsize=10)
            axis.grid(alpha=0.25)
        axes[0].set_ylabel("digit accuracy, %")
        handles = [
            Line2D([], [], ls="", marker=_MARKERS[i % len(_MARKERS)], color=colors[(2 * i) % 20 + (i >= 10)],
                   markeredgecolor="black", markeredgewidth=0.5, label=METHODS[name].title)
            for i, name in enumerate(methods)
        ]  # fmt: skip
        if published:
            handles.append(
                Line2D([], [], ls="", marker="*", ms=11, color="white", markeredgecolor="black", label="published")
            )
        canvas.legend(handles=handles, loc="outside right upper", fontsize=8, frameon=False)

    return Figure(
        "both-accuracies",
        "Accuracies on the shifted test set: small points are seeds, large ones their means; "
        "nothing can lie beyond the line.",
        draw,
    )


_NAMES = {
    "best_digit": "epoch of the best digit accuracy\n(validation)",
    "best_texture": "epoch of the best texture accuracy\n(validation)",
    "last": "last epoch",
}


def accuracy_curves(results: Results, methods: Sequence[str]) -> Figure:
    """Both accuracies on the test set over epochs, a panel a method; bands are the range over seeds."""

    def draw(canvas: Canvas) -> None:
        grid = _grid(canvas, len(methods))
        for axis, name in zip(grid, methods, strict=False):
            found = results.of(method=name)
            epochs = found[0]["epoch"]
            for factor, color in (("digit", _DIGIT), ("texture", _TEXTURE)):
                curves = np.array([one[f"test_{factor}"] for one in found])
                axis.plot(epochs, curves.mean(0), color=color, label=factor, marker="o" if len(epochs) == 1 else "")
                axis.fill_between(epochs, curves.min(0), curves.max(0), color=color, alpha=0.15, lw=0)
            total = np.array([np.add(one["test_digit"], one["test_texture"]) for one in found]).mean(0)
            axis.plot(epochs, total, color="0.4", lw=1, ls="--", label="sum")
            axis.axhline(100 + found[0]["agree"], color="black", lw=0.8)
            axis.set_title(METHODS[name].title, fontsize=8)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.set_ylim(0, 115)
            axis.grid(alpha=0.25)
        _finish(canvas, grid, len(methods), "accuracy, %")

    return Figure(
        "accuracies",
        "Accuracies on the shifted test set while training; bands span the seeds, the black line bounds the sum.",
        draw,
    )


def flow_curves(results: Results, methods: Sequence[str]) -> Figure:
    """Each pair's bound over epochs, as a share of its ceiling where it has one, a panel a method."""
    shown = [name for name in methods if METHODS[name].flow]

    def draw(canvas: Canvas) -> None:
        grid = _grid(canvas, len(shown))
        for axis, name in zip(grid, shown, strict=False):
            found = results.of(method=name)
            bounded = any(np.any(one["saturation"][pair]) for one in found for pair in one["saturation"])
            for i, pair in enumerate(found[0]["flow"]):
                kind = "saturation" if bounded else "flow"
                curves = np.array([one[kind][pair] for one in found])
                epochs = np.arange(1, curves.shape[1] + 1)
                axis.plot(epochs, curves.mean(0), color=f"C{i}", label=pair.replace("-", " → "), marker=".")
                axis.fill_between(epochs, curves.min(0), curves.max(0), color=f"C{i}", alpha=0.15, lw=0)
            if bounded:
                axis.axhline(1.0, color="black", lw=0.8)
                axis.set_ylim(-0.05, 1.08)
                axis.set_ylabel("share of the ceiling", fontsize=7)
            else:
                axis.set_ylabel("nats (no ceiling)", fontsize=7)
            axis.legend(fontsize=6, loc="lower right")
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
            axis.set_title(METHODS[name].title, fontsize=8)
            axis.grid(alpha=0.25)
        _finish(canvas, grid, len(shown), "", legend=False)

    return Figure("flows", "Each pair's bound while training, as a share of its ceiling; bands span the seeds.", draw)


def _grid(canvas: Canvas, count: int) -> list[Axes]:
    columns = min(4, count)
    lines = -(-count // columns)
    canvas.set_size_inches(2.9 * columns + 0.6, 2.3 * lines + 0.7)
    return list(canvas.subplots(lines, columns, squeeze=False, sharex=False).ravel())


def _finish(canvas: Canvas, grid: Sequence[Axes], count: int, ylabel: str, *, legend: bool = True) -> None:
    for axis in grid[count:]:
        axis.axis("off")
    canvas.supxlabel("epoch", fontsize=9)
    canvas.supylabel(ylabel, fontsize=9)
    if legend:
        handles, labels = grid[0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside upper right", ncols=3, fontsize=8, frameon=False)
