"""Learning deep representations by mutual information estimation and maximization (Hjelm et al., ICLR 2019)."""

from __future__ import annotations

from infoflow_reproductions.deep_infomax import generator, sweeps, table1, table2, table3, table4
from infoflow_reproductions.harness.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        *(module.EXPERIMENT for module in (table1, table2, table3, table4)),
        sweeps.ABLATION,
        sweeps.NEGATIVES,
        sweeps.NDM,
        generator.EXPERIMENT,
    )
}
