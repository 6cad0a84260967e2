"""Two processes with half of the batch each get the gradients of the whole batch, cost included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

WORKER = Path(__file__).with_name("distributed_worker.py")


def test_gradients_averaged_over_processes_are_those_of_the_batch(process_group: Any, tmp_path: Path) -> None:
    reference, (first, second) = process_group(WORKER, [1, 1], tmp_path)
    for name, gradient in reference["gradients"].items():
        assert bool(gradient.abs().sum() > 0), name
        for found in (first, second):
            torch.testing.assert_close(found["gradients"][name], gradient, rtol=1e-9, atol=1e-12)
    assert not torch.equal(first["drawn"], second["drawn"])
