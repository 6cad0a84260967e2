"""What the estimators around another estimator share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, is_classes, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Settings
from infoflow.estimators.registry import resolve


@dataclass(frozen=True)
class Wrapper(Settings):
    """Base of the estimators around another one, given by name ("ksg", "ksg:k=5") or as an object."""

    estimator: str | Estimator = "ksg"

    def __post_init__(self) -> None:
        super().__post_init__()
        resolve(self.estimator)

    @property
    def inner(self) -> Any:
        """The estimator inside."""
        return resolve(self.estimator)

    def _parameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def samples_or_classes(value: Any, name: str) -> Tensor:
    """Samples (n, d) in float64, or the codes (n,) of classes."""
    if is_classes(value):
        return classes(value, name, minimum=2)[0]
    return samples(value, name, dtype=torch.float64)


def required_inputs(x: Any, quantity: str) -> Any:
    """The network's inputs, or InvalidArgument where they are missing."""
    if x is None:
        raise InvalidArgument("x", "the network's inputs of shape (n, ...)", x, remedy=f"{quantity} needs them.")
    return x


def gathered(estimates: Sequence[Estimate], what: str) -> tuple[str, ...]:
    """One warning for each cause, recognized by its first words, with the number of estimates that carry it."""
    first: dict[str, str] = {}
    count: dict[str, int] = {}
    for estimate in estimates:
        for warning in estimate.warnings:
            cause = " ".join(warning.split()[:3])
            first.setdefault(cause, warning)
            count[cause] = count.get(cause, 0) + 1
    return tuple(f"in {count[cause]} of {len(estimates)} {what}: {text}" for cause, text in first.items())
