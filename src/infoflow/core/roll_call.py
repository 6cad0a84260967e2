"""Which process is missing where a collective fails: each counts its collectives in the store of its group."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch.distributed as dist

from infoflow.core.errors import MissingProcess

_COUNTS: WeakKeyDictionary[Any, int] = WeakKeyDictionary()


@contextmanager
def called(operation: str, group: Any) -> Iterator[None]:
    """Count one collective of this process, and name those that did not call it where it fails.

    Parameters
    ----------
    operation
        Name of the collective, for the message.
    group : torch.distributed.ProcessGroup
        The processes.

    Raises
    ------
    MissingProcess
        If the backend reports that the collective failed or timed out.

    Notes
    -----
    One write to the store precedes the collective, about 20 µs; others' counts are read only after a failure. The
    backend must report a failure to the caller, as gloo does, and NCCL with `TORCH_NCCL_BLOCKING_WAIT=1`.
    """
    number = _COUNTS.get(group, 0) + 1
    _COUNTS[group] = number
    try:
        _store().set(_key(group, dist.get_rank(group)), f"{number} {operation}")
        yield
    except RuntimeError as error:
        reason = str(error).split("\n")[0].rpartition("] ")[2]
        raise MissingProcess(f"{_absent(operation, group, number)} The backend reports: {reason}.") from None


def _store() -> Any:
    # torch has no public name for the store that its processes met at.
    return dist.distributed_c10d._get_default_store()


def _key(group: Any, process: int) -> str:
    return f"infoflow/{group.group_name}/{process}"


def _absent(operation: str, group: Any, number: int) -> str:
    """A sentence on the processes that have called fewer collectives than this one."""
    mine = f"collective {number} ({operation})"
    late = []
    try:
        for process in range(dist.get_world_size(group)):
            # Of a process that has called nothing there is no key, for which get() would wait.
            known = _store().check([_key(group, process)])
            last = _store().get(_key(group, process)).decode() if known else "0 none"
            count, _, name = last.partition(" ")
            if int(count) < number:
                late.append((process, f"collective {count} ({name})" if known else "none"))
    except RuntimeError:
        return (
            f"{mine} failed, and the store in which the processes met is gone: the process that serves it, usually "
            "process 0, has ended."
        )
    if not late:
        return f"{mine} failed although every process called it; one may have ended in it."
    those = ", ".join(f"process {process} (its last: {last})" for process, last in late)
    return (
        f"{mine} was not called by {those}. See what that process did, or pass a longer timeout to init_process_group."
    )
