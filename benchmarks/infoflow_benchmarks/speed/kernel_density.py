"""KernelDensity beside the usual NumPy port, and its inner loop beside the matrix product that it can't do without."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from scipy.special import logsumexp

from infoflow.estimators.kernel.kernel_density import KernelDensity
from infoflow.pairwise.log_sum_exp import log_sum_exp
from infoflow_benchmarks.speed.row import Row
from infoflow_benchmarks.speed.timing import compare, extra_memory

NAME = "kernel-density"
VARIANCES = (1e-3, 1e-1, 1.0, 10.0, 100.0)
CLASSES = 10
MEMORY = "memory wanted: below 1024 MiB"


def activations(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """A ReLU layer of ten classes, float32, and the classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, n)
    centers = rng.standard_normal((CLASSES, d), dtype=np.float32)
    return np.maximum(centers[y] / 2 + rng.standard_normal((n, d), dtype=np.float32), 0), y


def numpy_port(t: np.ndarray, y: np.ndarray, variances: tuple[float, ...] = VARIANCES) -> np.ndarray:
    """As people run it: the whole distance matrix, once per variance, and once more per class."""

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


def ours(t: np.ndarray, y: np.ndarray, dtype: str) -> np.ndarray:
    pairs = [KernelDensity(v, bound, dtype=dtype) for v in VARIANCES for bound in ("upper", "lower")]
    measured = KernelDensity.measure_many(pairs, t, y)
    values = [[one.input.nats, one.label.nats] for one in measured]  # upper, lower, upper, lower, ...
    return np.array(values).reshape(len(VARIANCES), 2, 2).transpose(0, 2, 1).reshape(len(VARIANCES), 4)


def run(quick: bool = False) -> Iterator[Row]:
    """Five variances, both bounds, I(X;T) and I(T;Y); then one variance beside the product alone."""
    n, d = (400, 50) if quick else (10_000, 1024)
    t, y = activations(n, d)
    double = t.astype(np.float64)
    exact = ours(t, y, "float64")  # itself held against the float64 port in the next row
    for dtype, activity, wanted in (("float32", t, 10.0), ("float64", double - double.mean(0), None)):
        pair = compare(partial(ours, t, y, dtype), partial(numpy_port, activity, y), quick=quick)
        # The port's float32 answers are no truth: they lose the digits of small distances.
        truth = exact if dtype == "float32" else pair.reference
        yield pair.row(
            NAME,
            f"N = {n}, d = {d}, {len(VARIANCES)} variances, {dtype}",
            f"NumPy port with N×N matrices, {dtype}",
            wanted_ratio=wanted,
            difference=float(np.abs(pair.ours - truth).max()),
            mebibytes=extra_memory(partial(ours, t, y, dtype)),
            reference_mebibytes=extra_memory(partial(numpy_port, activity, y, VARIANCES[:1])),
            note=MEMORY,
        )
    n = 512 if quick else 8192
    for d in (512, 1024):
        yield _beside_the_product(n, d, quick)


def _beside_the_product(n: int, d: int, quick: bool) -> Row:
    """The share of the machine's rate of matrix products that is left when each pair of samples is counted once."""
    x = torch.randn((n, d), generator=torch.Generator().manual_seed(0))
    memory = torch.empty((n, n // 2))
    # The width is that of the distances, so that no kernel value is negligible and skipped.
    pair = compare(
        lambda: log_sum_exp(x, [1 / (2 * d)]).total, lambda: torch.mm(x, x[: n // 2].T, out=memory), quick=quick
    )
    return pair.row(
        NAME,
        f"inner loop, N = {n}, d = {d}, float32",
        "the matrix product of N×N/2 pairs alone",
        same=False,
        wanted_ratio=0.5,
        note="the ratio is the share of the machine's matrix-product rate",
    )
