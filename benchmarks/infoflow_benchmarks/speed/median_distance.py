"""The median distance, which is the default width of kernel estimators, compared with a list of all distances."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from scipy.spatial.distance import pdist

from infoflow.pairwise.median_distance import median_distance
from infoflow_benchmarks.speed.comparison import Comparison


def of_a_list(x: np.ndarray) -> float:
    """The lower median of SciPy's distances."""
    found = pdist(x)
    middle = (len(found) - 1) // 2
    return float(np.partition(found, middle)[middle])


def cases(quick: bool = False) -> Iterator[Comparison]:
    """Normal samples of the sizes of a layer on a probe set."""
    rng = np.random.default_rng(0)
    for n, d in ((300, 3), (700, 20)) if quick else ((1000, 512), (3000, 100), (3000, 512), (10_000, 20)):
        x = rng.normal(size=(n, d))
        reference = "scipy.spatial.distance.pdist and np.partition"
        ours = partial(median_distance, torch.from_numpy(x))
        yield Comparison(f"N = {n}, d = {d}", reference, ours, partial(of_a_list, x))
