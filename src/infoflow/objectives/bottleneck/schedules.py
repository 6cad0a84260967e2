"""Schedules of β over the training steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Protocol

import torch
from torch import Tensor

from infoflow.core.settings import NonNegativeFloat, NonNegativeInt, Number, PositiveFloat, PositiveInt, Settings


class Schedule(Protocol):
    """β as a function of the number of training steps taken, 0-d tensor to 0-d tensor."""

    def __call__(self, step: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class WarmUp(Settings):
    """Linear growth of β from 0, after which it stays constant.

    Parameters
    ----------
    beta
        Final value.
    steps
        Number of steps in which β grows.
    start
        Step at which it starts to grow.

    Raises
    ------
    InvalidArgument
        If a parameter is out of range.

    Notes
    -----
    Without a warm-up a network may close its channels before it has learned what to transmit.

    References
    ----------
    Sønderby et al. (2016), Ladder variational autoencoders, arXiv 1602.02282.

    Examples
    --------
    >>> [float(WarmUp(2.0, steps=4)(torch.tensor(step))) for step in (0, 1, 4, 9)]
    [0.0, 0.5, 2.0, 2.0]
    """

    beta: NonNegativeFloat
    steps: PositiveInt
    start: NonNegativeInt = 0

    def __call__(self, step: Tensor) -> Tensor:
        """Compute β at a step."""
        return self.beta * ((step - self.start) / self.steps).clamp(0.0, 1.0)


@dataclass(frozen=True)
class Cyclical(Settings):
    """Growth of β from 0 in every period.

    Parameters
    ----------
    beta
        Value after each growth.
    period
        Number of steps after which β starts from 0 again.
    ramp
        Share of the period in which β grows.

    Raises
    ------
    InvalidArgument
        If a parameter is out of range.

    References
    ----------
    Fu et al. (2019), Cyclical annealing schedule, arXiv 1903.10145, section 3.

    Examples
    --------
    >>> [float(Cyclical(1.0, period=4)(torch.tensor(step))) for step in range(6)]
    [0.0, 0.5, 1.0, 1.0, 0.0, 0.5]
    """

    beta: NonNegativeFloat
    period: PositiveInt
    ramp: Annotated[float, Number(0, 1, open_low=True)] = 0.5

    def __call__(self, step: Tensor) -> Tensor:
        """Compute β at a step."""
        return self.beta * (torch.remainder(step, self.period) / (self.period * self.ramp)).clamp(max=1.0)


@dataclass(frozen=True)
class Geometric(Settings):
    """Change of β by a constant factor per step, after which it stays constant.

    Parameters
    ----------
    first
        Value at step 0.
    last
        Final value.
    steps
        Number of steps in which β changes.

    Raises
    ------
    InvalidArgument
        If a parameter is out of range.

    Notes
    -----
    One training run then passes through every trade-off in turn.

    Examples
    --------
    >>> [round(float(Geometric(1.0, 0.01, steps=2)(torch.tensor(step))), 4) for step in range(4)]
    [1.0, 0.1, 0.01, 0.01]
    """

    first: PositiveFloat
    last: PositiveFloat
    steps: PositiveInt

    def __call__(self, step: Tensor) -> Tensor:
        """Compute β at a step."""
        share = (step / self.steps).clamp(max=1.0)
        return self.first * (share * math.log(self.last / self.first)).exp()
