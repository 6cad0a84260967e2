"""Pictures: curves over training, error against information, accuracy against a setting, and those of the theory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import LogFormatter

from infoflow.theory import error_lower_bound
from infoflow_reproductions.harness.figures import legend_below
from infoflow_reproductions.harness.figures import panels as panels_of
from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.milc.classifier import CLASSES
from infoflow_reproductions.milc.losses import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# Colors that remain distinct with color blindness (Okabe and Ito); the second of a pair is dashed.
COLORS = {
    "ce": "#000000",
    "lsr": "#E69F00",
    "cp": "#56B4E9",
    "cp-weighted": "#56B4E9",
    "lc": "#009E73",
    "lc-hard": "#009E73",
    "mil": "#D55E00",
    "mil-ema": "#CC79A7",
    "la": "#F0E442",
    "pc": "#999999",
    "ncmi": "#0072B2",
}
_SECOND = ("cp-weighted", "lc-hard")
# Of further weights λ in one panel.
_FURTHER = ("#0072B2", "#009E73", "#CC79A7", "#E69F00")

_TERMS = {
    "accuracy": "accuracy",
    "label_entropy": "label entropy H(Y) / nats",
    "conditional_entropy": "conditional entropy H(Y|X) / nats",
    "mutual_information": "mutual information I(X;Y) / nats",
}

# Curves of the theory: form or bound -> label, color, line.
_FORMS = {
    "fano": ("Fano, inverted exactly", "#000000", "-"),
    "tight": ("corrected, 2 / ln 2", "#0072B2", "--"),
    "corrected": ("corrected", "#56B4E9", "-"),
    "weak": ("weak Fano", "#999999", ":"),
    "paper": ("paper's form", "#D55E00", "-"),
}
_INFORMATION = {
    "separation": ("upper: s (the paper's)", "#E69F00", "--"),
    "divergence": ("upper: divergence", "#D55E00", "-"),
    "exact": ("exact", "#000000", "-"),
    "overlap": ("lower: overlap", "#0072B2", "-"),
    "energy": ("lower: energy (the paper's)", "#56B4E9", "--"),
}
_ERRORS = {
    "bayes_error": ("Bayes error", "#009E73", "-"),
    "fano": ("Fano, from the upper bound on I", "#000000", "-"),
    "corollary": ("the paper's corollary", "#D55E00", "-"),
}

Seeds = Sequence[Mapping[str, Any]]


def curves(network: str, runs: Mapping[str, tuple[str, Seeds]]) -> Figure:
    """Return accuracy, entropy, conditional entropy and information over training, averaged over seeds.

    Parameters
    ----------
    network
        Name of the network.
    runs
        Label -> name of the loss, and the results of every seed.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        panels = panels_of(canvas, len(_TERMS), columns=2, size=(5.5, 4.3))
        for axes, (term, label) in zip(panels, _TERMS.items(), strict=True):
            for name, (loss, seeds) in runs.items():
                _curve(axes, name, loss, [one for one in seeds if not one["diverged"]], term)
            axes.set(xlabel="epoch", ylabel=label)
            axes.grid(alpha=0.2)
            if term == "label_entropy":  # the range excludes the first epochs
                axes.set_ylim(top=np.log(10) + 0.05, bottom=np.log(10) - 0.01)
        legend_below(canvas, columns=4)
        canvas.suptitle(f"{network}: test set (lines) and training set (faint)")

    caption = "Accuracy, label entropy, conditional entropy and mutual information over training, mean over seeds."
    return Figure(f"curves-{network}", caption, draw)


def _curve(axes: Axes, name: str, loss: str, seeds: Seeds, term: str) -> None:
    if not seeds:
        return
    tuned = "tuned" in name
    style = ":" if tuned else "--" if loss in _SECOND else "-"
    width = 2.4 if loss == "mil" or tuned else 1.4
    for part, alpha, label in (("train", 0.25, None), ("test", 1.0, name)):
        mean = np.mean([one[f"curve_{part}_{term}"] for one in seeds], axis=0)
        axes.plot(seeds[0]["curve_epoch"], mean, style, color=COLORS[loss], alpha=alpha, linewidth=width, label=label)


