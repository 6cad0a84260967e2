"""A limit of the processor time that a block of code may take."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from infoflow.core.errors import InvalidArgument


class OutOfTime(BaseException):
    """Raised where the processor time ran out; no `Exception`, so that the code that is stopped does not catch it."""


@contextlib.contextmanager
def at_most(seconds: float | None) -> Iterator[None]:
    """Stop the block once this process has used so many more CPU seconds, of all threads together.

    Parameters
    ----------
    seconds
        The limit, or None for no limit.

    Raises
    ------
    OutOfTime
        If the limit is reached. Compiled code is stopped once it returns to Python.
    InvalidArgument
        If there is a limit, and the system has no timers of processor time.

    Examples
    --------
    >>> with at_most(10):
    ...     total = sum(range(1000))
    """
    if seconds is None:
        yield
        return
    if not hasattr(signal, "setitimer"):
        raise InvalidArgument("limit", "None on a system without timers of processor time", seconds)

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
