"""Two processes with different parts of the batch learn what one process with all of it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

WORKER = Path(__file__).with_name("distributed_worker.py")
SIZES = [7, 4]


@pytest.fixture(scope="module")
def outcome(process_group: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The single process's results, and each process's."""
    return process_group(WORKER, SIZES, tmp_path_factory.mktemp("group"))


def test_value_terms_and_gradient_equal_those_of_the_whole_batch(outcome: Any) -> None:
    reference, results = outcome
    assert set(reference) == {"plain", "sum", "divergence", "weights", "averaged"}
    for name, (total, terms, gradients) in reference.items():
        assert all(bool(gradient.abs().sum() > 0) for gradient in gradients), name
        for result in results:
            torch.testing.assert_close(result[name], (total, terms, gradients), rtol=1e-10, atol=1e-10)


def test_invalid_data_of_one_process_raise_on_every_process(outcome: Any) -> None:
    first, second = (result["refusal"] for result in outcome[1])
    assert "logits or labels of another process are invalid" in first
    assert "labels must be from 0 to 2" in second
