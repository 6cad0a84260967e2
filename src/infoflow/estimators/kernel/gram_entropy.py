"""Entropies of the Gram matrices of samples and of classes, by a choice of method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from infoflow.entropies.renyi import (
    collision_entropy,
    gram_spectrum,
    krylov_entropy,
    low_rank_entropy,
    renyi_entropy,
)

Method = Literal["auto", "eigen", "frobenius", "krylov", "low-rank"]

# Above this many samples (of one class, for the joint with classes) "auto" avoids O(n³).
_EIGEN = 2048
# Where the low-rank interval is wider than this (nats), "auto" uses Krylov.
_WIDE = 0.02


@dataclass(frozen=True, eq=False)
class Block:
    """The samples of one class, or all of them; their eigenvalues are computed once, for all orders."""

    features: Tensor

    @cached_property
    def spectrum(self) -> Tensor:
        """All eigenvalues of the Gram matrix with trace one."""
        return gram_spectrum(self.features)


@dataclass(frozen=True, eq=False)
class Variable:
    """Features divided by their kernel width, classes (with kernel 1[y_i = y_j]), or both (the product)."""

    features: Tensor | None = None
    codes: Tensor | None = None
    width: float | None = None
    constant: bool = False

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks of the features' Gram matrix: one for each class, far smaller eigenproblems, or a single one."""
        assert self.features is not None
        if self.codes is None:
            return [Block(self.features)]
        codes = self.codes.to(self.features.device)
        return [Block(self.features[codes == code]) for code in range(int(codes.max()) + 1)]

    def with_other(self, other: Variable) -> Variable:
        """The variable whose Gram matrix is the Hadamard product of both."""
        features = [each.features for each in (self, other) if each.features is not None]
        codes = [each.codes for each in (self, other) if each.codes is not None]
        return Variable(
            torch.cat([each.to(features[0].device) for each in features], 1) if features else None,
            torch.unique(torch.stack(codes, 1), dim=0, return_inverse=True)[1] if codes else None,
        )

    def warnings(self, name: str, entropy: float, n: int) -> tuple[str, ...]:
        """Warnings about a constant variable, or a kernel that is too narrow or too wide."""
        if self.constant:
            return (f"{name} is constant, so its entropy is 0",)
        if self.width is None or 0.02 * math.log(n) <= entropy <= 0.98 * math.log(n):
            return ()
        narrow = entropy > 0.98 * math.log(n)
        near, remedy = ("the identity", "widen") if narrow else ("constant", "narrow")
        kernel = f"kernel width {self.width:.3g}"
        return (f"the Gram matrix of {name} is nearly {near} at {kernel}, so it hides dependence; {remedy} the kernel",)


class GramValue(NamedTuple):
    """Nats with an interval that contains the value, and what the interval spans; "" where the value is exact."""

    nats: float
    low: float
    high: float
    spans: str = ""


@dataclass(frozen=True)
class GramEntropy:
    """S_α of a Gram matrix by the method that "auto" chooses, or by a given one."""

    alpha: float
    method: Method
    rank: int
    probes: int
    seed: int

    def __call__(self, variable: Variable) -> GramValue:
        """The entropy of the variable's Gram matrix."""
        codes = variable.codes
        if variable.features is not None:
            return self._gaussian(variable.blocks[0]) if codes is None else self._by_blocks(variable.blocks)
        assert codes is not None
        shares = torch.bincount(codes).double() / len(codes)
        return _exact(float(renyi_entropy(shares, self.alpha)), math.inf)

    def _by_blocks(self, blocks: list[Block]) -> GramValue:
        n, alpha = sum(len(block.features) for block in blocks), self.alpha
        powers, spans = [], ""
        for block in blocks:
            value = self._gaussian(block)
            spans = value.spans or spans
            powers.append([_power(entropy, alpha, len(block.features) / n) for entropy in value[:3]])
        totals = [math.fsum(column) for column in zip(*powers, strict=True)]
        entropies = [total if alpha == 1 else math.log(total) / (1 - alpha) for total in totals]
        nats, low, high = (min(max(entropy, 0.0), math.log(n)) for entropy in entropies)
        return GramValue(nats, low, high, spans)

    def _gaussian(self, block: Block) -> GramValue:
        u, alpha, method = block.features, self.alpha, self.method
        n = len(u)
        if n == 1:
            return _exact(0.0, 0.0)
        if method == "frobenius" or (method == "auto" and alpha == 2):
            return _exact(float(collision_entropy(u)), math.log(n))
        if method == "eigen" or (method == "auto" and n <= _EIGEN):
            return _exact(float(renyi_entropy(block.spectrum, alpha)), math.log(n))
        if method in ("auto", "low-rank"):
            value = low_rank_entropy(u, alpha, rank=self.rank)
            if method == "low-rank" or value.high - value.low <= _WIDE:
                return GramValue(*value, "what the low-rank factor leaves out")
        return GramValue(*krylov_entropy(u, alpha, probes=self.probes, seed=self.seed), "random probes")


def _exact(nats: float, ceiling: float) -> GramValue:
    nats = max(0.0, min(nats, ceiling))
    return GramValue(nats, nats, nats)


def _power(entropy: float, alpha: float, share: float) -> float:
    """The part of a diagonal block of this share and entropy in tr A^α (in the entropy itself at α = 1)."""
    if alpha == 1:
        return share * (entropy - math.log(share))
    return float(share**alpha * math.exp((1 - alpha) * entropy))
