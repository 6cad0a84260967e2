"""Several processes with different shards give the value and the gradient of one process with the whole batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from infoflow.bounds import BOUNDS
from infoflow.core import distributed
from infoflow.core.errors import InvalidArgument

WORKER = Path(__file__).with_name("distributed_worker.py")
SHARDS = [[5, 3], [3, 1, 2, 4]]


@pytest.fixture(scope="module", params=SHARDS, ids=lambda sizes: f"{len(sizes)} processes")
def outcome(process_group: Any, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(sizes, the single process's results, each process's results)."""
    return (request.param, *process_group(WORKER, request.param, tmp_path_factory.mktemp("group")))


@pytest.mark.parametrize("bound", BOUNDS)
def test_value_and_gradient_equal_those_of_the_whole_batch(outcome: Any, bound: str) -> None:
    _, reference, results = outcome
    cases = [key for key in reference if key.endswith(f"/{bound}")]
    assert len(cases) == (5 if bound in ("infonce", "smile") else 1)
    for key in cases:
        value, gradients = reference[key]
        assert any(bool(gradient.abs().sum() > 0) for gradient in gradients), key
        for result in results:
            torch.testing.assert_close(result[key][0], value, rtol=1e-10, atol=1e-10, msg=lambda m, k=key: f"{k}: {m}")
            for mine, whole in zip(result[key][1], gradients, strict=True):
                torch.testing.assert_close(mine, whole, rtol=1e-10, atol=1e-10, msg=lambda m, k=key: f"{k}: {m}")


def test_gather_returns_every_row_in_rank_order(outcome: Any) -> None:
    sizes, _, results = outcome
    expected = [[float(rank)] for rank, size in enumerate(sizes) for _ in range(size)]
    for rank, result in enumerate(results):
        values, offset, counts = result["gathered"]
        assert values.tolist() == expected
        assert offset == sum(sizes[:rank])
        assert list(counts) == sizes


def test_shards_that_do_not_fit_are_refused_on_every_process(outcome: Any) -> None:
    _, _, results = outcome
    for result in results:
        features, dtypes, axes, shapes, kinds, calls, number = result["refusals"]
        assert features.startswith("y must be of one dtype and of one shape")
        assert "shape (2, 3) of float32 on process 0, shape (2, 4) of float32 on process 1" in features
        assert "float32 on process 0" in dtypes
        assert "float64 on process 1" in dtypes
        assert axes.startswith("y must be floating-point rows")
        assert "process 1" in axes
        assert "shape (3,) of float32 on process 0, shape (4,) of float32 on process 1" in shapes
        assert "float32 on process 0, shape (2,) of int64 on process 1" in kinds
        assert "sum_over on process 0, max_over on process 1" in calls
        assert number.startswith("y must be floating-point rows")


def test_one_process_is_the_trivial_case() -> None:
    tensor = torch.ones(3, 2, requires_grad=True)
    assert distributed.gather(tensor).values is tensor
    assert distributed.sum_over(tensor) is tensor
    assert not distributed.max_over(tensor).requires_grad
    assert distributed.world_size() == 1
    with pytest.raises(InvalidArgument, match=r"^y must be rows"):
        distributed.gather(torch.tensor(1.0), name="y")
