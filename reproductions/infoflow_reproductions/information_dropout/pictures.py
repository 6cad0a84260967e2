"""The images of the experiments: real ones, and small stand-ins that need no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.data import Dataset, cifar10, digits, mnist, split
from infoflow.data.cluttered import clutter, cluttered_mnist
from infoflow.data.occluded import occlude, occluded_cifar
from infoflow_reproductions.datasets.whitening import Whitening


@dataclass(frozen=True, eq=False)
class Part:
    """Images (n, C, S, S) as the networks take them, their classes (n,), and further factors by name."""

    x: Tensor
    y: Tensor
    factors: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    def first(self, n: int) -> Part:
        """The first n (or all, where there are fewer)."""
        return Part(self.x[:n], self.y[:n], {name: factor[:n] for name, factor in self.factors.items()})


class Pictures(NamedTuple):
    """What is trained on, what settings are chosen by, and what is reported."""

    train: Part
    held_out: Part
    test: Part


def _toy_digits(part: str) -> Dataset:
    parts = split(digits(), seed=0)
    chosen = parts.train if part == "train" else parts.test
    bytes_ = np.rint(chosen.inputs * (255 / chosen.scale)).astype(np.uint8)
    return Dataset("toy-digits", bytes_, chosen.labels, classes=10, scale=255.0, source=chosen.source)


def _toy_cluttered(part: str) -> Dataset:
    base = _toy_digits(part)
    made = clutter(base.inputs, base.labels, len(base), distractors=4, size=24, piece=3)
    return Dataset("toy-cluttered", made["images"], made["labels"], 10, 255.0, base.source, {"box": made["box"]})


def _toy_colors(part: str) -> Dataset:
    """The digit of each image enlarged to 16×16, in a color of its class."""
    base = _toy_digits(part)
    large = base.inputs.repeat(2, axis=1).repeat(2, axis=2).astype(float)
    tint = np.random.default_rng(0).uniform(0.2, 1, (10, 3))[base.labels]
    images = (large[:, None] * tint[:, :, None, None]).astype(np.uint8)
    return Dataset("toy-colors", images, base.labels, classes=10, scale=255.0, source=base.source)


def _toy_occluded(part: str) -> Dataset:
    base, over = _toy_colors(part), _toy_digits(part)
    made = occlude(base.inputs, over.inputs, over.labels)
    return Dataset("toy-occluded", made["images"], base.labels, 10, 255.0, base.source, {"nuisance": made["nuisance"]})


_TOYS = {
    "toy-digits": _toy_digits,
    "toy-cluttered": _toy_cluttered,
    "toy-colors": _toy_colors,
    "toy-occluded": _toy_occluded,
}
_REAL = {
    "mnist": mnist,
    "cifar10": cifar10,
    "cluttered-mnist": cluttered_mnist,
    "occluded-cifar": occluded_cifar,
}
DATA = (*_REAL, *_TOYS)
"""Names that `pictures` knows; the toys are made of scikit-learn's digits."""


@lru_cache(maxsize=2)
def pictures(
    data: str, samples: int, held_out: int = 0, *, pool: int = 1, whiten: bool = False, root: Path | None = None
) -> Pictures:
    """The first `samples` of the training set in an order that is always the same, the next `held_out`, and the test
    set.

    Images are averaged over `pool`×`pool` pixels. `whiten`: contrast-normalized, then ZCA learned on the `samples`
    alone; otherwise pixels lie in [0, 1].

    Raises UnknownName, MissingData, BrokenStore, InvalidArgument (more samples than there are).

    >>> parts = pictures("toy-occluded", 1000, 200, whiten=True)
    >>> parts.train.x.shape, len(parts.held_out), sorted(parts.test.factors)
    (torch.Size([1000, 3, 16, 16]), 200, ['nuisance'])
    """
    choice(data, "data", DATA)
    integer(samples, "samples")
    integer(held_out, "held_out", minimum=0)
    integer(pool, "pool")
    if data in _TOYS:
        whole, test = _TOYS[data]("train"), _TOYS[data]("test")
    else:
        whole, test = (_REAL[data](part, root=root) for part in ("train", "test"))
    if samples + held_out > len(whole):
        raise InvalidArgument(
            f"samples {samples} and held_out {held_out} are more than the {len(whole)} training images of {data}"
        )
    order = np.random.default_rng(0).permutation(len(whole))[: samples + held_out]
    sets = [_pooled(whole.subset(order[:samples]), pool)]
    sets.append(_pooled(whole.subset(order[samples:]), pool) if held_out else sets[0])
    sets.append(_pooled(test, pool))
    whitening = None
    if whiten:  # of stand-ins it takes no time, and nothing of theirs belongs into the user's cache
        whitening = Whitening.learn(sets[0].inputs) if data in _TOYS else Whitening.of(sets[0])
    parts = [_part(one, whitening) for one in sets]
    if not held_out:
        parts[1] = parts[0].first(0)
    return Pictures(*parts)


def _pooled(data: Dataset, pool: int) -> Dataset:
    """Averages over blocks of pixels, as bytes again."""
    images, _ = data.images()
    if pool == 1:
        inputs = np.asarray(data.inputs).reshape(images.shape)
    else:
        inputs = (functional.avg_pool2d(images, pool) * 255).round().to(torch.uint8).numpy()
    return Dataset(data.name, inputs, data.labels, data.classes, 255.0, data.source, data.factors)


def _part(data: Dataset, whitening: Whitening | None) -> Part:
    images, labels = data.images()
    factors = {name: torch.from_numpy(np.asarray(factor)) for name, factor in data.factors.items()}
    return Part(images if whitening is None else whitening(data.inputs), labels, factors)
