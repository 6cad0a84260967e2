"""Two processes with half of the batch each get the gradients of the whole batch, cost included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import infoflow

WORKER = Path(__file__).with_name("distributed_worker.py")


def test_gradients_averaged_over_processes_are_those_of_the_batch(tmp_path: Path) -> None:
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this build of torch has no gloo")
    source = str(Path(infoflow.__file__).parents[1])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": source, "GLOO_SOCKET_IFNAME": "lo"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(rank), str(tmp_path)], env=environment, stderr=subprocess.PIPE, text=True
        )
        for rank in (-1, 0, 1)
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
            process.wait()
    reference, first, second = (
        torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in ("reference", "rank0", "rank1")
    )
    for name, gradient in reference["gradients"].items():
        assert bool(gradient.abs().sum() > 0), name
        for found in (first, second):
            torch.testing.assert_close(found["gradients"][name], gradient, rtol=1e-9, atol=1e-12)
    assert not torch.equal(first["drawn"], second["drawn"])
