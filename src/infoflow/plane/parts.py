"""Finished parts of an analysis in a folder, so that an interrupted one goes on where it was."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Any

import pandas as pd

from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_atomically

log = logging.getLogger(__name__)


class Parts:
    """A folder of tables, each called after a digest of everything that determines it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise InvalidArgument(f"cache {str(folder)!r} is a file; want a folder")

    def get(self, key: Any) -> pd.DataFrame | None:
        """The table of this key, or None when it isn't there (or can't be read: then it is made again)."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            log.warning("finished part %s can't be read and is made again: %s", path, error)
            return None

    def put(self, key: Any, table: pd.DataFrame) -> None:
        """Stores the table: whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path(key), lambda path: table.to_parquet(path, index=False))

    def _path(self, key: Any) -> Path:
        text = json.dumps(key, sort_keys=True)
        return self.folder / f"{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}.parquet"
