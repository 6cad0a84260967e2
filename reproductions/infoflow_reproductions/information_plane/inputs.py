"""The samples that a variant trains on, and the probes that its plane is measured on."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument
from infoflow.data import Dataset, Split, load
from infoflow_reproductions.information_plane.recipe import Variant

Pair = tuple[Tensor, Tensor]

SMALLEST_IMAGE = 16
"""Smaller images are enlarged for convolutional networks, by repeating pixels."""


class Inputs(NamedTuple):
    """Training and test set, and the probes by name.

    "probe" is what the plane is measured on, "pairs" a part of it where it is too long for all pairs; "train" and
    "test" are equally many inputs of either set, so that their ceilings are the same.
    """

    train: Pair
    test: Pair
    probes: dict[str, Pair]
    classes: int

    def scored(self, count: int) -> dict[str, Pair]:
        """The first samples of both sets that losses and accuracies are computed on (all when 0)."""
        sets = {"train": self.train, "test": self.test}
        return {name: (x[: count or None], y[: count or None]) for name, (x, y) in sets.items()}


def inputs(variant: Variant, pairs: int, root: Path | None, *, images: bool, channels: int | None = None) -> Inputs:
    """Load what the variant needs: vectors (n, d), or images (n, C, S, S) for convolutional networks.

    Parameters
    ----------
    variant
        Names data set, classes, sizes and probe.
    pairs
        Number of inputs for estimators that compare all pairs.
    root
        Folder of the data sets; None searches the default folders.
    images
        Whether the network takes images.
    channels
        Number of channels that gray images are repeated to; None leaves them as they are.

    Returns
    -------
    Inputs
        Both sets and the probes.

    Raises
    ------
    MissingData
        If the data set does not exist.
    InvalidArgument
        If the variant names more samples than there are.

    Examples
    --------
    >>> found = inputs(Variant("szt"), 1000, None, images=False)
    >>> len(found.train[1]), len(found.probes["probe"][1]), len(found.probes["pairs"][1])
    (3276, 4096, 1000)
    """
    parts = _loaded(variant.data, variant.shuffled_split, str(root) if root is not None else None)
    train, test = (_classes_only(part, variant.classes) for part in (parts.train, parts.test))
    whole = Split(parts.name, train, test).whole
    if variant.size:
        train = _drawn(train, "size", variant.size)
    which = choice(variant.probe, "probe", ("all", "train", "test"))
    probe = {"train": train, "test": test, "all": whole}[which]
    if variant.probe_size:
        probe = _drawn(probe, "probe_size", variant.probe_size)

    def tensors(data: Dataset, count: int = 0) -> Pair:
        return _tensors(_drawn(data, "pairs", count or len(data)), images, channels)

    repeats = variant.repeats
    probes = {"probe": _repeated(tensors(probe), repeats)}
    if len(probe) * repeats > pairs:
        probes["pairs"] = _repeated(tensors(probe, max(2, pairs // repeats)), repeats)
    count = min(len(train), len(test), max(2, min(pairs, len(probe) * repeats) // repeats))
    for name, part in (("train", train), ("test", test)):
        probes[name] = _repeated(tensors(part, count), repeats)
    seen = _relabeled(train, variant.label_noise) if variant.label_noise else train
    return Inputs(tensors(seen), tensors(test), probes, len(variant.classes) or train.classes)


@lru_cache(maxsize=2)
def _loaded(name: str, shuffled: bool, root: str | None) -> Split:
    return load(name, root=root, split_seed=0 if shuffled or name != "szt" else None)


def _classes_only(data: Dataset, classes: tuple[int, ...]) -> Dataset:
    if not classes:
        return data
    part = data.subset(np.flatnonzero(np.isin(data.labels, classes)))
    labels = np.array([classes.index(int(label)) for label in part.labels])
    return Dataset(part.name, part.inputs, labels, len(classes), part.scale, part.source)


def _drawn(data: Dataset, argument: str, count: int) -> Dataset:
    """A random part that is the same in every call."""
    if count > len(data):
        raise InvalidArgument(argument, f"at most the number of samples ({len(data)})", count)
    if count == len(data):
        return data
    return data.subset(np.sort(np.random.default_rng(0).permutation(len(data))[:count]))


def _relabeled(data: Dataset, share: float) -> Dataset:
    """The same inputs with a part of the labels drawn anew, the same one in every call."""
    if not 0.0 <= share <= 1.0:
        raise InvalidArgument("label_noise", "between 0 and 1", share)
    rng = np.random.default_rng(0)
    anew = rng.permutation(len(data))[: round(share * len(data))]
    labels = data.labels.copy()
    labels[anew] = rng.integers(data.classes, size=len(anew))
    return replace(data, labels=labels)


def _tensors(data: Dataset, images: bool, channels: int | None) -> Pair:
    if not images:
        return data.tensors()
    x, y = data.images()
    times = -(-SMALLEST_IMAGE // x.shape[-1])
    x = x.repeat_interleave(times, 2).repeat_interleave(times, 3)
    return x if channels is None else x.expand(-1, channels, -1, -1), y


def _repeated(pair: Pair, times: int) -> Pair:
    return tuple(torch.repeat_interleave(part, times, dim=0) for part in pair) if times > 1 else pair  # type: ignore[return-value]
