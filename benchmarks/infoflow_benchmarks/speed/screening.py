"""One column against another or against classes, as tables are screened, compared with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection._mutual_info import _compute_mi_cc, _compute_mi_cd

from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.pairwise import plane_neighbors
from infoflow.tables import rank
from infoflow_benchmarks.speed.comparison import Comparison, Timing, estimated

Array = NDArray[np.float64]

# Columns of the table that the ranking is timed on, and of the table that it is scaled to.
_TIMED, _SCALED = 4, 1000

TIES: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "0 or 1, 1 % ones": lambda rng, n: (rng.random(n) < 0.01).astype(float),
    "70 % zeros": lambda rng, n: rng.normal(size=n) * (rng.random(n) < 0.3),
    "integers from 0 to 9": lambda rng, n: rng.integers(0, 10, size=n).astype(float),
}


def cases(quick: bool = False) -> Iterator[Comparison]:
    """KSG and nearest neighbors within classes, k = 3, without rescaling, on samples without noise."""
    if plane_neighbors.available():
        plane_neighbors.nearest(np.arange(2.0), np.arange(2.0), 1)  # loads the compiled search
    for n in (300,) if quick else (10_000, 100_000):
        rng = np.random.default_rng(0)
        x = rng.normal(size=n)
        y = 0.8 * x + 0.6 * rng.normal(size=n)
        labels = (y > 0).astype(int)
        yield from _number_and_number(x, y)
        yield Comparison(
            f"N = {n}, number and 2 classes",
            "scikit-learn _compute_mi_cd",
            estimated(ClassNeighbors(rescale="none"), x, labels),
            partial(_compute_mi_cd, x, labels, 3),
            target_ratio=8.0,
            memory=partial(_compute_mi_cd, x, labels, 3),
        )
    n = 300 if quick else 100_000
    yield from _ties(n)
    yield _ranking(n)


def _number_and_number(x: Array, y: Array) -> Iterator[Comparison]:
    ours, baseline = estimated(KSG(rescale="none"), x, y), partial(_compute_mi_cc, x, y, 3)
    compiled = "compiled by numba" if plane_neighbors.available() else "k-d trees"
    yield Comparison(
        f"N = {len(x)}, number and number",
        "scikit-learn _compute_mi_cc",
        ours,
        baseline,
        target_ratio=8.0,
        memory=baseline,
        note=compiled,
    )
    if plane_neighbors.available():
        yield Comparison(
            f"N = {len(x)}, number and number, without numba",
            "scikit-learn _compute_mi_cc",
            partial(_without_numba, ours),
            baseline,
            memory=baseline,
            note="k-d trees",
        )


def _without_numba(call: Callable[[], Any]) -> Any:
    with patch.object(plane_neighbors, "worthwhile", return_value=False):
        return call()


def _ties(n: int) -> Iterator[Comparison]:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, n))
    for name, pattern in TIES.items():
        yield Comparison(
            f"N = {n}, number and {name}",
            "infoflow on continuous numbers",
            estimated(KSG(rescale="none"), x, pattern(rng, n)),
            estimated(KSG(rescale="none"), x, y),
            target_ratio=1 / 3,
            difference=None,
            note="ties: the ratio is the continuous numbers' time over that of the ties",
        )


def _ranking(n: int) -> Comparison:
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(n, _TIMED))
    target = columns.sum(axis=1) + rng.normal(size=n)
    estimator = KSG(rescale="none")

    def ours() -> Array:
        frame = rank(columns, target, estimator=estimator).frame.set_index("column")
        return np.asarray(frame["nats"].sort_index().to_numpy(dtype=float))

    def scaled(timing: Timing) -> str:
        ours, reference = (_SCALED / _TIMED * each for each in (timing.seconds, timing.reference_seconds))
        return f"{_SCALED} columns: {ours:.0f} s, the reference {reference:.0f} s on one thread"

    def baseline() -> list[float]:
        return [_compute_mi_cc(column, target, 3) for column in columns.T]

    return Comparison(
        f"N = {n}, rank {_TIMED} columns",
        "scikit-learn _compute_mi_cc",
        ours,
        baseline,
        difference=_difference,
        memory=baseline,
        note=scaled,
    )


def _difference(timing: Timing) -> float:
    """The largest difference; scikit-learn returns 0 for a negative estimate."""
    return float(np.abs(np.maximum(timing.ours, 0.0) - timing.reference).max())
