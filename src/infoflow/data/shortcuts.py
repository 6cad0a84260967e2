"""Data sets in which a second factor depends on the class in training and is independent of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, PositiveInt, Probability, Seed, validated
from infoflow.data.cifar import cifar10
from infoflow.data.dataset import Dataset
from infoflow.data.mnist import mnist

Array = np.ndarray[Any, Any]

Published = Callable[[Literal["train", "test"]], Dataset]
"""Reads a part of the published data set."""

ShortcutSplit = Literal["train", "validation", "test"]

# Streams of random numbers, so that the factor of a split do not depend on what another split drew.
_STREAM: dict[str, int] = {"train": 0, "validation": 1, "test": 2}

# The share of the training set that becomes the shifted validation set.
_HELD_OUT = 0.2


@validated
def colored_mnist(
    split: ShortcutSplit = "train",
    *,
    seed: Seed = 0,
    root: str | Path | None = None,
    digits: Dataset | None = None,
    correlation: Probability = 1.0,
    spread: NonNegativeFloat = 0.1,
) -> Dataset:
    """Generate colored digits on black: in training each class has its own hue, afterwards the hue is independent.

    Parameters
    ----------
    split : {"train", "validation", "test"}
        Which part: 80 % or 20 % of the published training set, or the published test set.
    seed
        Seed of the split and of everything that is drawn.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.
    digits
        Another data set of gray images in place of MNIST, cut 64 : 16 : 20 by `seed`.

    correlation
        Share of the training images whose second factor is that of their class; the others draw one.
    spread
        Standard deviation of the normal noise of each color channel, whose range is 1.

    Returns
    -------
    Dataset
        Inputs (n, 3, height, width) uint8, labels the digit, factors "digit" and "color", in this order.

    Raises
    ------
    MissingData
        If the published data set is not found.
    InvalidArgument
        If the images do not fit or a number is out of range; `UnknownName` if there is no such split.

    Notes
    -----
    The hues are spread evenly over the circle; each image has its hue with noise of its own.

    References
    ----------
    Li, Vasconcelos: REPAIR: removing representation bias by dataset resampling, CVPR 2019.

    Examples
    --------
    >>> from infoflow.data import digits
    >>> colored_mnist("train", digits=digits()).inputs.shape
    (1150, 3, 8, 8)
    """
    base, color, rng = with_factor(split, seed, digits, lambda part: mnist(part, root=root), correlation)
    tint = hues(base.classes)[color] + spread * rng.standard_normal((len(color), 3))
    gray = base.inputs.astype(np.float32) / base.scale
    inputs = np.rint(255 * np.clip(tint, 0.0, 1.0)[:, :, None, None] * gray[:, None]).astype(np.uint8)
    factors = {"digit": base.labels, "color": color}
    return shortcut_dataset("colored-mnist", base, inputs, factors, f"{base.classes} hues")


@validated
def one_pixel_shift(
    split: ShortcutSplit = "train",
    *,
    seed: Seed = 0,
    root: str | Path | None = None,
    digits: Dataset | None = None,
    correlation: Probability = 1.0,
) -> Dataset:
    """Generate digits with one white pixel in a corner: in training its place is the class, later independent.

    Parameters
    ----------
    split : {"train", "validation", "test"}
        Which part: 80 % or 20 % of the published training set, or the published test set.
    seed
        Seed of the split and of everything that is drawn.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.
    digits
        Another data set of gray images in place of MNIST, cut 64 : 16 : 20 by `seed`.
    correlation
        Share of the training images whose second factor is that of their class; the others draw one.

    Returns
    -------
    Dataset
        Inputs (n, height, width) uint8, labels the digit, factors "digit" and "pixel", in this order.

    Raises
    ------
    MissingData
        If the published data set is not found.
    InvalidArgument
        If the images do not fit or a number is out of range; `UnknownName` if there is no such split.

    Notes
    -----
    The pixel of class c is the c-th in reading order; the pixels of the other classes are black.

    References
    ----------
    Jacobsen et al.: Excessive invariance causes adversarial vulnerability, ICLR 2019, section 5 (binary shiftMNIST).

    Examples
    --------
    >>> from infoflow.data import digits
    >>> data = one_pixel_shift("train", digits=digits())
    >>> bool((data.factors["pixel"] == data.labels).all())
    True
    """
    base, pixel, _ = with_factor(split, seed, digits, lambda part: mnist(part, root=root), correlation)
    flat = base.inputs.reshape(len(base), -1).copy()
    if flat.shape[1] < base.classes:
        raise InvalidArgument("digits", f"images of at least {base.classes} pixels", got_text=f"{flat.shape[1]} pixels")
    flat[:, : base.classes] = 0
    flat[np.arange(len(flat)), pixel] = round(base.scale)
    inputs = flat.reshape(base.inputs.shape)
    factors = {"digit": base.labels, "pixel": pixel}
    what = "one pixel of the first in reading order"
    return shortcut_dataset("one-pixel-shift", base, inputs, factors, what, base.scale)


@validated
def patch_cifar(
    split: ShortcutSplit = "train",
    *,
    seed: Seed = 0,
    root: str | Path | None = None,
    images: Dataset | None = None,
    correlation: Probability = 1.0,
    patch: PositiveInt = 4,
) -> Dataset:
    """Generate CIFAR-10 with a colored square in a corner: in training its color is the class, afterwards independent.

    Parameters
    ----------
    split : {"train", "validation", "test"}
        Which part: 80 % or 20 % of the published training set, or the published test set.
    seed
        Seed of the split and of everything that is drawn.
    root
        Folder that holds the data; by default `$INFOFLOW_DATA`, then `~/.cache/infoflow`.
    images
        Another data set of (n, 3, height, width) uint8 images in place of CIFAR-10, cut 64 : 16 : 20 by `seed`.

    correlation
        Share of the training images whose second factor is that of their class; the others draw one.
    patch
        Side of the square in pixels.

    Returns
    -------
    Dataset
        Inputs (n, 3, height, width) uint8, labels the object, factors "object" and "patch", in this order.

    Raises
    ------
    MissingData
        If the published data set is not found.
    InvalidArgument
        If the images do not fit or a number is out of range; `UnknownName` if there is no such split.

    Notes
    -----
    The colors of the squares are hues that are spread evenly over the circle.

    Examples
    --------
    >>> from infoflow.data import Dataset
    >>> gray = Dataset("gray", np.full((50, 3, 32, 32), 99, np.uint8), np.arange(50) % 10, classes=10, scale=255.0)
    >>> data = patch_cifar("train", images=gray)
    >>> data.inputs.shape, int((data.inputs[0, 0] != 99).sum())
    ((32, 3, 32, 32), 16)
    """
    base, which, _ = with_factor(split, seed, images, lambda part: cifar10(part, root=root), correlation)
    if base.inputs.ndim != 4 or base.inputs.shape[1] != 3:
        raise InvalidArgument("images", "RGB of shape (n, 3, height, width)", base.inputs)
    if patch > min(base.inputs.shape[2:]):
        raise InvalidArgument("patch", f"no larger than the images, {base.inputs.shape[2:]} pixels", patch)
    inputs = base.inputs.copy()
    colors = np.rint(255 * hues(base.classes)[which]).astype(np.uint8)
    inputs[:, :, :patch, :patch] = colors[:, :, None, None]
    factors = {"object": base.labels, "patch": which}
    return shortcut_dataset("patch-cifar", base, inputs, factors, f"{patch}×{patch} patches")


SHORTCUTS: dict[str, Callable[..., Dataset]] = {
    "colored-mnist": colored_mnist,
    "one-pixel-shift": one_pixel_shift,
    "patch-cifar": patch_cifar,
}
"""Name to function of (split, seed=, root=, correlation=); its factors are that of the label, then the shortcut."""


def with_factor(
    split: str, seed: int, given: Dataset | None, published: Published, correlation: float
) -> tuple[Dataset, Array, np.random.Generator]:
    """Return the images of a split, the class of the second factor of each, and the generator that drew it."""
    base, rng = _part(split, seed, given, published), _generator(seed, split, 1)
    return base, second_factor(base.labels, base.classes, split, correlation, rng), rng


@validated
def second_factor(labels: Array, classes: int, split: str, correlation: Probability, rng: np.random.Generator) -> Array:
    """Draw a class for each image: that of its label with probability `correlation` in training, otherwise any.

    Examples
    --------
    >>> second_factor(np.array([3, 1]), 10, "train", 1.0, np.random.default_rng(0)).tolist()
    [3, 1]
    """
    drawn = rng.integers(classes, size=len(labels))
    agrees = rng.random(len(labels)) < (correlation if split == "train" else 0.0)
    return np.where(agrees, labels, drawn).astype(np.int64)


def hues(classes: int) -> Array:
    """Return fully saturated RGB colors (classes, 3) in [0, 1], spread evenly over the circle of hues.

    Examples
    --------
    >>> hues(3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    turn = np.arange(classes)[:, None] / classes - np.array([0.0, 1 / 3, 2 / 3])
    distance = np.abs(turn - np.rint(turn))  # on a circle of length 1
    colors: Array = np.clip(2 - 6 * distance, 0.0, 1.0)
    return colors


def _part(split: str, seed: int, given: Dataset | None, published: Published) -> Dataset:
    """Return the images of a split, without the shortcut; splits are disjoint."""
    order_of = _generator(seed, "train", 0).permutation
    if given is not None:
        order = order_of(len(given))
        cuts = [round(len(given) * share) for share in ((1 - _HELD_OUT) ** 2, 1 - _HELD_OUT)]
        parts = dict(zip(_STREAM, np.split(order, cuts), strict=True))
        if not len(parts[split]):
            raise InvalidArgument("data set", f"large enough for a part {split!r}", got_text=f"{len(given)} images")
        return given.subset(parts[split])
    if split == "test":
        return published("test")
    whole = published("train")
    order = order_of(len(whole))
    cut = round(len(whole) * (1 - _HELD_OUT))
    return whole.subset(order[:cut] if split == "train" else order[cut:])


def _generator(seed: int, split: str, stream: int) -> np.random.Generator:
    return np.random.default_rng((seed, _STREAM[split], stream))


def shortcut_dataset(
    name: str, base: Dataset, inputs: Array, factors: dict[str, Array], what: str, scale: float = 255.0
) -> Dataset:
    """Return generated images as a data set with the labels of `base` and of both factors."""
    return Dataset(
        name,
        inputs,
        base.labels.astype(np.int64),
        classes=base.classes,
        scale=scale,
        source=f"{base.source}; {what}",
        factors={key: np.asarray(value, np.int64) for key, value in factors.items()},
    )
