"""The data sets: generated, shipped with scikit-learn, or read from the user's files. Nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infoflow.core.checks import choice
from infoflow.data.cache import cache_folder, cached
from infoflow.data.cifar import cifar10, cifar100
from infoflow.data.cluttered import clutter, cluttered_mnist
from infoflow.data.dataset import Dataset, Split, split
from infoflow.data.digits import digits
from infoflow.data.mnist import fashion_mnist, mnist
from infoflow.data.occluded import occlude, occluded_cifar
from infoflow.data.shortcuts import SHORTCUTS, colored_mnist, one_pixel_shift, patch_cifar, shifted_mnist
from infoflow.data.szt import szt
from infoflow.data.textures import draw_textures, procedural_textures, texture_files

__all__ = [
    "DATASETS",
    "SHORTCUTS",
    "Dataset",
    "Split",
    "cache_folder",
    "cached",
    "cifar10",
    "cifar100",
    "clutter",
    "cluttered_mnist",
    "colored_mnist",
    "digits",
    "draw_textures",
    "fashion_mnist",
    "load",
    "mnist",
    "occlude",
    "occluded_cifar",
    "one_pixel_shift",
    "patch_cifar",
    "procedural_textures",
    "shifted_mnist",
    "split",
    "szt",
    "texture_files",
]

_WHOLE: dict[str, Callable[[], Dataset]] = {"szt": szt, "digits": digits}
_WITH_OWN_TEST_SET: dict[str, Callable[..., Dataset]] = {
    "mnist": mnist,
    "fashion-mnist": fashion_mnist,
    "cifar10": cifar10,
    "cifar100": cifar100,
    "cluttered-mnist": cluttered_mnist,
    "occluded-cifar": occluded_cifar,
    **SHORTCUTS,
}

DATASETS = (*_WHOLE, *_WITH_OWN_TEST_SET)
"""The names that `load` knows."""


def load(
    name: str, *, root: str | Path | None = None, split_seed: int | None = 0, train_fraction: float = 0.8
) -> Split:
    """A data set by name, cut into training and test set.

    `szt` and `digits` are shuffled with `split_seed` (kept in order when it is None) and cut at `train_fraction`;
    the MNIST and CIFAR families, and what is generated from them, bring their own test set, and are looked for below
    `root` (see `mnist`).

    Raises UnknownName (with the nearest name), MissingData, BrokenStore, InvalidArgument (fraction, seed).

    >>> parts = load("digits")
    >>> len(parts.train), len(parts.test)
    (1437, 360)
    """
    if choice(name, "data set", DATASETS) in _WHOLE:
        return split(_WHOLE[name](), train_fraction=train_fraction, seed=split_seed)
    reader = _WITH_OWN_TEST_SET[name]
    return Split(name, reader("train", root=root), reader("test", root=root))
