"""Accuracy against the number of negatives, for Jensen–Shannon and InfoNCE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infoflow_reproductions.deep_infomax.learning import Learning, trial
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import curves
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

_METHODS = ("dim-l", "dim-l-nce")


@dataclass(frozen=True)
class Recipe:
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


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of both bounds, every number of negatives and every seed."""
    return [
        trial(recipe.learning, method, seed, options={"negatives": number}, label=f"negatives={number}")
        for method in _METHODS
        for number in recipe.negatives
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report accuracies, and whether InfoNCE loses more than Jensen–Shannon with few negatives."""
    found = {
        (method, layer): {
            n: results.values(layer, scale=100, method=method, options={"negatives": n}) for n in recipe.negatives
        }
        for method in _METHODS
        for layer in ("conv", "Y")
    }
    rows = [
        Row(f"{LABELS[method]}, {number} negative{'s' * (number > 1)}: {layer}", values, "%")
        for (method, layer), points in found.items()
        for number, values in points.items()
    ]
    few, many = recipe.negatives[0], recipe.negatives[-1]
    loss = {m: differences(found[m, "Y"][many], found[m, "Y"][few]) for m in _METHODS}
    claims = [
        Claim.above(
            f"from {many} negatives to {few}, InfoNCE loses more on Y than Jensen–Shannon",
            differences(loss["dim-l-nce"], loss["dim-l"]),
            unit="points",
        ),
        Claim.above(f"InfoNCE is better on Y with {many} negatives than with {few}", loss["dim-l-nce"], unit="points"),
    ]
    pictures = [
        curves(
            f"negatives-{layer}",
            f"Test accuracy on {layer} against the number of negatives; means and 95 % intervals over seeds.",
            {LABELS[method]: {float(n): v for n, v in found[method, layer].items()} for method in _METHODS},
            "negatives of an image (local features of others)",
            f"test accuracy on {layer} / %",
            log=True,
        )
        for layer in ("conv", "Y")
    ]
    notes = ["Every step draws new negatives from the batch without replacement.", *smaller(recipe.learning)]
    return Findings(rows, claims, pictures, notes)


EXPERIMENT = Experiment(
    "dim",
    "negatives",
    "Deep InfoMax, figure 9: the number of negatives",
    {
        "smoke": Recipe(SMOKE, negatives=(2, 64), seeds=1),
        "cpu": Recipe(CPU, negatives=(1, 64, 4032), seeds=10),
        "full": Recipe(FULL),
    },
    trials,
    report,
)