def scatter(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> Figure:
    """Return the test errors of all runs against the information of the test set, with Fano's bound.

    Parameters
    ----------
    runs
        Names of losses with the result of one seed each.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        (axes,) = panels_of(canvas, 1, size=(7, 5))
        for loss in dict.fromkeys(name for name, _ in runs):
            those = [one for name, one in runs if name == loss and not one["diverged"]]
            axes.scatter(
                [one["test_mutual_information"] for one in those],
                [1 - one["test_accuracy"] for one in those],
                s=24,
                alpha=0.7,
                color=COLORS[loss],
                marker="x" if loss in _SECOND else "o",
                label=title(loss).split(", λ")[0],
            )
        left, right = axes.get_xlim()
        grid = np.linspace(max(0.0, left), np.log(CLASSES), 200)
        bound = error_lower_bound(grid, np.log(CLASSES), CLASSES)
        axes.plot(grid, bound, "k--", linewidth=1, label="Fano's bound, were the estimate exact")
        axes.set(xlabel="mutual information I(X;Y) on the test set / nats", ylabel="test error", ylim=(0, None))
        axes.set_xlim(left, max(right, np.log(CLASSES)))
        axes.grid(alpha=0.2)
        axes.legend(frameon=False, fontsize=8)

    caption = (
        "Test error against the mutual information that the terms of the loss estimate on the test set; every run is a "
        "point. The line is the least error of balanced classes with that much information; the estimate is a lower "
        "bound on it, so points may lie below."
    )
    return Figure("error-information", caption, draw)


def learning_rates(
    network: str,
    panels: Mapping[str, Mapping[tuple[str, float], Sequence[tuple[float, list[float], list[float]]]]],
    weight: float,
) -> Figure:
    """Return errors against the learning rate, one panel per regime.

    Parameters
    ----------
    network
        Name of the network.
    panels
        Regime -> loss and weight λ -> learning rates, each with held-out and test accuracies of every seed.
    weight
        Weight λ of the paper.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        places = panels_of(canvas, len(panels), sharex=True, sharey=True)
        others = sorted({each for losses in panels.values() for loss, each in losses if loss == "mil"} - {weight})
        further = {("mil", each): _FURTHER[i % len(_FURTHER)] for i, each in enumerate(others)}
        for axes, (regime, losses) in zip(places, panels.items(), strict=True):
            for (loss, each), runs in losses.items():
                rates = [rate for rate, _, _ in runs]
                color = further.get((loss, each), COLORS[loss])
                errors = [[100 * (1 - value) for value in values] for _, _, values in runs]
                _seeds(axes, rates, errors, color, title(loss, each))
                held_out = [100 * (1 - np.mean(values)) for _, values, _ in runs]
                axes.plot(rates, held_out, ":" if len(rates) > 1 else "_", color=color)
            axes.set(xscale="log", yscale="log", xlabel="learning rate", title=regime)
            axes.yaxis.set_major_formatter(LogFormatter())
            axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
            axes.grid(alpha=0.2)
        canvas.axes[0].set_ylabel("error, %")
        canvas.axes[0].legend(frameon=False, fontsize=9)
        separator = "\n" if len(panels) == 1 else " "  # one panel is too narrow for the whole title
        canvas.suptitle(f"{network}: test set (lines; points are seeds){separator}and held-out images (dotted)")

    regimes = ", without and with augmentation and weight decay" if len(panels) > 1 else ""
    caption = f"Error against the learning rate{regimes}."
    return Figure(f"learning-rate-{network}", caption, draw)


def _seeds(axes: Axes, x: Sequence[float], runs: Sequence[Sequence[float]], color: str, label: str | None) -> None:
    """Draw the mean over seeds as a line and every seed as a point; `runs` holds one value per seed for each place."""
    values = np.array(runs)
    axes.plot(x, values.mean(axis=1), "-", color=color, label=label)
    for seed in values.T:
        axes.plot(x, seed, ".", color=color, alpha=0.6)


def by_setting(
    name: str,
    caption: str,
    label: str,
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, list[float]]]]],
    weight: float | None,
) -> Figure:
    """Return accuracies against a setting, one panel per budget or learning rate.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        Text below the picture.
    label
        Label of the horizontal axis.
    panels
        Title -> loss -> values of the setting, each with the accuracies of every seed.
    weight
        Weight λ in the legend; None for no legend.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        for axes, (heading, losses) in zip(panels_of(canvas, len(panels), sharey=True), panels.items(), strict=True):
            for loss, runs in losses.items():
                places = range(len(runs))  # evenly spaced, since the settings are powers or 0
                _seeds(
                    axes,
                    places,
                    [values for _, values in runs],
                    COLORS[loss],
                    None if weight is None else title(loss, weight),
                )
                axes.set_xticks(places, [f"{setting:g}" for setting, _ in runs])
            axes.set(xlabel=label, title=heading)
            axes.grid(alpha=0.2)
        canvas.axes[0].set_ylabel("test accuracy")
        if weight is not None:
            canvas.axes[0].legend(frameon=False, fontsize=8)

    return Figure(name, caption, draw)


def error_bounds(labels: str, found: Mapping[int, Mapping[str, Any]]) -> Figure:
    """Return every form of the bound on the error against I(X;Y), one panel per number of classes.

    Parameters
    ----------
    labels
        "balanced" or "unbalanced".
    found
        Number of classes -> the curves.

    Returns
    -------
    Figure
        The picture.
    """

    def draw(canvas: Canvas) -> None:
        places = panels_of(canvas, len(found), size=(3.4, 4.0), sharey=True)
        for axes, (classes, one) in zip(places, found.items(), strict=True):
            _lines(axes, np.asarray(one["information"]) / math.log(2), one, _FORMS)
            label = "error without X: no bound may exceed it"
            axes.axhline(one["majority_error"], color="#009E73", linewidth=1, linestyle="-.", label=label)
            axes.set(title=f"{classes} classes", xlabel="I(X;Y) / bits", ylim=(0, 1.02))
        canvas.axes[0].set_ylabel("least error probability")
        legend_below(canvas, columns=3)
        canvas.suptitle(f"{labels} labels" + ("" if labels == "balanced" else ": half of the probability on one class"))

    return Figure(f"error-bounds-{labels}", f"Lower bounds on the error by information, {labels} labels.", draw)


def mixtures(found: Mapping[int, Mapping[str, Any]]) -> list[Figure]:
    """Return information and error of two Gaussian classes against the variance, with their bounds.

    Parameters
    ----------
    found
        Number of dimensions -> the curves.

    Returns
    -------
    list of Figure
        The pictures of information, one panel per number of dimensions, and of the error for the first number.
    """

    def information(canvas: Canvas) -> None:
        places = panels_of(canvas, len(found), size=(4.6, 4.2), sharey=True)
        for axes, (dimensions, one) in zip(places, found.items(), strict=True):
            _lines(axes, one["variance"], one, _INFORMATION)
            heading = f"{dimensions} dimension" + ("s" if dimensions > 1 else "")
            axes.set(xscale="log", xlabel="variance σ² (|μ| = 1)", ylim=(-0.02, 0.9), title=heading)
        canvas.axes[0].set_ylabel("I(X;Y) / nats")
        canvas.axes[0].legend(frameon=False, fontsize=9)

    def error(canvas: Canvas) -> None:
        (axes,) = panels_of(canvas, 1, size=(6, 4.2))
        one = next(iter(found.values()))
        _lines(axes, one["variance"], one, _ERRORS)
        axes.set(xscale="log", xlabel="variance σ² (|μ| = 1)", ylabel="error probability", ylim=(0, 0.5))
        axes.legend(frameon=False, fontsize=9)

    return [
        Figure("mixture-information", "Information of two Gaussian classes by variance, and its bounds.", information),
        Figure("mixture-error", "Error of the best classifier of two Gaussian classes by variance.", error),
    ]


def _lines(axes: Axes, x: Any, found: Mapping[str, Any], styles: Mapping[str, tuple[str, str, str]]) -> None:
    for name, (label, color, style) in styles.items():
        axes.plot(x, found[name], style, color=color, label=label)
    axes.grid(alpha=0.2)
