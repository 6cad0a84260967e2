"""Finished tables of an analysis in a folder, so that an interrupted analysis continues where it stopped."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
from pathlib import Path
from typing import Any

import pandas as pd

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import read_sealed, write_sealed

_KIND = b"infoflow table 2"

log = logging.getLogger(__name__)


class TableCache:
    """A folder of tables, each named after a digest of everything that determines it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).absolute()  # a worker may run in another folder
        if self.folder.exists() and not self.folder.is_dir():
            raise InvalidArgument("cache", "a folder", got_text=f"the file {str(folder)!r}")

    def get(self, key: Any) -> pd.DataFrame | None:
        """The table of this key, or None when it is missing or damaged."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            return pd.read_parquet(io.BytesIO(read_sealed(path, _kind_of(path))))
        except (OSError, ValueError, BrokenStore) as error:
            log.warning("%s The table is computed again and replaces the file.", _sentence(path, error))
            return None

    def put(self, key: Any, table: pd.DataFrame) -> None:
        """Store the table: complete, or not at all."""
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        path = self._path(key)
        write_sealed(path, _kind_of(path), buffer.getvalue())

    def _path(self, key: Any) -> Path:
        text = json.dumps(key, sort_keys=True)
        return self.folder / f"{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}.table"


def _sentence(path: Path, error: Exception) -> str:
    """What is wrong with a file, without the remedy for a file that nothing can replace."""
    reason = str(error).removeprefix(f"{path} ").split(". Remove it")[0].rstrip(".")
    return (
        f"The cached table {path} cannot be used: it {reason}."
        if isinstance(error, BrokenStore)
        else f"The cached table {path} cannot be read: {reason}."
    )


def _kind_of(path: Path) -> bytes:
    """The first line of a table, which holds its key: an intact table of another key does not match."""
    return _KIND + b" " + path.stem.encode()
