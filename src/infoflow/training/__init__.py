"""Plain loops: a classifier or many seeds of one side by side, and any objective, alone or against another."""

from __future__ import annotations

from infoflow.training.classifier import OPTIMISERS, Metrics, Training, snapshot_epochs, train
from infoflow.training.loop import History, Player, Prepare, fit
from infoflow.training.settings import Fit, Optimiser
from infoflow.training.surroundings import usable_device

__all__ = [
    "OPTIMISERS",
    "Fit",
    "History",
    "Metrics",
    "Optimiser",
    "Player",
    "Prepare",
    "Training",
    "fit",
    "snapshot_epochs",
    "train",
    "usable_device",
]
