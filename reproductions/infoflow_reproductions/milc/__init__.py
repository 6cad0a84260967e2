"""Mutual Information Learned Classifiers (Yi et al. 2022, arXiv 2209.10058 and 2210.01000)."""

from __future__ import annotations

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.milc.batch_size import BATCH_SIZE
from infoflow_reproductions.milc.cifar import CIFAR
from infoflow_reproductions.milc.mnist import MNIST
from infoflow_reproductions.milc.theory import THEORY
from infoflow_reproductions.milc.weight import WEIGHT

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment for experiment in (MNIST, CIFAR, BATCH_SIZE, WEIGHT, THEORY)
}
