"""The KSG estimator, compared with its usual implementation by SciPy's k-d trees."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma

from infoflow.estimators.neighbors.family import norm
from infoflow.estimators.neighbors.ksg import KSG
from infoflow_benchmarks.speed.comparison import Comparison, Timing, estimated, largest_difference


def usual_ksg(x: np.ndarray, y: np.ndarray, k: int = 3) -> float:
    """A k-d tree of the joint space, then balls in both, in the maximum norm, on one thread."""
    joint = np.hstack([x, y])
    radius = np.nextafter(cKDTree(joint).query(joint, k + 1, p=np.inf)[0][:, -1], 0)
    near = [cKDTree(v).query_ball_point(v, radius, p=np.inf, return_length=True) for v in (x, y)]
    return float(digamma(k) + digamma(len(x)) - np.mean(digamma(near[0]) + digamma(near[1])))


def cases(quick: bool = False) -> Iterator[Comparison]:
    """KSG of the first variant, k = 3, without rescaling; in many dimensions with Euclidean norms."""
    estimator = KSG(rescale="none")
    full = ((1000, 1, 1), (10_000, 1, 1), (10_000, 2, 2), (4096, 5, 5), (4096, 20, 1), (4096, 20, 20), (4096, 1024, 1))
    for n, dx, dy in ((300, 1, 1), (300, 3, 3), (300, 20, 1)) if quick else full:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(n, dx))
        y = rng.normal(size=(n, dy)) + x[:, : min(dx, dy)].sum(1, keepdims=True) / math.sqrt(min(dx, dy))
        same = norm("auto", dx + dy) == "chebyshev"
        yield Comparison(
            f"N = {n}, d = {dx} + {dy}",
            "k-d trees, maximum norm",
            estimated(estimator, x, y),
            partial(usual_ksg, x, y),
            target_ratio=30.0 if dx == 1024 else None,
            difference=largest_difference if same else None,
            note="" if same else both_estimates,
        )


def both_estimates(timing: Timing) -> str:
    return f"Euclidean norms: {timing.ours:.3f} nats, the reference {timing.reference:.3f}"
