"""Rankings of tables of numbers, compared with scikit-learn, and of a Parquet file, read by column or at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

from infoflow.tables import rank
from infoflow_benchmarks.speed.comparison import Comparison, Timing
from infoflow_benchmarks.speed.timing import torch_threads

Array = NDArray[np.float64]

# Columns of the tables that scikit-learn ranks, too.
_COLUMNS = 8

# Rows that a Parquet file is written by at once, so that the table is never in memory.
_ROW_GROUP = 50_000

# Columns of the Parquet file, and of the file that its time is scaled to.
_STREAMED, _SCALED = 60, 1000


def cases(quick: bool = False) -> Iterator[Comparison]:
    """Columns against a number and against classes on one thread; then a Parquet file, read by column."""
    with torch_threads(1):
        for n in (300,) if quick else (2_000, 10_000):
            columns, number = _table(n)
            classes = np.digitize(number, [-1.0, 1.0])
            for estimator in ("by-type", "ksg", "auto"):
                yield _against_scikit_learn("a number", columns, number, estimator, mutual_info_regression)
                yield _against_scikit_learn("3 classes", columns, classes, estimator, mutual_info_classif)
        with tempfile.TemporaryDirectory() as folder:
            yield _streamed(Path(folder) / "table.parquet", *((300, 4) if quick else (200_000, _STREAMED)))


def _table(n: int) -> tuple[Array, Array]:
    """Independent numbers, and a target that depends on half of them."""
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(n, _COLUMNS))
    return columns, columns[:, ::2].sum(axis=1) + rng.normal(size=n)


def _against_scikit_learn(kind: str, columns: Array, target: NDArray[Any], estimator: str, baseline: Any) -> Comparison:
    further = {
        "by-type": "nearest neighbors in both; the default of rank, which adds intervals",
        "ksg": "nearest neighbors in both",
        "auto": "infoflow also chooses among estimators and adds intervals",
    }
    return Comparison(
        f"N = {len(columns)}, rank {columns.shape[1]} columns about {kind}, estimator {estimator}",
        f"scikit-learn {baseline.__name__}",
        lambda: rank(columns, target, estimator=estimator).frame["nats"].to_numpy(dtype=float),
        partial(baseline, columns, target, random_state=0),
        target_ratio=None if estimator == "auto" else 1.0,
        difference=None,
        note=f"one thread; {further[estimator]}",
    )


def _streamed(path: Path, n: int, columns: int) -> Comparison:
    write_table(path, n, columns)

    def by_column() -> Array:
        return _sorted(rank(path, "y", estimator="gaussian"))

    def at_once() -> Array:
        return _sorted(rank(pd.read_parquet(path), "y", estimator="gaussian"))

    def scaled(timing: Timing) -> str:
        return f"{_SCALED} columns at the same rate: {timing.seconds * _SCALED / columns:.0f} s, and as much memory"

    return Comparison(
        f"N = {n}, rank {columns} columns of a Parquet file, estimator gaussian",
        "the table read at once by pandas",
        by_column,
        at_once,
        memory=at_once,
        note=scaled,
    )


def _sorted(ranking: Any) -> Array:
    values: Array = ranking.frame.set_index("column")["nats"].sort_index().to_numpy(dtype=float)
    return values


def write_table(path: Path, n: int, columns: int) -> None:
    """Write a Parquet file of so many columns of numbers in single precision and a target "y", by groups of rows."""
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(columns)]
    schema = pyarrow.schema([(name, pyarrow.float32()) for name in (*names, "y")])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, n, _ROW_GROUP):
            y = rng.standard_normal(min(_ROW_GROUP, n - start), dtype=np.float32)
            group = {
                name: rng.standard_normal(len(y), dtype=np.float32) + np.float32(0.1 * (i % 5)) * y
                for i, name in enumerate(names)
            }
            writer.write_table(pyarrow.table({**group, "y": y}, schema=schema))
