"""Paths that the file system can hold."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from infoflow.core.errors import InvalidArgument


def usable_path(path: str | os.PathLike[str], name: str = "path") -> Path:
    """Return a path, if its name can be encoded for the file system.

    Parameters
    ----------
    path
        The path; it need not exist.
    name
        Name of the argument, for messages.

    Returns
    -------
    pathlib.Path
        The same path.

    Raises
    ------
    InvalidArgument
        If the file system's encoding lacks a character, as ASCII lacks letters with accents, or the name contains
        a null character.

    Examples
    --------
    >>> usable_path("runs/mine.html").name
    'mine.html'
    """
    found = Path(path)
    try:
        encoded = os.fsencode(found)
    except UnicodeEncodeError:
        raise InvalidArgument(
            name,
            f"a path that the file system's encoding ({sys.getfilesystemencoding()}) can hold",
            got_text=ascii(str(found)),
            remedy="Start Python with PYTHONUTF8=1, or set a locale in UTF-8.",
        ) from None
    if b"\0" in encoded:
        raise InvalidArgument(name, "a path without null characters", str(found))
    return found
