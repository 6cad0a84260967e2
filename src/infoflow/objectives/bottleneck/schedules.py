"""How β goes with the training steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument


class Schedule(Protocol):
    """β as a function of the number of training steps taken, 0-d tensor to 0-d tensor."""

    def __call__(self, step: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class WarmUp:
    """β grows in a straight line from 0 at step `start` to `beta` after `steps` more, and stays.

    Without it a network may close all its channels before it has learnt what to send. Raises InvalidArgument.
    (Sønderby et al. 2016, arXiv 1602.02282.)

    >>> [float(WarmUp(2.0, steps=4)(torch.tensor(step))) for step in (0, 1, 4, 9)]
    [0.0, 0.5, 2.0, 2.0]
    """

    beta: float
    steps: int
    start: int = 0

    def __post_init__(self) -> None:
        positive(self.beta, "beta", zero=True)
        integer(self.steps, "steps")
        integer(self.start, "start", minimum=0)

    def __call__(self, step: Tensor) -> Tensor:
        """β at this step."""
        return self.beta * ((step - self.start) / self.steps).clamp(0.0, 1.0)


@dataclass(frozen=True)
class Cyclical:
    """β grows from 0 to `beta` within the first `ramp` of every `period` steps, stays for the rest, and starts again.

    Raises InvalidArgument. (Fu et al. 2019, arXiv 1903.10145, section 3.)

    >>> [float(Cyclical(1.0, period=4)(torch.tensor(step))) for step in range(6)]
    [0.0, 0.5, 1.0, 1.0, 0.0, 0.5]
    """

    beta: float
    period: int
    ramp: float = 0.5

    def __post_init__(self) -> None:
        positive(self.beta, "beta", zero=True)
        integer(self.period, "period")
        if not 0 < positive(self.ramp, "ramp") <= 1:
            raise InvalidArgument(f"ramp is {self.ramp!r}; want a share of the period, in (0, 1]")

    def __call__(self, step: Tensor) -> Tensor:
        """β at this step."""
        return self.beta * (torch.remainder(step, self.period) / (self.period * self.ramp)).clamp(max=1.0)


@dataclass(frozen=True)
class Geometric:
    """β goes from `first` to `last` within `steps`, by the same factor each step, and stays: annealing.

    One run then sees every trade-off in turn. Raises InvalidArgument for a β that isn't > 0.

    >>> [round(float(Geometric(1.0, 0.01, steps=2)(torch.tensor(step))), 4) for step in range(4)]
    [1.0, 0.1, 0.01, 0.01]
    """

    first: float
    last: float
    steps: int

    def __post_init__(self) -> None:
        positive(self.first, "first")
        positive(self.last, "last")
        integer(self.steps, "steps")

    def __call__(self, step: Tensor) -> Tensor:
        """β at this step."""
        share = (step / self.steps).clamp(max=1.0)
        return self.first * (share * math.log(self.last / self.first)).exp()
