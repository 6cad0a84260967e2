"""Figure 9: reconstruction, information and dependence over the weights of the terms, small weights included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from infoflow_reproductions.deep_infomax.dependence import supported
from infoflow_reproductions.deep_infomax.notes import COMBINATIONS, MINE, PRIOR, PROBES, SHARED_MAP, SIMILARITY
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.deep_infomax.sweeps import CONVOLVED, WEIGHTS, Weights, trials_of
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import heat_maps
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

_METHOD = "dim-lg"
# Measure -> name of the result, unit, factor.
_MEASURES = {
    "mlp": ("Y", "%", 100.0),
    "ms-ssim": ("MS-SSIM", "", 1.0),
    "mine": ("Î(X;Y)", "nats", 1.0),
    "ndm": ("NDM", "nats", 1.0),
}
_TITLES = {"Y": "accuracy on Y / %", "MS-SSIM": "MS-SSIM × 100", "Î(X;Y)": "Î(X;Y) / nats", "NDM": "NDM / nats"}

Values = Mapping[tuple[float, float, float], Sequence[float]]
"""Weights (α, β, γ) -> one value per seed."""


@dataclass(frozen=True)
class Recipe(Weights):
    """A grid of weights with several measures.

    Parameters
    ----------
    learning, alphas, betas, gammas, seeds
        As in `Weights`.
    measures
        Names in `measures.MEASURES`: "mlp", "ms-ssim", "mine" and "ndm".
    """

    seeds: int = 4
    measures: tuple[str, ...] = tuple(_MEASURES)


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every point and seed."""
    return trials_of([_METHOD], recipe.measures, CONVOLVED)(recipe)


def report(recipe: Recipe, results: Results) -> Findings:
    """Report every measure at every point, its maps over α and β, and the claims of appendix A.4."""
    found: dict[str, Values] = {}
    rows, pictures = [], []
    for measure in recipe.measures:
        name, unit, factor = _MEASURES[measure]
        found[name] = {
            (p["alpha"], p["beta"], p["gamma"]): results.values(name, scale=factor, options={**p, **CONVOLVED})
            for p in recipe.points()
        }
        rows += [Row(f"α = {a:g}, β = {b:g}, γ = {g:g}: {name}", v, unit) for (a, b, g), v in found[name].items()]
        caption = f"{_TITLES[name]} over the weights α (global) and β (local), for each γ (prior); means over seeds."
        shown = 100.0 if name == "MS-SSIM" else 1.0
        maps = {
            f"γ = {g:g}": (recipe.alphas, recipe.betas, _grid(recipe, found[name], g, shown)) for g in recipe.gammas
        }
        pictures.append(heat_maps(measure, caption, maps, "α (global)", "β (local)", _TITLES[name]))
    notes = [
        "The paper shows maps of one γ, which it does not state, without figures, so only their shape can be compared. "
        "Figure 10 is of CelebA, which this package does not read.",
        PROBES,
        MINE,
        SIMILARITY,
        PRIOR,
        COMBINATIONS,
        SHARED_MAP,
        *smaller(recipe.learning),
    ]
    return Findings(rows, [*_between_terms(recipe, found), *_prior(recipe, found)], pictures, notes)


def _grid(recipe: Recipe, values: Values, gamma: float, factor: float) -> list[list[float]]:
    return [
        [factor * float(np.mean(values[a, b, gamma])) if a or b else np.nan for a in recipe.alphas]
        for b in recipe.betas
    ]


def _between_terms(recipe: Recipe, found: Mapping[str, Values]) -> list[Claim]:
    """Claims on the global beside the local term, at every γ."""
    claims = []
    (alpha, beta), (small_alpha, small_beta) = (
        (recipe.alphas[-1], recipe.betas[-1]),
        (min(filter(None, recipe.alphas)), min(filter(None, recipe.betas))),
    )

    def above(name: str, text: str, more: tuple[float, float], less: tuple[float, float], gamma: float) -> None:
        if name in found:
            sample = differences(found[name][*more, gamma], found[name][*less, gamma])
            unit = {"Y": "points", "MS-SSIM": ""}.get(name, "nats")
            claims.append(Claim.above(f"at γ = {gamma:g} {text}", sample, unit=unit))

    for gamma in recipe.gammas:
        above("Y", "the local term alone is above the global one on Y", (0.0, beta), (alpha, 0.0), gamma)
        above(
            "MS-SSIM", "the global term alone reconstructs better than the local one", (alpha, 0.0), (0.0, beta), gamma
        )
        text = f"a small amount of α ({small_alpha:g}) helps on Y"
        above("Y", text, (small_alpha, beta), (0.0, beta), gamma)
        text = f"a small amount of β ({small_beta:g}) improves reconstruction"
        above("MS-SSIM", text, (alpha, small_beta), (alpha, 0.0), gamma)
        for alone, name in (((alpha, 0.0), "global"), ((0.0, beta), "local")):
            text = f"Î(X;Y) by MINE is higher with α = {alpha:g} and β = {small_beta:g} than with the {name} term alone"
            above("Î(X;Y)", text, (alpha, small_beta), alone, gamma)
    return claims


def _prior(recipe: Recipe, found: Mapping[str, Values]) -> list[Claim]:
    """Claims that the prior lowers the dependence of the features."""
    low, high = recipe.gammas[0], recipe.gammas[-1]
    if "NDM" not in found or low == high:
        return []
    return [
        supported(
            Claim.above(
                f"NDM is lower with γ = {high:g} than with γ = {low:g}, at α = {a:g}, β = {b:g}",
                differences(found["NDM"][a, b, low], found["NDM"][a, b, high]),
                unit="nats",
            ),
            found["NDM"][a, b, low],
            found["NDM"][a, b, high],
        )
        for a, b, gamma in found["NDM"]
        if gamma == low
    ]


EXPERIMENT = Experiment(
    "dim",
    "ablation-maps",
    "Deep InfoMax, Figure 9: reconstruction, information and dependence over the weights of the terms",
    {
        "smoke": Recipe(SMOKE, (0.0, 1.0), (0.0, 1.0), (1.0,), seeds=1, measures=("mlp", "mine", "ndm")),
        "cpu": Recipe(replace(CPU, images=5000), (0.0, 0.1, 1.0), (0.0, 0.1, 1.0), (0.0, 0.1)),
        "full": Recipe(FULL, betas=(0.0, 0.1, 0.25, 0.5, 1.0)),
    },
    trials,
    report,
    needs={"alphas": WEIGHTS, "betas": WEIGHTS, "gammas": Entries()},
)
