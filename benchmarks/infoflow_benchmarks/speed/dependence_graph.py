"""The dependence graph, compared with plain loops over samples with dictionaries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from infoflow.estimators import DependenceGraph
from infoflow_benchmarks.speed.comparison import Comparison, estimated

Bucket = tuple[float, ...]


def one_shift(x: np.ndarray, y: np.ndarray, width: float, shift_x: np.ndarray, shift_y: np.ndarray) -> float:
    """The graph as dictionaries from buckets to the samples in them, filled sample by sample."""
    left: dict[Bucket, list[int]] = {}
    right: dict[Bucket, list[int]] = {}
    both: dict[tuple[Bucket, Bucket], list[int]] = {}
    for i in range(len(x)):
        a = tuple(np.floor(x[i] / width + shift_x))
        b = tuple(np.floor(y[i] / width + shift_y))
        left.setdefault(a, []).append(i)
        right.setdefault(b, []).append(i)
        both.setdefault((a, b), []).append(i)
    total, n = 0.0, len(x)
    for (a, b), members in both.items():
        ratio = len(members) * n / (len(left[a]) * len(right[b]))
        total += len(members) / n * math.log(ratio)
    return total


def plain_loops(x: np.ndarray, y: np.ndarray, width: float, shifts: int = 10) -> float:
    """EDGE with the same rules and random numbers, by loops over samples."""
    widest = int(math.log2(len(x) / 10))
    values = []
    for shift in range(shifts):
        projected, offsets = [], []
        for v in (x, y):
            d = v.shape[1]
            u = (v - v.mean(0)) / v.std(0)
            if d > widest:
                directions = np.random.default_rng(0).standard_normal((shifts, widest, d))[shift]
                u = u @ (directions.T / math.sqrt(d))
                u = u / u.std(0)
            projected.append(u)
            offsets.append(np.random.default_rng((0, 1)).random((shifts, u.shape[1]))[shift])
        values.append(one_shift(projected[0], projected[1], width, *offsets))
    return float(np.mean(values))


def cases(quick: bool = False) -> Iterator[Comparison]:
    """I(X;T) of tanh units with noise, ten shifts."""
    rng = np.random.default_rng(0)
    estimator = DependenceGraph()
    for n, d in ((200, 3), (200, 30)) if quick else ((1000, 20), (4096, 20), (10_000, 1), (10_000, 20), (10_000, 1024)):
        x = rng.normal(size=(n, d))
        t = np.tanh(x[:, :20] + 0.1 * rng.normal(size=(n, min(d, 20))))
        width = float(estimator.estimate(x, t).parameters["width"])
        loops = partial(plain_loops, x, t, width)
        reference = "loops over samples with dictionaries"
        yield Comparison(f"N = {n}, d = {d}", reference, estimated(estimator, x, t), loops, target_ratio=30.0)
