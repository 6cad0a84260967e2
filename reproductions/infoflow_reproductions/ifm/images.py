"""The images of a trial: digits on textures, the three parts of one draw."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.checks import choice
from infoflow.data import Dataset, digits, procedural_textures, shifted_mnist

SOURCES = ("shifted-mnist", "digits")


class Part(NamedTuple):
    """Images (n, 3, size, size) uint8 and both labels (n,)."""

    x: Tensor
    digit: Tensor
    texture: Tensor


class Images(NamedTuple):
    """What is trained on, selected by and reported."""

    train: Part
    validation: Part
    test: Part


@functools.lru_cache(maxsize=2)
def images(
    source: str, seed: int, size: int, counts: tuple[int, int, int], root: Path | None = None, texture_side: int = 64
) -> Images:
    """The first images of each part of shifted MNIST, its split and textures drawn by `seed`.

    `source` "digits" makes it of scikit-learn's digits on generated textures, which are always at hand. A `size` below
    32 is a mean over blocks of pixels.

    >>> parts = images("digits", 0, 16, (100, 50, 50))
    >>> parts.train.x.shape, bool((parts.train.digit == parts.train.texture).all())
    (torch.Size([100, 3, 16, 16]), True)
    """
    choice(source, "source", SOURCES)
    given: dict[str, Any] = {"root": root, "texture_side": texture_side}
    if source == "digits":
        given = {"digits": digits(), "textures": procedural_textures(seed=seed)}
    names = ("train", "validation", "test")
    parts = [
        _first(shifted_mnist(name, seed=seed, **given), count, size) for name, count in zip(names, counts, strict=True)
    ]
    return Images(*parts)


def _first(data: Dataset, count: int, size: int) -> Part:
    inputs = torch.from_numpy(np.ascontiguousarray(data.inputs[:count]))
    if size < inputs.shape[-1]:
        inputs = F.avg_pool2d(inputs.float(), inputs.shape[-1] // size).round().to(torch.uint8)
    factors = (torch.from_numpy(data.factors[name][:count]) for name in ("digit", "texture"))
    return Part(inputs, *factors)


def prepared(x: Tensor) -> Tensor:
    """Pixels as numbers of about unit size.

    >>> prepared(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
    [-2.0, 2.0]
    """
    return x.float().div(127.5).sub(1).mul(2)
