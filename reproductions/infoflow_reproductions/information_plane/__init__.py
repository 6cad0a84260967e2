"""Table I of Geiger's review of information-plane analyses: one experiment for each row."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.information_plane import (
    alemi,
    balda,
    chelombiev,
    cheng,
    darlow,
    elad,
    fang,
    gabrie,
    goldfeld,
    jonsson,
    noshad,
    saxe,
    schiemer,
    shwartz_ziv,
    table_one,
    wickstrom,
    yu,
)

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        shwartz_ziv.SHWARTZ_ZIV,
        saxe.SAXE,
        chelombiev.CHELOMBIEV,
        goldfeld.GOLDFELD,
        schiemer.SCHIEMER,
        balda.BALDA,
        cheng.CHENG,
        darlow.DARLOW,
        elad.ELAD,
        fang.FANG,
        gabrie.GABRIE,
        jonsson.JONSSON,
        noshad.NOSHAD,
        alemi.ALEMI,
        wickstrom.WICKSTROM,
        yu.YU,
    )
}
"""In the order of the review's table."""

ROWS = tuple(
    module.ROW
    for module in (
        shwartz_ziv, saxe, chelombiev, goldfeld, schiemer, balda, cheng, darlow, elad, fang, gabrie, jonsson, noshad,
        alemi, wickstrom, yu,
    )
)  # fmt: skip
"""What the review says of each, in the same order."""


def finish(folders: Mapping[str, Path], target: Path) -> Path:
    """Writes the page of all rows from the folders of their experiments, and returns it."""
    return table_one.finish(ROWS, folders, target)
