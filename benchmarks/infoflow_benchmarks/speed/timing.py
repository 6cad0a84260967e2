"""Time and peak memory of a call, and the number of threads."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch


def once(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of a call and its time in seconds."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def processor_once(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of a call and this process's processor time in seconds, to which other programs do not add."""
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def extra_memory(call: Callable[[], Any]) -> float | None:
    """Return the peak resident memory of a call in MiB, beyond what was in use before; None where it is unknown.

    The peak is known on Linux only.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)  # memory that is free but not returned would hide what the call allocates
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # resets the peak
        before = _resident("VmRSS")
        call()
        return (_resident("VmHWM") - before) / 1024
    except (OSError, AttributeError, TypeError):
        return None


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


@contextlib.contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Run the block with this number of torch threads, and restore the number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
