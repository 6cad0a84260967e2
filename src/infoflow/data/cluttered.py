"""Cluttered MNIST: a digit somewhere among pieces of other digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.data.cache import Arrays, cached
from infoflow.data.dataset import Dataset
from infoflow.data.mnist import SPLITS, mnist

SIZE = 96
DIGIT = 28
PIECE = 8
_BLOCK = 1000
_SAMPLES = {"train": 50_000, "test": 10_000}


def cluttered_mnist(
    split: str = "train",
    *,
    samples: int | None = None,
    distractors: int = 21,
    seed: int = 0,
    root: str | Path | None = None,
    cache: str | Path | None = None,
) -> Dataset:
    """Cluttered MNIST: 96×96 images, one whole digit at a uniformly random place among pieces of other digits.

    Each image is the sum, clipped at 255, of one 28×28 digit and `distractors` 8×8 crops at random places of random
    digits, each put at a uniformly random place. Training images use each of 50000 digits of MNIST's training set once
    (which ones is drawn from `seed`) and pieces of these; test images the 10000 test digits. Fewer `samples` are the
    first of the same images.

    Inputs (n, 96, 96) uint8, labels (n,) uint8, scale 255. `factors["box"]` (n, 4) int64 is the place of the digit's
    28×28 frame: top, left, bottom, right (exclusive). Generated once, then read from the cache (see
    `infoflow.data.cached`); `root` is where MNIST lies (see `mnist`).

    Raises MissingData or BrokenStore (MNIST), UnknownName (split), InvalidArgument (numbers out of range).

    Mnih, Heess, Graves, Kavukcuoglu: Recurrent models of visual attention (2014), section 4.1; the size and number as
    in Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), section 6.

    >>> cluttered_mnist("test", root="/nowhere")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no t10k-images-idx3-ubyte (or .gz) in /nowhere/MNIST/raw; ...
    """
    choice(split, "split", SPLITS)
    integer(distractors, "distractors", minimum=0)
    integer(seed, "seed", minimum=0)
    wanted = _SAMPLES[split] if samples is None else integer(samples, "samples")
    if wanted > _SAMPLES[split]:
        raise InvalidArgument(f"samples is {wanted}; the {split} set has {_SAMPLES[split]}")
    digits = mnist(split, root=root)
    made = cached(
        f"cluttered-mnist-{split}",
        {"version": 1, "samples": wanted, "distractors": distractors, "seed": seed, "digits": digits.digest},
        lambda: clutter(digits.inputs, digits.labels, wanted, distractors=distractors, seed=seed),
        cache,
    )
    return Dataset(
        "cluttered-mnist",
        made["images"],
        made["labels"],
        classes=10,
        scale=255.0,
        source=f"generated from MNIST's {split} set: {wanted} images, {distractors} distractors, seed {seed}",
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
    """Images (samples, size, size), labels and digit boxes (top, left, bottom, right) from square digits (n, w, w).

    Each of the first 1000, 2000, ... samples has random numbers of its own block, so fewer samples are a prefix of
    more. Raises InvalidArgument when there are more samples than digits, or they don't fit into the image.

    >>> made = clutter(np.full((5, 12, 12), 200, np.uint8), np.arange(5), 3, size=32)
    >>> made["images"].shape, np.diff(made["box"][:, [0, 2]]).ravel().tolist()
    ((3, 32, 32), [12, 12, 12])
    """
    if samples > len(digits):
        raise InvalidArgument(f"samples is {samples}, but there are {len(digits)} digits; want each used once at most")
    width = digits.shape[-1]
    if not piece <= width <= size:
        raise InvalidArgument(f"pieces of {piece}, digits of {width} and images of {size} pixels don't fit")
    order = np.random.default_rng(seed).permutation(len(digits))[:samples]
    images = np.empty((samples, size, size), np.uint8)
    box = np.empty((samples, 4), np.int64)
    for block in range(0, samples, _BLOCK):
        chosen = order[block : block + _BLOCK]
        rng = np.random.default_rng((seed, block))
        # Whole blocks are drawn even where fewer are wanted, so that these come out the same.
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
