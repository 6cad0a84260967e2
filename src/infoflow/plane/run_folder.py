"""The folder of a run: new, or one that holds the same run, and never somebody else's files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import write_atomically

VERSION = 1
MARKER = "run.json"


def open_run_folder(
    folder: Path,
    kind: str,
    settings: Mapping[str, Any],
    *,
    resume: bool = False,
    overwrite: bool = False,
    may_differ: Collection[str] = (),
) -> None:
    """Makes the folder ready: new, emptied, or found to hold the same run.

    `run.json` in it says what `kind` of run it is, and with which `settings` (plain JSON values). A folder that holds
    something is refused, unless `resume` (its run has the same settings, but for those in `may_differ`) or `overwrite`
    (a former run of this kind is removed; a folder of anything else never is).

    Raises InvalidArgument (folder, settings that differ), BrokenStore (run.json).

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> open_run_folder(folder, "example", {"epochs": 3})
    >>> open_run_folder(folder, "example", {"epochs": 4}, resume=True)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: ... was begun with other settings: epochs was 3, is 4
    """
    if resume and overwrite:
        raise InvalidArgument("resume and overwrite exclude each other; want one of them")
    marker = folder / MARKER
    if folder.exists() and not folder.is_dir():
        raise InvalidArgument(f"output {folder} is a file; want a folder")
    if folder.exists() and any(not path.name.startswith(f".{MARKER}.") for path in folder.iterdir()):
        if not marker.exists():
            raise InvalidArgument(f"output folder {folder} holds something else; want a new or empty folder")
        before = _read(marker, kind)
        if resume:
            _same(before, settings, folder, may_differ)
        elif overwrite:
            shutil.rmtree(folder)
        else:
            raise InvalidArgument(f"output folder {folder} holds a run; want --resume, --overwrite or another folder")
    folder.mkdir(parents=True, exist_ok=True)
    content = {"format": kind, "version": VERSION, "settings": dict(settings)}
    write_atomically(marker, lambda path: path.write_text(json.dumps(content, indent=2) + "\n"))


def _read(marker: Path, kind: str) -> dict[str, Any]:
    try:
        content = json.loads(marker.read_text())
    except ValueError:
        raise BrokenStore(f"{marker} is not readable JSON; the folder can't be resumed or replaced") from None
    if not isinstance(content, dict) or content.get("format") != kind:
        raise BrokenStore(f"{marker} is not of an {kind}; the folder is left alone")
    if content.get("version") != VERSION:
        raise BrokenStore(f"{marker} is of version {content.get('version')}; this infoflow reads version {VERSION}")
    settings: dict[str, Any] = content["settings"]
    return settings


def _same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path, may_differ: Collection[str]) -> None:
    names = sorted({*before, *now} - set(may_differ))
    differing = [name for name in names if before.get(name) != now.get(name)]
    if differing:
        told = ", ".join(f"{name} was {before.get(name)!r}, is {now.get(name)!r}" for name in differing)
        raise InvalidArgument(f"{folder} was begun with other settings: {told}")
