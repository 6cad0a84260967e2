"""The dependence graph: our time beside plain loops over samples with dictionaries, in one run; and its accuracy.

python benchmarks/dependence_graph.py
"""

from __future__ import annotations

import math
import time

import numpy as np

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


def straightforward(x: np.ndarray, y: np.ndarray, width: float, shifts: int = 10) -> float:
    """EDGE with the same rules, by loops."""
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
        values.append(one_shift(*projected, width, *shifts_of))
    return float(np.mean(values))


def main() -> None:
    rng = np.random.default_rng(0)
    print(f"{'I(X;T), 10 shifts':34s}{'plain s':>10s}{'ours s':>10s}{'ratio':>8s}  nats (plain, ours)")
    estimator = DependenceGraph()
    for n, d in ((1000, 20), (4096, 20), (10_000, 1), (10_000, 20), (10_000, 1024)):
        x = rng.normal(size=(n, d))
        t = np.tanh(x[:, :20] + 0.1 * rng.normal(size=(n, min(d, 20))))
        best = math.inf
        for _ in range(3):
            start = time.perf_counter()
            ours = estimator.estimate(x, t)
            best = min(best, time.perf_counter() - start)
        start = time.perf_counter()
        plain = straightforward(x, t, ours.parameters["width"])
        slow = time.perf_counter() - start
        print(f"{f'N = {n}, d = {d}':34s}{slow:10.2f}{best:10.4f}{slow / best:7.0f}x  {plain:.4f} {ours.nats:.4f}")

    print(f"\n{'Gaussian pairs':34s}{'truth':>10s}{'ours':>10s}{'error':>10s}  warning")
    for d in (1, 2, 3, 5, 25):
        for n in (1000, 10_000):
            for correlation in (0.0, 0.6, 0.9):
                x = rng.normal(size=(n, d))
                y = correlation * x + math.sqrt(1 - correlation**2) * rng.normal(size=(n, d))
                truth = -0.5 * d * math.log(1 - correlation**2)
                found = estimator.estimate(x, y)
                label = f"d = {d}, N = {n}, correlation {correlation}"
                note = found.warnings[0].split(":")[0][:60] if found.warnings else ""
                print(f"{label:34s}{truth:10.3f}{found.nats:10.3f}{found.nats - truth:+10.3f}  {note}")


if __name__ == "__main__":
    main()
