"""The folder of a run: new, or one that holds the same run; files of anything else are never touched."""

from __future__ import annotations

import glob
import shutil
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import is_incomplete, write_json
from infoflow.core.schema import decoded, parse_json

VERSION = 1
MARKER = "run.json"


@dataclass(frozen=True)
class _Marker:
    format: str
    version: int
    settings: dict[str, Any]


def open_run_folder(
    folder: Path,
    kind: str,
    settings: Mapping[str, Any],
    *,
    resume: bool = False,
    overwrite: bool = False,
    may_differ: Collection[str] = (),
) -> None:
    """Make the folder of a run ready: new, emptied, or verified to hold the same run.

    Parameters
    ----------
    folder
        Folder of the run.
    kind
        Kind of run, stored in its file run.json.
    settings
        Settings of the run (plain JSON values), stored there too.
    resume
        Accept a folder whose run has the same settings.
    overwrite
        Remove an earlier run of this kind; a folder of anything else is never removed.
    may_differ
        Names of settings that may differ when a run is resumed.

    Raises
    ------
    InvalidArgument
        If the folder holds something else, or a run with other settings.
    BrokenStore
        If run.json is damaged, or of another kind or version.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> open_run_folder(folder, "example", {"epochs": 3})
    >>> open_run_folder(folder, "example", {"epochs": 4}, resume=True)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: epochs must be 3 as in the run at ..., got 4.
    """
    if resume and overwrite:
        raise InvalidArgument("overwrite", "False where resume is set", True)
    marker = folder / MARKER
    if folder.exists() and not folder.is_dir():
        raise InvalidArgument("output", "a folder", got_text=f"the file {folder}")
    if folder.exists() and not all(map(is_incomplete, folder.iterdir())):
        if not marker.exists():
            raise InvalidArgument("output", "a new or empty folder", got_text=f"{folder} with other content")
        before = _read(marker, kind)
        if resume:
            _check_same(before, settings, folder, may_differ)
        elif overwrite:
            # Renamed first: a kill while files are deleted leaves no folder that lacks its run.json.
            folder.rename(folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:12]}.replaced"))
        else:
            raise InvalidArgument(
                "output",
                "a new or empty folder",
                got_text=f"{folder}, which holds a run",
                remedy="Continue it with --resume, or replace it with --overwrite.",
            )
    for replaced in folder.absolute().parent.glob(f".{glob.escape(folder.name)}.*.replaced"):
        shutil.rmtree(replaced, ignore_errors=True)
    write_json(marker, {"format": kind, "version": VERSION, "settings": dict(settings)})


def _read(marker: Path, kind: str) -> dict[str, Any]:
    try:
        content = decoded(_Marker, parse_json(marker.read_bytes()))
    except (OSError, ValueError) as error:
        raise BrokenStore(f"{marker} cannot be read: {error}. The folder is left unchanged.") from None
    if (content.format, content.version) != (kind, VERSION):
        raise BrokenStore(
            f"{marker} must be of an {kind} (version {VERSION}), got {content.format} (version {content.version}). "
            "The folder is left unchanged."
        )
    return content.settings


def _check_same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path, may_differ: Collection[str]) -> None:
    for name in sorted({*before, *now} - set(may_differ)):
        if before.get(name) != now.get(name):
            raise InvalidArgument(name, f"{before.get(name)!r} as in the run at {folder}", now.get(name))
