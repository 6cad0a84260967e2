"""Binning beside np.unique on the same bins, digitisation included in each.

Run: python benchmarks/binning.py [--n 10000] [--repeat 5]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np

from infoflow.estimators.binning import Binning

BINS, LOW, HIGH = 30, 0.0, 6.0


def digitise(t: np.ndarray, dtype: type) -> np.ndarray:
    indices = np.subtract(t, LOW, dtype=np.float64)
    indices /= (HIGH - LOW) / BINS
    np.floor(indices, out=indices)
    return indices.astype(dtype)


def entropy(counts: np.ndarray) -> float:
    p = counts / counts.sum()
    return float(-(p * np.log(p)).sum())


def void_bytes(t: np.ndarray) -> float:
    """Rows as opaque byte strings: one byte a bin index, sorted whole."""
    rows = np.ascontiguousarray(digitise(t, np.uint8))
    return entropy(np.unique(rows.view(np.dtype((np.void, rows.shape[1]))), return_counts=True)[1])


def wide_void_bytes(t: np.ndarray) -> float:
    """The same with np.digitize's own int64 indices, as mostly found in published code."""
    rows = np.ascontiguousarray(digitise(t, np.int64))
    return entropy(np.unique(rows.view(np.dtype((np.void, 8 * rows.shape[1]))), return_counts=True)[1])


def unique_rows(t: np.ndarray) -> float:
    return entropy(np.unique(digitise(t, np.uint8), axis=0, return_counts=True)[1])


def ours(t: np.ndarray) -> float:
    return Binning(bins=BINS, low=LOW, high=HIGH).entropy(t).nats


def timed(call: Callable[[np.ndarray], float], t: np.ndarray, repeat: int) -> tuple[float, float]:
    best, value = math.inf, math.nan
    for _ in range(repeat):
        start = time.perf_counter()
        value = call(t)
        best = min(best, time.perf_counter() - start)
    return best, value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    n = arguments.n
    print(f"n = {n}, {BINS} bins; seconds (best of {arguments.repeat}), and how many times slower than Binning\n")
    print(f"{'rows':30}{'Binning':>10}{'void uint8':>18}{'void int64':>18}{'unique(axis=0)':>18}")
    for d in (20, 1024):
        rng = np.random.default_rng(0)
        distinct = rng.uniform(LOW, HIGH, (n, d)).astype(np.float32)
        few = distinct[rng.integers(0, 100, n)]
        # Nearly equal rows make comparisons long: rows differ in the last entries only.
        close = np.repeat(distinct[:1], n, axis=0)
        close[:, -min(d, 8) :] = distinct[:, -min(d, 8) :]
        for name, t in (("different", distinct), ("100 different", few), ("different at the end only", close)):
            fast, value = timed(ours, t, arguments.repeat)
            line = f"{f'd = {d}, {name}':30}{fast:10.3f}"
            for reference in (void_bytes, wide_void_bytes, unique_rows):
                seconds, expected = timed(reference, t, arguments.repeat)
                assert abs(expected - value) < 1e-9, (name, expected, value)
                line += f"{seconds:10.3f} {seconds / fast:5.1f} x"
            print(line)


if __name__ == "__main__":
    main()
