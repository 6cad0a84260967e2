"""Data sets: inputs, class labels, and where they came from."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, Settings, validated


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Settings):
    """Inputs, one class label for each, and where they came from.

    Parameters
    ----------
    name
        Name of the data set.
    inputs : ndarray of shape (n, ...)
        Inputs in their raw type.
    labels : ndarray of shape (n,)
        Integer classes 0..classes-1.
    classes
        Number of classes.
    scale
        Raw value that becomes 1.0 in `tensors()`: 255 for 8-bit images.
    source
        Where the data came from.
    factors
        Further facts about each sample by name, each of shape (n, ...): the class of a nuisance, the place of an
        object.

    Raises
    ------
    InvalidArgument
        If lengths differ, the data set is empty, or a label is not a class.

    Examples
    --------
    >>> data = Dataset("toy", np.array([[0, 16], [8, 4]], np.uint8), np.array([1, 0]), classes=2, scale=16.0)
    >>> data
    Dataset('toy', 2 samples, uint8 of shape (2,), 2 classes)
    >>> data.tensors()[0].tolist()
    [[0.0, 1.0], [0.5, 0.25]]
    """

    name: str
    inputs: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    classes: PositiveInt
    scale: PositiveFloat = 1.0
    source: str = ""
    factors: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        inputs, labels = self.inputs, self.labels
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise InvalidArgument("labels", "integer classes, shape (n,)", labels)
        if inputs.ndim < 2 or inputs.dtype.kind not in "biuf":
            raise InvalidArgument("inputs", "real numbers, shape (n, ...)", inputs)
        if len(inputs) != len(labels):
            raise InvalidArgument(
                f"inputs and labels must hold the same number of samples, got {len(inputs)} and {len(labels)}."
            )
        if inputs.size == 0:
            raise InvalidArgument("inputs", "at least one sample and one feature", inputs)
        if labels.min() < 0 or labels.max() >= self.classes:
            raise InvalidArgument(
                "labels",
                f"in 0..{self.classes - 1} for {self.classes} classes",
                got_text=f"{labels.min()}..{labels.max()}",
            )
        for name, factor in self.factors.items():
            if factor.dtype.kind not in "biuf" or factor.shape[:1] != labels.shape:
                raise InvalidArgument(
                    f"factor {name!r}", f"real numbers, a row for each of {len(labels)} samples", factor
                )

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} samples, {self._form})"

    def _repr_html_(self) -> str:
        return _html(repr(self), self.source)

    @property
    def _form(self) -> str:
        factors = f", factors {', '.join(self.factors)}" if self.factors else ""
        return f"{self.inputs.dtype} of shape {self.inputs.shape[1:]}, {self.classes} classes{factors}"

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the bytes, types and shapes of all arrays, which identifies the data of an experiment."""
        sha = hashlib.sha256()
        for array in (self.inputs, self.labels, *(self.factors[name] for name in sorted(self.factors))):
            sha.update(f"{array.dtype.str}{array.shape}".encode())
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()

    def subset(self, indices: Sequence[int] | np.ndarray[Any, Any]) -> Dataset:
        """Select samples.

        Parameters
        ----------
        indices : sequence of int, shape (m,)
            Indices 0..n-1 of the samples, in the order of the result.

        Returns
        -------
        Dataset
            These samples, with everything else as it is here.

        Raises
        ------
        InvalidArgument
            If there is no index, or one is out of range.
        """
        chosen = np.asarray(indices)
        if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or chosen.size == 0:
            raise InvalidArgument("indices", "integers, at least one, shape (m,)", chosen)
        if chosen.min() < 0 or chosen.max() >= len(self):
            raise InvalidArgument("indices", f"in 0..{len(self) - 1}", got_text=f"{chosen.min()}..{chosen.max()}")
        factors = {name: factor[chosen] for name, factor in self.factors.items()}
        return replace(self, inputs=self.inputs[chosen], labels=self.labels[chosen], factors=factors)

    def tensors(self, device: torch.device | str | None = None) -> tuple[Tensor, Tensor]:
        """Return flattened inputs and labels as tensors.

        Parameters
        ----------
        device
            Where the tensors are put; by default the CPU.

        Returns
        -------
        inputs : Tensor of shape (n, d)
            Inputs divided by `scale`, float32.
        labels : Tensor of shape (n,)
            Classes, int64.
        """
        flat = torch.from_numpy(self.inputs.reshape(len(self), -1).astype(np.float32))
        labels = torch.from_numpy(self.labels.astype(np.int64))
        return (flat / self.scale).to(device), labels.to(device)

    def images(self, device: torch.device | str | None = None) -> tuple[Tensor, Tensor]:
        """Return inputs as images, and labels, as tensors.

        Parameters
        ----------
        device
            Where the tensors are put; by default the CPU.

        Returns
        -------
        images : Tensor of shape (n, C, H, W)
            Inputs divided by `scale`, float32; C = 1 for inputs of shape (n, H, W).
        labels : Tensor of shape (n,)
            Classes, int64.

        Raises
        ------
        InvalidArgument
            If the inputs have another shape.
        """
        shape = self.inputs.shape
        if len(shape) not in (3, 4):
            raise InvalidArgument(
                f"inputs of {self.name}", "images (n, H, W) or (n, C, H, W)", got_text=f"shape {shape}"
            )
        flat, labels = self.tensors(device)
        return flat.reshape(shape if len(shape) == 4 else (shape[0], 1, *shape[1:])), labels


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """A data set in two parts, for training and for testing.

    Parameters
    ----------
    name
        Name of the data set.
    train, test
        The parts.

    Examples
    --------
    >>> from infoflow.data import digits
    >>> parts = split(digits())
    >>> parts
    Split('digits', train 1437, test 360, uint8 of shape (8, 8), 10 classes)
    >>> len(parts.whole)
    1797
    """

    name: str
    train: Dataset
    test: Dataset

    def __repr__(self) -> str:
        return f"Split({self.name!r}, train {len(self.train)}, test {len(self.test)}, {self.train._form})"

    def _repr_html_(self) -> str:
        return _html(repr(self), self.train.source)

    @cached_property
    def whole(self) -> Dataset:
        """Training samples, then test samples, in one data set."""
        return replace(
            self.train,
            inputs=np.concatenate([self.train.inputs, self.test.inputs]),
            labels=np.concatenate([self.train.labels, self.test.labels]),
            factors={
                name: np.concatenate([factor, self.test.factors[name]]) for name, factor in self.train.factors.items()
            },
        )


