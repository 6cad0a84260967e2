"""Steps that all bounds share: checks of shapes, exact masks, and means over rows, negatives and processes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from infoflow.core.checks import choice
from infoflow.core.distributed import Group, max_over, sum_over
from infoflow.core.errors import InvalidArgument

Readout = Literal["estimate", "objective"]

# e^88 is float32's largest; e^60 times a score of 1e4 times a batch stays far below it.
_CAP = 60.0


@dataclass(frozen=True)
class Scores:
    """Checked scores in an accumulating dtype; reductions run over the last axes and, with a group, all processes."""

    positive: Tensor
    negative: Tensor
    mask: Tensor | None
    group: Group

    def map(self, transform: Callable[[Tensor], Tensor]) -> Scores:
        """The same pairs under a transformed critic."""
        plain = self.filled()
        return Scores(transform(plain.positive), transform(plain.negative), self.mask, self.group)

    def filled(self) -> Scores:
        """The same scores with 0 where masked, for functions in which −∞ would make NaN; `row_mean` skips them."""
        if self.mask is None:
            return self
        return Scores(self.positive, self.negative.masked_fill(~self.mask, 0.0), self.mask, self.group)

    def log_count(self, more: int = 0) -> Tensor | float:
        """log of the number of negatives and `more`, per row when a mask makes it differ."""
        if self.mask is None:
            return math.log(self.negative.shape[-1] + more)
        return (self.mask.sum(-1).to(self.negative.dtype) + more).log()

    @property
    def log_negative(self) -> Tensor:
        """The negatives with −∞ where masked, which removes them from the value and gradient of every log-sum-exp."""
        return self.negative if self.mask is None else self.negative.masked_fill(~self.mask, -torch.inf)

    def row_log_mean(self) -> Tensor:
        """log of the mean over a row's negatives of e^score, shape (..., n)."""
        return torch.logsumexp(self.log_negative, -1) - self.log_count()

    def row_mean(self, values: Tensor) -> Tensor:
        """The mean over a row's negatives of `values` (..., n, m), shape (..., n)."""
        if self.mask is None:
            return values.mean(-1)
        # `where` rather than a product with the mask, in which 0·∞ would be NaN.
        kept = torch.where(self.mask, values, torch.zeros_like(values))
        return kept.sum(-1) / self.mask.sum(-1)

    def mean(self, rows: Tensor) -> Tensor:
        """The mean over rows (..., n) of this process or of all processes in the group."""
        return mean_of_rows(rows, self.group)

    def log_mean(self, rows: Tensor) -> Tensor:
        """log of the mean over rows (..., n) of e^row, which does not split into one term per row."""
        if self.group is None:
            return torch.logsumexp(rows, -1) - math.log(rows.shape[-1])
        top = max_over(rows.amax(-1), self.group)
        total = sum_over((rows - top.unsqueeze(-1)).exp().sum(-1), self.group)
        return top + total.log() - _row_count(rows, self.group).log()


def mean_of_rows(rows: Tensor, group: Group) -> Tensor:
    """The mean over the last axis, of this process (None) or of all rows that the group's processes hold."""
    return rows.mean(-1) if group is None else sum_over(rows.sum(-1), group) / _row_count(rows, group)


def _row_count(rows: Tensor, group: Group) -> Tensor:
    return sum_over(rows.new_tensor(float(rows.shape[-1])), group)


def prepare(positive: Tensor, negative: Tensor, mask: Tensor | None, group: Group) -> Scores:
    """Check shapes (values only of a mask) and convert half precision to float32."""
    positive, negative = prepare_one(positive, "positive"), floating(negative, "negative")
    shared = negative.ndim == positive.ndim + 1 and all(
        size in (1, own) for size, own in zip(negative.shape[:-2], positive.shape[:-1], strict=True)
    )
    if not shared or negative.shape[-2] != positive.shape[-1]:
        wanted = f"of shape {tuple(positive.shape)} + (m,), a row of m negatives for each positive"
        raise InvalidArgument("negative", wanted, negative)
    if negative.shape[-1] == 0:
        remedy = "A batch of one has no negatives."
        raise InvalidArgument("negative", "of shape (..., n, m) with m >= 1", negative, remedy=remedy)
    on_one_device(negative, "negative", positive)
    if mask is not None:
        mask = _mask(mask, negative)
    dtype = torch.promote_types(positive.dtype, negative.dtype)
    return Scores(positive.to(dtype), negative.to(dtype), mask, group)


