"""Denormal numbers, which processors handle slowly, as 0 while an optimizer steps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Set results below the smallest normal number to 0 in this thread, which keeps its mode otherwise.

    Where gradients are 0 for long, as of weights from pixels that are nearly always black, momentum decays to
    denormal numbers and stays there; steps on them take several times as long, and change no weight. Only steps run
    so: what a user's code computes is not touched. Torch's other threads keep their mode.

    Examples
    --------
    >>> with denormals_as_zero():
    ...     float(torch.tensor(1e-40) / 2)
    0.0
    >>> float(torch.tensor(1e-40) / 2) > 0
    True
    """
    # Torch can't be asked for the mode, but it holds for Python's numbers too.
    set_before = sys.float_info.min / 2 == 0.0
    if set_before or not torch.set_flush_denormal(True):
        yield
        return
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
