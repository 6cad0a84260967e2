"""Information Flow Maximization (Shen, Li, Liu 2019, arXiv 1907.00348)."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.ifm.statements import SENTENCES, of_table
from infoflow_reproductions.ifm.table3 import TABLE3
from infoflow_reproductions.ifm.variants import VARIANTS

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: replace(
        experiment,
        sentences=SENTENCES.get(experiment.name, ()),
        of_figures=of_table if experiment is TABLE3 else None,
    )
    for experiment in (TABLE3, *VARIANTS)
}