def prepare_one(values: Tensor, name: str) -> Tensor:
    """One number per sample, shape (..., n) with n >= 1."""
    values = floating(values, name)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise InvalidArgument(name, "of shape (..., n) with n >= 1", values)
    return values


def prepare_rows(values: Tensor, name: str, like: Tensor) -> Tensor:
    """One number per positive, such as a baseline: shape (..., n) or what broadcasts to it."""
    values = floating(values, name)
    on_one_device(values, name, like)
    try:
        return values.to(torch.promote_types(values.dtype, like.dtype)).expand(like.shape)
    except RuntimeError:
        raise InvalidArgument(name, f"broadcastable to the shape of positive, {tuple(like.shape)}", values) from None


def on_one_device(values: Tensor, name: str, like: Tensor) -> None:
    """Refuse values on another device than the positive scores."""
    if values.device != like.device:
        raise InvalidArgument(name, f"on the device of positive ({like.device})", got_text=f"one on {values.device}")


def floating(scores: Tensor, name: str) -> Tensor:
    """Check that these are floating-point scores and convert half precision to float32."""
    if not isinstance(scores, Tensor):
        raise InvalidArgument(name, "a tensor of scores", got_text=f"a {type(scores).__name__}")
    if not scores.is_floating_point():
        raise InvalidArgument(name, "a tensor of floating-point scores", got_text=f"dtype {scores.dtype}")
    if scores.layout is not torch.strided:
        layout = str(scores.layout).removeprefix("torch.")
        raise InvalidArgument(
            name, "a dense tensor", got_text=f"one of layout {layout}", remedy="Convert it with .to_dense()."
        )
    # Sums over a batch lose half of bfloat16's eight bits, so they accumulate in float32 at least.
    if scores.dtype in (torch.float16, torch.bfloat16):
        scores = _Widened.apply(scores)  # type: ignore[no-untyped-call]
    return scores


class _Widened(torch.autograd.Function):
    """Half precision as float32, whose gradient is cut to the range of the half precision: it would be infinite."""

    generate_vmap_rule = True

    @staticmethod
    def forward(scores: Tensor) -> Tensor:
        return scores.float()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.dtype = inputs[0].dtype

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        largest = torch.finfo(ctx.dtype).max
        return gradient.clamp(-largest, largest).to(ctx.dtype)


def _mask(mask: Tensor, negative: Tensor) -> Tensor:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise InvalidArgument("mask", "a boolean tensor", got_text=str(getattr(mask, "dtype", type(mask).__name__)))
    try:
        mask = mask.expand(negative.shape)
    except RuntimeError:
        raise InvalidArgument("mask", f"of the shape of negative, {tuple(negative.shape)}", mask) from None
    # Values are read in eager mode only, so that a compiled bound stays one graph.
    if not torch.compiler.is_compiling() and not bool(mask.any(-1).all()):
        row = tuple(int(i) for i in (~mask.any(-1)).nonzero()[0])
        raise InvalidArgument("mask", "True for at least one negative of each row", got_text=f"none in row {row}")
    return mask


def soft_ceiling(scores: Tensor) -> Tensor:
    """s up to 60, then 60 + log(1 + s − 60), an increasing version of min(s, 60).

    A bound that holds for every critic holds for the transformed one, whose e^s keeps its gradient without overflow.
    """
    return torch.where(scores > _CAP, _CAP + torch.log1p((scores - _CAP).clamp(min=0.0)), scores)


def soft_floor(scores: Tensor) -> Tensor:
    """The mirror image of `soft_ceiling`, for measures that take e^−s of the positives."""
    return -soft_ceiling(-scores)


def read(objective: Tensor, readout: Readout, estimate: Callable[[], Tensor]) -> Tensor:
    """The objective, or the estimate with the gradient of the objective."""
    if choice(readout, "readout", get_args(Readout)) == "objective":
        return objective
    return with_gradient_of(objective, estimate())


def with_gradient_of(objective: Tensor, value: Tensor) -> Tensor:
    """`value` with the gradient of `objective`."""
    return value.detach() + (objective - objective.detach())


def expectation_gap(scores: Scores, positive: Tensor, negative: Tensor) -> Tensor:
    """E_joint[positive] − E_product[negative] for already transformed scores."""
    return scores.mean(positive - scores.row_mean(negative))
