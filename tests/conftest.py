"""What tests of several rooms share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

import infoflow

Group = Callable[[Path, Sequence[int], Path], tuple[Any, list[Any]]]


@pytest.fixture(scope="session")
def process_group() -> Group:
    """`process_group(worker, sizes, folder)` starts `worker RANK SIZES FOLDER` as rank −1 and as each rank of a group.

    Returns what rank −1, the reference of one process, left in FOLDER/reference.pt, and what each rank left.
    """
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this build of torch has no gloo")

    def run(worker: Path, sizes: Sequence[int], folder: Path) -> tuple[Any, list[Any]]:
        source = str(Path(infoflow.__file__).parents[1])
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")]),
            "GLOO_SOCKET_IFNAME": "lo",
        }
        processes = [
            subprocess.Popen(
                [sys.executable, str(worker), str(rank), ",".join(map(str, sizes)), str(folder)],
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(-1, len(sizes))
        ]
        try:
            for process in processes:
                _, errors = process.communicate(timeout=300)
                assert process.returncode == 0, errors
        finally:
            for process in processes:
                process.kill()
                process.wait()
        ranks = [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(len(sizes))]
        return torch.load(folder / "reference.pt", weights_only=True), ranks

    return run
