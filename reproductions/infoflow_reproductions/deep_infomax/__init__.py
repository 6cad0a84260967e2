"""Learning deep representations by mutual information estimation and maximization (Hjelm et al., ICLR 2019)."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.deep_infomax import (
    ablation_maps,
    choices,
    divergences,
    generator,
    neighbors,
    occlusion,
    overlap,
    priors,
    statements,
    sweeps,
    table1,
    table2,
    table3,
    table4,
    table10,
    table_claims,
)
from infoflow_reproductions.deep_infomax.methods import CONVOLVED_UNITS
from infoflow_reproductions.deep_infomax.scale import UNSTATED, smaller_than
from infoflow_reproductions.harness.experiment import Experiment

_CONVOLVED = ("table3", "ablation", "ablation-maps", "neighbors")
_RUNS = {"table3": 5, "ndm": 5}  # captions of Table 3 and Figure 12

_OF_FIGURES = {
    "table1": table_claims.classes_of_cifar,
    "table1-cifar100": table_claims.classes_of_cifar,
    "table2": table_claims.classes,
    "table2-stl10": table_claims.classes,
    "table3": table_claims.estimates,
    "table4": table_claims.tasks,
    "table4-cifar100": table_claims.tasks,
    "negatives": table_claims.negatives,
    "ablation": table_claims.ablation,
    "ndm": table_claims.dependence,
}
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: replace(
        experiment,
        sentences=statements.SENTENCES.get(experiment.name, ()),
        of_figures=_OF_FIGURES.get(experiment.name),
        smaller=experiment.smaller
        or smaller_than(
            experiment.recipes["full"],
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
