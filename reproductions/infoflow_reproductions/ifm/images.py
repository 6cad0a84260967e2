"""The images of a trial: digits on textures, split into three parts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import choice
from infoflow.data import Dataset, digits
from infoflow_reproductions.datasets.shifted_mnist import shifted_mnist
from infoflow_reproductions.datasets.textures import procedural_textures
from infoflow_reproductions.harness.data import pooled

SOURCES = ("shifted-mnist", "digits")


class Part(NamedTuple):
    """Images (n, 3, size, size) of type uint8 and both labels (n,)."""

    x: Tensor
    digit: Tensor
    texture: Tensor


class Images(NamedTuple):
    """Parts to train on, to choose epochs by and to report."""

    train: Part
    validation: Part
    test: Part
    source: str = ""
    """What digits and textures were made from."""


@functools.lru_cache(maxsize=2)
def images(
    source: str, seed: int, size: int, counts: tuple[int, int, int], root: Path | None = None, texture_side: int = 64
) -> Images:
    """Return the first images of each part of shifted MNIST, whose split and textures depend on `seed`.

    The `source` "digits" replaces MNIST by scikit-learn's digits on generated textures, which require no files. A
    `size` below 32 averages over blocks of pixels.

    >>> parts = images("digits", 0, 16, (100, 50, 50))
    >>> parts.train.x.shape, bool((parts.train.digit == parts.train.texture).all())
    (torch.Size([100, 3, 16, 16]), True)
    """
    choice(source, "source", SOURCES)
    given: dict[str, Any] = {"root": root, "texture_side": texture_side}
    if source == "digits":
        given = {"digits": digits(), "textures": procedural_textures(seed=seed)}
    names: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation", "test")
    made = [shifted_mnist(name, seed=seed, **given) for name in names]
    parts = [_first(data, count, size) for data, count in zip(made, counts, strict=True)]
    return Images(parts[0], parts[1], parts[2], made[0].source)


def _first(data: Dataset, count: int, size: int) -> Part:
    inputs = torch.from_numpy(np.ascontiguousarray(data.inputs[:count]))
    if size < inputs.shape[-1]:
        inputs = pooled(inputs, inputs.shape[-1] // size)
    factors = (torch.from_numpy(data.factors[name][:count]) for name in ("digit", "texture"))
    return Part(inputs, *factors)


def prepared(x: Tensor) -> Tensor:
    """Return pixels (uint8) scaled to [−2, 2].

    >>> prepared(torch.tensor([0, 255], dtype=torch.uint8)).tolist()
    [-2.0, 2.0]
    """
    return x.float().div(127.5).sub(1).mul(2)
