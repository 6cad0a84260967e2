"""Where data sets are looked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def roots(root: str | Path | None = None) -> list[Path]:
    """Return the folders in which data sets are looked for.

    Parameters
    ----------
    root
        The only folder, if given. Otherwise `$INFOFLOW_DATA` comes first, then `~/.cache/infoflow`.

    Returns
    -------
    list of Path
        Folders in the order of the search.

    Examples
    --------
    >>> roots("/data")
    [PosixPath('/data')]
    """
    if root is not None:
        return [Path(root)]
    named = os.environ.get("INFOFLOW_DATA")
    return [*([Path(named)] if named else []), Path.home() / ".cache" / "infoflow"]


def first_file(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    """Return the first file of one of these names, folder by folder, or None."""
    return next((folder / name for folder in folders for name in names if (folder / name).is_file()), None)


def places(folders: Sequence[Path]) -> str:
    """Return the folders as a message lists them."""
    return " or ".join(map(str, folders))
