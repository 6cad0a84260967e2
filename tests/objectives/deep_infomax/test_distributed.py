"""Two processes with different images learn what one process with all of them learns: every negative, its gradient."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import infoflow

WORKER = Path(__file__).with_name("distributed_worker.py")
# The means of rows are over all processes, whatever their shares; VICReg's variance too.
SIZES = [4, 3]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this build of torch has no gloo")
    folder = tmp_path_factory.mktemp("group")
    source = str(Path(infoflow.__file__).parents[1])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": source, "GLOO_SOCKET_IFNAME": "lo"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(rank), ",".join(map(str, SIZES)), str(folder)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(-1, len(SIZES))
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
            process.wait()
    results = [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(len(SIZES))]
    return torch.load(folder / "reference.pt", weights_only=True), results


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
