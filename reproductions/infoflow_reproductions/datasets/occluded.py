"""Occluded CIFAR: the object is the label, the digit drawn over it a nuisance."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Seed, validated
from infoflow.data.cifar import cifar10
from infoflow.data.dataset import Dataset
from infoflow.data.mnist import mnist
from infoflow_reproductions.datasets.cache import Arrays, cached


@validated
def occluded_cifar(
    split: Literal["train", "test"] = "train",
    *,
    seed: Seed = 0,
    root: str | Path | None = None,
    cache: str | Path | None = None,
) -> Dataset:
    """Generate occluded CIFAR: CIFAR-10 with a white MNIST digit of independent class over the center of every image.

    Parameters
    ----------
    split : {"train", "test"}
        Part of CIFAR-10 and of MNIST that is used.
    seed
        Seed of the order of the digits.
    root
        Folder that holds CIFAR-10 and MNIST (see `mnist`).
    cache
        Folder of generated data, by default `cache_folder()`.

    Returns
    -------
    Dataset
        Inputs (n, 3, 32, 32) uint8, labels (n,) the class of the object, scale 255. `factors["nuisance"]` (n,) int64
        is the class of the digit.

    Raises
    ------
    MissingData
        If MNIST or CIFAR-10 is not found.
    BrokenStore
        If one of their files is damaged.
    InvalidArgument
        If the seed is negative; `UnknownName` if there is no such split.

    Notes
    -----
    Each pixel is the larger of the image's and the digit's, in all three channels; the 28×28 digit is in the center of
    the 32×32 image. Each digit is used at most once. The paper does not describe how they are combined; the maximum
    leaves strokes white on any background. Images are generated once, then read from the cache.

    References
    ----------
    Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), section 8.

    Examples
    --------
    >>> occluded_cifar("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: ...
    """
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
    """Draw one digit over the center of each picture.

    Parameters
    ----------
    pictures : ndarray of shape (n, C, h, w)
        Pictures, uint8.
    digits : ndarray of shape (m, v, v)
        Digits, uint8, at least n.
    labels : ndarray of shape (m,)
        Classes of the digits.
    seed
        Seed of the order of the digits.

    Returns
    -------
    dict
        "images" (n, C, h, w) and "nuisance" (n,) int64, the classes of the digits.

    Raises
    ------
    InvalidArgument
        If there are fewer digits than pictures, or digits are larger.

    Examples
    --------
    >>> made = occlude(np.zeros((2, 3, 8, 8), np.uint8), np.full((4, 6, 6), 9, np.uint8), np.arange(4))
    >>> made["images"][0, 0, 0].tolist(), made["images"][0, 0, 1].tolist()
    ([0, 0, 0, 0, 0, 0, 0, 0], [0, 9, 9, 9, 9, 9, 9, 0])
    """
    if len(digits) < len(pictures):
        raise InvalidArgument("digits", f"at least as many as pictures ({len(pictures)})", got_text=str(len(digits)))
    if any(inner > outer for inner, outer in zip(digits.shape[1:], pictures.shape[2:], strict=True)):
        raise InvalidArgument(
            "digits", f"no larger than the pictures, {pictures.shape[2:]} pixels", got_text=f"{digits.shape[1:]} pixels"
        )
    chosen = np.random.default_rng(seed).permutation(len(digits))[: len(pictures)]
    top, left = ((outer - inner) // 2 for inner, outer in zip(digits.shape[1:], pictures.shape[2:], strict=True))
    images = pictures.copy()
    center = images[:, :, top : top + digits.shape[1], left : left + digits.shape[2]]
    np.maximum(center, digits[chosen][:, None], out=center)
    return {"images": images, "nuisance": np.asarray(labels)[chosen].astype(np.int64)}
