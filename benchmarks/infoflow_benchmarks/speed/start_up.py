"""The time until a new process has imported the library, or has estimated a small table on the command line."""

from __future__ import annotations

import csv
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from infoflow_benchmarks.speed.comparison import Row

_REPEATS = 3

_ESTIMATE = "from infoflow.cli import main; main(['estimate', {path!r}, '--x', 'x', '--y', 'y'])"

_FIT = """
import torch; from infoflow.estimators import Neural
x = torch.randn(100, 2); Neural(max_epochs=1).estimate(x, x + torch.randn(100, 2))
"""


def cases(quick: bool = False) -> Iterator[Row]:
    """Processor time of new processes; the median of three, in turns with the import of torch."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.csv"
        x, noise = np.random.default_rng(0).normal(size=(2, 500))
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("x", "y"), *zip(x.tolist(), (x + noise).tolist(), strict=True)])
        programs = {
            "import infoflow": "import infoflow",
            "infoflow estimate of 500 rows of CSV": _ESTIMATE.format(path=str(path)),
            "a first learned estimate": _FIT,
        }
        for name, program in programs.items():
            pairs = [(_seconds(program), _seconds("import torch")) for _ in range(1 if quick else _REPEATS)]
            seconds, reference_seconds = (statistics.median(side) for side in zip(*pairs, strict=True))
            yield Row(
                case=name,
                reference="import torch",
                reference_seconds=reference_seconds,
                seconds=seconds,
                ratio=statistics.median(b / a for a, b in pairs),
                note="processor time of a new process; torch is part of all but the first",
            )


def _seconds(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
