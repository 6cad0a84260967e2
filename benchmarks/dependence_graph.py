"""The dependence graph: our time beside plain loops over samples with dictionaries, in one run; and its accuracy.

python benchmarks/dependence_graph.py
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from infoflow.estimators import DependenceGraph


def hashed(x: np.ndarray, width: float, rng: np.random.Generator) -> list[int]:
    """Every sample's bucket number, one sample after the other."""
    shift = rng.random(x.shape[1])
    table: dict[tuple[int, ...], int] = {}
    numbers = []
    for row in x:
        key = tuple(np.floor(row / width + shift).astype(int).tolist())
        numbers.append(table.setdefault(key, len(table)))
    return numbers


def edges(left: Sequence[int], right: Sequence[int]) -> float:
    n = len(left)
    count_left: dict[int, int] = {}
    count_right: dict[int, int] = {}
    count_both: dict[tuple[int, int], int] = {}
    for i, j in zip(left, right, strict=True):
        count_left[i] = count_left.get(i, 0) + 1
        count_right[j] = count_right.get(j, 0) + 1
        count_both[i, j] = count_both.get((i, j), 0) + 1
    total = 0.0
    for (i, j), both in count_both.items():
        total += both / n * math.log(both * n / (count_left[i] * count_right[j]))
    return total


def straightforward(x: np.ndarray, y: np.ndarray, width: float, shifts: int = 10) -> float:
    """EDGE with the same rules, by loops."""
    widest = int(math.log2(len(x) / 10))
    values = []
    for shift in range(shifts):
        codes = []
        for v in (x, y):
            rng = np.random.default_rng((0, shift))
            shifted = np.random.default_rng((0, shift, 1))
            u = (v - v.mean(0)) / v.std(0)
            if u.shape[1] > widest:
                u = u @ (rng.standard_normal((widest, u.shape[1])).T / math.sqrt(u.shape[1]))
                u = u / u.std(0)
            codes.append(hashed(u, width, shifted))
        values.append(edges(*codes))
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
