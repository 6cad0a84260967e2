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
from infoflow.data.textures import Texture, random_patches, textures_at_hand

Array = np.ndarray[Any, Any]

ShortcutSplit = Literal["train", "validation", "test"]

# Streams of random numbers, so that the factor and the patches of a split do not depend on what another split drew.
_STREAM: dict[str, int] = {"train": 0, "validation": 1, "test": 2}

# The share of the training set that becomes the shifted validation set.
_HELD_OUT = 0.2


@validated
def shifted_mnist(
    split: ShortcutSplit = "train",
    *,
    seed: Seed = 0,
    root: str | Path | None = None,
    digits: Dataset | None = None,
    textures: list[Texture] | None = None,
    size: PositiveInt = 32,
    correlation: Probability = 1.0,
    texture_side: PositiveInt = 64,
) -> Dataset:
    """Generate digits on textures: in training the texture is that of the digit, afterwards it is independent.

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

    textures : list of ndarray of shape (height, width, 3)
        One RGB image for each class, uint8; by default a photograph of the Describable Textures Dataset
        (`draw_textures`), or a generated texture (`procedural_textures`) if there are no photographs.
    size
        Side of the images in pixels.
    correlation
        Share of the training images whose second factor is that of their class; the others draw one.
    texture_side
        Pixels to which photographs are scaled before patches are cut. The paper does not state it; at 64 cross-entropy
        alone reaches the published accuracies (texture 95 %, digit 12 %), at 256 it reaches 67 % and 27 %.

    Returns
    -------
    Dataset
        Inputs (n, 3, size, size) uint8, labels the digit, factors "digit" and "texture", in this order.

    Raises
    ------
    MissingData
        If the published data set is not found.
    InvalidArgument
        If the images do not fit or a number is out of range; `UnknownName` if there is no such split.

    Notes
    -----
    An image is

        x = (1 − m) · patch + m

    with m the digit's gray values in [0, 1], centered in size×size pixels, and patch a random crop of a texture. On a
    shifted part no classifier's accuracies can exceed acc_digit + acc_texture = 1 + P(digit = texture), about 1.1.

    References
    ----------
    Shen, Li, Liu: Information flow maximization, arXiv:1907.00348, section 4.

    Examples
    --------
    >>> from infoflow.data import digits, procedural_textures
    >>> data = shifted_mnist("test", digits=digits(), textures=procedural_textures())
    >>> data.inputs.shape, sorted(data.factors)
    ((359, 3, 32, 32), ['digit', 'texture'])
    """
    base = _part(split, seed, digits, lambda part: mnist(part, root=root))
    masks = centered(base, size)
    source = "given textures"
    if textures is None:
        textures, source = textures_at_hand(base.classes, seed=seed, root=root, side=max(texture_side, size))
    if len(textures) < base.classes:
        raise InvalidArgument(
            "textures", f"at least one for each of {base.classes} classes", got_text=str(len(textures))
        )
    rng = _generator(seed, split, 1)
    texture = second_factor(base.labels, base.classes, split, correlation, rng)
    patches = random_patches(textures[: base.classes], texture, size, rng)
    inputs = _over(masks, base.scale, patches)
    return _dataset("shifted-mnist", base, inputs, {"digit": base.labels, "texture": texture}, source)


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
    base = _part(split, seed, digits, lambda part: mnist(part, root=root))
    rng = _generator(seed, split, 1)
    color = second_factor(base.labels, base.classes, split, correlation, rng)
    tint = hues(base.classes)[color] + spread * rng.standard_normal((len(color), 3))
    gray = base.inputs.astype(np.float32) / base.scale
    inputs = np.rint(255 * np.clip(tint, 0.0, 1.0)[:, :, None, None] * gray[:, None]).astype(np.uint8)
    return _dataset("colored-mnist", base, inputs, {"digit": base.labels, "color": color}, f"{base.classes} hues")


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
    base = _part(split, seed, digits, lambda part: mnist(part, root=root))
    rng = _generator(seed, split, 1)
    pixel = second_factor(base.labels, base.classes, split, correlation, rng)
    flat = base.inputs.reshape(len(base), -1).copy()
    if flat.shape[1] < base.classes:
        raise InvalidArgument("digits", f"images of at least {base.classes} pixels", got_text=f"{flat.shape[1]} pixels")
    flat[:, : base.classes] = 0
    flat[np.arange(len(flat)), pixel] = round(base.scale)
    inputs = flat.reshape(base.inputs.shape)
    return _dataset(
        "one-pixel-shift",
        base,
        inputs,
        {"digit": base.labels, "pixel": pixel},
        "one pixel of the first in reading order",
    )


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
    base = _part(split, seed, images, lambda part: cifar10(part, root=root))
    if base.inputs.ndim != 4 or base.inputs.shape[1] != 3:
        raise InvalidArgument("images", "RGB of shape (n, 3, height, width)", got_text=f"shape {base.inputs.shape}")
    if patch > min(base.inputs.shape[2:]):
        raise InvalidArgument("patch", f"no larger than the images, {base.inputs.shape[2:]} pixels", patch)
    rng = _generator(seed, split, 1)
    which = second_factor(base.labels, base.classes, split, correlation, rng)
    inputs = base.inputs.copy()
    colors = np.rint(255 * hues(base.classes)[which]).astype(np.uint8)
    inputs[:, :, :patch, :patch] = colors[:, :, None, None]
    return _dataset("patch-cifar", base, inputs, {"object": base.labels, "patch": which}, f"{patch}×{patch} patches")


