"""What a data set is: inputs, class labels and where they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs of shape (n, ...) in their raw type, one class label 0..classes-1 each, and where they came from.

    `scale` is the raw value that becomes 1.0 in `tensors()`: 255 for 8-bit images. `factors` are further things known
    about each sample, by name, each of shape (n, ...): the class of a nuisance, the place of an object.

    Raises InvalidArgument when lengths differ, nothing is in it, or a label is no class.

    >>> data = Dataset("toy", np.array([[0, 16], [8, 4]], np.uint8), np.array([1, 0]), classes=2, scale=16.0)
    >>> len(data), data.tensors()[0].tolist()
    (2, [[0.0, 1.0], [0.5, 0.25]])
    """

    name: str
    inputs: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    classes: int
    scale: float = 1.0
    source: str = ""
    factors: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        inputs, labels = self.inputs, self.labels
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise InvalidArgument(
                f"labels has shape {labels.shape} and dtype {labels.dtype}; want integer classes, shape (n,)"
            )
        if inputs.ndim < 2 or inputs.dtype.kind not in "biuf":
            raise InvalidArgument(
                f"inputs has shape {inputs.shape} and dtype {inputs.dtype}; want real numbers, shape (n, ...)"
            )
        if len(inputs) != len(labels):
            raise InvalidArgument(f"inputs holds {len(inputs)} samples but labels holds {len(labels)}; want pairs")
        if inputs.size == 0:
            raise InvalidArgument(f"inputs has shape {inputs.shape}; want at least one sample and one feature")
        integer(self.classes, "classes")
        positive(self.scale, "scale")
        if labels.min() < 0 or labels.max() >= self.classes:
            raise InvalidArgument(
                f"labels lie in {labels.min()}..{labels.max()}; want 0..{self.classes - 1} for {self.classes} classes"
            )
        for name, factor in self.factors.items():
            if factor.dtype.kind not in "biuf" or factor.shape[:1] != labels.shape:
                raise InvalidArgument(
                    f"factor {name!r} has shape {factor.shape} and dtype {factor.dtype}; "
                    f"want numbers, one row for each of {len(labels)} samples"
                )

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of all arrays' bytes, types and shapes: which data an experiment saw."""
        sha = hashlib.sha256()
        for array in (self.inputs, self.labels, *(self.factors[name] for name in sorted(self.factors))):
            sha.update(f"{array.dtype.str}{array.shape}".encode())
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()

    def subset(self, indices: Sequence[int] | np.ndarray[Any, Any]) -> Dataset:
        """The samples at `indices`, in that order. Raises InvalidArgument for an index that isn't there."""
        chosen = np.asarray(indices)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or chosen.size == 0:
            raise InvalidArgument(
                f"indices has shape {chosen.shape} and dtype {chosen.dtype}; want integers, at least one"
            )
        if chosen.min() < 0 or chosen.max() >= len(self):
            raise InvalidArgument(f"indices lie in {chosen.min()}..{chosen.max()}; want 0..{len(self) - 1}")
        factors = {name: factor[chosen] for name, factor in self.factors.items()}
        return replace(self, inputs=self.inputs[chosen], labels=self.labels[chosen], factors=factors)

    def tensors(self, device: torch.device | str | None = None) -> tuple[Tensor, Tensor]:
        """Inputs / scale as float32 of shape (n, d), flattened, and int64 labels of shape (n,)."""
        flat = torch.from_numpy(self.inputs.reshape(len(self), -1).astype(np.float32))
        labels = torch.from_numpy(self.labels.astype(np.int64))
        return (flat / self.scale).to(device), labels.to(device)

    def images(self, device: torch.device | str | None = None) -> tuple[Tensor, Tensor]:
        """Inputs / scale as float32 images of shape (n, C, H, W), and int64 labels of shape (n,).

        Inputs of shape (n, H, W) are gray: C = 1. Raises InvalidArgument for other shapes.
        """
        shape = self.inputs.shape
        if len(shape) not in (3, 4):
            raise InvalidArgument(f"inputs of {self.name} has shape {shape}; want images, (n, H, W) or (n, C, H, W)")
        flat, labels = self.tensors(device)
        return flat.reshape(shape if len(shape) == 4 else (shape[0], 1, *shape[1:])), labels


@dataclass(frozen=True, eq=False)
class Split:
    """A data set cut into what is trained on and what is held out.

    >>> from infoflow.data import digits
    >>> parts = split(digits())
    >>> len(parts.train), len(parts.test), len(parts.whole)
    (1437, 360, 1797)
    """

    name: str
    train: Dataset
    test: Dataset

    @cached_property
    def whole(self) -> Dataset:
        """Train then test, in order."""
        return replace(
            self.train,
            inputs=np.concatenate([self.train.inputs, self.test.inputs]),
            labels=np.concatenate([self.train.labels, self.test.labels]),
            factors={
                name: np.concatenate([factor, self.test.factors[name]]) for name, factor in self.train.factors.items()
            },
        )


def split(dataset: Dataset, *, train_fraction: float = 0.8, seed: int | None = 0) -> Split:
    """Cuts a data set into its first ⌊n · train_fraction⌋ samples and the rest.

    With a `seed` the samples are shuffled first; with None they keep their order, as in the released code of
    Shwartz-Ziv and Tishby (2017), which trains on the first 80 % of the patterns.

    Raises InvalidArgument unless both parts hold samples.

    >>> from infoflow.data import szt
    >>> parts = split(szt(), seed=None)
    >>> len(parts.train), len(parts.test)
    (3276, 820)
    """
    cut = int(len(dataset) * positive(train_fraction, "train_fraction"))
    if not 0 < cut < len(dataset):
        raise InvalidArgument(
            f"train_fraction {train_fraction} trains on {cut} of {len(dataset)} samples; want some in both sets"
        )
    if seed is None:
        order = np.arange(len(dataset))
    else:
        order = np.random.default_rng(integer(seed, "seed", minimum=0)).permutation(len(dataset))
    return Split(dataset.name, dataset.subset(order[:cut]), dataset.subset(order[cut:]))
