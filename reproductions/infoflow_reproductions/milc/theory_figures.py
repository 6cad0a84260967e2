"""The pictures of the theory: bounds on the error by information, and of Gaussian mixtures by variance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from infoflow_reproductions.harness.findings import Figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

# Form of the bound -> its name, color and line.
_FORMS = {
    "fano": ("Fano, inverted exactly", "#000000", "-"),
    "tight": ("corrected, 2 / ln 2", "#0072B2", "--"),
    "corrected": ("corrected", "#56B4E9", "-"),
    "weak": ("weak Fano", "#999999", ":"),
    "paper": ("paper's form", "#D55E00", "-"),
}


def error_bounds(labels: str, curves: Mapping[int, Mapping[str, Any]]) -> Figure:
    """Every form of the bound against I(X;Y), a panel for each number of classes."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(1 + 3.2 * len(curves), 4.0)
        panels = np.atleast_1d(canvas.subplots(1, len(curves), sharey=True))
        for axes, (classes, found) in zip(panels, curves.items(), strict=True):
            bits = np.asarray(found["information"]) / math.log(2)
            for form, (name, color, style) in _FORMS.items():
                axes.plot(bits, found[form], style, color=color, label=name)
            axes.axhline(found["majority_error"], color="#009E73", linewidth=1, linestyle="-.",
                         label="error without X: no bound may exceed it")  # fmt: skip
            axes.set(title=f"{classes} classes", xlabel="I(X;Y) / bits", ylim=(0, 1.02))
            axes.grid(alpha=0.2)
        canvas.axes[0].set_ylabel("least error probability")
        handles, names = canvas.axes[0].get_legend_handles_labels()
        canvas.legend(handles, names, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
        canvas.suptitle(f"{labels} labels" + ("" if labels == "balanced" else ": half of the probability on one class"))

    return Figure(f"error-bounds-{labels}", f"Lower bounds on the error by information, {labels} labels.", draw)


def mixture_bounds(found: Mapping[int, Mapping[str, Any]]) -> Figure:
    """Exact information and its bounds against the variance, a panel for each number of dimensions."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(1 + 4.2 * len(found), 4.2)
        panels = np.atleast_1d(canvas.subplots(1, len(found), sharey=True))
        for axes, (dimensions, curves) in zip(panels, found.items(), strict=True):
            for name, label, color, style in (
                ("separation", "upper: s", "#E69F00", "--"),
                ("divergence", "upper: divergence", "#D55E00", "-"),
                ("exact", "exact", "#000000", "-"),
                ("overlap", "lower: overlap", "#0072B2", "-"),
                ("energy", "lower: energy", "#56B4E9", "--"),
            ):
                axes.plot(curves["variance"], curves[name], style, color=color, label=label)
            heading = f"{dimensions} dimension" + ("s" if dimensions > 1 else "")
            axes.set(xscale="log", xlabel="variance σ² (|μ| = 1)", ylim=(-0.02, 0.9), title=heading)
            axes.grid(alpha=0.2)
        canvas.axes[0].set_ylabel("I(X;Y) / nats")
        canvas.axes[0].legend(frameon=False, fontsize=9)

    return Figure("mixture-information", "Information of two Gaussian classes by variance, and its bounds.", draw)


def mixture_errors(curves: Mapping[str, Any]) -> Figure:
    """Bayes error and what the bounds say of it, against the variance."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(6, 4.2)
        axes = canvas.subplots()
        axes.plot(curves["variance"], curves["bayes_error"], color="#009E73", label="Bayes error")
        axes.plot(curves["variance"], curves["fano"], color="#000000", label="Fano, from the upper bound on I")
        axes.plot(curves["variance"], curves["corollary"], color="#D55E00", label="the paper's corollary")
        axes.set(xscale="log", xlabel="variance σ² (|μ| = 1)", ylabel="error probability", ylim=(0, 0.5))
        axes.grid(alpha=0.2)
        axes.legend(frameon=False, fontsize=9)

    return Figure("mixture-error", "Error of the best classifier of two Gaussian classes by variance.", draw)
