"""Training loops: a classifier or many seeds of it at once, and any objective, alone or against others."""

from __future__ import annotations

from infoflow.training.classifier import OPTIMIZERS, Metrics, Training, snapshot_epochs, train
from infoflow.training.loop import History, Player, Prepare, fit
from infoflow.training.settings import Fit, Optimizer
from infoflow.training.surroundings import usable_device

__all__ = [
    "OPTIMIZERS",
    "Fit",
    "History",
    "Metrics",
    "Optimizer",
    "Player",
    "Prepare",
    "Training",
    "fit",
    "snapshot_epochs",
    "train",
    "usable_device",
]


def __dir__() -> list[str]:
    return list(__all__)
