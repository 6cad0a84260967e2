"""Two processes with different images learn what one process with all of them learns: every negative, its gradient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

WORKER = Path(__file__).with_name("distributed_worker.py")
# The means of rows are over all processes, whatever their shares; VICReg's variance too.
SIZES = [4, 3]


@pytest.fixture(scope="module")
def outcome(process_group: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return process_group(WORKER, SIZES, tmp_path_factory.mktemp("group"))


def test_value_terms_and_gradient_equal_those_of_the_whole_batch(outcome: Any) -> None:
    reference, results = outcome
    assert len(reference) == 8
    for name, (total, terms, gradients) in reference.items():
        assert any(bool(gradient.abs().sum() > 0) for gradient in gradients), name
        for result in results:
            if name == "amdim":  # its penalty is the mean of each process's own scores
                torch.testing.assert_close(result[name][1]["local"], terms["local"], rtol=1e-10, atol=1e-10)
            else:
                torch.testing.assert_close(result[name], (total, terms, gradients), rtol=1e-9, atol=1e-10)
