"""Mutual Information Learned Classifiers (Yi et al. 2022, arXiv 2209.10058 and 2210.01000)."""

from __future__ import annotations

from infoflow.papers.experiment import Experiment
from infoflow.papers.milc.batch_size import BATCH_SIZE
from infoflow.papers.milc.cifar import CIFAR
from infoflow.papers.milc.mnist import MNIST
from infoflow.papers.milc.theory import THEORY
from infoflow.papers.milc.weight import WEIGHT

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment for experiment in (MNIST, CIFAR, BATCH_SIZE, WEIGHT, THEORY)
}
