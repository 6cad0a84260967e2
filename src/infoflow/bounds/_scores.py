"""What all bounds share: the check of the scores' shapes, exact masks, and means over rows, negatives and processes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.distributed import Group, max_over, sum_over
from infoflow.core.errors import InvalidArgument

# e^88 is float32's largest; e^60 times a score of 1e4 times a batch stays far below it.
_CAP = 60.0


@dataclass(frozen=True)
class Scores:
    """Checked scores in an accumulating dtype; every reduction is over the last axes and, with a group, all
    processes.
    """

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

    @property
    def log_count(self) -> Tensor | float:
        """log of the number of negatives, per row when a mask makes it differ."""
        if self.mask is None:
            return math.log(self.negative.shape[-1])
        return self.mask.sum(-1).to(self.negative.dtype).log()

    @property
    def log_negative(self) -> Tensor:
        """The negatives with exactly −∞ where masked: they vanish from every log-sum-exp, value and gradient."""
        return self.negative if self.mask is None else self.negative.masked_fill(~self.mask, -torch.inf)

    def row_log_mean(self) -> Tensor:
        """log of the mean over a row's negatives of e^score, shape (..., n)."""
        return torch.logsumexp(self.log_negative, -1) - self.log_count

    def row_mean(self, values: Tensor) -> Tensor:
        """The mean over a row's negatives of `values` (..., n, m), shape (..., n)."""
        if self.mask is None:
            return values.mean(-1)
        # Divided by the count before the sum: 0·∞ can't arise as it would in a product with the mask.
        kept = torch.where(self.mask, values, torch.zeros_like(values))
        return kept.sum(-1) / self.mask.sum(-1)

    def mean(self, rows: Tensor) -> Tensor:
        """The mean over rows (..., n) of this process or of all processes in the group."""
        return mean_of_rows(rows, self.group)

    def log_mean(self, rows: Tensor) -> Tensor:
        """log of the mean over rows (..., n) of e^row: the one mean that can't be taken row by row."""
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
    """Checks shapes (never values, but for a mask) and raises half precision to float32."""
    positive, negative = prepare_one(positive, "positive"), floating(negative, "negative")
    shared = negative.ndim == positive.ndim + 1 and all(
        size in (1, own) for size, own in zip(negative.shape[:-2], positive.shape[:-1], strict=True)
    )
    if not shared or negative.shape[-2] != positive.shape[-1]:
        raise InvalidArgument(
            f"negative has shape {tuple(negative.shape)} beside positive of {tuple(positive.shape)}; "
            f"want {tuple(positive.shape)} + (m,): for each positive, its row of m negatives"
        )
    if negative.shape[-1] == 0:
        raise InvalidArgument(
            f"negative has shape {tuple(negative.shape)}: no negatives (a batch of one has none); want m >= 1"
        )
    if mask is not None:
        mask = _mask(mask, negative)
    dtype = torch.promote_types(positive.dtype, negative.dtype)
    return Scores(positive.to(dtype), negative.to(dtype), mask, group)


def prepare_one(values: Tensor, name: str) -> Tensor:
    """One number per sample, shape (..., n) with n >= 1."""
    values = floating(values, name)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise InvalidArgument(f"{name} has shape {tuple(values.shape)}; want (..., n) with n >= 1")
    return values


def prepare_rows(values: Tensor, name: str, like: Tensor) -> Tensor:
    """One number per positive, such as a baseline: shape (..., n) or what broadcasts to it."""
    values = floating(values, name)
    try:
        return values.to(torch.promote_types(values.dtype, like.dtype)).expand(like.shape)
    except RuntimeError:
        raise InvalidArgument(
            f"{name} has shape {tuple(values.shape)} beside positive of {tuple(like.shape)}; want one value a row"
        ) from None


def floating(scores: Tensor, name: str) -> Tensor:
    """Checks that these are floating-point scores and raises half precision to float32."""
    if not isinstance(scores, Tensor):
        raise InvalidArgument(f"{name} is a {type(scores).__name__}; want a tensor of scores")
    if not scores.is_floating_point():
        raise InvalidArgument(f"{name} has dtype {scores.dtype}; want floating-point scores")
    # Sums over a batch lose half of bfloat16's eight bits; the bound is accumulated in float32 at least.
    return scores.float() if scores.dtype in (torch.float16, torch.bfloat16) else scores


def _mask(mask: Tensor, negative: Tensor) -> Tensor:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise InvalidArgument(f"mask is {getattr(mask, 'dtype', type(mask).__name__)}; want a boolean tensor")
    try:
        mask = mask.expand(negative.shape)
    except RuntimeError:
        raise InvalidArgument(
            f"mask has shape {tuple(mask.shape)}; want that of negative, {tuple(negative.shape)}"
        ) from None
    # A look at values: made in eager mode only, so that a compiled bound stays one graph.
    if not torch.compiler.is_compiling() and not bool(mask.any(-1).all()):
        row = tuple(int(i) for i in (~mask.any(-1)).nonzero()[0])
        raise InvalidArgument(f"mask leaves no negative in row {row}; want at least one True in each row")
    return mask


def soft_ceiling(scores: Tensor) -> Tensor:
    """min(s, cap), but rising on: s up to 60, then 60 + log(1 + s − 60).

    A bound that holds for every critic holds for one transformed so, and e^s then neither overflows nor loses
    its gradient.
    """
    return torch.where(scores > _CAP, _CAP + torch.log1p((scores - _CAP).clamp(min=0.0)), scores)


def soft_floor(scores: Tensor) -> Tensor:
    """The mirror image of `soft_ceiling`, for measures that take e^−s of the positives."""
    return -soft_ceiling(-scores)


def with_gradient_of(objective: Tensor, value: Tensor) -> Tensor:
    """`value`, whose backward pass is that of `objective`: what is reported and what trains differ."""
    return value.detach() + (objective - objective.detach())


def expectation_gap(scores: Scores, positive: Tensor, negative: Tensor) -> Tensor:
    """E_joint[positive] − E_product[negative] for already transformed scores."""
    return scores.mean(positive - scores.row_mean(negative))
