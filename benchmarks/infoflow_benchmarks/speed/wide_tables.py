"""The ranking of the columns of a wide table by their information about a target, compared with scikit-learn.

The time of some columns is scaled to a table of 1000. It is processor time, of which each of two idle processors has
half with `n_jobs=2`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.feature_selection._mutual_info import _compute_mi_cc

from infoflow.estimators.neighbors.ksg import KSG
from infoflow.pairwise import plane_neighbors
from infoflow.tables import rank
from infoflow_benchmarks.speed.comparison import Row
from infoflow_benchmarks.speed.timing import extra_memory, processor_once, torch_threads

# Columns that are ranked, those among them that scikit-learn estimates, and those of the table that both are scaled to.
_RANKED, _BASELINE, _SCALED = 60, 2, 1000


def cases(quick: bool = False) -> Iterator[Row]:
    """`rank` by KSG, k = 3, without rescaling, and its memory for a few and for all of the columns."""
    n, ranked = (300, 4) if quick else (100_000, _RANKED)
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(n, ranked))
    target = columns[:, :8].sum(axis=1) + rng.normal(size=n)
    estimator = KSG(rescale="none")
    if plane_neighbors.available():
        plane_neighbors.nearest(np.arange(2.0), np.arange(2.0), 1)  # loads the compiled search
    with torch_threads(1):
        ranking, seconds = processor_once(lambda: rank(columns, target, estimator=estimator))
        few = extra_memory(lambda: rank(columns[:, :4], target, estimator=estimator))
        many = extra_memory(lambda: rank(columns, target, estimator=estimator))
        some = range(_BASELINE)
        expected, reference_seconds = processor_once(lambda: [_compute_mi_cc(columns[:, i], target, 3) for i in some])
    nats = ranking.frame.set_index("column")["nats"].sort_index().to_numpy(dtype=float)[:_BASELINE]
    per_column, baseline = seconds / ranked, reference_seconds / _BASELINE
    memory = "" if few is None or many is None else f"; {few:.0f} MiB for 4 columns, {many:.0f} MiB for {ranked}"
    yield Row(
        case=f"N = {n}, rank {ranked} columns, time of one",
        reference="scikit-learn _compute_mi_cc",
        reference_seconds=baseline,
        seconds=per_column,
        ratio=baseline / per_column,
        difference=float(np.abs(np.maximum(nats, 0.0) - expected).max()),
        mebibytes=many,
        note=f"{_SCALED} columns: {_SCALED * per_column:.0f} s of processor time, half of it on two processors, the "
        f"reference {_SCALED * baseline:.0f} s{memory}",
    )
