"""Generated arrays, kept in the user's cache: whole and checksummed, or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.errors import BrokenStore

log = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray[Any, Any]]

_CHECKSUM = "sha256"
# A partial file older than this was left by a process that was killed, not by one that is still writing.
_ABANDONED_AFTER_SECONDS = 3600.0


def cache_folder() -> Path:
    """Where generated data are kept: `$INFOFLOW_CACHE`, or else `~/.cache/infoflow/generated`.

    >>> cache_folder().is_absolute()
    True
    """
    named = os.environ.get("INFOFLOW_CACHE")
    return Path(named).absolute() if named else Path.home() / ".cache" / "infoflow" / "generated"


def cached(
    name: str, settings: Mapping[str, Any], make: Callable[[], Mapping[str, Any]], folder: str | Path | None = None
) -> Arrays:
    """What `make()` returns (arrays by name), read from the cache when it has been made before.

    The file is named after `name` and the SHA-256 of the JSON-able `settings`, so other settings never meet. It is
    written under another name, flushed to the disk and renamed, so a generation that is interrupted leaves no file that
    would ever be read. The SHA-256 of all arrays lies beside them and is checked at every reading: a damaged file is
    made anew, with a warning in the log. A folder that can't be written costs the keeping only, again with a warning.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> first = cached("squares", {"n": 4}, lambda: {"x": np.arange(4) ** 2}, folder)
    >>> cached("squares", {"n": 4}, lambda: 1 / 0, folder)["x"].tolist()
    [0, 1, 4, 9]
    """
    place = cache_folder() if folder is None else Path(folder)
    key = hashlib.sha256(json.dumps({"name": name, **settings}, sort_keys=True).encode()).hexdigest()[:16]
    path = place / f"{name}-{key}.npz"
    if path.is_file():
        try:
            return _read(path)
        except BrokenStore as error:
            log.warning("%s; it is made anew", error)
    arrays = {key: np.ascontiguousarray(array) for key, array in make().items()}
    try:
        _write(path, arrays)
    except OSError as error:
        log.warning("%s can't be kept (%s); it will be made anew next time", path, error)
    return arrays


def _checksum(arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        sha.update(f"{name}{array.dtype.str}{array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def _read(path: Path) -> Arrays:
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except Exception as error:  # damaged bytes make the reader raise almost anything
        raise BrokenStore(f"{path} is damaged ({type(error).__name__})") from None
    stated = arrays.pop(_CHECKSUM, None)
    if stated is None or str(stated) != _checksum(arrays):
        raise BrokenStore(f"{path} is damaged (its checksum differs)")
    return arrays


def _write(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f"{path.name}.*.partial"):
        if time.time() - left.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
            left.unlink(missing_ok=True)
    # A name of its own, for two processes may make the same data at once; the last to finish wins, with equal bytes.
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays, **{_CHECKSUM: np.array(_checksum(arrays))})  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
