"""Permutation tests of independence for columns of any type, the permutations in batches of bounded memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from infoflow.core.variable import Variable
from infoflow.estimators.wrappers.surrogates import Surrogates, surrogate_rows

# Equal-frequency bins for a number, from coarse to fine; each needs so many samples per bin.
_BINS, _SAMPLES_PER_BIN = (3, 8, 24), 12

# Cells and samples that one batch of permutations may have.
_BATCH = 1 << 23


def independence(
    candidates: Sequence[Variable | tuple[Variable, ...]],
    y: Variable,
    permutations: int,
    *,
    surrogates: Surrogates = "shuffle",
    seed: int = 0,
) -> float:
    """The p-value of y against the candidate that depends on it most.

    Each candidate, one variable or several side by side, is compared with y by the plug-in information of codes:
    symbols as they are, numbers in 3, 8 and 24 bins of equal frequency. Each statistic is standardized over all
    permutations, the observed order included, and the largest one counts: a permutation test that is valid whatever
    number of candidates and scales was looked at.

    >>> from infoflow.core.columns import read
    >>> x = np.random.default_rng(0).normal(size=200)
    >>> independence([read(x, "x")], read(x > 0, "y"), 99)
    0.01
    """
    n = len(y)
    generator = np.random.default_rng([seed, 11])
    groups = [candidate if isinstance(candidate, tuple) else (candidate,) for candidate in candidates]
    codes = [(_codes((y,), bins), [_codes(group, bins) for group in groups]) for bins in _scales(n)]
    found: list[list[NDArray[np.float64]]] = [[] for _ in range(len(codes) * len(groups))]
    batch = max(1, _BATCH // n)
    for start in range(0, permutations, batch):
        rows = surrogate_rows(n, min(batch, permutations - start), surrogates, generator)
        if start == 0:
            rows = np.concatenate([np.arange(n)[None], rows])
        pairs = ((x, target) for target, every in codes for x in every)
        for parts, (x, target) in zip(found, pairs, strict=True):
            parts.append(_statistics(x, target, rows))
    largest = np.full(permutations + 1, -np.inf)
    for statistic in map(np.concatenate, found):
        spread = statistic.std()
        if spread > 1e-12 * max(1.0, abs(statistic).max()):
            largest = np.maximum(largest, (statistic - statistic.mean()) / spread)
    if not np.isfinite(largest).all():
        return 1.0
    return float((1 + np.sum(largest[1:] >= largest[0] - 1e-12)) / (1 + permutations))


def q_values(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Benjamini and Hochberg's false discovery rates; those of NaN are NaN.

    >>> q_values(np.array([0.01, np.nan, 0.5])).tolist()
    [0.02, nan, 0.5]
    """
    adjusted = np.full(p_values.shape, np.nan)
    known = np.isfinite(p_values)
    count = int(known.sum())
    if count:
        order = np.argsort(-p_values[known])
        raised = np.minimum.accumulate(p_values[known][order] * count / np.arange(count, 0, -1))
        adjusted[np.flatnonzero(known)[order]] = np.minimum(raised, 1.0)
    return adjusted


def _scales(n: int) -> list[int]:
    return [bins for bins in _BINS if bins * bins * _SAMPLES_PER_BIN <= 4 * n] or [2]


def _codes(variables: tuple[Variable, ...], bins: int) -> NDArray[np.int32]:
    """One code per row: symbols, and numbers in bins of equal frequency (ties together)."""
    columns: list[NDArray[np.int64]] = []
    for variable in variables:
        columns += list(variable.symbols.T)
        for values in variable.columns.T:
            ordered = np.sort(values)
            edges = np.unique(ordered[(np.arange(1, bins) * len(values)) // bins])
            columns.append(np.searchsorted(edges, values, side="right"))
    codes = np.zeros(len(variables[0]), dtype=np.int64)
    for column in columns:
        codes = np.unique(codes * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    return codes.astype(np.int32)


def _statistics(x: NDArray[np.int32], y: NDArray[np.int32], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Σ c log c over the cells of each permutation's table, which is I(X;Y) up to constants of the margins."""
    n, width = len(x), int(y.max()) + 1
    first = x.astype(np.int64) * width
    cells = (int(x.max()) + 1) * width
    batch = max(1, _BATCH // max(n, cells))
    table = np.arange(n + 1) * np.log(np.maximum(np.arange(n + 1), 1))
    found = []
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        if cells > 8 * n:  # mostly empty: count the cells that occur
            for row in part:
                found.append(table[np.unique(first + y[row], return_counts=True)[1]].sum())
            continue
        codes = first + y[part] + cells * np.arange(len(part))[:, None]
        counts = np.bincount(codes.ravel(), minlength=cells * len(part)).reshape(len(part), cells)
        found.extend(table[counts].sum(axis=1))
    return np.array(found)
