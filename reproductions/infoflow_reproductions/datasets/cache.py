"""Generated arrays in the user's cache, written atomically and with a checksum."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infoflow.core.errors import BrokenStore
from infoflow.core.files import write_atomically

log = logging.getLogger(__name__)

Arrays = dict[str, np.ndarray[Any, Any]]

_CHECKSUM = "sha256"
# An older unfinished file belongs to a process that was killed, not to one that is still writing.
_ABANDONED_AFTER_SECONDS = 3600.0


def cache_folder() -> Path:
    """Return the folder of generated data: `$INFOFLOW_CACHE`, or else `~/.cache/infoflow/generated`.

    Returns
    -------
    Path
        The folder, which need not exist.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True
    """
    named = os.environ.get("INFOFLOW_CACHE")
    return Path(named).absolute() if named else Path.home() / ".cache" / "infoflow" / "generated"


def cached(
    name: str, settings: Mapping[str, Any], make: Callable[[], Mapping[str, Any]], folder: str | Path | None = None
) -> Arrays:
    """Return generated arrays, from the cache if they were generated before.

    Parameters
    ----------
    name
        Name of the data, the beginning of the file's name.
    settings
        Values that JSON can hold, on which the arrays depend. Their SHA-256 is part of the file's name.
    make
        Function that generates the arrays by name.
    folder
        Folder of the cache, by default `cache_folder()`.

    Returns
    -------
    dict
        Array name to array.

    Notes
    -----
    A file is replaced as a whole. The SHA-256 of all arrays is in the file and is checked whenever it is read: a
    damaged file is generated again, with a warning in the log. If the folder cannot be written, a warning is logged
    and nothing is stored.

    Examples
    --------
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
            log.warning("%s It is generated again.", error)
    arrays = {key: np.ascontiguousarray(array) for key, array in make().items()}
    try:
        _write(path, arrays)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s), so it will be generated again next time. Set INFOFLOW_CACHE to another folder.",
            path,
            error,
        )
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
        raise BrokenStore(f"{path} is damaged ({type(error).__name__}).") from None
    stated = arrays.pop(_CHECKSUM, None)
    if stated is None or str(stated) != _checksum(arrays):
        raise BrokenStore(f"{path} is damaged (its checksum differs).")
    return arrays


def _write(path: Path, arrays: Arrays) -> None:
    for left in path.parent.glob(f".{path.stem}.*.part{path.suffix}"):
        if time.time() - left.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
            left.unlink(missing_ok=True)
    content = {**arrays, _CHECKSUM: np.array(_checksum(arrays))}
    write_atomically(path, lambda part: np.savez(part, **content))  # type: ignore[arg-type]
