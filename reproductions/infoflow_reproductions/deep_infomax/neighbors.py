"""Figure 7: nearest neighbors in the representations of DIM(G) and DIM(L)."""

from __future__ import annotations

from collections.abc import Sequence

from infoflow_reproductions.deep_infomax.columns import TINY_IMAGENET
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.notes import COMBINATIONS
from infoflow_reproductions.deep_infomax.recipes import CPU, SMOKE, Comparison, smaller, trials
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import bars, sheets
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results

MANY = 0.25
"""Share of neighbors of another class from which on they are many."""

_GLOBAL, _LOCAL = "dim-g", "dim-l"
_RANDOM = "random"
_METHODS = (_RANDOM, _GLOBAL, _LOCAL)
_MEASURES = ("neighbors-of-classes",)
_CRITIC = "concat-and-convolve"


def report(recipe: Comparison, results: Results) -> Findings:
    """Report how often neighbors have the query's class, and show queries with their neighbors."""
    found = {method: results.values("same class", scale=100, method=method) for method in recipe.methods}
    rows = [Row(f"{LABELS[method]}: neighbors of the same class", values, "%") for method, values in found.items()]
    claims = [
        Claim.above(
            "neighbors in DIM(L) have the query's class more often than in DIM(G)",
            differences(found[_LOCAL], found[_GLOBAL]),
            unit="points",
        ),
        Claim.above(
            f"many nearest neighbors in DIM(L) are of another class (more than {MANY:.0%})",
            [100 - value for value in found[_LOCAL]],
            100 * MANY,
            unit="%",
        ),
    ]
    if _RANDOM in found:
        claims += [
            Claim.above(
                f"neighbors in {LABELS[method]} have the query's class more often than in a random encoder",
                differences(found[method], found[_RANDOM]),
                unit="points",
                published=False,
            )
            for method in (_GLOBAL, _LOCAL)
        ]
    shown = {LABELS[method]: results.of(method=method, seed=0)[0]["neighbors"] for method in recipe.methods}
    pictures = [
        sheets("neighbors", "Training images (left) and their four nearest test images in Y, in L1.", shown, first=1),
        bars(
            "same-class",
            "Share of the four nearest test images that have the class of the training image.",
            {LABELS[method]: {"same class": values} for method, values in found.items()},
            "same class / %",
        ),
    ]
    return Findings(rows, claims, pictures, [*_notes(), *smaller(recipe.learning, TINY_IMAGENET.full)])


def _notes() -> Sequence[str]:
    return (
        "The paper calls the neighbors of DIM(L) more interpretable, by eye. The share of neighbors of the query's "
        "class stands for it here. That many neighbors are of another class is true of nearly any representation; the "
        "random encoder shows how many are where nothing was learned.",
        COMBINATIONS,
        "Queries are training images and neighbors test images, as in the caption of Figure 7; appendix A.3 takes the "
        "queries from the test set. One query of each class is shown, ten at most; the share is over 2000 queries.",
    )


EXPERIMENT = Experiment(
    "dim",
    "neighbors",
    "Deep InfoMax, Figure 7: nearest neighbors in DIM(G) and DIM(L)",
    {
        "smoke": Comparison(SMOKE, _METHODS, _MEASURES, seeds=1, critic=_CRITIC),
        "cpu": Comparison(CPU, _METHODS, _MEASURES, seeds=5, critic=_CRITIC),
        "full": Comparison(TINY_IMAGENET.full, _METHODS, _MEASURES, seeds=5, critic=_CRITIC),
    },
    trials,
    report,
    needs={"methods": Entries(("dim-g", "dim-l")), "measures": Entries(_MEASURES)},
)
