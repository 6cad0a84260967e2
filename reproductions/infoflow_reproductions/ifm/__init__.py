"""Information Flow Maximization (Shen, Li, Liu 2019, arXiv 1907.00348)."""

from __future__ import annotations

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.ifm.table3 import TABLE3
from infoflow_reproductions.ifm.variants import VARIANTS

EXPERIMENTS: dict[str, Experiment] = {experiment.name: experiment for experiment in (TABLE3, *VARIANTS)}
