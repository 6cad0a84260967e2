"""Two ways to the same answer, timed in turns."""

from __future__ import annotations

import contextlib
import ctypes
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from infoflow.core.protocols import Estimator
from infoflow_benchmarks.speed.row import Row

# A call this long (seconds) is timed once; shorter ones are repeated, and the best counts.
_LONG, _REPEATS = 0.5, 5
# Both sides are timed in turns, so often or so long (seconds).
_ROUNDS, _ENOUGH = 3, 40.0


@dataclass(frozen=True)
class Comparison:
    """Answers, and times in seconds: medians over the rounds, the ratio's being the median of each round's ratio."""

    ours: Any
    reference: Any
    seconds: float
    reference_seconds: float
    ratio: float

    def row(self, benchmark: str, case: str, reference: str, *, same: bool = True, **more: Any) -> Row:
        """As a line of the table, with the largest difference of the answers where they are the `same` quantity."""
        if same and "difference" not in more:
            more["difference"] = float(np.abs(np.asarray(self.ours) - np.asarray(self.reference)).max())
        return Row(benchmark, case, reference, self.reference_seconds, self.seconds, self.ratio, **more)


def compare(ours: Callable[[], Any], reference: Callable[[], Any], *, quick: bool = False) -> Comparison:
    """Calls both in turns, in this process; `quick` calls each once.

    >>> compare(lambda: 1, lambda: 2, quick=True).ours
    1
    """
    if not quick:
        ours()  # the first call of a kernel pays for loading it
    times: list[tuple[float, float]] = []
    start = time.perf_counter()
    while not times or (not quick and len(times) < _ROUNDS and time.perf_counter() - start < _ENOUGH):
        (answer, seconds), (reference_answer, reference_seconds) = (_timed(call, quick) for call in (ours, reference))
        times.append((seconds, reference_seconds))
    return Comparison(
        answer,
        reference_answer,
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(b / a for a, b in times),
    )


def _timed(call: Callable[[], Any], quick: bool) -> tuple[Any, float]:
    """What the call answers, and how long it takes when it is warm."""
    answer, seconds = once(call)
    if quick or seconds > _LONG:
        return answer, seconds
    times: list[float] = []
    while len(times) < _REPEATS and sum(times) < _LONG:
        times.append(once(call)[1])
    return answer, min(times)


def once(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call answers, and how long it took in seconds."""
    start = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - start


def estimated(estimator: Estimator, x: Any, y: Any) -> Callable[[], float]:
    """A call that estimates I(X;Y) in nats."""
    return lambda: estimator.estimate(x, y).nats


def extra_memory(call: Callable[[], Any]) -> float | None:
    """Peak resident memory in MiB beyond what was there before the call; None where the system doesn't say (Linux)."""
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what was freed before, but is kept, would hide what the call takes
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
        before = _resident("VmRSS")
        call()
        return (_resident("VmHWM") - before) / 1024
    except (OSError, AttributeError, TypeError):
        return None


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Runs the block with so many threads, and sets back what was before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
