"""Pictures of the comparisons: both accuracies against each other, and curves over epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from infoflow_reproductions.harness.figures import panels, training
from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.methods import METHODS

_MARKERS = "osD^vP*X<>ph8d"
_TITLES = {
    "best_digit": "epoch of the best digit accuracy\n(validation)",
    "best_texture": "epoch of the best texture accuracy\n(validation)",
    "last": "last epoch",
}
_UNITS = {"saturation": "share of the ceiling", "flow": "nats"}


def plane(
    results: Results,
    methods: Sequence[str],
    selections: Sequence[str],
    published: Mapping[tuple[str, str], tuple[float, float]] | None = None,
) -> Figure:
    """Return digit against texture accuracy: a point per seed, a large one for the mean, the bound on the sum."""
    agree = _largest_agreement([found for name in methods for found in results.of(method=name)])

    def draw(canvas: Canvas) -> None:
        colors = mpl.colormaps["tab20"](np.arange(20))
        looks: dict[str, dict[str, Any]] = {
            name: {"color": colors[(2 * i) % 20 + (i >= 10)], "marker": _MARKERS[i % len(_MARKERS)]}
            for i, name in enumerate(methods)
        }
        found = panels(canvas, len(selections), size=(5.6, 4.9), sharex=True, sharey=True)
        for axes, selection in zip(found, selections, strict=True):
            axes.plot([agree, 100], [100, agree], color="black", lw=1)
            axes.fill_between([agree, 100], [100, agree], 100, color="0.93", zorder=0)
            for name, look in looks.items():
                digit, texture = (results.values(f"{f}_{selection}", method=name) for f in ("digit", "texture"))
                axes.scatter(texture, digit, s=16, alpha=0.45, linewidths=0, **look)
                mean = np.mean(texture), np.mean(digit)
                axes.scatter(*mean, s=75, edgecolors="black", linewidths=0.7, zorder=3, **look)
                if (figures := (published or {}).get((name, selection))) is not None:
                    star: dict[str, Any] = {
                        "marker": "*",
                        "s": 150,
                        "color": look["color"],
                        "edgecolors": "black",
                        "zorder": 4,
                    }
                    axes.scatter(*figures[::-1], **star)
            axes.scatter([10], [10], marker="+", color="black", s=60)
            axes.annotate("chance", (10, 10), (4, -11), textcoords="offset points", fontsize=8)
            axes.annotate("1 + P(digit = texture)", (80, 38), rotation=-45, fontsize=8, ha="center", va="center")
            axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="texture accuracy, %", aspect="equal")
            axes.set_title(_TITLES[selection], fontsize=10)
            axes.grid(alpha=0.25)
        found[0].set_ylabel("digit accuracy, %")
        edge: dict[str, Any] = {"ls": "", "markeredgecolor": "black"}
        handles = [
            Line2D([], [], markeredgewidth=0.5, label=METHODS[name].title, **edge, **look)
            for name, look in looks.items()
        ]
        if published:
            handles.append(Line2D([], [], marker="*", ms=11, color="white", label="published", **edge))
        canvas.legend(handles=handles, loc="outside right upper", fontsize=8, frameon=False)

    caption = (
        "Accuracies on the shifted test set: small points are seeds, large ones their means; no point can lie beyond "
        "the line, which is that of the seed with the largest P(digit = texture)."
    )
    return Figure("both-accuracies", caption, draw)


def accuracy_curves(results: Results, methods: Sequence[str]) -> Figure:
    """Return both accuracies on the test set and their sum over epochs, one panel per method."""
    found, ceilings = {}, {}
    for name in methods:
        runs = results.of(method=name)
        curves = {factor: [run[f"test_{factor}"] for run in runs] for factor in ("digit", "texture")}
        curves["sum"] = [np.add(run["test_digit"], run["test_texture"]).tolist() for run in runs]
        title = METHODS[name].title
        found[title], ceilings[title] = curves, 100 + _largest_agreement(runs)
    caption = (
        "Accuracies on the shifted test set over training; bands show the range over seeds, "
        "and the black line limits the sum (100 % + the largest P(digit = texture) of a seed)."
    )
    return training("accuracies", caption, found, "accuracy, %", columns=4, first=0, ceilings=ceilings, sharey=True)


def _largest_agreement(runs: Sequence[Mapping[str, Any]]) -> float:
    """Return the largest P(digit = texture) of the runs' test sets, in percent, which bounds the points of all."""
    return max(float(run["agree"]) for run in runs)


def flow_curves(results: Results, methods: Sequence[str]) -> Figure | None:
    """Return each pair's bound over epochs, as a share of its ceiling if it has one, one panel per method with a flow.

    Panels have one scale if all bounds have a ceiling, or none has. None without such a method.
    """
    flowing = [name for name in methods if METHODS[name].flow]
    if not flowing:
        return None
    runs = {name: results.of(method=name) for name in flowing}
    kinds = {
        name: "saturation" if any(np.any(values) for run in some for values in run["saturation"].values()) else "flow"
        for name, some in runs.items()
    }
    alike = len(set(kinds.values())) == 1
    titles = {name: METHODS[name].title + ("" if alike else f"\n({_UNITS[kinds[name]]})") for name in flowing}
    found = {
        titles[name]: {pair.replace("-", " → "): [run[kinds[name]][pair] for run in some] for pair in some[0]["flow"]}
        for name, some in runs.items()
    }
    return training(
        "flows",
        "Each pair's bound over training, as a share of its ceiling if it has one; bands show the range over seeds.",
        found,
        f"bound, {_UNITS[kinds[flowing[0]]]}" if alike else "bound",
        columns=4,
        ceilings={titles[name]: 1.0 for name in flowing if kinds[name] == "saturation"},
        sharey=alike,
    )
