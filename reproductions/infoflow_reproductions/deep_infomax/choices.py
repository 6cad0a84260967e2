"""Appendices A.1 and A.2: the layer whose map is taken, and positives among the negatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.notes import PRIOR, PROBES
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, accuracies, accuracy_bars, smaller
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

INSENSITIVE = 2.0
"""Difference in percentage points up to which accuracies count as alike; the paper states no limit."""

_LOCAL, _GLOBAL = "dim-l", "dim-g"
# Name -> method and options; the first of each method are the paper's.
_CHOICES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    LABELS[_LOCAL]: (_LOCAL, {}),
    f"{LABELS[_LOCAL]}, last map": (_LOCAL, {"last_map": True}),
    f"{LABELS[_LOCAL]}, with positives": (_LOCAL, {"positives": True}),
    LABELS[_GLOBAL]: (_GLOBAL, {}),
    f"{LABELS[_GLOBAL]}, next-to-last map": (_GLOBAL, {"last_map": False}),
}


@dataclass(frozen=True)
class Recipe:
    """Choices to compare.

    Parameters
    ----------
    learning
        How all are trained and measured.
    seeds
        Number of seeds.
    """

    learning: Learning
    seeds: int = 5


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of every choice and seed."""
    return [
        trial(recipe.learning, method, seed, options=options, label=",".join(options))
        for method, options in _CHOICES.values()
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report accuracies by choice and layer, and whether each choice has the stated effect on Y."""
    found = {
        name: accuracies(results, method=method, options=dict(options)) for name, (method, options) in _CHOICES.items()
    }
    rows = [Row(f"{name}: {layer}", values, "%") for name, layers in found.items() for layer, values in layers.items()]
    local, last, positives, whole, before = (layers["Y"] for layers in found.values())
    claims = [
        Claim.above(
            "the local objective is better on Y with the next-to-last map than with the last one",
            differences(local, last),
            unit="points",
        ),
        Claim.above(
            f"the global objective is insensitive to the layer (accuracies on Y differ by less than {INSENSITIVE:g} "
            "points, a limit of this reproduction)",
            [INSENSITIVE - abs(difference) for difference in differences(whole, before)],
            unit="points",
        ),
        Claim.above(
            "excluding positives from the negatives of Jensen–Shannon helps on Y",
            differences(local, positives),
            unit="points",
        ),
    ]
    notes = [
        "Positives among the negatives are the vector's own locations, which 'with positives' adds to those of the "
        "other images. The paper states a gain of 1 to 2 % without them, and no figures of the layers.",
        PROBES,
        PRIOR,
        *smaller(recipe.learning),
    ]
    return Findings(rows, claims, [accuracy_bars(found)], notes)


EXPERIMENT = Experiment(
    "dim",
    "choices",
    "Deep InfoMax, appendices A.1 and A.2: the layer of the map, and positives among the negatives",
    {"smoke": Recipe(SMOKE, seeds=1), "cpu": Recipe(CPU), "full": Recipe(FULL)},
    trials,
    report,
)
