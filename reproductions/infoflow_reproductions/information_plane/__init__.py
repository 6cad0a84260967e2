"""Table I of Geiger's review of information-plane analyses: one experiment for each row."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.information_plane import table_one
from infoflow_reproductions.information_plane.row import TableRow

__all__ = ["EXPERIMENTS", "ROWS", "finish"]

_MODULES = (
    *("shwartz_ziv", "saxe", "chelombiev", "goldfeld", "schiemer", "balda", "cheng", "darlow"),
    *("elad", "fang", "gabrie", "jonsson", "noshad", "alemi", "wickstrom", "yu"),
)

ROWS: tuple[TableRow, ...] = tuple(import_module(f"{__name__}.rows.{name}").ROW for name in _MODULES)
"""What the review says about each paper, in the order of its table."""

EXPERIMENTS: dict[str, Experiment] = {row.name: row.experiment for row in ROWS}
"""In the same order."""


def finish(folders: Mapping[str, Path], target: Path) -> Path:
    """Write the page of all rows.

    Parameters
    ----------
    folders
        Folder of each experiment's results, by its name.
    target
        Folder to write to.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    BrokenStore
        If results cannot be read.
    """
    return table_one.finish(ROWS, folders, target)
