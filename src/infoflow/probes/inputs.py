"""Checked inputs of the probes: data for an encoder, and features with labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import classes, paired, samples
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.data import Dataset, Split
from infoflow.training import usable_device

Prepare = Callable[[Tensor], Tensor]


def as_tensor(value: Any) -> Tensor:
    """Array-like as a detached tensor of its own type.

    >>> as_tensor([[1, 2]]).shape
    torch.Size([1, 2])
    """
    return value.detach() if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))


def as_inputs(value: Any, part: str, minimum: int = 1) -> Tensor:
    """At least `minimum` inputs (n, ...) of an encoder; `part` is "train" or "test".

    >>> as_inputs([[1, 2]], "train").shape
    torch.Size([1, 2])
    """
    inputs = as_tensor(value)
    if inputs.ndim < 1 or len(inputs) < minimum:
        wanted = f"at least {minimum} sample{'s' * (minimum > 1)}, of shape (n, ...)"
        raise TooFewSamples(f"{part} inputs", wanted, inputs)
    return inputs


def labels_of(inputs: Tensor, labels: Any, part: str, what: str = "features") -> Tensor:
    """Classes (n,) int64, as they are numbered, one for each of the inputs (n, ...); `part` is "train" or "test".

    >>> labels_of(torch.zeros(2, 3), [[7], [3]], "train").tolist()
    [7, 3]
    """
    classes(labels, f"{part} labels")
    y = as_tensor(labels).reshape(-1).to(inputs.device, torch.int64)
    paired(inputs, y, f"{part} {what}", f"{part} labels")
    return y


def both_features(train_x: Any, test_x: Any, minimum: int = 1) -> tuple[Tensor, Tensor]:
    """Features (n, d) and (m, d) float32, at least `minimum` to train on.

    >>> both_features([[1, 2]], [[3, 4], [5, 6]])[1].shape
    torch.Size([2, 2])
    """
    x = samples(train_x, "train features", minimum=minimum, dtype=torch.float32)
    report = samples(test_x, "test features", minimum=1, dtype=torch.float32)
    if x.shape[1] != report.shape[1]:
        wanted = f"of as many columns as the train features ({x.shape[1]})"
        raise InvalidArgument("test features", wanted, report.shape[1])
    return x, report


def coded(train_y: Tensor, test_y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both labels as codes 0..C-1, and how many training samples each of the C classes has.

    >>> coded(torch.tensor([3, 7, 7]), torch.tensor([9]))
    (tensor([0, 1, 1]), tensor([2]), tensor([1, 2, 0]))
    """
    known, codes = torch.unique(torch.cat([train_y, test_y]), return_inverse=True)
    train, test = codes[: len(train_y)], codes[len(train_y) :]
    counts = torch.bincount(train, minlength=len(known))
    if int((counts > 0).sum()) < 2:
        got = f"class {known[counts > 0].tolist()[0]} only"
        raise InvalidArgument("train labels", "of at least two classes", got_text=got)
    return train, test, counts


@dataclass(frozen=True)
class Problem:
    """Features (n, d) float32 and classes (n,) 0..C-1, to train on and to test on.

    >>> problem = Problem.of([[0.0], [1.0], [2.0]], [3, 7, 7], [[0.5], [2.0]], [7, 7])
    >>> problem.train_y.tolist(), problem.test_y.tolist(), problem.classes
    ([0, 1, 1], [1, 1], 2)
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: int
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> Problem:
        """Check the four, and flatten maps; raises `InvalidArgument` or `TooFewSamples`."""
        fit_x, report_x = both_features(train_x, test_x)
        report_x = report_x.to(fit_x.device)
        fit_y, report_y, counts = coded(labels_of(fit_x, train_y, "train"), labels_of(report_x, test_y, "test"))
        present = int((counts > 0).sum())
        if len(fit_x) < present + 1:
            raise TooFewSamples("train features", f"more samples than classes ({present})", len(fit_x))
        cautions: tuple[str, ...] = ()
        if present < len(counts):
            unseen = int((counts == 0)[report_y].sum())
            cautions += (
                f"{len(counts) - present} of {len(counts)} classes are in the test labels only, so {unseen} of "
                f"{len(report_x)} test samples cannot be predicted. Include every class in the training labels.",
            )
        if bool((fit_x.amax(0) == fit_x.amin(0)).all()):
            cautions += (
                "Every feature is constant over the training samples: the representation has collapsed, so the "
                "accuracy is that of a constant prediction. Check the encoder.",
            )
        return cls(fit_x, fit_y, report_x, report_y, len(counts), cautions)

    def on(self, device: str) -> Problem:
        """The same on another device; raises `InvalidArgument` if the device cannot be used."""
        where = usable_device(device)
        moved = {name: getattr(self, name).to(where) for name in ("train_x", "train_y", "test_x", "test_y")}
        return replace(self, **moved)

    def standardized(self) -> Problem:
        """Both sets in units of the training set's mean and standard deviation; constant columns become 0."""
        deviation, mean = torch.std_mean(self.train_x, dim=0, correction=0)
        # Rounding makes the deviation of a constant column tiny instead of 0.
        flat = deviation <= 1e-6 * mean.abs()
        scale = torch.where(flat, 0.0, 1 / torch.where(flat, 1.0, deviation))
        return replace(self, train_x=(self.train_x - mean).mul_(scale), test_x=(self.test_x - mean).mul_(scale))


@dataclass(frozen=True)
class Material:
    """Inputs (n, ...) of an encoder, before `prepare`, and classes (n,), to train probes and to test.

    >>> from infoflow.data import digits, split
    >>> material = Material.of(split(digits()))
    >>> tuple(material.train_x.shape), material.has_images
    ((1437, 1, 8, 8), True)
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor

    @classmethod
    def of(cls, data: Any) -> Material:
        """From a `Split` (images in [0, 1], other inputs as `Dataset.tensors`) or ((x, y), (x, y)), train and test."""
        if isinstance(data, Split):
            return cls(*_tensors(data.train), *_tensors(data.test))
        try:
            (train_x, train_y), (test_x, test_y) = data
        except (TypeError, ValueError):
            forms = "a Split, or ((train_x, train_y), (test_x, test_y))"
            raise InvalidArgument("data", forms, got_text=type(data).__name__) from None
        return cls(*_pair(train_x, train_y, "train"), *_pair(test_x, test_y, "test"))

    @property
    def has_images(self) -> bool:
        """Whether the inputs are (n, 1 or 3, H, W)."""
        return self.train_x.ndim == 4 and self.train_x.shape[1] in (1, 3)

    def prepared(self, prepare: Prepare | None) -> tuple[Tensor, Tensor]:
        """Both inputs in the form that the encoder takes."""
        if prepare is None:
            return self.train_x, self.test_x
        return prepare(self.train_x), prepare(self.test_x)


def _tensors(dataset: Dataset) -> tuple[Tensor, Tensor]:
    return dataset.images() if dataset.inputs.ndim in (3, 4) else dataset.tensors()


def _pair(x: Any, y: Any, part: str) -> tuple[Tensor, Tensor]:
    inputs = as_inputs(x, part)
    return inputs, labels_of(inputs, y, part, "inputs")
