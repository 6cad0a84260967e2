"""Mutual Information Learned Classifiers (Yi et al. 2022, arXiv 2209.10058 and 2210.01000)."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.milc import statements
from infoflow_reproductions.milc.cnn import BATCH_SIZE_CIFAR, MNIST_CNN, WEIGHT_CIFAR
from infoflow_reproductions.milc.comparison import CIFAR, MNIST
from infoflow_reproductions.milc.sweeps import BATCH_SIZE, WEIGHT
from infoflow_reproductions.milc.theory import THEORY

_OF_FIGURES = {
    "mnist": statements.of_losses,
    "mnist-cnn": statements.of_losses,
    "cifar": statements.of_losses,
    "batch-size": statements.less_gain_from_larger_batches,
    "batch-size-cifar": statements.less_gain_from_larger_batches,
}
EXPERIMENTS = {
    experiment.name: replace(
        experiment,
        sentences=statements.SENTENCES[experiment.name],
        of_figures=_OF_FIGURES.get(experiment.name),
        # The number of random channels is no part of the theorems.
        smaller=(lambda _: "") if experiment is THEORY else experiment.smaller,
    )
    for experiment in (MNIST, MNIST_CNN, CIFAR, BATCH_SIZE, BATCH_SIZE_CIFAR, WEIGHT, WEIGHT_CIFAR, THEORY)
}

__all__ = ["EXPERIMENTS"]
