"""What the bottleneck's objectives share: β and its schedule, the label's cross-entropy, the data's likelihood."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import choice, integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.bottleneck.schedules import Schedule
from infoflow.objectives.label_regularizers import LabelSmoothing
from infoflow.objectives.objective import ModelObjective

OBSERVATIONS = ("bernoulli", "gaussian")


class BottleneckObjective(ModelObjective):
    """The base of objectives that weigh what is kept against what is let through, by β ≥ 0 or its schedule.

    A schedule counts the forward passes in training mode; the count is in the state dict.

    >>> from infoflow.objectives import WarmUp
    >>> class Plain(BottleneckObjective):
    ...     def forward(self, x): ...
    >>> objective = Plain(WarmUp(1.0, steps=2))
    >>> [float(objective.next_beta()) for _ in range(4)]
    [0.0, 0.5, 1.0, 1.0]
    """

    steps: Tensor

    def __init__(self, beta: float | Schedule) -> None:
        super().__init__()
        self.beta = beta if callable(beta) else positive(beta, "beta", zero=True)
        if callable(beta):
            self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self._classification = LabelSmoothing(0.0)

    def next_beta(self) -> Tensor | float:
        """β for this step; in training mode the next step follows."""
        if not callable(self.beta):
            return self.beta
        beta = self.beta(self.steps)
        if self.training:
            self.steps = self.steps + 1
        return beta

    def cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """−mean log q[y] of logits (n, C) and labels as `nn.CrossEntropyLoss` takes them, in nats, 0-d.

        Raises InvalidArgument for logits that are not finite, and labels out of range or of another shape.
        """
        return self._classification(logits, labels)

    def extra_repr(self) -> str:
        return f"beta={self.beta!r}"


def batch(value: Any, name: str) -> Tensor:
    """A tensor (n, ...) with n ≥ 1, else InvalidArgument.

    >>> batch(torch.zeros(2, 3), "x").shape
    torch.Size([2, 3])
    """
    if not isinstance(value, Tensor):
        raise InvalidArgument(f"{name} is {type(value).__name__}; want a torch.Tensor")
    if value.ndim == 0 or value.shape[0] == 0:
        raise InvalidArgument(f"{name} has shape {tuple(value.shape)}; want at least one sample, (n, ...)")
    return value


def module(value: Any, name: str) -> nn.Module:
    """A module, else InvalidArgument.

    >>> module(nn.Identity(), "encoder")
    Identity()
    """
    if not isinstance(value, nn.Module):
        raise InvalidArgument(f"{name} is {type(value).__name__}; want a torch.nn.Module")
    return value


def features(encoder: nn.Module, x: Tensor, width: int, name: str = "encoder", wants: str = "") -> Tensor:
    """What the encoder gives for x, in float32 at least, if it is finite and of shape (n, width); else InvalidArgument.

    >>> features(nn.Linear(2, 3), torch.zeros(5, 2), 3).shape
    torch.Size([5, 3])
    """
    found = encoder(batch(x, "x"))
    if not isinstance(found, Tensor) or found.shape != (len(x), width):
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise InvalidArgument(f"{name} gives {shape} for {len(x)} samples; want ({len(x)}, {width}){wants}")
    found = found.float() if found.dtype in (torch.float16, torch.bfloat16) else found
    if not torch.compiler.is_compiling() and not bool(torch.isfinite(found.detach().sum())):
        raise InvalidArgument(f"{name} gives NaN or infinite values; want finite ones (a smaller learning rate?)")
    return found


class Observation(nn.Module):
    """−log p(x|z) of data given what a decoder says of them, per sample in nats.

    - "bernoulli": the decoder gives logits, data are in [0, 1] (a gray value counts as a probability).
    - "gaussian": it gives means, with the standard deviation `std`.

    Raises InvalidArgument for shapes that differ, data that are not finite or outside [0, 1], and UnknownName.

    >>> Observation("bernoulli")(torch.zeros(5, 3), torch.ones(5, 3))  # 3 log 2
    tensor([2.0794, 2.0794, 2.0794, 2.0794, 2.0794])
    """

    def __init__(self, kind: str = "bernoulli", std: float = 1.0) -> None:
        super().__init__()
        self.kind = choice(kind, "observation", OBSERVATIONS)
        self.std = positive(std, "observation_std")

    def forward(self, decoded: Tensor, x: Tensor) -> Tensor:
        """(n, ...) and (n, ...) to nats (n,)."""
        if decoded.shape != x.shape:
            if decoded.numel() != x.numel() or len(decoded) != len(x):
                raise InvalidArgument(f"the decoder gives shape {tuple(decoded.shape)}, x has {tuple(x.shape)}")
            x = x.reshape(decoded.shape)
        wide = torch.promote_types(decoded.dtype, torch.float32)
        decoded, x = decoded.to(wide), x.to(wide)
        if not torch.compiler.is_compiling():
            self._examine(x)
        if self.kind == "bernoulli":
            nats = functional.binary_cross_entropy_with_logits(decoded, x, reduction="none")
        else:
            nats = 0.5 * ((decoded - x) / self.std).square() + 0.5 * math.log(2 * math.pi) + math.log(self.std)
        return nats.flatten(1).sum(1)

    def _examine(self, x: Tensor) -> None:
        low, high = x.detach().aminmax()
        if not bool(torch.isfinite(low) & torch.isfinite(high)):
            raise InvalidArgument("x has NaN or infinite values; want finite data")
        if self.kind == "bernoulli" and not bool((low >= 0) & (high <= 1)):
            raise InvalidArgument(
                f"x ranges from {float(low):.3g} to {float(high):.3g}; want [0, 1], or observation='gaussian'"
            )

    def extra_repr(self) -> str:
        return f"{self.kind!r}" + (f", std={self.std:g}" if self.kind == "gaussian" else "")


def draws(value: Any) -> int:
    """A number of draws ≥ 1, else InvalidArgument.

    >>> draws(3)
    3
    """
    return integer(value, "draws")
