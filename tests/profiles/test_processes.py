"""A profile of one process and of several that share its batches."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

WORKER = Path(__file__).with_name("profile_worker.py")


def loaded() -> Any:
    """The worker as a module, since test files are no packages."""
    spec = importlib.util.spec_from_file_location("profile_worker", WORKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tables(run_processes: Any, world: int, folder: Path) -> list[pd.DataFrame]:
    run_processes(WORKER, [(rank, world, folder) for rank in range(world)])
    texts = [(folder / f"{world}-{rank}.json").read_text(encoding="utf-8") for rank in range(world)]
    return [pd.DataFrame(json.loads(text)) for text in texts]


@pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_processes_return_the_table_of_one(run_processes: Any, world: int, tmp_path: Path) -> None:
    alone = pd.DataFrame(json.loads(json.dumps(loaded().measured().to_dict())))
    assert {"I(next;W)", "curvature", "LiDAR", "V-information of next", "logit lens of next"} <= {*alone["quantity"]}
    for table in tables(run_processes, world, tmp_path):
        for name in ("layer", "quantity", "label", "n", "warnings", "kind"):
            assert table[name].tolist() == alone[name].tolist()
        for name in ("value", "null", "ceiling", "se"):
            np.testing.assert_allclose(table[name], alone[name], rtol=0, atol=1e-10)
    warned = alone["warnings"].iloc[0]
    assert [text for text in warned if "NaN or infinite" in text] == [warned[-1]]  # once, not once per accumulator
    assert "rows of layer 'blocks.0:input'" in warned[-1]
    assert "in batch 0" in warned[-1]
