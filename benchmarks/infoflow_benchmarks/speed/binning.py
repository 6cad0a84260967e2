"""The entropy of binned rows, compared with np.unique on the same bins; both include the digitization."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from infoflow.estimators.histogram.binning import Binning
from infoflow_benchmarks.speed.comparison import Comparison

BINS, LOW, HIGH = 30, 0.0, 6.0


def ours(t: np.ndarray) -> float:
    return Binning(bins=BINS, low=LOW, high=HIGH).entropy(t).nats


def digitize(t: np.ndarray, dtype: type) -> np.ndarray:
    indices = np.subtract(t, LOW, dtype=np.float64)
    indices /= (HIGH - LOW) / BINS
    np.floor(indices, out=indices)
    return np.ascontiguousarray(indices.astype(dtype))


def entropy(counts: np.ndarray) -> float:
    p = counts / counts.sum()
    return float(-(p * np.log(p)).sum())


def void_bytes(t: np.ndarray, dtype: type) -> float:
    """Entropy from rows sorted as byte strings; published code mostly has the int64 indices of np.digitize."""
    rows = digitize(t, dtype)
    return entropy(np.unique(rows.view(np.dtype((np.void, rows.strides[0]))), return_counts=True)[1])


def unique_rows(t: np.ndarray) -> float:
    return entropy(np.unique(digitize(t, np.uint8), axis=0, return_counts=True)[1])


# name -> (baseline, target of the ratio at d = 1024)
REFERENCES: dict[str, tuple[Callable[[np.ndarray], float], float | None]] = {
    "np.unique of uint8 rows as bytes": (partial(void_bytes, dtype=np.uint8), 1.0),
    "np.unique of int64 rows as bytes": (partial(void_bytes, dtype=np.int64), None),
    "np.unique(axis=0) of uint8 rows": (unique_rows, 5.0),
}


def samples(n: int, d: int) -> dict[str, np.ndarray]:
    """Three kinds of rows; nearly equal ones are the slowest to compare."""
    rng = np.random.default_rng(0)
    different = rng.uniform(LOW, HIGH, (n, d)).astype(np.float32)
    close = np.repeat(different[:1], n, axis=0)
    close[:, -min(d, 8) :] = different[:, -min(d, 8) :]
    return {
        "different rows": different,
        "100 different rows": different[rng.integers(0, 100, n)],
        "rows different at the end": close,
    }


def cases(quick: bool = False) -> Iterator[Comparison]:
    """The entropy of rows of each kind."""
    n = 300 if quick else 10_000
    for d in (20, 1024):
        for kind, t in samples(n, d).items():
            for name, (baseline, target) in REFERENCES.items():
                case = f"N = {n}, d = {d}, {kind}"
                yield Comparison(case, name, partial(ours, t), partial(baseline, t), target if d == 1024 else None)
