"""Disjoint parts of the samples, permutation tests on held-out samples, and the interval over folds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from scipy.special import ndtri, stdtrit
from torch import Tensor

from infoflow.core.estimate import Estimate

MINIMUM = 40
"""Samples that a learned estimator needs; fewer leave nothing to select or report by."""

Fold = tuple[Tensor, Tensor, Tensor]
"""Rows to train on, to select by and to report on."""


@dataclass(frozen=True)
class Fit:
    """Result of a fit: the estimate, the contribution of every sample, and the training history.

    Parameters
    ----------
    estimate
        The estimate of the mutual information.
    pointwise
        Held-out log p(y_i|x_i)/p(y_i) in nats, shape (n,), in the order of the samples.
    history
        One row per fitted model (fold, seed) and epoch: the objective on the training and the validation samples.
    """

    estimate: Estimate
    pointwise: Tensor
    history: list[dict[str, float]]


@dataclass(frozen=True)
class Shuffles:
    """A permutation test of independence on samples that a model was not fitted on, without a further fit."""

    count: int
    seed: int

    def p_value(self, n: int, statistic: Callable[[Tensor], float]) -> float:
        """(1 + the number of random orders whose statistic reaches the original one) / (1 + count).

        `statistic` takes an order (n,) of y. The test is exact if the model is independent of the samples' pairing.

        Examples
        --------
        >>> Shuffles(count=9, seed=0).p_value(50, lambda order: float((order == torch.arange(50)).sum()))
        0.1
        """
        generator = torch.Generator().manual_seed(self.seed)
        own = statistic(torch.arange(n))
        others = [statistic(torch.randperm(n, generator=generator)) for _ in range(self.count)]
        return (1 + sum(other >= own for other in others)) / (1 + self.count)


def combined(p_values: Sequence[float]) -> float:
    """Combine the p-values of folds, which depend on each other, into twice their mean (Rüschendorf 1982).

    Examples
    --------
    >>> combined([0.01, 0.03])
    0.04
    """
    return min(1.0, 2 * sum(p_values) / len(p_values))


def split(n: int, folds: int, validation: float, seed: int, device: torch.device | str = "cpu") -> list[Fold]:
    """Split n rows, for each fold, into those to train on, to select by and to report on; every row is reported on.

    `validation` is the share of the other rows that selects. All folds have one size so that they stack; if n does
    not divide, neighboring folds share a sample.

    Examples
    --------
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


@dataclass(frozen=True)
class Reported:
    """One fold on its report part."""

    value: Tensor
    """The estimate of the fold in nats, 0-d."""
    shares: Tensor
    """Pointwise value of each row, (rows,)."""
    p_value: float | None = None


@dataclass(frozen=True)
class Spread:
    """An estimate over all folds before it is cut to its range: its value and the half-width of its interval."""

    value: float
    half: float
    shares: Tensor
    """Pointwise value of each sample, (n,), float64; NaN where no fold reported on it."""
    p_value: float | None

    @classmethod
    def of(cls, rows: Sequence[Fold], reported: Sequence[Reported], n: int, level: float) -> Spread:
        """Combine the folds; every sample takes the pointwise value of the last fold that reports on it."""
        shares = torch.full((n,), torch.nan, dtype=torch.float64, device=reported[0].shares.device)
        for (_, _, part), fold in zip(rows, reported, strict=True):
            shares[part] = fold.shares.double()
        if len(reported) == 1:  # of one fold, the samples' spread alone
            own = reported[0].shares.double()
            half = float(ndtri((1 + level) / 2)) * float(own.std()) / math.sqrt(len(own))
            return cls(float(reported[0].value), half, shares, reported[0].p_value)
        values = torch.stack([fold.value for fold in reported])
        p_values = [fold.p_value for fold in reported if fold.p_value is not None]
        half = half_width(values, shares, level)
        return cls(float(values.mean()), half, shares, combined(p_values) if p_values else None)


def half_width(values: Tensor, shares: Tensor, level: float) -> float:
    """Student's half-width over the folds' values, at least that of the standard error of the samples' own shares.

    Examples
    --------
    >>> round(half_width(torch.tensor([1.0, 1.2]), torch.zeros(9), 0.95), 3)  # 12.706 · 0.1
    1.271
    """
    return quantile(level, len(values)) * max(
        float(values.std()) / math.sqrt(len(values)), float(shares.std()) / math.sqrt(len(shares))
    )


def quantile(level: float, folds: int) -> float:
    """Student's quantile for a two-sided interval over so many folds."""
    return float(stdtrit(folds - 1, (1 + level) / 2))
