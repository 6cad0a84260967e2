"""Images of the experiments: training, held-out and test images in an order that is always the same."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeInt, PositiveInt, validated
from infoflow.data import cifar10, cifar100, digits, mnist

DATA = ("mnist", "cifar10", "cifar10-16", "cifar100", "digits", "digits32")
"""Names for `images`: "cifar10-16" is CIFAR-10 averaged to 16×16 pixels, "digits" are scikit-learn's 8×8 scans, and
"digits32" the same scans enlarged to 32×32 RGB."""

Labeled = tuple[Tensor, Tensor]
"""Images (n, C, S, S) of type uint8 and their labels (n,)."""


class Images(NamedTuple):
    """Images to train on, to choose settings by and to test on.

    Parameters
    ----------
    train
        Training images and labels.
    held_out
        Further images and labels of the training set.
    test
        Test images and labels.
    """

    train: Labeled
    held_out: Labeled
    test: Labeled

    @property
    def counts(self) -> Tensor:
        """Number of training images of each class."""
        return torch.bincount(self.train[1], minlength=10)


def images(name: str, size: int, held_out: int, root: Path | None) -> Images:
    """Return images of a data set.

    Parameters
    ----------
    name
        One of `DATA`.
    size
        Number of training images.
    held_out
        Number of further images of the training set.
    root
        Folder of the data sets; None searches the default folders.

    Returns
    -------
    Images
        Images of type uint8 with their labels. A smaller training set is the beginning of a larger one.

    Raises
    ------
    UnknownName
        If no data set has this name.
    MissingData
        If its files are missing.
    InvalidArgument
        If the training set is too small.

    Examples
    --------
    >>> found = images("digits", 1000, 200, None)
    >>> found.train[0].shape, len(found.held_out[1]), len(found.test[1])
    (torch.Size([1000, 1, 8, 8]), 200, 360)
    """
    (x, y), test = _whole(choice(name, "data", DATA), root)
    chosen, others = (torch.from_numpy(part) for part in shuffled(len(y), size, held_out))
    return Images((x[chosen], y[chosen]), (x[others], y[others]), test)


@validated
def shuffled(available: int, size: PositiveInt, held_out: NonNegativeInt = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return indices of training and held-out samples, which do not overlap.

    Parameters
    ----------
    available
        Number of samples in the training set.
    size
        Number of training samples.
    held_out
        Number of held-out samples.

    Returns
    -------
    tuple of ndarray
        Indices (size,) and (held_out,) in a random order that is always the same.

    Raises
    ------
    InvalidArgument
        If there are fewer samples than that.

    Examples
    --------
    >>> [len(part) for part in shuffled(100, 60, 20)]
    [60, 20]
    """
    if size + held_out > available:
        raise InvalidArgument(
            "size + held_out", f"at most the number of training samples ({available})", size + held_out
        )
    order = np.random.default_rng(0).permutation(available)
    return order[:size], order[size : size + held_out]


def pooled(x: Tensor, factor: int) -> Tensor:
    """Return images averaged over blocks of pixels.

    Parameters
    ----------
    x
        Images (n, C, S, S) of type uint8.
    factor
        Side of a block in pixels.

    Returns
    -------
    Tensor
        Images (n, C, S / factor, S / factor) of type uint8.

    Examples
    --------
    >>> pooled(torch.tensor([[[[0, 2], [4, 6]]]], dtype=torch.uint8), 2).flatten().tolist()
    [3]
    """
    parts = torch.split(x, 1000)  # so that only a part is held as float32 at a time
    return torch.cat([functional.avg_pool2d(part.float(), factor).round().to(torch.uint8) for part in parts])


@lru_cache(maxsize=2)
def _whole(name: str, root: Path | None) -> tuple[Labeled, Labeled]:
    if name.startswith("digits"):
        return _digits(side=8) if name == "digits" else _digits(side=32)
    if name == "cifar10-16":
        (x, y), (x_test, y_test) = _whole("cifar10", root)
        return (pooled(x, 2), y), (pooled(x_test, 2), y_test)
    read = {"mnist": mnist, "cifar10": cifar10, "cifar100": cifar100}[name]
    pairs = []
    for split in ("train", "test"):
        data = read(split, root=root)
        x = torch.from_numpy(data.inputs.copy())
        pairs.append((x if x.ndim == 4 else x[:, None], torch.from_numpy(data.labels.astype(np.int64))))
    return pairs[0], pairs[1]


def _digits(*, side: int) -> tuple[Labeled, Labeled]:
    data = digits()
    x = torch.from_numpy(np.rint(data.inputs.reshape(-1, 1, 8, 8) * (255 / data.scale)).astype(np.uint8))
    if side == 32:
        x = x.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)
    y = torch.from_numpy(data.labels.astype(np.int64))
    return (x[:1437], y[:1437]), (x[1437:], y[1437:])
