"""Table 2: Tiny ImageNet, and STL-10 with unlabeled images and a semi-supervised column, by larger encoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from infoflow_reproductions.deep_infomax.columns import STL10, TINY_IMAGENET, Column
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.notes import COMBINATIONS, LOCAL_CRITIC, PRIOR, PROBES
from infoflow_reproductions.deep_infomax.published import LAYERS
from infoflow_reproductions.deep_infomax.recipes import (
    CPU,
    SMOKE,
    Accuracies,
    Comparison,
    accuracies,
    accuracy_bars,
    rankings,
    trials,
)
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results

_LOCAL = "dim-l"
_OTHERS = ("dim-g", "vae", "aae", "bigan", "nat")
_FINE_TUNED = "SS"


def report(recipe: Comparison, results: Results, column: Column = TINY_IMAGENET) -> Findings:
    """Report accuracies by method and layer, and whether the local objective is above the other methods.

    Parameters
    ----------
    recipe
        What was run.
    results
        Results of the trials.
    column
        Published settings and figures.

    Returns
    -------
    Findings
        The table.
    """
    learning = recipe.learning
    published = learning.data == column.full.data
    if not published:
        column = Column(learning, {})
    layers = (*LAYERS, _FINE_TUNED) if "ss" in recipe.measures else LAYERS
    found = {method: accuracies(results, layers, method=method) for method in recipe.methods}
    rows: list[Row] = []
    for method, values in found.items():
        rows += column.rows(learning, LABELS[method], values, method)
        if method == "supervised":
            rows.append(column.supervised_row(learning, results.values("accuracy", scale=100, method=method)))
    claims = rankings(found, [*((_LOCAL, other, True) for other in _OTHERS), (_LOCAL, "random", False)])
    if _FINE_TUNED in layers:
        claims += _fine_tuned(found)
    notes = [
        f"Data: {learning.data}, encoder {learning.size.architecture} at {learning.size.width:g} of its widths, "
        f"{learning.epochs} epochs.",
        PROBES,
        COMBINATIONS,
        PRIOR,
        LOCAL_CRITIC,
    ]
    if not published:
        notes.append(
            "Images of 32×32 enlarged in size replace STL-10 and Tiny ImageNet: another data set and not only another "
            "scale, so no published figure is comparable, and a claim holds or fails for these images alone."
        )
    if _FINE_TUNED in layers:
        notes.append(
            "Unsupervised methods and the supervised network learn from random crops of 64×64, half of them mirrored; "
            "probes and fine-tuning take the central crop of the labeled images, which the paper does not "
            "state. Semi-supervised (SS): the whole encoder is trained on with all labels, with a network of 200 "
            "hidden units on its last convolution."
        )
    pictures = [accuracy_bars({LABELS[method]: values for method, values in found.items()})]
    return Findings(rows, claims, pictures, notes)


def _fine_tuned(found: Mapping[str, Accuracies]) -> list[Claim]:
    """Whether the local objective is above the other methods after fine-tuning."""
    return [
        Claim.above(
            f"{LABELS[_LOCAL]} is above {LABELS[other]} after semi-supervised fine-tuning",
            differences(found[_LOCAL][_FINE_TUNED], found[other][_FINE_TUNED]),
            unit="points",
        )
        for other in _OTHERS
        if {_LOCAL, other} <= set(found)
    ]


_METHODS = ("random", "supervised", "vae", "aae", "bigan", "nat", "dim-g", "dim-l", "dim-l-nce")

_NEEDS = {"methods": Entries(), "measures": Entries(("mlp",))}
EXPERIMENT = Experiment(
    "dim",
    "table2",
    "Deep InfoMax, Table 2: classification from representations of Tiny ImageNet",
    {
        "smoke": Comparison(
            replace(SMOKE, data="digits32-64", images=100, size=replace(SMOKE.size, architecture="alexnet")),
            ("dim-g", "dim-l"),
            seeds=1,
        ),
        "cpu": Comparison(
            replace(
                CPU,
                data="cifar10-64",
                images=4000,
                size=replace(CPU.size, architecture="alexnet", width=1 / 8),
                epochs=6,
            ),
            ("random", "supervised", "vae", "dim-g", "dim-l", "dim-l-nce"),
        ),
        "full": Comparison(TINY_IMAGENET.full, _METHODS, seeds=5),
    },
    trials,
    report,
    needs=_NEEDS,
)

OF_STL10 = Experiment(
    "dim",
    "table2-stl10",
    "Deep InfoMax, Table 2: STL-10 with unlabeled images, random crops and fine-tuning",
    {
        "smoke": Comparison(
            replace(
                SMOKE, data="digits32-96", images=100, labeled=60, size=replace(SMOKE.size, architecture="alexnet")
            ),
            ("dim-g", "dim-l"),
            ("mlp", "ss"),
            seeds=1,
        ),
        "cpu": Comparison(
            replace(
                CPU,
                data="cifar10-96",
                images=4000,
                labeled=1000,
                size=replace(CPU.size, architecture="alexnet", width=1 / 8),
            ),
            ("random", "supervised", "vae", "dim-g", "dim-l"),
            ("mlp", "ss"),
            seeds=4,
        ),
        "full": Comparison(STL10.full, _METHODS, ("mlp", "ss"), seeds=5),
    },
    trials,
    partial(report, column=STL10),
    needs=_NEEDS,
)
