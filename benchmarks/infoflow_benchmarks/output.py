"""The folder that a benchmark writes to."""

from __future__ import annotations

import os
from pathlib import Path

from infoflow.core.errors import InvalidArgument


def make_folder(output: str | os.PathLike[str]) -> Path:
    """Create the output folder where it is missing; raise InvalidArgument where it is a file."""
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidArgument("output", "a folder", got_text=f"the file {folder}") from None
    return folder
