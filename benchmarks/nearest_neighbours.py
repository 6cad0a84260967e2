"""KSG beside the way it is usually written (k-d trees of SciPy and scikit-learn), and its accuracy.

Run: python benchmarks/nearest_neighbours.py [--slow]
Both sides of a row run in this process, one after the other, on the same samples. `--slow` adds N = 4096, d = 1024, for
which the reference takes minutes.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression

from infoflow.estimators.ksg import KSG

Sampler = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def reference(x: np.ndarray, y: np.ndarray, k: int = 3) -> float:
    """The usual form: a k-d tree of the joint space, then balls in both, in the maximum norm."""
    joint = np.hstack([x, y])
    radius = np.nextafter(cKDTree(joint).query(joint, k + 1, p=np.inf)[0][:, -1], 0)
    near = [cKDTree(v).query_ball_point(v, radius, p=np.inf, return_length=True) for v in (x, y)]
    return float(digamma(k) + digamma(len(x)) - np.mean(digamma(near[0]) + digamma(near[1])))


def gaussian(rho: float, pairs: int, dimension: int | None = None) -> Sampler:
    def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(2, n, dimension or pairs))
        y[:, :pairs] = rho * x[:, :pairs] + math.sqrt(1 - rho**2) * y[:, :pairs]
        return x, y

    return draw


def student(dx: int, dy: int, df: int) -> Sampler:
    def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        z = rng.normal(size=(n, dx + dy)) / np.sqrt(rng.chisquare(df, size=n) / df)[:, None]
        return z[:, :dx], z[:, dx:]

    return draw


def additive(noise: float) -> Sampler:
    def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        x = rng.uniform(size=(n, 1))
        return x, x + rng.uniform(-noise, noise, size=(n, 1))

    return draw


# Truths of the Student tasks as published for uncorrelated components that share their scale.
TASKS: dict[str, tuple[Sampler, float]] = {
    **{f"normal, rho {rho}": (gaussian(rho, 1), -0.5 * math.log(1 - rho**2)) for rho in (0.0, 0.3, 0.75, 0.9, 0.99)},
    "normal, 2 pairs of 0.8": (gaussian(0.8, 2), -math.log(1 - 0.64)),
    "normal, 2 pairs in 3 + 3": (gaussian(0.8, 2, 3), -math.log(1 - 0.64)),
    "student 1-1, df 1": (student(1, 1, 1), 0.224171),
    "student 2-2, df 2": (student(2, 2, 2), 0.193147),
    "student 3-3, df 3": (student(3, 3, 3), 0.178712),
    "uniform + noise 0.1": (additive(0.1), 1.709438),
    "uniform + noise 0.75": (additive(0.75), 1 / 3),
    "normal, 2 pairs in 5 + 5": (gaussian(0.8, 2, 5), -math.log(1 - 0.64)),
    "normal, 2 pairs in 25 + 25": (gaussian(0.8, 2, 25), -math.log(1 - 0.64)),
}


def timed(call: Callable[[], float], repeat: int) -> tuple[float, float]:
    """The quickest of some runs, in seconds, and the answer."""
    best, answer = math.inf, math.nan
    for _ in range(repeat):
        start = time.perf_counter()
        answer = call()
        best = min(best, time.perf_counter() - start)
    return best, answer


def speed(slow: bool) -> None:
    print(f"speed, {torch.get_num_threads()} threads (reference: one, as people write it)")
    print(f"{'N':>6} {'dx+dy':>10} {'reference':>10} {'infoflow':>10} {'ratio':>7}   nats (reference, ours, metric)")
    for n, dx, dy in [(1000, 1, 1), (10_000, 1, 1), (10_000, 2, 2), (4096, 5, 5), (4096, 20, 1), (4096, 20, 20)] + (
        [(4096, 1024, 1)] + [(4096, 1024, 1024)] * slow
    ):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(n, dx))
        y = rng.normal(size=(n, dy)) + x[:, : min(dx, dy)].sum(1, keepdims=True) / math.sqrt(min(dx, dy))
        theirs, reference_nats = timed(lambda: reference(x, y), 1 if dx > 20 else 5)  # noqa: B023
        ours, nats = timed(lambda: KSG().estimate(x, y).nats, 5)  # noqa: B023
        metric = KSG().estimate(x[:100], y[:100]).parameters["metric"]
        row = f"{n:>6} {f'{dx}+{dy}':>10} {theirs:>9.3f}s {ours:>9.3f}s {theirs / ours:>6.1f}x"
        print(f"{row}   {reference_nats:.3f}, {nats:.3f}, {metric}", flush=True)


def accuracy(n: int, seeds: int) -> None:
    print(f"\naccuracy, N = {n}, mean ± deviation over {seeds} seeds, nats")
    columns = {
        "KSG": KSG(),
        "variant 2": KSG(variant=2),
        "unit variance": KSG(rescale="standard"),
    }
    print(f"{'task':>28} {'truth':>7} " + " ".join(f"{name:>15}" for name in (*columns, "scikit-learn")))
    for task, (draw, truth) in TASKS.items():
        cells = []
        for estimator in columns.values():
            values = [estimator.estimate(*draw(n, seed)).nats for seed in range(seeds)]
            cells.append(f"{np.mean(values):>8.3f} ±{np.std(values):.3f}")
        x, y = draw(n, 0)
        theirs = f"{mutual_info_regression(x, y[:, 0])[0]:.3f}" if x.shape[1] == 1 else "-"
        print(f"{task:>28} {truth:>7.3f} " + " ".join(f"{cell:>15}" for cell in (*cells, theirs)), flush=True)


if __name__ == "__main__":
    speed(slow="--slow" in sys.argv)
    accuracy(10_000, 3)
