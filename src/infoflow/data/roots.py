"""Where data sets are looked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from infoflow.core.errors import MissingData


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


def find(file: str, folder: str, root: str | Path | None, what: str, *, compressed: bool = False) -> Path:
    """Return the file in the first root whose `folder` holds it; `compressed` also accepts the name with ".gz"."""
    folders = [base / folder for base in roots(root)]
    names = (file, f"{file}.gz") if compressed else (file,)
    for path in (place / name for place in folders for name in names):
        if path.is_file():
            return path
    shown = f"{file} (or .gz)" if compressed else file
    raise MissingData(
        f"no {shown} in {places(folders)}. Put {what} there, or set INFOFLOW_DATA to the folder that holds {folder}."
    )


def places(folders: Sequence[Path]) -> str:
    """Return the folders as a message lists them."""
    return " or ".join(map(str, folders))
