"""Where data sets are looked for."""

from __future__ import annotations

import os
from pathlib import Path


def roots(root: str | Path | None = None) -> list[Path]:
    """The folders to look in: `root` alone where it is given, else `$INFOFLOW_DATA`, then `~/.cache/infoflow`.

    >>> roots("/data")
    [PosixPath('/data')]
    """
    if root is not None:
        return [Path(root)]
    named = os.environ.get("INFOFLOW_DATA")
    return [*([Path(named)] if named else []), Path.home() / ".cache" / "infoflow"]
