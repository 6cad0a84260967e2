"""What every accumulator promises: parts merge to the whole, a saved state continues, processes agree with one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.estimators import SoftEntropy
from infoflow.estimators.streaming.accumulator import RowAccumulator

WORKER = Path(__file__).with_name("merging_worker.py")


def loaded() -> Any:
    """The worker as a module, since test files are no packages."""
    spec = importlib.util.spec_from_file_location("streaming_worker", WORKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


worker = loaded()


def filled(numbers: range) -> list[RowAccumulator]:
    found = worker.accumulators()
    for number in numbers:
        t, label, documents = worker.batch(number)
        for each in found:
            each.update(t, {"x": label}, documents=documents)
    return found


def test_parts_merge_to_the_whole() -> None:
    whole = worker.numbers(filled(range(6)))
    assert sum(np.isfinite(whole)) > 20
    for order in ([range(2), range(2, 3), range(3, 6)], [range(3, 6), range(2), range(2, 3)]):
        merged, *others = [filled(part) for part in order]
        for other in others:
            for mine, theirs in zip(merged, other, strict=True):
                mine.merge(theirs)
        np.testing.assert_allclose(worker.numbers(merged), whole, rtol=0, atol=1e-12)


def test_a_saved_state_continues_to_the_same_numbers(tmp_path: Path) -> None:
    for each, fresh, finished in zip(filled(range(3)), worker.accumulators(), filled(range(5)), strict=True):
        each.save(tmp_path / "state")
        fresh.load(tmp_path / "state")
        for number in (3, 4):
            t, label, documents = worker.batch(number)
            fresh.update(t, {"x": label}, documents=documents)
        assert worker.numbers([fresh]) == pytest.approx(worker.numbers([finished]), abs=1e-12, nan_ok=True)
        assert all(isinstance(value, torch.Tensor) for value in fresh.state_dict().values())


def test_a_damaged_or_foreign_state_is_refused(tmp_path: Path) -> None:
    soft, covariance = filled(range(1))
    soft.save(tmp_path / "state")
    with pytest.raises(InvalidArgument, match="class"):
        covariance.load(tmp_path / "state")
    content = bytearray((tmp_path / "state").read_bytes())
    content[len(content) // 2] ^= 255
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(BrokenStore):
        soft.load(tmp_path / "state")
    with pytest.raises(InvalidArgument, match="seed"):
        soft.merge(SoftEntropy(references=30, center=True, seed=1).accumulator(dimensions=worker.DIMENSIONS))


@pytest.mark.parametrize(
    "sizes",
    [pytest.param([3, 2], id="2 processes"), pytest.param([1, 0, 3, 2], id="4 processes", marks=pytest.mark.slow)],
)
def test_processes_agree_with_one(process_group: Any, sizes: list[int], tmp_path: Path) -> None:
    reference, ranks = process_group(WORKER, sizes, tmp_path)
    for found in ranks:
        np.testing.assert_allclose(found["numbers"], reference, rtol=0, atol=1e-10)
        assert "seed of SoftEntropyAccumulator must be the same on all processes" in found["message"]
