"""The pictures: curves over training, error against information, accuracy against the learning rate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from infoflow.theory import error_lower_bound
from infoflow_reproductions.harness.findings import Figure
from infoflow_reproductions.milc.losses import title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# Colors that color-blind readers tell apart (Okabe and Ito), and a dash for the second of a pair.
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

_TERMS = {
    "accuracy": "accuracy",
    "label_entropy": "label entropy H(Y) / nats",
    "conditional_entropy": "conditional entropy H(Y|X) / nats",
    "mutual_information": "mutual information I(X;Y) / nats",
}

Seeds = Sequence[Mapping[str, Any]]


def curves(network: str, runs: Mapping[str, tuple[str, Seeds]]) -> Figure:
    """Accuracy, entropy, conditional entropy and information over training; means over seeds."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(11, 8.6)
        panels = canvas.subplots(2, 2).flat
        for axes, (term, label) in zip(panels, _TERMS.items(), strict=True):
            for name, (loss, seeds) in runs.items():
                _curve(axes, name, loss, [one for one in seeds if not one["diverged"]], term)
            axes.set(xlabel="epoch", ylabel=label)
            axes.grid(alpha=0.2)
            if term == "label_entropy":  # its first epochs would hide the rest
                axes.set_ylim(top=np.log(10) + 0.05, bottom=np.log(10) - 0.01)
        handles, names = canvas.axes[0].get_legend_handles_labels()
        canvas.legend(handles, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
        canvas.suptitle(f"{network}: test set (lines) and training set (faint)")

    caption = "Accuracy, label entropy, conditional entropy and mutual information over training, mean over seeds."
    return Figure(f"curves-{network}", caption, draw)


def _curve(axes: Axes, name: str, loss: str, seeds: Seeds, term: str) -> None:
    if not seeds:
        return
    epochs = seeds[0]["curve_epoch"]
    tuned = "tuned" in name
    style = ":" if tuned else "--" if loss in _SECOND else "-"
    for part, alpha, label in (("train", 0.25, None), ("test", 1.0, name)):
        mean = np.mean([one[f"curve_{part}_{term}"] for one in seeds], axis=0)
        width = 2.4 if loss == "mil" or tuned else 1.4
        axes.plot(epochs, mean, style, color=COLORS[loss], alpha=alpha, linewidth=width, label=label)


def scatter(runs: Sequence[tuple[str, Mapping[str, Any]]], classes: int) -> Figure:
    """Test error against the test set's information, a point a run, beside what Fano's inequality allows."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(7, 5)
        axes = canvas.subplots()
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
        grid = np.linspace(max(0.0, left), np.log(classes), 200)
        bound = error_lower_bound(grid, np.log(classes), classes)
        axes.plot(grid, bound, "k--", linewidth=1, label="Fano's bound, were the estimate exact")
        axes.set(xlabel="mutual information I(X;Y) on the test set / nats", ylabel="test error", ylim=(0, None))
        axes.set_xlim(left, max(right, np.log(classes)))
        axes.grid(alpha=0.2)
        axes.legend(frameon=False, fontsize=8)

    caption = (
        "Test error against the mutual information that the loss's terms estimate on the test set; every run is a "
        "point. The line is the least error of balanced classes with that much information; the estimate is a lower "
        "bound on it, so points may lie below."
    )
    return Figure("error-information", caption, draw)


def learning_rates(
    network: str, panels: Mapping[str, Mapping[str, Sequence[tuple[float, list[float], list[float]]]]], weight: float
) -> Figure:
    """Error against the learning rate, one panel a regime; (rate, held-out accuracies, test accuracies)."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(1 + 3.6 * len(panels), 3.9)
        for axes, (regime, losses) in zip(
            np.atleast_1d(canvas.subplots(1, len(panels), sharex=True, sharey=True)), panels.items(), strict=True
        ):
            for loss, runs in losses.items():
                rates = [rate for rate, _, _ in runs]
                test = 1 - np.array([values for _, _, values in runs])
                held_out = 1 - np.array([values for _, values, _ in runs])
                axes.plot(rates, test.mean(axis=1), "-", color=COLORS[loss], label=title(loss, weight))
                axes.plot(rates, held_out.mean(axis=1), ":", color=COLORS[loss])
                for values in test.T:
                    axes.plot(rates, values, ".", color=COLORS[loss], alpha=0.6)
            axes.set(xscale="log", yscale="log", xlabel="learning rate", title=regime)
            axes.grid(alpha=0.2)
        canvas.axes[0].set_ylabel("error")
        canvas.axes[0].legend(frameon=False, fontsize=9)
        canvas.suptitle(f"{network}: test set (lines; points are seeds) and held-out images (dotted)")

    caption = "Error against the learning rate, without and with augmentation and weight decay."
    return Figure(f"learning-rate-{network}", caption, draw)


def by_setting(
    name: str,
    caption: str,
    label: str,
    panels: Mapping[str, Mapping[str, Sequence[tuple[float, list[float]]]]],
    weight: float | None,
) -> Figure:
    """Accuracy against a setting, one panel a budget or learning rate; loss -> (setting, accuracies)."""

    def draw(canvas: Canvas) -> None:
        canvas.set_size_inches(1 + 3.8 * len(panels), 3.7)
        for axes, (heading, losses) in zip(
            np.atleast_1d(canvas.subplots(1, len(panels), sharey=True)), panels.items(), strict=True
        ):
            for loss, runs in losses.items():
                settings = [setting for setting, _ in runs]
                accuracies = np.array([values for _, values in runs])
                places = np.arange(len(settings))  # evenly spaced: the settings are powers, or 0
                legend = None if weight is None else title(loss, weight)
                axes.plot(places, accuracies.mean(axis=1), "-", color=COLORS[loss], label=legend)
                for values in accuracies.T:
                    axes.plot(places, values, ".", color=COLORS[loss], alpha=0.6)
                axes.set_xticks(places, [f"{setting:g}" for setting in settings])
            axes.set(xlabel=label, title=heading)
            axes.grid(alpha=0.2)
        canvas.axes[0].set_ylabel("test accuracy")
        if weight is not None:
            canvas.axes[0].legend(frameon=False, fontsize=8)

    return Figure(name, caption, draw)
