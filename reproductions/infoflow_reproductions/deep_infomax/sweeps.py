"""Deep InfoMax over its settings: the number of negatives and the weights of the terms."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.notes import COMBINATIONS, LOCAL_CRITIC, PRIOR, PROBES, SHARED_MAP
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.deep_infomax.table_claims import INSENSITIVE
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import curves, heat_maps
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

_BOUNDS = ("dim-l", "dim-l-nce")


@dataclass(frozen=True)
class Negatives:
    """Numbers of negatives.

    Parameters
    ----------
    learning
        How all are trained and measured.
    negatives
        Numbers of local features of other images in the batch per image, in increasing order.
    seeds
        Number of seeds.
    """

    learning: Learning
    negatives: tuple[int, ...] = (1, 4, 16, 64, 256, 1024, 4032)
    seeds: int = 3

    def points(self) -> list[dict[str, float]]:
        """Return the options of every number of negatives."""
        return [{"negatives": number} for number in self.negatives]


@dataclass(frozen=True)
class Weights:
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
    alphas: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 1.0)
    betas: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0)
    gammas: tuple[float, ...] = (0.0, 0.1, 1.0)
    seeds: int = 3

    def points(self) -> list[dict[str, float]]:
        """Return every combination that learns from the input."""
        grid = itertools.product(self.alphas, self.betas, self.gammas)
        return [{"alpha": a, "beta": b, "gamma": g} for a, b, g in grid if a or b]


CONVOLVED = {"critic": "concat-and-convolve"}
"""The critic of the paper's ablation (appendix A.1)."""

Sweep = Negatives | Weights


def trials_of(
    methods: Sequence[str], measures: Sequence[str] = ("mlp",), fixed: Mapping[str, Any] | None = None
) -> Callable[[Sweep], list[Trial]]:
    """Return the function from a recipe to the trials of every method, point and seed.

    Parameters
    ----------
    methods
        Names in `methods.LABELS`.
    measures
        Names in `measures.MEASURES`.
    fixed
        Further options of every trial.

    Returns
    -------
    callable
        The function.
    """

    def trials(recipe: Sweep) -> list[Trial]:
        return [
            trial(
                recipe.learning,
                method,
                seed,
                options={**point, **(fixed or {})},
                measures=measures,
                label=",".join(f"{name}={value:g}" for name, value in point.items()),
            )
            for method in methods
            for point in recipe.points()
            for seed in range(recipe.seeds)
        ]

    return trials


def _negatives(recipe: Negatives, results: Results) -> Findings:
    """Report accuracies, and whether InfoNCE loses more than Jensen–Shannon with few negatives."""
    found = {
        (method, layer): {
            n: results.values(layer, scale=100, method=method, options={"negatives": n}) for n in recipe.negatives
        }
        for method in _BOUNDS
        for layer in ("conv", "Y")
    }
    rows = [
        Row(f"{LABELS[method]}, {number} negative{'s' * (number > 1)}: {layer}", values, "%")
        for (method, layer), points in found.items()
        for number, values in points.items()
    ]
    few, many = recipe.negatives[0], recipe.negatives[-1]
    loss = {m: differences(found[m, "Y"][many], found[m, "Y"][few]) for m in _BOUNDS}
    more = differences(loss["dim-l-nce"], loss["dim-l"])
    claims = [
        Claim.above(
            f"from {many} negatives to {few}, InfoNCE loses more on Y than Jensen–Shannon", more, unit="points"
        ),
        Claim.above(f"InfoNCE is better on Y with {many} negatives than with {few}", loss["dim-l-nce"], unit="points"),
    ]
    pictures = [
        curves(
            f"negatives-{layer}",
            f"Test accuracy on {layer} against the number of negatives; means and 95 % intervals over seeds.",
            {LABELS[method]: {float(n): v for n, v in found[method, layer].items()} for method in _BOUNDS},
            "negatives of an image (local features of others)",
            f"test accuracy on {layer} / %",
            log=True,
        )
        for layer in ("conv", "Y")
    ]
    notes = [
        "Every step draws new negatives from the batch without replacement.",
        f"The limit of {INSENSITIVE:g} point for an insensitive objective is one of this reproduction, and was set "
        "after first results of this experiment were known.",
        PROBES,
        PRIOR,
        LOCAL_CRITIC,
        *smaller(recipe.learning),
    ]
    return Findings(rows, claims, pictures, notes)


def _weights(recipe: Weights, results: Results) -> Findings:
    """Report every point, heat maps over α and β for each γ, and the effect of the local term."""

    def of(alpha: float, beta: float, gamma: float) -> list[float]:
        return results.values("Y", scale=100, options={"alpha": alpha, "beta": beta, "gamma": gamma, **CONVOLVED})

    rows = [Row(f"α = {p['alpha']:g}, β = {p['beta']:g}, γ = {p['gamma']:g}: Y", of(**p), "%") for p in recipe.points()]
    maps, claims = {}, []
    for gamma in recipe.gammas:
        grid = [[np.mean(of(a, b, gamma)) if a or b else np.nan for a in recipe.alphas] for b in recipe.betas]
        maps[f"γ = {gamma:g}"] = (recipe.alphas, recipe.betas, grid)
        gain = differences(of(0.0, recipe.betas[-1], gamma), of(recipe.alphas[-1], 0.0, gamma))
        claims.append(
            Claim.above(f"at γ = {gamma:g} the local term alone is above the global one on Y", gain, unit="points")
        )
    caption = "Test accuracy on Y over the weights α (global) and β (local), for each γ (prior); means over seeds."
    notes = [
        "The paper shows these maps without figures, so only their shape can be compared.",
        PROBES,
        PRIOR,
        COMBINATIONS,
        SHARED_MAP,
    ]
    pictures = [heat_maps("weights", caption, maps, "α (global)", "β (local)", "accuracy on Y / %")]
    return Findings(rows, claims, pictures, notes + smaller(recipe.learning))


WEIGHTS = Entries((0.0,), at_least=2)
"""Of a term, which is compared with its absence."""

ABLATION = Experiment(
    "dim",
    "ablation",
    "Deep InfoMax, Figure 9: accuracy over the weights of the terms",
    {
        "smoke": Weights(SMOKE, (0.0, 1.0), (0.0, 1.0), (0.0, 1.0), seeds=1),
        "cpu": Weights(CPU, (0.0, 0.1, 0.5, 1.0), (0.0, 0.5, 1.0), (0.0, 0.1, 1.0)),
        "full": Weights(FULL),
    },
    trials_of(["dim-lg"], fixed=CONVOLVED),
    _weights,
    needs={"alphas": WEIGHTS, "betas": WEIGHTS, "gammas": Entries()},
)

NEGATIVES = Experiment(
    "dim",
    "negatives",
    "Deep InfoMax, Figure 8: the number of negatives",
    {
        "smoke": Negatives(SMOKE, negatives=(2, 64), seeds=1),
        "cpu": Negatives(CPU, negatives=(1, 64, 4032), seeds=10),
        "full": Negatives(FULL),
    },
    trials_of(_BOUNDS),
    _negatives,
    planned_seeds={"cpu": 3},  # seven were added after looking
)
