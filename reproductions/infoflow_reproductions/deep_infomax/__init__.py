"""Learning deep representations by mutual information estimation and maximization (Hjelm et al., ICLR 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from infoflow_reproductions.deep_infomax import (
    ablation_maps,
    choices,
    divergences,
    generator,
    neighbors,
    occlusion,
    overlap,
    priors,
    published,
    settings,
    statements,
    sweeps,
    table1,
    table2,
    table3,
    table4,
    table10,
    table_claims,
)
from infoflow_reproductions.deep_infomax.dependence_claims import dependence
from infoflow_reproductions.deep_infomax.methods import CONVOLVED_UNITS
from infoflow_reproductions.deep_infomax.scale import UNSTATED, smaller_than
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.row_claims import Figures

_CONVOLVED = ("table3", "ablation", "ablation-maps", "neighbors")
_RUNS = {"table3": 5, "ndm": 5}  # captions of Table 3 and Figure 12


def _best(table: Mapping[str, Sequence[float]]) -> str:
    return table_claims.best_layer(table["dim-l-nce"])


_OF_FIGURES: Mapping[str, Callable[[Figures], Sequence[Claim]]] = {
    "table1": partial(table_claims.classes_of_cifar, best=_best(published.TABLE1)),
    "table1-cifar100": partial(table_claims.classes_of_cifar, best=_best(published.TABLE1_CIFAR100)),
    "table2": partial(table_claims.classes, best=_best(published.TABLE2_TINY_IMAGENET)),
    "table2-stl10": partial(table_claims.classes, best=_best(published.TABLE2_STL10)),
    "table3": table_claims.estimates,
    "table4": table_claims.tasks,
    "table4-cifar100": table_claims.tasks,
    "negatives": table_claims.negatives,
    "ablation": table_claims.ablation,
    "ndm": dependence,
    "choices": table_claims.choices,
    "overlap": overlap.overlaps,
}
# Claims that were stored with another limit.
_SUPERSEDED = {"choices": ("by less than 2 points",)}


def _changed(settings: Mapping[str, Any], revisions: Mapping[int, str]) -> list[str]:
    """Return what has changed since the revision of a stored recipe, in experiments whose recipe has revisions."""
    recipe = EXPERIMENTS[settings["experiment"]].recipe(settings["scale"])
    today = getattr(getattr(recipe, "learning", recipe), "revision", 1)
    stored = int(settings.get("learning", settings).get("revision", 1))
    if stored >= today:
        return []
    since = "; ".join(text for number, text in revisions.items() if number > stored)
    return [f"Results of an earlier recipe, in which {revisions[stored]}. Changed since: {since}."]


EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: replace(
        experiment,
        sentences=statements.SENTENCES.get(experiment.name, ()),
        of_figures=_OF_FIGURES.get(experiment.name),
        remarks=partial(
            _changed, revisions=generator.REVISIONS if experiment.name == "generator" else settings.REVISIONS
        ),
        superseded=_SUPERSEDED.get(experiment.name, ()),
        smaller=experiment.smaller
        or smaller_than(
            experiment.recipes["full"],
            trials=experiment.trials,
            unstated=UNSTATED - {"betas"} if experiment.name == "ndm" else UNSTATED,
            units=CONVOLVED_UNITS if experiment.name in _CONVOLVED else None,
            runs=_RUNS.get(experiment.name, 0),
        ),
    )
    for experiment in (
        table1.EXPERIMENT,
        table1.OF_CIFAR100,
        table2.EXPERIMENT,
        table2.OF_STL10,
        table3.EXPERIMENT,
        table4.EXPERIMENT,
        table4.OF_CIFAR100,
        neighbors.EXPERIMENT,
        sweeps.ABLATION,
        ablation_maps.EXPERIMENT,
        sweeps.NEGATIVES,
        divergences.EXPERIMENT,
        priors.EXPERIMENT,
        choices.EXPERIMENT,
        occlusion.EXPERIMENT,
        generator.EXPERIMENT,
        overlap.EXPERIMENT,
        table10.EXPERIMENT,
    )
}
