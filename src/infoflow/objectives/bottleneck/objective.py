"""Shared by the bottleneck objectives: β and its schedule, the labels' cross-entropy, the data's likelihood."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.module_inputs import ExplainedInputs
from infoflow.core.settings import Number, check
from infoflow.objectives.bottleneck.schedules import Schedule
from infoflow.objectives.label_regularizers import LabelSmoothing
from infoflow.objectives.objective import ModelObjective

ObservationModel = Literal["bernoulli", "gaussian"]


class BottleneckObjective(ModelObjective):
    """Base class of objectives that trade information against compression by β ≥ 0 or its schedule.

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
        self.beta = beta if callable(beta) else float(check(beta, "beta", Number(0)))
        if callable(beta):
            self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self._classification = LabelSmoothing(0.0)

    def next_beta(self) -> Tensor | float:
        """Return β of this step; in training mode the next step follows."""
        if not callable(self.beta):
            return self.beta
        beta = self.beta(self.steps)
        if self.training:
            self.steps = self.steps + 1
        return beta

    def cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the cross-entropy −mean log q[y] in nats.

        Parameters
        ----------
        logits
            Logits of shape (n, C).
        labels
            Classes, as `nn.CrossEntropyLoss` takes them.

        Returns
        -------
        Tensor
            A scalar.

        Raises
        ------
        InvalidArgument
            If the logits are not finite, or the labels out of range or of another shape.
        """
        return self._classification(logits, labels)

    def extra_repr(self) -> str:
        return f"beta={self.beta!r}"


def batch(value: Any, name: str) -> Tensor:
    """Return a tensor (n, ...) with n ≥ 1, or raise `InvalidArgument`.

    >>> batch(torch.zeros(2, 3), "x").shape
    torch.Size([2, 3])
    """
    if not isinstance(value, Tensor):
        raise InvalidArgument(name, "a torch.Tensor", value)
    if value.ndim == 0 or value.shape[0] == 0:
        raise InvalidArgument(name, "of shape (n, ...) with at least one sample", value)
    return value


def features(encoder: nn.Module, x: Tensor, width: int, name: str = "encoder", wants: str = "") -> Tensor:
    """Encode x, in float32 at least; raises `InvalidArgument` unless the result is finite and of shape (n, width).

    >>> features(nn.Linear(2, 3), torch.zeros(5, 2), 3).shape
    torch.Size([5, 3])
    """
    found = encoder(batch(x, "x"))
    if not isinstance(found, Tensor) or found.shape != (len(x), width):
        raise InvalidArgument(f"the output of {name}", f"of shape ({len(x)}, {width}){wants}", found)
    found = found.float() if found.dtype in (torch.float16, torch.bfloat16) else found
    if not torch.compiler.is_compiling() and not bool(torch.isfinite(found.detach().sum())):
        remedy = "A smaller learning rate may help."
        raise InvalidArgument(f"the output of {name}", "finite", got_text="NaN or infinite values", remedy=remedy)
    return found


class Observation(ExplainedInputs, nn.Module):
    """−log p(x|z) of data given the output of a decoder, per sample in nats.

    "bernoulli": the decoder gives logits, data are in [0, 1] (a gray value counts as a probability). "gaussian": it
    gives means, with the standard deviation `std`. Raises `InvalidArgument` for shapes that differ and data that are
    not finite or outside [0, 1].

    >>> Observation("bernoulli")(torch.zeros(5, 3), torch.ones(5, 3))  # 3 log 2
    tensor([2.0794, 2.0794, 2.0794, 2.0794, 2.0794])
    """

    def __init__(self, kind: str = "bernoulli", std: float = 1.0) -> None:
        super().__init__()
        self.kind, self.std = kind, std

    def forward(self, decoded: Tensor, x: Tensor) -> Tensor:
        """(n, ...) and (n, ...) to nats (n,)."""
        tensors(decoded=decoded, x=x)
        if decoded.shape != x.shape:
            if decoded.numel() != x.numel() or len(decoded) != len(x):
                shape = tuple(decoded.shape)
                raise InvalidArgument("the output of decoder", f"of the shape of x, {tuple(x.shape)}", shape)
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
            raise InvalidArgument("x", "finite", got_text="NaN or infinite values")
        if self.kind == "bernoulli" and not bool((low >= 0) & (high <= 1)):
            found = f"values from {float(low):.3g} to {float(high):.3g}"
            remedy = "observation='gaussian' takes data of any range."
            raise InvalidArgument("x", "in [0, 1]", got_text=found, remedy=remedy)

    def extra_repr(self) -> str:
        return f"{self.kind!r}" + (f", std={self.std:g}" if self.kind == "gaussian" else "")
