"""Cluttered MNIST: a digit somewhere among pieces of other digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeInt, PositiveInt, Seed, validated
from infoflow.data.dataset import Dataset
from infoflow.data.mnist import mnist
from infoflow_reproductions.datasets.cache import Arrays, cached

SIZE = 96
PIECE = 8
_BLOCK = 1000
_SAMPLES = {"train": 50_000, "test": 10_000}


@validated
def cluttered_mnist(
    split: Literal["train", "test"] = "train",
    *,
    samples: PositiveInt | None = None,
    distractors: NonNegativeInt = 21,
    seed: Seed = 0,
    root: str | Path | None = None,
    cache: str | Path | None = None,
) -> Dataset:
    """Generate cluttered MNIST: 96×96 images of one whole digit among pieces of other digits.

    Parameters
    ----------
    split : {"train", "test"}
        Part of MNIST from which digits and pieces are taken.
    samples
        Number of images, by default 50000 for training and 10000 for testing. Fewer are the first of the same images.
    distractors
        Number of pieces in each image.
    seed
        Seed of everything that is drawn.
    root
        Folder that holds MNIST (see `mnist`).
    cache
        Folder of generated data, by default `cache_folder()`.

    Returns
    -------
    Dataset
        Inputs (n, 96, 96) uint8, labels (n,) uint8, scale 255. `factors["box"]` (n, 4) int64 is the 28×28 frame of the
        digit: top, left, bottom, right (exclusive).

    Raises
    ------
    MissingData
        If MNIST is not found.
    BrokenStore
        If a file of MNIST is damaged.
    InvalidArgument
        If a number is out of range; `UnknownName` if there is no such split.

    Notes
    -----
    Each image is the sum, clipped at 255, of one 28×28 digit and `distractors` 8×8 crops at random positions of random
    digits, all at uniformly random places. Training images use 50000 digits of MNIST's training set once each and
    pieces of these; test images use the 10000 test digits. Images are generated once, then read from the cache.

    References
    ----------
    Mnih, Heess, Graves, Kavukcuoglu: Recurrent models of visual attention (2014), section 4.1.
    Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), section 8, for the size of the images and
    the number of pieces.

    Examples
    --------
    >>> cluttered_mnist("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no t10k-images-idx3-ubyte (or .gz) in /nowhere/MNIST/raw. ...
    """
    count = _SAMPLES[split] if samples is None else samples
    if count > _SAMPLES[split]:
        raise InvalidArgument("samples", f"at most {_SAMPLES[split]}, the size of the {split} set", samples)
    digits = mnist(split, root=root)
    made = cached(
        f"cluttered-mnist-{split}",
        {"version": 1, "samples": count, "distractors": distractors, "seed": seed, "digits": digits.digest},
        lambda: clutter(digits.inputs, digits.labels, count, distractors=distractors, seed=seed),
        cache,
    )
    return Dataset(
        "cluttered-mnist",
        made["images"],
        made["labels"],
        classes=10,
        scale=255.0,
        source=f"generated from MNIST's {split} set: {count} images, {distractors} distractors, seed {seed}",
        factors={"box": made["box"]},
    )


def clutter(
    digits: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    samples: int,
    *,
    distractors: int = 21,
    size: int = SIZE,
    piece: int = PIECE,
    seed: int = 0,
) -> Arrays:
    """Place square digits among pieces of other digits.

    Parameters
    ----------
    digits : ndarray of shape (n, w, w)
        Square digits, uint8.
    labels : ndarray of shape (n,)
        Their classes.
    samples
        Number of images, at most n: each digit is used once at most.
    distractors
        Number of pieces in each image.
    size
        Side of the images in pixels.
    piece
        Side of the pieces in pixels.
    seed
        Seed of everything that is drawn.

    Returns
    -------
    dict
        "images" (samples, size, size) uint8, "labels" (samples,) and "box" (samples, 4): top, left, bottom, right.

    Raises
    ------
    InvalidArgument
        If there are more samples than digits, or pieces, digits and images do not fit into each other.

    Notes
    -----
    Each block of 1000 samples has random numbers of its own, so that fewer samples are a prefix of more.

    Examples
    --------
    >>> made = clutter(np.full((5, 12, 12), 200, np.uint8), np.arange(5), 3, size=32)
    >>> made["images"].shape, np.diff(made["box"][:, [0, 2]]).ravel().tolist()
    ((3, 32, 32), [12, 12, 12])
    """
    if samples > len(digits):
        raise InvalidArgument("samples", f"at most the number of digits ({len(digits)})", samples)
    width = digits.shape[-1]
    if not piece <= width <= size:
        raise InvalidArgument(
            f"piece, width of the digits and size must be in increasing order, got {piece}, {width} and {size} pixels."
        )
    order = np.random.default_rng(seed).permutation(len(digits))[:samples]
    images = np.empty((samples, size, size), np.uint8)
    box = np.empty((samples, 4), np.int64)
    for block in range(0, samples, _BLOCK):
        chosen = order[block : block + _BLOCK]
        rng = np.random.default_rng((seed, block))
        # Whole blocks are drawn even if fewer samples are needed, so that fewer samples are a prefix of more.
        sources = rng.integers(0, len(digits), (_BLOCK, distractors))
        crops = rng.integers(0, width - piece + 1, (2, _BLOCK, distractors))
        places = rng.integers(0, size - piece + 1, (2, _BLOCK, distractors))
        corner = rng.integers(0, size - width + 1, (2, _BLOCK))[:, : len(chosen)]
        canvas = np.zeros((len(chosen), size, size), np.uint16)
        each, cells = np.arange(len(chosen)), np.arange(piece)
        for d in range(distractors):
            cut_y, cut_x, put_y, put_x = (
                v[: len(chosen), d, None] + cells for v in (crops[0], crops[1], places[0], places[1])
            )
            pieces = digits[sources[: len(chosen), d, None, None], cut_y[:, :, None], cut_x[:, None, :]]
            canvas[each[:, None, None], put_y[:, :, None], put_x[:, None, :]] += pieces
        rows, columns = (corner[axis][:, None] + np.arange(width) for axis in (0, 1))
        canvas[each[:, None, None], rows[:, :, None], columns[:, None, :]] += digits[chosen]
        images[block : block + len(chosen)] = np.minimum(canvas, 255)
        box[block : block + len(chosen)] = np.stack([*corner, *(corner + width)], 1)
    return {"images": images, "labels": np.asarray(labels)[order], "box": box}
