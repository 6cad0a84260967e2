"""Mutual Information Learned Classifiers (Yi et al. 2022, arXiv 2209.10058 and 2210.01000)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from infoflow_reproductions.milc import statements
from infoflow_reproductions.milc.cnn import BATCH_SIZE_CIFAR, MNIST_CNN, WEIGHT_CIFAR
from infoflow_reproductions.milc.comparison import CIFAR, MNIST
from infoflow_reproductions.milc.larger_batches import of_batch_sizes
from infoflow_reproductions.milc.published import TABLE_2, TABLE_3
from infoflow_reproductions.milc.sweeps import BATCH_SIZE, WEIGHT
from infoflow_reproductions.milc.theory import THEORY

_OF_FIGURES = {
    "mnist": partial(statements.of_losses, networks=TABLE_2),
    "mnist-cnn": partial(statements.of_losses, networks=TABLE_2),
    "cifar": partial(statements.of_losses, networks=TABLE_3),
    "batch-size": partial(of_batch_sizes, published_size=BATCH_SIZE.recipe("full").base.batch_size),
    "batch-size-cifar": partial(of_batch_sizes, published_size=BATCH_SIZE_CIFAR.recipe("full").base.batch_size),
}
# For results stored before the perceptron and the CNN on CIFAR-10 counted as networks that are not the paper's.
_OWN = {"cifar": ("mlp: ", "cnn: ")}

EXPERIMENTS = {
    experiment.name: replace(
        experiment,
        sentences=statements.SENTENCES[experiment.name],
        of_figures=_OF_FIGURES.get(experiment.name),
        own=_OWN.get(experiment.name, ()),
        # The number of random channels is no part of the theorems.
        smaller=(lambda _: "") if experiment is THEORY else experiment.smaller,
    )
    for experiment in (MNIST, MNIST_CNN, CIFAR, BATCH_SIZE, BATCH_SIZE_CIFAR, WEIGHT, WEIGHT_CIFAR, THEORY)
}

__all__ = ["EXPERIMENTS"]
