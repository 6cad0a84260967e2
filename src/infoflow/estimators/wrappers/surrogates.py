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

# Lags that are looked at before all of them are.
_FIRST_LAGS = 4

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
    sides = _centered(x), _centered(y)
    noise = _NOISE / np.sqrt(n)
    most = max(2, n // 4) - 1
    # Samples in no order end at the first lag, for which a transform of the whole series is not needed.
    for autocorrelation, count in ((_at_first_lags, min(_FIRST_LAGS, most)), (_autocorrelation, most)):
        left, right = (autocorrelation(side, count) for side in sides)
        end = np.flatnonzero((np.abs(left) < noise) | (np.abs(right) < noise))
        if len(end):
            break
    lags = slice(0, int(end[0]) if len(end) else most)
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


def _centered(values: NDArray[np.float64]) -> NDArray[np.float64]:
    columns = np.asarray(values, dtype=np.float64)[:, :_COLUMNS]
    columns = columns / np.maximum(np.abs(columns).max(axis=0), 1e-300)  # to [-1, 1], so that no square overflows
    centered: NDArray[np.float64] = columns - columns.mean(axis=0)
    return centered


def _autocorrelation(centered: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Mean autocorrelation over the columns (n, d) at lags 1 to count."""
    n = len(centered)
    power = np.abs(rfft(centered, 2 * n, axis=0)) ** 2
    lagged = irfft(power, 2 * n, axis=0)[: count + 1]
    return np.asarray((lagged[1:] / np.maximum(lagged[0], 1e-300)).mean(axis=1))


def _at_first_lags(centered: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The same by sums of products, which are faster for few lags."""
    rows = np.ascontiguousarray(centered.T)
    variance = np.maximum(np.einsum("di,di->d", rows, rows), 1e-300)
    lagged = [np.einsum("di,di->d", rows[:, lag:], rows[:, :-lag]) for lag in range(1, count + 1)]
    return np.asarray((np.stack(lagged) / variance).mean(axis=1))
