"""The papers with recipes; their modules are imported on use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

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
    "learning-is-forgetting": (
        "infoflow_reproductions.learning_is_forgetting",
        "Learning is Forgetting: LLM Training as Lossy Compression (Conklin et al. 2026)",
    ),
    "layer-by-layer": (
        "infoflow_reproductions.layer_by_layer",
        "Layer by Layer: Hidden Representations in Language Models (Skean et al. 2025)",
    ),
}
"""Module and title of each paper by name."""


def experiments(paper: str) -> Mapping[str, Experiment]:
    """Return the experiments of a paper by name.

    Parameters
    ----------
    paper
        Name in `PAPERS`.

    Returns
    -------
    mapping
        Experiments in the order of the paper.

    Raises
    ------
    UnknownName
        If no paper has this name.

    Examples
    --------
    >>> experiments("milk")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.UnknownName: unknown paper 'milk'. Did you mean 'milc'? ...
    """
    found: Mapping[str, Experiment] = _module(paper).EXPERIMENTS
    return found


def finishing(paper: str) -> Callable[[Mapping[str, Path], Path], Path] | None:
    """Return a paper's function that summarizes all its experiments, if its module has one (`finish`).

    Parameters
    ----------
    paper
        Name in `PAPERS`.

    Returns
    -------
    callable or None
        Takes the experiments' folders by name and a folder to write to, and returns the file that it wrote.

    Raises
    ------
    UnknownName
        If no paper has this name.

    Examples
    --------
    >>> finishing("milc") is None, finishing("information-plane") is None
    (True, False)
    """
    found: Callable[[Mapping[str, Path], Path], Path] | None = getattr(_module(paper), "finish", None)
    return found


def _module(paper: str) -> ModuleType:
    return importlib.import_module(PAPERS[choice(paper, "paper", PAPERS)][0])
