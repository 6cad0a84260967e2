"""Plain loops: a classifier or many seeds of one side by side, and any objective, alone or against another."""

from __future__ import annotations

from infoflow.training.classifier import OPTIMISERS, Metrics, Training, snapshot_epochs, train
from infoflow.training.surroundings import usable_device

__all__ = ["OPTIMISERS", "Metrics", "Training", "snapshot_epochs", "train", "usable_device"]
