"""The images of the experiments: published data sets, and small substitutes that need no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from infoflow.core.checks import choice
from infoflow.core.settings import PositiveInt, validated
from infoflow.data import Dataset, cifar10, digits, mnist, split
from infoflow_reproductions.datasets.cluttered import clutter, cluttered_mnist
from infoflow_reproductions.datasets.occluded import occlude, occluded_cifar
from infoflow_reproductions.datasets.whitening import Whitening
from infoflow_reproductions.harness.data import shuffled


@dataclass(frozen=True, eq=False)
class Part:
    """Images with their classes and further factors.

    Parameters
    ----------
    x : Tensor of shape (n, C, S, S)
        Images as the networks take them.
    y : Tensor of shape (n,)
        Classes.
    factors
        Further labels by name, such as `box` or `nuisance`.
    """

    x: Tensor
    y: Tensor
    factors: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    def first(self, n: int) -> Part:
        """Return the first images.

        Parameters
        ----------
        n
            Number of images, at most.

        Returns
        -------
        Part
            Those images.
        """
        return Part(self.x[:n], self.y[:n], {name: factor[:n] for name, factor in self.factors.items()})

    def flattened(self) -> Part:
        """Return the images as vectors.

        Returns
        -------
        Part
            Without factors.
        """
        return Part(self.x.flatten(1), self.y)


class Images(NamedTuple):
    """Images to train on, to choose settings on and to test on.

    Parameters
    ----------
    train, held_out, test
        The three parts.
    """

    train: Part
    held_out: Part
    test: Part


def _toy_digits(part: str) -> Dataset:
    parts = split(digits(), seed=0)
    chosen = parts.train if part == "train" else parts.test
    bytes_ = np.rint(chosen.inputs * (255 / chosen.scale)).astype(np.uint8)
    return Dataset("toy-digits", bytes_, chosen.labels, classes=10, scale=255.0, source=chosen.source)


def _toy_cluttered(part: str) -> Dataset:
    base = _toy_digits(part)
    made = clutter(base.inputs, base.labels, len(base), distractors=4, size=24, piece=3)
    return Dataset("toy-cluttered", made["images"], made["labels"], 10, 255.0, base.source, {"box": made["box"]})


def _toy_colors(part: str) -> Dataset:
    """Return digits enlarged to 16×16 pixels, in a color of their class."""
    base = _toy_digits(part)
    large = base.inputs.repeat(2, axis=1).repeat(2, axis=2).astype(float)
    tint = np.random.default_rng(0).uniform(0.2, 1, (10, 3))[base.labels]
    images = (large[:, None] * tint[:, :, None, None]).astype(np.uint8)
    return Dataset("toy-colors", images, base.labels, classes=10, scale=255.0, source=base.source)


def _toy_occluded(part: str) -> Dataset:
    base, over = _toy_colors(part), _toy_digits(part)
    made = occlude(base.inputs, over.inputs, over.labels)
    return Dataset("toy-occluded", made["images"], base.labels, 10, 255.0, base.source, {"nuisance": made["nuisance"]})


_TOYS = {
    "toy-digits": _toy_digits,
    "toy-cluttered": _toy_cluttered,
    "toy-colors": _toy_colors,
    "toy-occluded": _toy_occluded,
}
_PUBLISHED = {
    "mnist": mnist,
    "cifar10": cifar10,
    "cluttered-mnist": cluttered_mnist,
    "occluded-cifar": occluded_cifar,
}
DATA = (*_PUBLISHED, *_TOYS)
"""Names for `images`; the toy sets are made of scikit-learn's digits."""

SIDES: Mapping[str, int] = {
    "mnist": 28,
    "cifar10": 32,
    "cluttered-mnist": 96,
    "occluded-cifar": 32,
    "toy-digits": 8,
    "toy-cluttered": 24,
    "toy-colors": 16,
    "toy-occluded": 16,
}
"""Side of the images of each set, in pixels."""


@lru_cache(maxsize=2)
@validated
def images(
    data: str, samples: int, held_out: int = 0, *, pool: PositiveInt = 1, whiten: bool = False, root: Path | None = None
) -> Images:
    """Return images of a data set, in an order that is always the same.

    Parameters
    ----------
    data
        One of `DATA`.
    samples
        Number of training images.
    held_out
        Number of further images of the training set.
    pool
        Side of the blocks of pixels that are averaged.
    whiten
        Whether images are normalized in contrast and ZCA-whitened, as learned on the training images. Otherwise pixels
        lie in [0, 1].
    root
        Folder of the data sets; None searches the default folders.

    Returns
    -------
    Images
        The three parts.

    Raises
    ------
    UnknownName
        If no data set has this name.
    MissingData
        If its files are missing.
    BrokenStore
        If its files are damaged.
    InvalidArgument
        If the training set is too small.

    Examples
    --------
    >>> parts = images("toy-occluded", 1000, 200, whiten=True)
    >>> parts.train.x.shape, len(parts.held_out), sorted(parts.test.factors)
    (torch.Size([1000, 3, 16, 16]), 200, ['nuisance'])
    """
    choice(data, "data", DATA)
    if data in _TOYS:
        whole, test = _TOYS[data]("train"), _TOYS[data]("test")
    else:
        whole, test = (_PUBLISHED[data](part, root=root) for part in ("train", "test"))
    chosen, others = shuffled(len(whole), samples, held_out)
    train, unseen = _pooled(whole.subset(chosen), pool), _pooled(test, pool)
    # A data set has at least one sample: an empty part is a slice of another.
    apart = _pooled(whole.subset(others), pool) if held_out else train
    whitening = None
    if whiten:  # toy sets are fast to whiten, and the user's cache holds published sets only
        whitening = Whitening.learn(train.inputs) if data in _TOYS else Whitening.of(train)
    parts = Images(*(_part(one, whitening) for one in (train, apart, unseen)))
    return parts if held_out else parts._replace(held_out=parts.train.first(0))


def _pooled(data: Dataset, pool: int) -> Dataset:
    """Return averages over blocks of pixels, as bytes again."""
    images, _ = data.images()
    if pool == 1:
        inputs = np.asarray(data.inputs).reshape(images.shape)
    else:
        inputs = (functional.avg_pool2d(images, pool) * 255).round().to(torch.uint8).numpy()
    return Dataset(data.name, inputs, data.labels, data.classes, 255.0, data.source, data.factors)


def _part(data: Dataset, whitening: Whitening | None) -> Part:
    images, labels = data.images()
    factors = {name: torch.from_numpy(np.asarray(factor)) for name, factor in data.factors.items()}
    return Part(images if whitening is None else whitening(data.inputs), labels, factors)
