"""Data sets: generated, shipped with scikit-learn, or read from the user's files. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infoflow.core.settings import OneOf, Seed, check
from infoflow.data.cifar import cifar10, cifar100
from infoflow.data.dataset import Dataset, Split, split
from infoflow.data.digits import digits
from infoflow.data.mnist import fashion_mnist, mnist
from infoflow.data.shortcuts import SHORTCUTS, colored_mnist, one_pixel_shift, patch_cifar
from infoflow.data.szt import szt

__all__ = [
    "DATASETS",
    "SHORTCUTS",
    "Dataset",
    "Split",
    "cifar10",
    "cifar100",
    "colored_mnist",
    "digits",
    "fashion_mnist",
    "load",
    "mnist",
    "one_pixel_shift",
    "patch_cifar",
    "split",
    "szt",
]

_WHOLE: dict[str, Callable[[], Dataset]] = {"szt": szt, "digits": digits}
_WITH_OWN_TEST_SET: dict[str, Callable[..., Dataset]] = {
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar10": cifar10,
    "cifar100": cifar100,
    **SHORTCUTS,
}

DATASETS = (*_WHOLE, *_WITH_OWN_TEST_SET)
"""Names that `load` accepts."""


def load(
    name: str, *, root: str | Path | None = None, split_seed: Seed | None = 0, train_fraction: float = 0.8
) -> Split:
    """Load a data set by name, in a training and a test part.

    Parameters
    ----------
    name
        One of `DATASETS`.
    root
        Folder that holds the files; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.
    split_seed
        Seed of the shuffle before "szt" and "digits" are cut; None leaves their order as it is.
    train_fraction
        Share of the samples of "szt" and "digits" for training. The other data sets have a test set of their own.

    Returns
    -------
    Split
        The two parts.

    Raises
    ------
    UnknownName
        If there is no such data set; the closest name is suggested.
    MissingData
        If the files are not found.
    BrokenStore
        If a file is damaged.
    InvalidArgument
        If the seed or the fraction is out of range.

    Examples
    --------
    >>> parts = load("digits")
    >>> len(parts.train), len(parts.test)
    (1437, 360)
    """
    if check(name, "data set", OneOf(DATASETS)) in _WHOLE:
        return split(_WHOLE[name](), train_fraction=train_fraction, seed=split_seed)
    reader = _WITH_OWN_TEST_SET[name]
    return Split(name, reader("train", root=root), reader("test", root=root))


def __dir__() -> list[str]:
    return list(__all__)
