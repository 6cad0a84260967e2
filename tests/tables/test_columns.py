"""The part of a table that another process needs."""

from __future__ import annotations

from pathlib import Path

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from infoflow.tables.columns import table_of


@pytest.mark.parametrize("kind", ["frame", "mapping", "array"])
def test_one_column_in_memory_goes_without_the_others(kind: str) -> None:
    values = np.random.default_rng(0).normal(size=(500, 40))
    table = {"frame": pd.DataFrame(values), "mapping": dict(enumerate(values.T)), "array": values}[kind]
    one = cloudpickle.loads(cloudpickle.dumps(table_of(table).only(7)))
    assert one.names == (7,)
    assert one.read(7).columns[:, 0].tolist() == values[:, 7].tolist()
    assert len(cloudpickle.dumps(one)) < 10 * values[:, 7].nbytes


def test_of_a_file_its_path_goes(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(5000, 2))
    pd.DataFrame(values, columns=["a", "b"]).to_parquet(tmp_path / "table.parquet")
    one = cloudpickle.loads(cloudpickle.dumps(table_of(tmp_path / "table.parquet").only("b")))
    assert len(cloudpickle.dumps(one)) < values[:, 1].nbytes
    assert one.read("b").columns[:, 0].tolist() == values[:, 1].tolist()
