"""Two columns of a million rows compared with scikit-learn, and patterns of repeated values with continuous ones.

Both sides are called once, in processor time on one thread, since scikit-learn takes minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from sklearn.feature_selection._mutual_info import _compute_mi_cc, _compute_mi_cd

from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.pairwise import plane_neighbors
from infoflow_benchmarks.speed.comparison import Row, estimated
from infoflow_benchmarks.speed.screening import TIES
from infoflow_benchmarks.speed.timing import processor_once, torch_threads

_NOTE = "processor time on one thread, one call each"


def cases(quick: bool = False) -> Iterator[Row]:
    """KSG and nearest neighbors within classes, k = 3, without rescaling, and KSG where values repeat."""
    n = 300 if quick else 1_000_000
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    y = 0.8 * x + 0.6 * rng.normal(size=n)
    labels = (y > 0).astype(int)
    if plane_neighbors.available():
        plane_neighbors.nearest(np.arange(2.0), np.arange(2.0), 1)  # loads the compiled search
    with torch_threads(1):
        ours = estimated(KSG(rescale="none"), x, y)
        _, continuous = processor_once(ours)
        for name, pattern in TIES.items():
            values = pattern(rng, n)
            _, seconds = processor_once(estimated(KSG(rescale="none"), x, values))
            yield Row(
                case=f"N = {n}, number and {name}",
                reference="infoflow on continuous numbers",
                reference_seconds=continuous,
                seconds=seconds,
                ratio=continuous / seconds,
                target_ratio=1 / 3,
                note=f"{_NOTE}; ties: the ratio is the continuous numbers' time over that of the ties",
            )
        classes = estimated(ClassNeighbors(rescale="none"), x, labels)
        yield _row(f"N = {n}, number and 2 classes", "_compute_mi_cd", classes, partial(_compute_mi_cd, x, labels, 3))
        yield _row(f"N = {n}, number and number", "_compute_mi_cc", ours, partial(_compute_mi_cc, x, y, 3))


def _row(case: str, name: str, ours: Callable[[], float], baseline: Callable[[], float]) -> Row:
    (found, seconds), (expected, reference_seconds) = processor_once(ours), processor_once(baseline)
    return Row(
        case=case,
        reference=f"scikit-learn {name}",
        reference_seconds=reference_seconds,
        seconds=seconds,
        ratio=reference_seconds / seconds,
        target_ratio=8.0,
        difference=abs(found - expected),
        note=_NOTE,
    )
