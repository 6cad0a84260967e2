"""Data sets in which a second factor agrees with the label in training and is drawn on its own afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.checks import choice, integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.data.cifar import cifar10
from infoflow.data.dataset import Dataset
from infoflow.data.mnist import mnist
from infoflow.data.textures import Texture, random_patches, textures_at_hand

Array = np.ndarray[Any, Any]

SHORTCUT_SPLITS = ("train", "validation", "test")

# Streams of random numbers: a split's factor and patches don't depend on what another split drew.
_STREAM = {name: number for number, name in enumerate(SHORTCUT_SPLITS)}

# The share of the training set that becomes the shifted validation set.
_HELD_OUT = 0.2


def shifted_mnist(
    split: str = "train",
    *,
    seed: int = 0,
    root: str | Path | None = None,
    digits: Dataset | None = None,
    textures: list[Texture] | None = None,
    size: int = 32,
    correlation: float = 1.0,
    texture_side: int = 64,
) -> Dataset:
    """Digits on textures: in training the texture says which digit it is; in validation and test it says nothing.

        x = (1 − m) · patch + m

    with m the digit's gray values in [0, 1], centered in size×size pixels, and patch a random crop of the texture of
    its class. "train" and "validation" are 80 % and 20 % of MNIST's training set, "test" is its test set; the split
    and everything drawn follow `seed`, and so do the ten textures.

    - `digits`: another data set of gray images, cut 64 : 16 : 20 by `seed`, in place of MNIST.
    - `textures`: one RGB image (height, width, 3) uint8 a class; default one photograph a class of the Describable
      Textures Dataset (`draw_textures`), or generated ones (`procedural_textures`) where that is not at hand.
    - `texture_side`: photographs are scaled to so many pixels before patches are cut. The paper doesn't tell; at 64
      cross-entropy alone comes to what it publishes (texture 95 %, digit 12 %), at 256 to 67 % and 27 %.
    - `correlation`: share of the training images whose texture is that of their digit; the others draw one.

    Inputs (n, 3, size, size) uint8, labels the digit, factors "digit" and "texture". On a shifted set no classifier's
    accuracies can exceed acc_digit + acc_texture = 1 + P(digit = texture), about 1.1.

    Raises UnknownName (split), MissingData (no MNIST), InvalidArgument (fewer textures than classes, textures smaller
    than the patch, images larger than it, correlation).

    Shen, Li, Liu: Information flow maximization, arXiv:1907.00348, section 4.

    >>> from infoflow.data import digits, procedural_textures
    >>> data = shifted_mnist("test", digits=digits(), textures=procedural_textures())
    >>> data.inputs.shape, sorted(data.factors)
    ((359, 3, 32, 32), ['digit', 'texture'])
    """
    base = _part(split, seed, digits, lambda part: mnist(part, root=root))
    masks = centered(base, integer(size, "size"))
    source = "given textures"
    if textures is None:
        textures, source = textures_at_hand(base.classes, seed=seed, root=root, side=max(texture_side, size))
    if len(textures) < base.classes:
        raise InvalidArgument(f"there are {len(textures)} textures for {base.classes} classes; want one a class")
    rng = _generator(seed, split, 1)
    texture = second_factor(base.labels, base.classes, split, correlation, rng)
    patches = random_patches(textures[: base.classes], texture, size, rng)
    inputs = _over(masks, base.scale, patches)
    return _dataset("shifted-mnist", base, inputs, {"digit": base.labels, "texture": texture}, source)


def colored_mnist(
    split: str = "train",
    *,
    seed: int = 0,
    root: str | Path | None = None,
    digits: Dataset | None = None,
    correlation: float = 1.0,
    spread: float = 0.1,
) -> Dataset:
    """Colored digits on black: in training each class has a color of its own, in validation and test it is drawn.

    Ten hues are spread evenly over the circle; the color of an image is its hue's with normal noise of standard
    deviation `spread` (of 1) in each channel. Inputs (n, 3, height, width) uint8, factors "digit" and "color"; splits
    and the other arguments as in `shifted_mnist`. Raises what that raises.

    Li, Vasconcelos: REPAIR: removing representation bias by dataset resampling, CVPR 2019.

    >>> from infoflow.data import digits
    >>> colored_mnist("train", digits=digits()).inputs.shape
    (1150, 3, 8, 8)
    """
    base = _part(split, seed, digits, lambda part: mnist(part, root=root))
    rng = _generator(seed, split, 1)
    color = second_factor(base.labels, base.classes, split, correlation, rng)
    tint = hues(base.classes)[color] + positive(spread, "spread", zero=True) * rng.standard_normal((len(color), 3))
    gray = base.inputs.astype(np.float32) / base.scale
    inputs = np.rint(255 * np.clip(tint, 0.0, 1.0)[:, :, None, None] * gray[:, None]).astype(np.uint8)
    return _dataset("colored-mnist", base, inputs, {"digit": base.labels, "color": color}, f"{base.classes} hues")


def one_pixel_shift(
    split: str = "train",
    *,
    seed: int = 0,
    root: str | Path | None = None,
    digits: Dataset | None = None,
    correlation: float = 1.0,
) -> Dataset:
    """Digits with one white pixel in a corner: in training its place names the class, afterwards it is drawn.

    Class c's is the c-th pixel in reading order; the others of these are black. Inputs (n, height, width) uint8,
    factors "digit" and "pixel"; splits and the other arguments as in `shifted_mnist`. Raises what that raises.

    Jacobsen et al.: Excessive invariance causes adversarial vulnerability, ICLR 2019, section 5 (binary shiftMNIST).

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
        raise InvalidArgument(f"images have {flat.shape[1]} pixels for {base.classes} classes; want one for each")
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


