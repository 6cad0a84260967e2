"""Shifted MNIST: digits on textures, which depend on the digit in training only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Probability, Seed, validated
from infoflow.data import Dataset, mnist
from infoflow.data.shortcuts import ShortcutSplit, shortcut_dataset, with_factor
from infoflow_reproductions.datasets.textures import Texture, random_patches, textures_at_hand

Array = np.ndarray[Any, Any]


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
        Pixels to which photographs are scaled before patches are cut. The paper does not state it; 64 is chosen since
        cross-entropy alone then reaches about the published accuracies (texture 95 %, digit 12 %), and relies on the
        texture far less at 256.

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
    >>> from infoflow.data import digits
    >>> from infoflow_reproductions.datasets.textures import procedural_textures
    >>> data = shifted_mnist("test", digits=digits(), textures=procedural_textures())
    >>> data.inputs.shape, sorted(data.factors)
    ((359, 3, 32, 32), ['digit', 'texture'])
    """
    base, texture, rng = with_factor(split, seed, digits, lambda part: mnist(part, root=root), correlation)
    masks = centered(base, size)
    source = "given textures"
    if textures is None:
        textures, source = textures_at_hand(base.classes, seed=seed, root=root, side=max(texture_side, size))
    if len(textures) < base.classes:
        raise InvalidArgument(
            "textures", f"at least one for each of {base.classes} classes", got_text=str(len(textures))
        )
    patches = random_patches(textures[: base.classes], texture, size, rng)
    inputs = _over(masks, base.scale, patches)
    return shortcut_dataset("shifted-mnist", base, inputs, {"digit": base.labels, "texture": texture}, source)


def _over(masks: Array, scale: float, patches: Array) -> Array:
    """Blend (1 − m) · patch + m in place, by blocks, since float copies of a training set would take gigabytes."""
    for start in range(0, len(masks), 1024):
        m = masks[start : start + 1024, None].astype(np.float32) / scale
        block = patches[start : start + 1024]
        block[...] = np.rint(block + m * (255 - block.astype(np.float32)))
    return patches


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
