"""The default estimator of one number against another, on continuous and on repeated values."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import mutual_info_regression

from infoflow.estimators.automatic.policy import Auto
from infoflow_benchmarks.speed.comparison import Row
from infoflow_benchmarks.speed.timing import processor_once, torch_threads

Array = NDArray[np.float64]

_SEEDS = 20

# Seconds that an estimate may take, by the number of samples.
_GOALS = {200: 0.012, 1000: 0.030}

PATTERNS: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "Gaussian": lambda x, noise: (x, x + noise),
    "sine": lambda x, noise: (x, np.sin(2 * x) + 0.5 * noise),
    "exponential": lambda x, noise: (x, np.exp(x) + 0.3 * noise),
    "rounded to 0.1": lambda x, noise: (x.round(1), (x + noise).round(1)),
    "half zeros": lambda x, noise: (np.maximum(x, 0.0), x + noise),
}


def cases(quick: bool = False) -> Iterator[Row]:
    """The median over seeds of the processor time of an estimate, after a first one."""
    with torch_threads(1):
        for n, goal in _GOALS.items():
            for name, pattern in PATTERNS.items():
                yield _row(n, goal, name, pattern, 1 if quick else _SEEDS)


def _row(n: int, goal: float, name: str, pattern: Callable[[Array, Array], tuple[Array, Array]], seeds: int) -> Row:
    times: list[tuple[float, float]] = []
    for seed in range(-1, seeds):  # the first one loads code
        x, y = pattern(*np.random.default_rng(seed + 1).normal(size=(2, n)))
        ours = processor_once(partial(Auto().estimate, x, y))[1]
        baseline = processor_once(partial(mutual_info_regression, x[:, None], y, random_state=0))[1]
        times.append((ours, baseline))
    seconds, reference_seconds = (statistics.median(side) for side in zip(*times[1:], strict=True))
    reached = "reached" if seconds <= goal else "not reached"
    return Row(
        case=f"N = {n}, {name}",
        reference="scikit-learn mutual_info_regression",
        reference_seconds=reference_seconds,
        seconds=seconds,
        ratio=reference_seconds / seconds,
        note=f"median processor time of {seeds} seeds; goal {1000 * goal:.0f} ms: {reached}",
    )
