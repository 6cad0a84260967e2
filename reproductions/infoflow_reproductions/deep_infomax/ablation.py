"""The weights α, β and γ of the global, the local and the prior term: heat maps of the accuracy on Y."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infoflow_reproductions.deep_infomax.learning import Learning, trial
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import heat_maps
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial


@dataclass(frozen=True)
class Recipe:
    """A grid of weights, without the points where α and β are both 0.

    Parameters
    ----------
    learning
        How all are trained and measured.
    alphas, betas, gammas
        Weights of the global, the local and the prior term.
    seeds
        Number of seeds.
    """

    learning: Learning
    alphas: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    betas: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    gammas: tuple[float, ...] = (0.0, 0.1, 1.0)
    seeds: int = 3

    def points(self) -> list[dict[str, float]]:
        """Return every combination that learns from the input."""
        grid = itertools.product(self.alphas, self.betas, self.gammas)
        return [{"alpha": a, "beta": b, "gamma": g} for a, b, g in grid if a or b]


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every point and seed."""
    return [
        trial(recipe.learning, "dim-lg", seed, options=point, label=",".join(f"{k}={v:g}" for k, v in point.items()))
        for point in recipe.points()
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report every point, heat maps over α and β for each γ, and the effect of the local term."""

    def of(point: dict[str, float]) -> list[float]:
        return results.values("Y", scale=100, options=point)

    rows = [Row(f"α = {p['alpha']:g}, β = {p['beta']:g}, γ = {p['gamma']:g}: Y", of(p), "%") for p in recipe.points()]
    maps = {}
    for gamma in recipe.gammas:
        grid = np.full((len(recipe.betas), len(recipe.alphas)), np.nan)
        for (i, beta), (j, alpha) in itertools.product(enumerate(recipe.betas), enumerate(recipe.alphas)):
            if alpha or beta:
                point = {"alpha": alpha, "beta": beta, "gamma": gamma}
                grid[i, j] = float(np.mean(of(point)))
        maps[f"γ = {gamma:g}"] = (recipe.alphas, recipe.betas, grid)
    claims = []
    top_a, top_b = recipe.alphas[-1], recipe.betas[-1]
    for gamma in recipe.gammas:
        local, whole = (of({"alpha": a, "beta": b, "gamma": gamma}) for a, b in ((0.0, top_b), (top_a, 0.0)))
        claims.append(
            Claim.above(
                f"at γ = {gamma:g} the local term alone is above the global one on Y",
                differences(local, whole),
                unit="points",
            )
        )
    caption = "Test accuracy on Y over the weights α (global) and β (local), for each γ (prior); means over seeds."
    notes = ["The paper shows these maps without figures, so only their shape can be compared."]
    notes += smaller(recipe.learning)
    return Findings(
        rows, claims, [heat_maps("weights", caption, maps, "α (global)", "β (local)", "accuracy on Y / %")], notes
    )


EXPERIMENT = Experiment(
    "dim",
    "ablation",
    "Deep InfoMax, figures 7 and 8: the weights of the terms",
    {
        "smoke": Recipe(SMOKE, (0.0, 1.0), (0.0, 1.0), (0.0, 1.0), seeds=1),
        "cpu": Recipe(CPU, (0.0, 0.5, 1.0), (0.0, 0.5, 1.0), (0.0, 0.1, 1.0)),
        "full": Recipe(FULL),
    },
    trials,
    report,
)
