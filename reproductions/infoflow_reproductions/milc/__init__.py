"""Mutual Information Learned Classifiers (Yi et al. 2022, arXiv 2209.10058 and 2210.01000)."""

from __future__ import annotations

from infoflow_reproductions.milc.comparison import CIFAR, MNIST
from infoflow_reproductions.milc.sweeps import BATCH_SIZE, WEIGHT
from infoflow_reproductions.milc.theory import THEORY

EXPERIMENTS = {experiment.name: experiment for experiment in (MNIST, CIFAR, BATCH_SIZE, WEIGHT, THEORY)}

__all__ = ["EXPERIMENTS"]
