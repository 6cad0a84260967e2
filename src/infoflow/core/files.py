"""Files that are replaced as a whole, so that a reader finds the old content or the new, never a part of it."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_atomically(path: str | os.PathLike[str], write: Callable[[Path], Any]) -> None:
    """Let `write` fill a new file in the same folder, then rename it to `path`.

    Parameters
    ----------
    path
        File to create or replace; its folder is created when missing.
    write
        Function that writes the content to the path that it is given. An exception leaves `path` as it was.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "folder" / "table.txt"
    >>> write_atomically(target, lambda part: part.write_text("complete", encoding="utf-8"))
    >>> target.read_text(encoding="utf-8"), [file.name for file in target.parent.iterdir()]
    ('complete', ['table.txt'])
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A unique name, since two processes may write one file; the ending stays, since writers choose a format by it.
    part = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:12]}.part{target.suffix}")
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Replace a file by text in UTF-8 with Unix line ends.

    Parameters
    ----------
    path
        File to create or replace.
    text
        Its content.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> write_text(target, "I(X;T) in nats\\n")
    >>> target.read_text(encoding="utf-8")
    'I(X;T) in nats\\n'
    """
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8", newline="\n"))


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Replace a file by a JSON value, indented, in UTF-8.

    Parameters
    ----------
    path
        File to create or replace.
    content
        A value that JSON can hold.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "settings.json"
    >>> write_json(target, {"width": 0.5})
    >>> json.loads(target.read_text(encoding="utf-8"))
    {'width': 0.5}
    """
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
