"""What estimators that learn share: disjoint parts of the samples, and how sure the reported parts make one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor

from infoflow.core.estimate import Estimate

# Each step's weights enter a running average over about 1/(1 − decay) steps: it generalizes better than the last ones.
AVERAGING = 0.98

# Nats by which the second part's objective must have risen for patience to start anew: less is not worth the time.
PROGRESS = 0.002

Fold = tuple[Tensor, Tensor, Tensor]
"""Rows to fit on, to select by and to report on."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to fit."""

    batch_size: int
    max_epochs: int
    patience: int
    learning_rate: float
    weight_decay: float


@dataclass(frozen=True)
class Fit:
    """What a fit leaves behind: the estimate, every sample's share of it, and the way there."""

    estimate: Estimate
    pointwise: Tensor
    """(n,) held-out log p(y_i|x_i)/p(y_i) in nats, in the order of the samples; its mean is the plug-in estimate."""
    history: list[dict[str, float]]
    """One row per member (fold, seed) and epoch: the objective on the fit part and on the second part."""


@dataclass(frozen=True)
class Shuffles:
    """A permutation test of independence on samples that a model hasn't seen: nothing is fitted again."""

    count: int
    seed: int

    def p_value(self, n: int, statistic: Callable[[Tensor], float]) -> float:
        """(1 + how many random orders of n samples reach what their own order does) / (1 + count).

        `statistic` takes an order (n,) of y. Exact where the model knows nothing of the samples' pairing.

        >>> Shuffles(count=9, seed=0).p_value(50, lambda order: float((order == torch.arange(50)).sum()))
        0.1
        """
        generator = torch.Generator().manual_seed(self.seed)
        own = statistic(torch.arange(n))
        others = [statistic(torch.randperm(n, generator=generator)) for _ in range(self.count)]
        return (1 + sum(other >= own for other in others)) / (1 + self.count)


def combined(p_values: Sequence[float]) -> float:
    """One p-value from those of several folds, which depend on each other: twice their mean (Rüschendorf 1982).

    >>> combined([0.01, 0.03])
    0.04
    """
    return min(1.0, 2 * sum(p_values) / len(p_values))


def split(n: int, folds: int, validation: float, seed: int, device: torch.device | str = "cpu") -> list[Fold]:
    """For each fold, the rows to fit on, to select by and to report on; every row is reported on.

    `validation` is the share of the rows not reported on that selects. All folds are of one size so that they stack;
    where n doesn't divide, neighboring folds share a sample or so.

    >>> [part.shape[0] for part in split(100, 4, 0.2, seed=0)[0]]
    [60, 15, 25]
    """
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    size = -(-n // folds)
    select = max(8, round(validation * (n - size)))
    parts = []
    for fold in range(folds):
        turned = order.roll(-(fold * n // folds)).to(device)
        parts.append((turned[size + select :], turned[size : size + select], turned[:size]))
    return parts


def half_width(values: Tensor, shares: Tensor, level: float) -> float:
    """Student's half-width over the folds' values, no narrower than the standard error of the samples' own shares.

    >>> round(half_width(torch.tensor([1.0, 1.2]), torch.zeros(9), 0.95), 3)  # 12.706 · 0.1
    1.271
    """
    quantile = float(stats.t.ppf((1 + level) / 2, len(values) - 1))
    folds = float(values.std()) / math.sqrt(len(values))
    samples = float(shares.std()) / math.sqrt(len(shares))
    return quantile * max(folds, samples)