SHORTCUTS: dict[str, Callable[..., Dataset]] = {
    "shifted-mnist": shifted_mnist,
    "colored-mnist": colored_mnist,
    "one-pixel-shift": one_pixel_shift,
    "patch-cifar": patch_cifar,
}
"""Name to function of (split, seed=, root=, correlation=); its factors are that of the label, then the shortcut."""


def _over(masks: Array, scale: float, patches: Array) -> Array:
    """Blend (1 − m) · patch + m in place, by blocks, since float copies of a training set would take gigabytes."""
    for start in range(0, len(masks), 1024):
        m = masks[start : start + 1024, None].astype(np.float32) / scale
        block = patches[start : start + 1024]
        block[...] = np.rint(block + m * (255 - block.astype(np.float32)))
    return patches


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


def centered(base: Dataset, size: int) -> Array:
    """Enlarge gray images by the largest integer factor that leaves a margin in (n, size, size), with zeros around.

    Examples
    --------
    >>> from infoflow.data import digits
    >>> centered(digits(), 32).shape
    (1797, 32, 32)
    """
    images = base.inputs
    if images.ndim != 3 or max(images.shape[1:]) > size:
        raise InvalidArgument(
            "digits", f"gray images (n, height, width) within {size}×{size}", got_text=f"shape {images.shape}"
        )
    factor = size // max(images.shape[1:])
    # An image that fills the canvas would hide the texture: 8×8 digits become 24×24 in 32×32.
    factor = max(1, factor - 1) if factor * max(images.shape[1:]) == size else factor
    images = images.repeat(factor, axis=1).repeat(factor, axis=2)
    top, left = (size - images.shape[1]) // 2, (size - images.shape[2]) // 2
    canvas = np.zeros((len(images), size, size), images.dtype)
    canvas[:, top : top + images.shape[1], left : left + images.shape[2]] = images
    return canvas


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


def _part(
    split: str, seed: int, given: Dataset | None, published: Callable[[Literal["train", "test"]], Dataset]
) -> Dataset:
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


def _dataset(name: str, base: Dataset, inputs: Array, factors: dict[str, Array], what: str) -> Dataset:
    labels = {key: np.asarray(value, np.int64) for key, value in factors.items()}
    return Dataset(
        name,
        inputs,
        base.labels.astype(np.int64),
        classes=base.classes,
        scale=255.0 if inputs.dtype == np.uint8 and name != "one-pixel-shift" else base.scale,
        source=f"{base.source}; {what}",
        factors=labels,
    )
