"""The inputs and labels that an encoder is evaluated on, from a data set or from arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import classes, paired
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.data import Dataset, Split


@dataclass(frozen=True)
class Material:
    """Inputs (n, ...) as the encoder takes them, but for `prepare`, and classes (n,), to train probes and to test.

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
            raise InvalidArgument(
                f"data is a {type(data).__name__}; want a Split, or ((train_x, train_y), (test_x, test_y))"
            ) from None
        return cls(*_pair(train_x, train_y, "train"), *_pair(test_x, test_y, "test"))

    @property
    def has_images(self) -> bool:
        """Whether the inputs are (n, 1 or 3, H, W)."""
        return self.train_x.ndim == 4 and self.train_x.shape[1] in (1, 3)

    def prepared(self, prepare: Callable[[Tensor], Tensor] | None) -> tuple[Tensor, Tensor]:
        """Both inputs as the encoder sees them."""
        if prepare is None:
            return self.train_x, self.test_x
        return prepare(self.train_x), prepare(self.test_x)


def _tensors(dataset: Dataset) -> tuple[Tensor, Tensor]:
    return dataset.images() if dataset.inputs.ndim in (3, 4) else dataset.tensors()


def _pair(x: Any, y: Any, name: str) -> tuple[Tensor, Tensor]:
    inputs = x.detach() if isinstance(x, Tensor) else torch.as_tensor(np.asarray(x))
    classes(y, f"{name} labels")
    labels = torch.as_tensor(y if isinstance(y, Tensor) else np.asarray(y)).detach().reshape(-1).to(torch.int64)
    if inputs.ndim < 1 or not len(inputs):
        raise TooFewSamples(f"{name} inputs have shape {tuple(inputs.shape)}; want samples, shape (n, ...)")
    paired(inputs, labels, f"{name} inputs", f"{name} labels")
    return inputs, labels
