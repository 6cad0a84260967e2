"""Table I of Geiger's review of information-plane analyses: one experiment for each row."""

from __future__ import annotations

from infoflow.papers.experiment import Experiment
from infoflow.papers.information_plane.balda import BALDA
from infoflow.papers.information_plane.chelombiev import CHELOMBIEV
from infoflow.papers.information_plane.cheng import CHENG
from infoflow.papers.information_plane.elad import ELAD
from infoflow.papers.information_plane.fang import FANG
from infoflow.papers.information_plane.gabrie import GABRIE
from infoflow.papers.information_plane.goldfeld import GOLDFELD
from infoflow.papers.information_plane.jonsson import JONSSON
from infoflow.papers.information_plane.noshad import NOSHAD
from infoflow.papers.information_plane.saxe import SAXE
from infoflow.papers.information_plane.schiemer import SCHIEMER
from infoflow.papers.information_plane.shwartz_ziv import SHWARTZ_ZIV
from infoflow.papers.information_plane.wickstrom import WICKSTROM
from infoflow.papers.information_plane.yu import YU

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        SHWARTZ_ZIV,
        SAXE,
        CHELOMBIEV,
        GOLDFELD,
        SCHIEMER,
        BALDA,
        CHENG,
        ELAD,
        FANG,
        GABRIE,
        JONSSON,
        NOSHAD,
        WICKSTROM,
        YU,
    )
}
"""In the order of the review's table."""
