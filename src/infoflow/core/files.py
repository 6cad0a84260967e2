"""Files that are replaced as a whole, so that a reader finds the old content or the new, never a part of it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infoflow.core.errors import BrokenStore, MissingData
from infoflow.core.paths import usable_path

_PART = re.compile(r"\..+\.(?P<host>\w*)-(?P<process>\d+)-[0-9a-f]{8}\.part(\..+)?")


def _host() -> str:
    return re.sub(r"\W", "_", platform.node())


def write_atomically(path: str | os.PathLike[str], write: Callable[[Path], Any]) -> None:
    """Let `write` fill a new file in the same folder, then rename it to `path`.

    Parameters
    ----------
    path
        File to create or replace; its folder is created when missing.
    write
        Function that writes the content to the path that it is given. An exception leaves `path` as it was.

    Notes
    -----
    Incomplete files that killed processes of this machine left in the folder are deleted.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "folder" / "table.txt"
    >>> write_atomically(target, lambda part: part.write_text("complete", encoding="utf-8"))
    >>> target.read_text(encoding="utf-8"), [file.name for file in target.parent.iterdir()]
    ('complete', ['table.txt'])
    """
    target = usable_path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A unique name, since two processes may write one file; the ending stays, since writers choose a format by it.
    mine = f"{_host()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    part = target.with_name(f".{target.stem}.{mine}.part{target.suffix}")
    for other in target.parent.iterdir():
        found = _PART.fullmatch(other.name)
        if found and found["host"] == _host() and not process_is_alive(int(found["process"])):
            other.unlink(missing_ok=True)
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def is_incomplete(path: Path) -> bool:
    """Return whether the file is one that `write_atomically` had not finished when its process ended.

    Examples
    --------
    >>> is_incomplete(Path(".run.host-12-0a1b2c3d.part.json")), is_incomplete(Path("run.json"))
    (True, False)
    """
    return _PART.fullmatch(path.name) is not None


def process_is_alive(process: int) -> bool:
    """Return whether a process of this machine is running; one that ended and was not waited for is not."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        return bool(state) and state[0] not in (b"Z", b"X")
    except OSError:
        if Path("/proc/self/stat").exists():
            return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def write_sealed(path: str | os.PathLike[str], kind: bytes, content: bytes) -> None:
    """Replace a file by bytes with a checksum, which `read_sealed` compares.

    Parameters
    ----------
    path
        File to create or replace.
    kind
        First line of the file, without its end.
    content
        What the file holds.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "state"
    >>> write_sealed(target, b"state 1", b"content")
    >>> read_sealed(target, b"state 1")
    b'content'
    """
    whole = kind + b"\n" + hashlib.sha256(content).digest() + content
    write_atomically(path, lambda part: part.write_bytes(whole))


def read_sealed(path: str | os.PathLike[str], kind: bytes) -> bytes:
    """Read what `write_sealed` wrote.

    Parameters
    ----------
    path
        The file.
    kind
        The first line that it must have.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    MissingData
        If there is no such file.
    BrokenStore
        If the file cannot be read, is of another kind, or its checksum differs.
    """
    raw = read_file(path)
    start = len(kind) + 1 + hashlib.sha256().digest_size
    if not raw.startswith(kind + b"\n"):
        raise BrokenStore(f"{path} is not of this version of infoflow. Remove it, or use another file.")
    content = raw[start:]
    if hashlib.sha256(content).digest() != raw[len(kind) + 1 : start]:
        raise BrokenStore(f"{path} is damaged: its checksum differs. Remove it to start again.")
    return content


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Read the bytes of a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    MissingData
        If there is no such file.
    BrokenStore
        If it cannot be read, as a folder or without permission.

    Examples
    --------
    >>> read_file("nowhere/table.csv")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.MissingData: no file nowhere/table.csv.
    """
    try:
        return usable_path(path).read_bytes()
    except FileNotFoundError:
        raise MissingData(f"no file {os.fspath(path)}.") from None
    except OSError as error:
        raise BrokenStore(f"{os.fspath(path)} cannot be read: {error.strerror or error}.") from error


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Replace a file by text in UTF-8 with Unix line ends.

    Parameters
    ----------
    path
        File to create or replace.
    text
        Its content. Halves of surrogate pairs, as in names of files that the system cannot decode, become escapes.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> write_text(target, "I(X;T) in nats\\n")
    >>> target.read_text(encoding="utf-8")
    'I(X;T) in nats\\n'
    """
    write_atomically(
        path, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    )


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
