"""Reproductions of papers: recipes, and what they find beside the published figures, with verdicts by rule."""

from __future__ import annotations

from infoflow_reproductions.harness.experiment import (
    SCALES,
    Experiment,
    Plan,
    Reproduction,
    reproduce,
    reproduce_together,
)
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row, Verdict
from infoflow_reproductions.harness.registry import PAPERS, experiments, finishing
from infoflow_reproductions.harness.running import RunOptions
from infoflow_reproductions.harness.seeds import OverSeeds, over_seeds
from infoflow_reproductions.harness.trial import Context, Results, Trial

__all__ = [
    "PAPERS",
    "SCALES",
    "Claim",
    "Context",
    "Experiment",
    "Figure",
    "Findings",
    "OverSeeds",
    "Plan",
    "Reproduction",
    "Results",
    "Row",
    "RunOptions",
    "Trial",
    "Verdict",
    "experiments",
    "finishing",
    "over_seeds",
    "reproduce",
    "reproduce_together",
]
