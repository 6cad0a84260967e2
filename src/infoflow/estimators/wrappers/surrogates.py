"""Random re-pairings of samples that keep the order within a series: rotations and blocks."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

Surrogates = Literal["shuffle", "rotate", "blocks"]

# Autocorrelation below this many standard errors of independent samples is not counted.
_NOISE = 2.0

# At most so many columns are looked at.
_COLUMNS = 16

# Rotations by less than this share of a series are not drawn, since neighbors in time are alike.
_LEAST_SHIFT = 0.05

# Samples count as autocorrelated where fewer than this share of them is effective.
_EFFECTIVE = 2 / 3


def surrogate_rows(
    n: int, count: int, method: Surrogates, generator: np.random.Generator, *, block: int | None = None
) -> NDArray[np.intp]:
    """Row indices (count, n) of surrogates.

    "shuffle" permutes single samples, "rotate" shifts the series circularly by at least 5 %, "blocks" permutes blocks
    of `block` samples (by default √n) after a random rotation.

    >>> surrogate_rows(6, 1, "rotate", np.random.default_rng(0)).tolist()
    [[5, 0, 1, 2, 3, 4]]
    """
    if method == "shuffle":
        return np.stack([generator.permutation(n) for _ in range(count)]).astype(np.intp)
    if method == "rotate":
        least = min(max(1, int(_LEAST_SHIFT * n)), max(1, n // 2))
        shifts = generator.integers(least, n - least + 1, size=count)
        return ((np.arange(n)[None, :] + shifts[:, None]) % n).astype(np.intp)
    length = block or max(1, round(n**0.5))
    starts = np.arange(0, n, length)
    rows = []
    for _ in range(count):
        turned = (np.arange(n) + generator.integers(n)) % n
        rows.append(np.concatenate([turned[start : start + length] for start in generator.permutation(starts)]))
    return np.stack(rows).astype(np.intp)


def effective_samples(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """n / (1 + 2 Σ ρ_x(l) ρ_y(l)): how many independent samples the rows of two series (n, d) count as.

    The lags end where one of both autocorrelations, averaged over columns, is insignificant (Bartlett 1935).

    >>> walk = np.random.default_rng(0).normal(size=(1000, 2)).cumsum(axis=0)
    >>> effective_samples(walk[:, :1], walk[:, 1:]) < 50
    True
    """
    n = len(x)
    left, right = _autocorrelation(x), _autocorrelation(y)
    noise = _NOISE / np.sqrt(n)
    end = np.flatnonzero((np.abs(left) < noise) | (np.abs(right) < noise))
    lags = slice(0, int(end[0]) if len(end) else len(left))
    return float(n / max(1.0, 1.0 + 2.0 * float((left[lags] * right[lags]).sum())))


def is_series(effective: float, n: int) -> bool:
    """Whether so few of n samples are effective that their order matters.

    >>> is_series(20.0, 1000), is_series(900.0, 1000)
    (True, False)
    """
    return effective < _EFFECTIVE * n


def autocorrelated(effective: float, n: int) -> str:
    """The warning for samples of a series that were treated as independent.

    >>> autocorrelated(19.7, 1000)[:57]
    'the samples are autocorrelated: 1000 of them count as abo'
    """
    count = max(2, round(effective))
    return (
        f"the samples are autocorrelated: {n} of them count as about {count}, so that dependence may "
        "be spurious; use surrogates='rotate' or 'blocks' for a p-value, or shuffle samples whose order is arbitrary"
    )


def _autocorrelation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean autocorrelation over the columns at lags 1 to n/4."""
    columns = np.asarray(values, dtype=np.float64)[:, :_COLUMNS]
    centered = columns / np.maximum(np.abs(columns).max(axis=0), 1e-300)  # to [-1, 1], so that no square overflows
    centered = centered - centered.mean(axis=0)
    n = len(centered)
    power = np.abs(rfft(centered, 2 * n, axis=0)) ** 2
    lagged = irfft(power, 2 * n, axis=0)[: max(2, n // 4)]
    return np.asarray((lagged[1:] / np.maximum(lagged[0], 1e-300)).mean(axis=1))
