"""The dependence graph beside plain loops over samples with dictionaries."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from infoflow.bench.speed.row import Row
from infoflow.bench.speed.timing import compare, estimated
from infoflow.estimators import DependenceGraph

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
    """EDGE with the same rules and random numbers, by loops."""
    widest = int(math.log2(len(x) / 10))
    values = []
    for shift in range(shifts):
        projected, shifts_of = [], []
        for v in (x, y):
            rng = np.random.default_rng((0, shift))
            u = (v - v.mean(0)) / v.std(0)
            if u.shape[1] > widest:
                u = u @ (rng.standard_normal((widest, u.shape[1])).T / math.sqrt(u.shape[1]))
                u = u / u.std(0)
            projected.append(u)
            shifts_of.append(np.random.default_rng((0, shift, 1)).random(u.shape[1]))
        values.append(one_shift(projected[0], projected[1], width, *shifts_of))
    return float(np.mean(values))


def run(quick: bool = False) -> Iterator[Row]:
    """I(X;T), ten shifts, of tanh units with noise."""
    rng = np.random.default_rng(0)
    estimator = DependenceGraph()
    for n, d in ((200, 3), (200, 30)) if quick else ((1000, 20), (4096, 20), (10_000, 1), (10_000, 20), (10_000, 1024)):
        x = rng.normal(size=(n, d))
        t = np.tanh(x[:, :20] + 0.1 * rng.normal(size=(n, min(d, 20))))
        width = float(estimator.estimate(x, t).parameters["width"])
        pair = compare(estimated(estimator, x, t), partial(plain_loops, x, t, width), quick=quick)
        case = f"N = {n}, d = {d}"
        yield pair.row("dependence-graph", case, "loops over samples with dictionaries", wanted_ratio=30.0)
