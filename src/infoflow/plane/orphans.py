"""Work in another process that ends with the process that started it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_SECONDS = 0.5


def ends_with(parent: int, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do the work, and end this process at once if `parent`, which started it, no longer exists.

    A worker of joblib survives a parent that was killed until its task is done. It would write to a recording that the
    user continues in a new process.
    """
    if os.getpid() == parent:
        return work(*args, **kwargs)
    done = threading.Event()
    threading.Thread(target=_watch, args=(parent, done), daemon=True).start()
    try:
        return work(*args, **kwargs)
    finally:
        done.set()


def _watch(parent: int, done: threading.Event) -> None:
    while not done.wait(_SECONDS):
        if os.name == "posix" and os.getppid() != parent:
            os._exit(1)
