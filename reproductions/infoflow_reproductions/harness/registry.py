"""Which papers have recipes, and where. Their modules load on use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from infoflow.core.checks import choice
from infoflow_reproductions.harness.experiment import Experiment

PAPERS = {
    "milc": ("infoflow_reproductions.milc", "Mutual Information Learned Classifiers (Yi et al. 2022)"),
    "ifm": ("infoflow_reproductions.ifm", "Information Flow Maximization (Shen, Li, Liu 2019)"),
    "dim": ("infoflow_reproductions.deep_infomax", "Deep InfoMax (Hjelm et al. 2019)"),
    "information-dropout": (
        "infoflow_reproductions.information_dropout",
        "Information Dropout (Achille & Soatto 2018)",
    ),
    "information-plane": (
        "infoflow_reproductions.information_plane",
        "On Information Plane Analyses of Neural Network Classifiers (Geiger 2021), Table I",
    ),
}
"""Name -> (module, title)."""


def experiments(paper: str) -> Mapping[str, Experiment]:
    """The experiments of a paper by name. Raises UnknownName.

    >>> experiments("milk")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.UnknownName: unknown paper 'milk'; did you mean 'milc'? ...
    """
    found: Mapping[str, Experiment] = importlib.import_module(PAPERS[choice(paper, "paper", PAPERS)][0]).EXPERIMENTS
    return found


def finishing(paper: str) -> Callable[[Mapping[str, Path], Path], Path] | None:
    """What a paper has to say of all its experiments together, where its module has a function `finish`.

    It takes the experiments' folders by name and a folder to write to, and returns the file. Raises UnknownName.

    >>> finishing("milc") is None, finishing("information-plane") is None
    (True, False)
    """
    module = importlib.import_module(PAPERS[choice(paper, "paper", PAPERS)][0])
    found: Callable[[Mapping[str, Path], Path], Path] | None = getattr(module, "finish", None)
    return found
