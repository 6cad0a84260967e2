"""Limits of what nearest neighbors can resolve: ceilings, and the warnings near them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import TooFewSamples

# Estimates of two one-dimensional Gaussian variables are too low by more than 0.1 nats from about here on.
_NEAR = 1.5

# In d > 2 joint dimensions estimates level off at about 1.2 log(n/k)/d nats, and are too low by more than a tenth from
# half of that on (measured for Gaussian variables of which one pair depends, n = 100 to 1600, d = 4 to 16).
_RESOLVED = 1.2


@dataclass(frozen=True)
class Ceiling:
    """The largest value that an estimator can return from these samples, and its formula."""

    nats: float = math.inf
    name: str = ""


def is_constant(name: str) -> str:
    """The warning for a side that does not vary.

    >>> is_constant("x")
    'x is constant, so the mutual information is 0'
    """
    return f"{name} is constant, so the mutual information is 0"


def tied(radius: Tensor) -> tuple[str, ...]:
    """The warning for samples whose k-th neighbor is at distance 0, or nothing.

    >>> tied(torch.tensor([0.0, 1.0]))[0][:49]
    '50% of the samples have k or more exact duplicate'
    """
    share = float((radius == 0).to(torch.float64).mean())
    if share == 0:
        return ()
    return (
        f"{100 * share:.2g}% of the samples have k or more exact duplicates (neighbor distance 0), so the variables "
        "are not continuous; use MixedKSG where values repeat by nature, or noise of the size of the rounding step",
    )


def crowded(dimensions: int, n: int) -> tuple[str, ...]:
    """The warning for more dimensions than n samples can fill, or nothing.

    >>> crowded(2, 1000)
    ()
    """
    if dimensions <= math.log(n):
        return ()
    return (
        f"{dimensions} dimensions are many for {n} samples (more than log n = {math.log(n):.1f}): neighbors are far "
        "away and strong dependence is underestimated; compress the variables, or use a neural or Gaussian estimator",
    )


def unresolved(nats: float, ceiling: float, dimensions: int, n: int, k: int) -> tuple[str, ...]:
    """The warning for dependence that is finer than k of n neighbors resolve in so many joint dimensions, or nothing.

    `ceiling` is that of the counts of neighbors, not an entropy, at which an estimate may well be right.

    >>> unresolved(1.0, 6.5, 2, 1600, 3), unresolved(0.5, 6.5, 4, 1600, 3)
    ((), ())
    >>> unresolved(1.5, 6.5, 4, 1600, 3)[0][:75]
    'neighbors in 4 dimensions resolve about 1.9 nats (1.2 log(n/k)/d), so 1.5 n'
    """
    remedy = "collect more samples, or use a Gaussian or learned estimator"
    if nats > max(ceiling - _NEAR, 0.0):
        return (
            f"{nats:.3g} nats are close to the largest value that k = {k} neighbors of {n} samples can give "
            f"({ceiling:.3g} nats), so the estimate is likely too low; {remedy}",
        )
    if dimensions < 3 or n <= k:
        return ()
    resolved = _RESOLVED * math.log(n / k) / dimensions
    if nats <= resolved / 2:
        return ()
    return (
        f"neighbors in {dimensions} dimensions resolve about {resolved:.2g} nats (1.2 log(n/k)/d), so {nats:.3g} nats "
        f"are likely too low; {remedy}, or fewer dimensions",
    )


def lonely(codes: Tensor, name: str) -> None:
    """Raise TooFewSamples where no class 0, ..., C - 1 has two samples: integers then more likely stand for quantities.

    >>> lonely(torch.tensor([0, 1, 1]), "y")
    """
    different = int(codes.max()) + 1
    if 1 < different == len(codes):
        raise TooFewSamples(
            name,
            "classes of at least 2 samples",
            got_text=f"{different} different integers in {different} samples",
            remedy="Convert it to float if it is a quantity or a time, or merge the classes.",
        )


def small_classes(codes: Tensor, k: int, name: str) -> tuple[str, ...]:
    """The warning for samples in classes of at most k samples, or nothing.

    >>> small_classes(torch.tensor([0, 0, 0, 1]), 2, "y")[0][:58]
    '1 of 4 samples is in a class of y of at most k = 2 samples'
    """
    few = int((torch.bincount(codes)[codes] <= k).sum())
    if few == 0:
        return ()
    return (
        f"{few} of {len(codes)} samples {'is in a class' if few == 1 else 'are in classes'} of {name} of at most "
        f"k = {k} samples and {'counts' if few == 1 else 'count'} as independent, so the estimate is too low; merge "
        "rare classes, use a smaller k, or convert the integers to float if they are quantities",
    )
