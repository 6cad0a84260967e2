"""An advisory lock on a store, so that two processes do not write one recording; readers ignore it."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import uuid
from datetime import UTC, datetime

from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import SyncError, sync

from infoflow.core.errors import BrokenStore
from infoflow.core.files import process_is_alive
from infoflow.core.schema import parse_json

LOCK = "lock.json"


class StoreLock:
    """The right to write a store; taking it in one process ends an earlier one of the same process."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._process = os.getpid()
        self._content: bytes | None = None

    def acquire(self) -> None:
        """Take the lock, or raise BrokenStore that names its owner."""
        owner = {
            "host": platform.node(),
            "process": self._process,
            "user": _user(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "token": uuid.uuid4().hex,
        }
        content = json.dumps(owner).encode()
        try:
            for _ in range(2):
                sync(self._store.set_if_not_exists(LOCK, default_buffer_prototype().buffer.from_bytes(content)))
                found = self._read()
                if found == content:
                    self._content = content
                    return
                if found is not None:
                    self._refuse_if_held(found)
                    sync(self._store.delete(LOCK))
        except OSError as error:
            raise BrokenStore(f"{self._name!r} cannot be written: {error}") from error
        raise BrokenStore(f"{self._name!r} was locked by another process at the same moment. Try again.")

    def check(self) -> None:
        """Raise BrokenStore where another recorder has taken the lock."""
        if self._content is None or self._read() != self._content:
            raise BrokenStore(f"Another recorder writes {self._name!r} now. Nothing was stored by this one.")

    def release(self) -> None:
        """Give the lock back; a forked process leaves its parent's lock alone."""
        content, self._content = self._content, None
        if content is not None and os.getpid() == self._process:
            # The garbage collector may run in zarr's own thread, where nothing can be deleted. The lock stays then; it
            # does not stop this process, nor another once this one has ended.
            with contextlib.suppress(SyncError):
                if self._read() == content:
                    sync(self._store.delete(LOCK))

    def _read(self) -> bytes | None:
        found = sync(self._store.get(LOCK, default_buffer_prototype()))
        return None if found is None else found.to_bytes()

    def _refuse_if_held(self, content: bytes) -> None:
        try:
            owner = parse_json(content)
        except ValueError:
            return  # damaged, so its owner was interrupted
        process = owner.get("process")
        if owner.get("host") == platform.node() and (
            process == self._process or not isinstance(process, int) or not process_is_alive(process)
        ):
            return
        raise BrokenStore(
            f"{self._name!r} is being recorded by process {process} of {owner.get('user')} on {owner.get('host')} "
            f"since {owner.get('since')}. End that recording first; if it no longer runs, delete {LOCK} in the store."
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "an unnamed user"
