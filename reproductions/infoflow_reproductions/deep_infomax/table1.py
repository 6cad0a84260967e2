"""Table 1: accuracy of a small classifier on every method's representation of CIFAR-10 and of CIFAR-100."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from infoflow_reproductions.deep_infomax import recipes
from infoflow_reproductions.deep_infomax.columns import CIFAR10, CIFAR100, Column
from infoflow_reproductions.deep_infomax.methods import LABELS, VIEWS
from infoflow_reproductions.deep_infomax.notes import (
    COMBINATIONS,
    LOCAL_AGAINST_GLOBAL,
    LOCAL_CRITIC,
    PRIOR,
    PROBES,
    UNJUDGED,
)
from infoflow_reproductions.deep_infomax.recipes import (
    CPU,
    FULL,
    SMOKE,
    Comparison,
    accuracies,
    accuracy_bars,
    rankings,
    smaller,
)
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import sheets
from infoflow_reproductions.harness.findings import Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial

_PICTURED = ("random", "dim-l-nce")

_ORDER = (
    ("dim-l", "dim-g", True),
    ("dim-g", "random", False),
    ("dim-g-prior", "dim-g", False),
    ("dim-g-prior", "random", False),
    ("dim-l", "dim-g-prior", False),
    ("dim-l", "dim-g-all", False),
    ("dim-g-all", "random", False),
    ("dim-l", "random", False),
    ("dim-l-nce", "dim-l", True),
    ("dim-l", "dim-l-dv", True),
    ("dim-l", "vae", True),
    ("dim-l", "aae", True),
    ("dim-l", "bigan", True),
    ("dim-l", "nat", True),
    ("vae", "random", False),
)
# The caption of the table: on CIFAR-100 the global objective falls short of the generative models.
_ORDER_CIFAR100 = (
    *(pair for pair in _ORDER if not {"dim-g-prior", "dim-g-all", "dim-l-dv"} & set(pair)),
    ("vae", "dim-g", True),
    ("aae", "dim-g", True),
    ("bigan", "dim-g", True),
)


def trials(recipe: Comparison) -> list[Trial]:
    """Return the trials of every method and seed; the first seed gives pictures of nearest neighbors."""
    return recipes.trials(recipe, _PICTURED)


def report(
    recipe: Comparison,
    results: Results,
    column: Column = CIFAR10,
    order: Sequence[tuple[str, str, bool]] = _ORDER,
) -> Findings:
    """Report accuracies by method and layer, and the order of the methods.

    Parameters
    ----------
    recipe
        What was run.
    results
        Results of the trials.
    column
        Published settings and figures.
    order
        Claims, as `recipes.rankings` takes them.

    Returns
    -------
    Findings
        The table.
    """
    learning = recipe.learning
    found = {method: accuracies(results, method=method) for method in recipe.methods}
    rows: list[Row] = []
    for method, layers in found.items():
        if method == "supervised":
            rows.append(column.supervised_row(learning, results.values("accuracy", scale=100, method=method)))
        rows += column.rows(learning, LABELS[method], layers, method)
    pictures = [accuracy_bars({LABELS[method]: layers for method, layers in found.items()})]
    packed = {LABELS[m]: results.of(method=m, seed=0)[0]["neighbors"] for m in _PICTURED if m in recipe.methods}
    if packed:
        caption = "Test images (left) and their nearest neighbors in Y, in L1; the same queries."
        pictures.append(sheets("neighbors", caption, packed, first=1))
    notes = [
        "The batch norms of the random encoder have the statistics of the training images; it learns nothing else.",
        "No choice depends on test images: all methods are trained and probed for a fixed number of epochs.",
    ]
    notes += [PROBES, COMBINATIONS, PRIOR, LOCAL_CRITIC]
    if column is CIFAR10:
        notes.append(UNJUDGED)
    if "dim-g-all" in recipe.methods:
        notes.append(LOCAL_AGAINST_GLOBAL)
    if "dim-g-prior" in recipe.methods:
        notes.append(
            "γ = 5 was chosen at cpu scale with one seed on 2000 of the training images, of encoders trained on the "
            "other 8000; smaller values, including the paper's γ = 1, gave a worse Y than the random encoder's. With "
            "three seeds the difference was inconclusive, so all methods were run with two more."
        )
    if any(method in VIEWS for method in recipe.methods):
        notes.append(
            "Methods marked (views) receive augmented images, which the others do not; they are shown as context."
        )
    return Findings(rows, rankings(found, order), pictures, notes + smaller(learning, column.full))


_NEEDS = {"methods": Entries(), "measures": Entries(("mlp",))}
EXPERIMENT = Experiment(
    "dim",
    "table1",
    "Deep InfoMax, Table 1: classification from representations of CIFAR-10",
    {
        "smoke": Comparison(SMOKE, ("random", "supervised", "vae", "nat", "dim-g", "dim-l-nce"), seeds=1),
        "cpu": Comparison(
            CPU,
            (
                "random",
                "supervised",
                "vae",
                "nat",
                "dim-g",
                "dim-g-prior",
                "dim-g-all",
                "dim-l",
                "dim-l-nce",
                "dim-l-dv",
            ),
            seeds=5,
        ),
        "full": Comparison(FULL),
    },
    trials,
    report,
    planned_seeds={"cpu": 3},  # two were added after looking
    needs=_NEEDS,
)

# What the paper compares; the prior's weight 5 and the views are additions of Table 1 on CIFAR-10.
_METHODS = ("random", "supervised", "vae", "aae", "bigan", "nat", "dim-g", "dim-l", "dim-l-nce")

OF_CIFAR100 = Experiment(
    "dim",
    "table1-cifar100",
    "Deep InfoMax, Table 1: classification from representations of CIFAR-100",
    {
        "smoke": Comparison(SMOKE, ("dim-g", "dim-l"), seeds=1),
        "cpu": Comparison(
            replace(CPU, data="cifar100"),
            ("random", "supervised", "vae", "nat", "dim-g", "dim-l", "dim-l-nce"),
            seeds=5,
        ),
        "full": Comparison(CIFAR100.full, _METHODS, seeds=5),
    },
    trials,
    partial(report, column=CIFAR100, order=_ORDER_CIFAR100),
    needs=_NEEDS,
)