def patch_cifar(
    split: str = "train",
    *,
    seed: int = 0,
    root: str | Path | None = None,
    images: Dataset | None = None,
    correlation: float = 1.0,
    patch: int = 4,
) -> Dataset:
    """CIFAR-10 with a colored square in a corner: in training its color names the class, afterwards it is drawn.

    Inputs (n, 3, 32, 32) uint8, factors "object" and "patch"; `images` is another data set of (n, 3, height, width)
    uint8 images, `patch` the square's side in pixels; splits and the other arguments as in `shifted_mnist`. Raises
    what that raises, and InvalidArgument for a square larger than the image.

    >>> from infoflow.data import Dataset
    >>> gray = Dataset("gray", np.full((50, 3, 32, 32), 99, np.uint8), np.arange(50) % 10, classes=10, scale=255.0)
    >>> data = patch_cifar("train", images=gray)
    >>> data.inputs.shape, int((data.inputs[0, 0] != 99).sum())
    ((32, 3, 32, 32), 16)
    """
    base = _part(split, seed, images, lambda part: cifar10(part, root=root))
    if base.inputs.ndim != 4 or base.inputs.shape[1] != 3:
        raise InvalidArgument(f"images have shape {base.inputs.shape}; want RGB (n, 3, height, width)")
    if integer(patch, "patch") > min(base.inputs.shape[2:]):
        raise InvalidArgument(f"patch is {patch} pixels, the images {base.inputs.shape[2:]}; want a smaller one")
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
"""Name -> maker; each takes (split, seed=, root=, correlation=) and has the label's factor first, then the shortcut."""


def _over(masks: Array, scale: float, patches: Array) -> Array:
    """(1 − m) · patch + m in place, a block at a time: float copies of a whole training set would take gigabytes."""
    for start in range(0, len(masks), 1024):
        m = masks[start : start + 1024, None].astype(np.float32) / scale
        block = patches[start : start + 1024]
        block[...] = np.rint(block + m * (255 - block.astype(np.float32)))
    return patches


def second_factor(labels: Array, classes: int, split: str, correlation: float, rng: np.random.Generator) -> Array:
    """The shortcut's class of every image, int64: the label's with probability `correlation` in training, else any.

    >>> second_factor(np.array([3, 1]), 10, "train", 1.0, np.random.default_rng(0)).tolist()
    [3, 1]
    """
    if not 0 <= positive(correlation, "correlation", zero=True) <= 1:
        raise InvalidArgument(f"correlation is {correlation!r}; want 0 to 1")
    drawn = rng.integers(classes, size=len(labels))
    agrees = rng.random(len(labels)) < (correlation if split == "train" else 0.0)
    return np.where(agrees, labels, drawn).astype(np.int64)


def centered(base: Dataset, size: int) -> Array:
    """Gray images (n, size, size): enlarged by the largest whole factor that fits into it, zeros around.

    >>> from infoflow.data import digits
    >>> centered(digits(), 32).shape
    (1797, 32, 32)
    """
    images = base.inputs
    if images.ndim != 3 or max(images.shape[1:]) > size:
        raise InvalidArgument(
            f"digits have shape {images.shape}; want gray images (n, height, width) within {size}×{size}"
        )
    factor = size // max(images.shape[1:])
    # An image that would fill the canvas leaves no texture to see: 8×8 digits become 24×24 in 32×32.
    factor = max(1, factor - 1) if factor * max(images.shape[1:]) == size else factor
    images = images.repeat(factor, axis=1).repeat(factor, axis=2)
    top, left = (size - images.shape[1]) // 2, (size - images.shape[2]) // 2
    canvas = np.zeros((len(images), size, size), images.dtype)
    canvas[:, top : top + images.shape[1], left : left + images.shape[2]] = images
    return canvas


def hues(classes: int) -> Array:
    """RGB colors (classes, 3) in [0, 1], full saturation, spread evenly over the circle of hues.

    >>> hues(3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    turn = np.arange(classes)[:, None] / classes - np.array([0.0, 1 / 3, 2 / 3])
    distance = np.abs(turn - np.rint(turn))  # on a circle of length 1
    colors: Array = np.clip(2 - 6 * distance, 0.0, 1.0)
    return colors


def _part(split: str, seed: int, given: Dataset | None, published: Callable[[str], Dataset]) -> Dataset:
    """The images of a split without the shortcut: disjoint, whatever is given."""
    choice(split, "split", SHORTCUT_SPLITS)
    order_of = _generator(seed, "train", 0).permutation
    if given is not None:
        order = order_of(len(given))
        cuts = [round(len(given) * share) for share in ((1 - _HELD_OUT) ** 2, 1 - _HELD_OUT)]
        parts = dict(zip(SHORTCUT_SPLITS, np.split(order, cuts), strict=True))
        if not len(parts[split]):
            raise InvalidArgument(f"{len(given)} images leave none for {split!r}; want more")
        return given.subset(parts[split])
    if split == "test":
        return published("test")
    whole = published("train")
    order = order_of(len(whole))
    cut = round(len(whole) * (1 - _HELD_OUT))
    return whole.subset(order[:cut] if split == "train" else order[cut:])


def _generator(seed: int, split: str, stream: int) -> np.random.Generator:
    return np.random.default_rng(
        (integer(seed, "seed", minimum=0), _STREAM[choice(split, "split", SHORTCUT_SPLITS)], stream)
    )


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
