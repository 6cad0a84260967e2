"""KSG beside the way it is usually written, with SciPy's k-d trees."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import digamma

from infoflow.estimators.neighbors.family import norm
from infoflow.estimators.neighbors.ksg import KSG
from infoflow_benchmarks.speed.row import Row
from infoflow_benchmarks.speed.timing import compare, estimated


def usual_ksg(x: np.ndarray, y: np.ndarray, k: int = 3) -> float:
    """A k-d tree of the joint space, then balls in both, in the maximum norm; one thread, as people write it."""
    joint = np.hstack([x, y])
    radius = np.nextafter(cKDTree(joint).query(joint, k + 1, p=np.inf)[0][:, -1], 0)
    near = [cKDTree(v).query_ball_point(v, radius, p=np.inf, return_length=True) for v in (x, y)]
    return float(digamma(k) + digamma(len(x)) - np.mean(digamma(near[0]) + digamma(near[1])))


def run(quick: bool = False) -> Iterator[Row]:
    """KSG of the first variant, k = 3, on the columns as they are; in many dimensions with Euclidean norms."""
    estimator = KSG(rescale="none")
    full = ((1000, 1, 1), (10_000, 1, 1), (10_000, 2, 2), (4096, 5, 5), (4096, 20, 1), (4096, 20, 20), (4096, 1024, 1))
    for n, dx, dy in ((300, 1, 1), (300, 3, 3), (300, 20, 1)) if quick else full:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(n, dx))
        y = rng.normal(size=(n, dy)) + x[:, : min(dx, dy)].sum(1, keepdims=True) / math.sqrt(min(dx, dy))
        pair = compare(estimated(estimator, x, y), partial(usual_ksg, x, y), quick=quick)
        same = norm("auto", dx + dy) == "chebyshev"
        yield pair.row(
            "nearest-neighbors",
            f"N = {n}, d = {dx} + {dy}",
            "k-d trees, maximum norm",
            same=same,
            wanted_ratio=30.0 if dx == 1024 else None,
            note="" if same else f"Euclidean norms: {pair.ours:.3f} nats, the reference {pair.reference:.3f}",
        )
