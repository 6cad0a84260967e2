"""Occluded CIFAR: the object is the task, the digit drawn over it the nuisance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.data.cache import Arrays, cached
from infoflow.data.cifar import cifar10
from infoflow.data.dataset import Dataset
from infoflow.data.mnist import SPLITS, mnist


def occluded_cifar(
    split: str = "train", *, seed: int = 0, root: str | Path | None = None, cache: str | Path | None = None
) -> Dataset:
    """Occluded CIFAR: CIFAR-10 with a white MNIST digit over the center of every image, of independent label.

    Each pixel is the larger of the image's and the digit's, in all three channels; the 28×28 digit sits in the middle
    of the 32×32 image. Digits of MNIST's training set go over training images, those of its test set over test images,
    each at most once, in an order drawn from `seed`. (The paper doesn't say how they are joined; this keeps strokes
    white on any background.)

    Inputs (n, 3, 32, 32) uint8, labels (n,) the object's class, scale 255. `factors["nuisance"]` (n,) int64 is the
    digit's class. Generated once, then read from the cache (see `infoflow.data.cached`).

    Raises MissingData or BrokenStore (MNIST, CIFAR-10), UnknownName (split), InvalidArgument (seed).

    Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), section 6.

    >>> occluded_cifar("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: ...
    """
    choice(split, "split", SPLITS)
    integer(seed, "seed", minimum=0)
    pictures, digits = cifar10(split, root=root), mnist(split, root=root)
    made = cached(
        f"occluded-cifar-{split}",
        {"version": 1, "seed": seed, "pictures": pictures.digest, "digits": digits.digest},
        lambda: occlude(pictures.inputs, digits.inputs, digits.labels, seed=seed),
        cache,
    )
    return Dataset(
        "occluded-cifar",
        made["images"],
        pictures.labels,
        classes=10,
        scale=255.0,
        source=f"generated from CIFAR-10's and MNIST's {split} sets, seed {seed}",
        factors={"nuisance": made["nuisance"]},
    )


def occlude(
    pictures: np.ndarray[Any, Any], digits: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], *, seed: int = 0
) -> Arrays:
    """Pictures (n, C, h, w) with one digit (m, v, v) each over the center, and the digits' labels as `nuisance`.

    Raises InvalidArgument when digits are fewer than pictures, or larger.

    >>> made = occlude(np.zeros((2, 3, 8, 8), np.uint8), np.full((4, 6, 6), 9, np.uint8), np.arange(4))
    >>> made["images"][0, 0, 0].tolist(), made["images"][0, 0, 1].tolist()
    ([0, 0, 0, 0, 0, 0, 0, 0], [0, 9, 9, 9, 9, 9, 9, 0])
    """
    if len(digits) < len(pictures):
        raise InvalidArgument(f"there are {len(pictures)} pictures but {len(digits)} digits; want one for each")
    if any(inner > outer for inner, outer in zip(digits.shape[1:], pictures.shape[2:], strict=True)):
        raise InvalidArgument(f"digits of {digits.shape[1:]} pixels don't fit into pictures of {pictures.shape[2:]}")
    chosen = np.random.default_rng(seed).permutation(len(digits))[: len(pictures)]
    top, left = ((outer - inner) // 2 for inner, outer in zip(digits.shape[1:], pictures.shape[2:], strict=True))
    images = pictures.copy()
    center = images[:, :, top : top + digits.shape[1], left : left + digits.shape[2]]
    np.maximum(center, digits[chosen][:, None], out=center)
    return {"images": images, "nuisance": np.asarray(labels)[chosen].astype(np.int64)}
