"""KernelDensity, compared with the usual NumPy code; and its inner loop, compared with a matrix product alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.special import logsumexp

from infoflow.estimators.kernel.kernel_density import KernelDensity
from infoflow.pairwise.log_sum_exp import log_sum_exp
from infoflow_benchmarks.speed.comparison import Comparison, Timing

VARIANCES = (1e-3, 1e-1, 1.0, 10.0, 100.0)
CLASSES = 10


def activations(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Activations of a ReLU layer, float32, and their ten classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, n)
    centers = rng.standard_normal((CLASSES, d), dtype=np.float32)
    return np.maximum(centers[y] / 2 + rng.standard_normal((n, d), dtype=np.float32), 0), y


def numpy_port(t: np.ndarray, y: np.ndarray, variances: tuple[float, ...] = VARIANCES) -> np.ndarray:
    """The usual code: the whole distance matrix, once per variance, and once more per class."""

    def information(x: np.ndarray, variance: float) -> np.ndarray:
        norms = (x**2).sum(axis=1)
        distances = norms[:, None] + norms[None, :] - 2 * x @ x.T
        upper = math.log(len(x)) - logsumexp(-distances / (2 * variance), axis=1).mean()
        lower = math.log(len(x)) - logsumexp(-distances / (8 * variance), axis=1).mean()
        return np.array([upper, lower])

    table = []
    for variance in variances:
        whole = information(t, variance)
        within = sum((y == c).mean() * information(t[y == c], variance) for c in np.unique(y))
        table.append(np.concatenate([whole, whole - within]))
    return np.array(table)


def ours(t: np.ndarray, y: np.ndarray, dtype: Any) -> np.ndarray:
    pairs = [KernelDensity(v, bound, dtype=dtype) for v in VARIANCES for bound in ("upper", "lower")]
    measured = KernelDensity.measure_many(pairs, t, y)
    values = [[one.input.nats, one.label.nats] for one in measured]  # upper, lower, upper, lower, ...
    return np.array(values).reshape(len(VARIANCES), 2, 2).transpose(0, 2, 1).reshape(len(VARIANCES), 4)


def cases(quick: bool = False) -> Iterator[Comparison]:
    """Five variances, both bounds, I(X;T) and I(T;Y); then one variance, compared with the product alone."""
    n, d = (400, 50) if quick else (10_000, 1024)
    t, y = activations(n, d)
    double = t.astype(np.float64)
    exact = ours(t, y, "float64")  # which the next row compares with the float64 baseline
    for dtype, activity, target in (("float32", t, 10.0), ("float64", double - double.mean(0), None)):
        yield Comparison(
            f"N = {n}, d = {d}, {len(VARIANCES)} variances, {dtype}",
            f"NumPy port with N×N matrices, {dtype}",
            partial(ours, t, y, dtype),
            partial(numpy_port, activity, y),
            target,
            # In float32 the baseline loses the digits of small distances.
            partial(difference_from, exact if dtype == "float32" else None),
            memory=partial(numpy_port, activity, y, VARIANCES[:1]),
            note="target for memory: below 1024 MiB",
        )
    n = 512 if quick else 8192
    memory = torch.empty((n, n // 2))
    for d in (512, 1024):
        x = torch.randn((n, d), generator=torch.Generator().manual_seed(0))
        yield Comparison(
            f"inner loop, N = {n}, d = {d}, float32",
            "the matrix product of N×N/2 pairs alone",
            # The bandwidth is that of the distances, so that no kernel value is negligible and skipped.
            partial(log_sum_exp, x, [1 / (2 * d)]),
            partial(torch.mm, x, x[: n // 2].T, out=memory),
            target_ratio=0.5,
            difference=None,
            note="the ratio is the share of the machine's matrix-product rate",
        )


def difference_from(truth: np.ndarray | None, timing: Timing) -> float:
    """The largest error, where the truth is not given of the baseline's results."""
    return float(np.abs(timing.ours - (timing.reference if truth is None else truth)).max())
