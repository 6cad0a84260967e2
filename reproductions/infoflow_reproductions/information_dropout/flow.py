"""How many nats each layer and each unit lets through, along training and at the end: All-CNN-32 on CIFAR-10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_dropout import figures
from infoflow_reproductions.information_dropout.cifar_trial import PUBLISHED, Settings, trial
from infoflow_reproductions.information_dropout.reporting import by_seed


@dataclass(frozen=True)
class Recipe:
    """All-CNN-32 at a quarter of its width, at several β."""

    settings: Settings = PUBLISHED
    width: float = 0.25
    betas: tuple[float, ...] = (0.3, 3.0, 30.0)
    seeds: int = 3


RECIPES = {
    "smoke": Recipe(
        Settings(data="toy-colors", samples=300, epochs=1, milestones=(), batch_size=50), width=0.05,
        betas=(0.1, 1.0), seeds=2,
    ),
    "cpu": Recipe(
        Settings(samples=3_000, pool=2, epochs=6, milestones=(4,), batch_size=50), betas=(0.02, 0.2, 2.0)
    ),
    "full": Recipe(),
}  # fmt: skip


def trials(recipe: Recipe) -> list[Trial]:
    """One network for each β and seed."""
    return [
        trial(recipe.settings, method="information", width=recipe.width, beta=beta, seed=seed)
        for beta in recipe.betas
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Nats per layer, per unit and per epoch."""
    betas = list(recipe.betas)
    layers = list(results.of()[0]["nats_per_layer"])
    per_layer = {
        name: {beta: [found["nats_per_layer"][name] for found in results.of(beta=beta)] for beta in betas}
        for name in layers
    }
    rows = [
        Row(f"nats per image, {name}, β = {beta:g}", values, "nats")
        for name, curve in per_layer.items()
        for beta, values in curve.items()
    ]
    errors = {beta: [found["test_error"] for found in results.of(beta=beta)] for beta in betas}
    rows += [Row(f"test error, β = {beta:g}", values, "%") for beta, values in errors.items()]
    claims = [Claim.falling("The nats that pass fall with β", by_seed(results, "nats", "beta", betas))]
    claims += [
        Claim.falling(f"{name}: the nats fall with β",
                      [list(v) for v in zip(*(per_layer[name][beta] for beta in betas), strict=True)])
        for name in layers
    ]  # fmt: skip
    claims.append(
        Claim.above(
            f"At β = {betas[-1]:g} the last dropout layer lets fewer nats through than the first",
            [a - b for a, b in zip(per_layer[layers[0]][betas[-1]], per_layer[layers[-1]][betas[-1]], strict=True)],
            unit="nats",
            published=False,
        )
    )

    def draw_units(canvas: Any) -> None:
        canvas.set_size_inches(3.6 * len(layers), 3.6)
        for axes, name in zip(canvas.subplots(1, len(layers), squeeze=False)[0], layers, strict=True):
            for i, beta in enumerate(betas):
                units = np.array([found["nats_per_unit"][name] for found in results.of(beta=beta)])
                axes.plot(
                    np.arange(1, units.shape[1] + 1),
                    units.mean(0),
                    color=figures.COLORS[i],
                    lw=1.6,
                    label=f"β = {beta:g}",
                )
                if len(units) > 1:
                    axes.fill_between(
                        np.arange(1, units.shape[1] + 1),
                        units.min(0),
                        units.max(0),
                        color=figures.COLORS[i],
                        alpha=0.2,
                        lw=0,
                    )
            _tidy(axes, "unit, by its nats", "nats per image", name)
            axes.legend(frameon=False, fontsize=8)

    def draw_epochs(canvas: Any) -> None:
        axes = canvas.subplots()
        for i, beta in enumerate(betas):
            curves = np.array([found["information_curve"] for found in results.of(beta=beta)])
            epochs = np.arange(1, curves.shape[1] + 1)
            axes.plot(
                epochs,
                curves.mean(0),
                color=figures.COLORS[i],
                marker=figures.MARKERS[i],
                ms=3.5,
                lw=1.6,
                label=f"β = {beta:g}",
            )
            axes.fill_between(epochs, curves.min(0), curves.max(0), color=figures.COLORS[i], alpha=0.2, lw=0)
        _tidy(axes, "epoch", "nats per image, all layers", "")
        figures.logarithmic(axes)
        axes.legend(frameon=False, fontsize=8)

    pictures = [
        Figure("nats_per_layer", "Nats per test image that each dropout layer lets through; dots are seeds, bars the "
               "95 % interval of their mean.",
               lambda canvas: figures.beside(canvas, [(per_layer, "nats per image", True),
                                                      ({"test": errors}, "test error (%)", False)], xlabel="β")),
        Figure("nats_per_unit", "Nats that each unit of a layer lets through, all its places together, largest first; "
               "mean over seeds, and their range.", draw_units),
        Figure("nats_along_training", "Nats per training image in each epoch, all dropout layers together; mean over "
               "seeds, and their range.", draw_epochs),
    ]  # fmt: skip
    return Findings(rows, claims, pictures, [
        "Nats are upper bounds on what a layer's output tells of its input, up to the constant that a log-uniform "
        "prior leaves: a unit at its noisiest counts as 0."
    ])  # fmt: skip


def _tidy(axes: Any, xlabel: str, ylabel: str, title: str) -> None:
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_title(title, fontsize=9)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


EXPERIMENT = Experiment(
    "information-dropout", "flow", "Information dropout: nats per layer and unit, CIFAR-10", RECIPES, trials, report
)