@validated
def split(dataset: Dataset, *, train_fraction: PositiveFloat = 0.8, seed: Seed | None = 0) -> Split:
    """Cut a data set into its first ⌊n · train_fraction⌋ samples and the rest.

    Parameters
    ----------
    dataset
        The whole data set.
    train_fraction
        Share of the samples for training.
    seed
        Seed of the order of the samples. None leaves the order as it is, as the released code of Shwartz-Ziv and
        Tishby (2017) does, which trains on the first 80 % of the patterns.

    Returns
    -------
    Split
        The two parts.

    Raises
    ------
    InvalidArgument
        If a part would be empty.

    Examples
    --------
    >>> from infoflow.data import szt
    >>> parts = split(szt(), seed=None)
    >>> len(parts.train), len(parts.test)
    (3276, 820)
    """
    cut = int(len(dataset) * train_fraction)
    if not 0 < cut < len(dataset):
        raise InvalidArgument(
            "train_fraction", f"a fraction that leaves samples of {len(dataset)} in both parts", train_fraction
        )
    order = np.arange(len(dataset)) if seed is None else np.random.default_rng(seed).permutation(len(dataset))
    return Split(dataset.name, dataset.subset(order[:cut]), dataset.subset(order[cut:]))


def _html(title: str, source: str) -> str:
    return f"<b>{html.escape(title)}</b><br>{html.escape(source)}"
