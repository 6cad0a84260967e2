"""A folder of profiles by step: settings, codes and the list of steps in stream.json, one file for each snapshot."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import is_incomplete, write_json
from infoflow.core.schema import decoded, parse_json, sealed, unsealed
from infoflow.profiles import Codes, Profile
from infoflow.profiles.result import COLUMNS

FORMAT = "infoflow-stream"
VERSION = 2
HEAD = "stream.json"


@dataclass(frozen=True)
class _Head:
    format: str
    version: int
    settings: dict[str, Any]
    codes: list[int] | None = None
    steps: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Snapshot:
    step: int
    rows: list[dict[str, Any]]
    metrics: dict[str, float] = field(default_factory=dict)


class SnapshotFolder:
    """Profiles by step in a folder; each file is written completely or not at all.

    Parameters
    ----------
    folder
        The folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def exists(self) -> bool:
        """Whether the folder holds a stream; InvalidArgument if it holds something else."""
        if (self.folder / HEAD).is_file():
            return True
        if self.folder.exists() and (not self.folder.is_dir() or not all(map(is_incomplete, self.folder.iterdir()))):
            raise InvalidArgument("store", "a new or empty folder", got_text=f"{self.folder} with other content")
        return False

    def codes(self) -> Codes | None:
        """The codes of the tokens that were stored before the first pass."""
        found = self._head().codes
        return None if found is None else Codes(torch.tensor(found, dtype=torch.int64))

    def begin(self, settings: Mapping[str, Any], codes: Codes | None) -> None:
        """Write settings and codes."""
        self._write(_Head(FORMAT, VERSION, dict(settings), None if codes is None else codes.ids.tolist()))

    def compare(self, settings: Mapping[str, Any]) -> None:
        """Raise InvalidArgument where a setting differs from that of the stored stream."""
        before = self._head().settings
        for name in sorted({*before, *settings}):
            if before.get(name) != settings.get(name):
                wanted = f"{before.get(name)!r} as in the stream at {self.folder}"
                raise InvalidArgument(name, wanted, settings.get(name))

    def append(self, step: int, profile: Profile, metrics: Mapping[str, float]) -> None:
        """Write one snapshot; one of the same step is replaced."""
        rows = [
            {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
            for row in profile.to_dict()
        ]
        numbers = {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}
        write_json(self._file(step), sealed({"step": step, "rows": rows, "metrics": numbers}))
        head = self._head()
        # An interrupted call may have written a snapshot that is not listed yet.
        written = [_step(path) for path in self._files()]
        steps = {*head.steps, *(each for each in written if each is not None)}
        self._write(dataclasses.replace(head, steps=sorted(steps)))

    def truncate(self, step: int) -> None:
        """Delete the snapshots later than a step."""
        head = self._head()
        self._write(dataclasses.replace(head, steps=[each for each in head.steps if each <= step]))
        for path in self._files():
            found = _step(path)
            if found is not None and found > step:
                path.unlink(missing_ok=True)

    def read(self) -> tuple[dict[int, Profile], dict[int, dict[str, float]]]:
        """The profiles and the metrics of all snapshots by step, with a warning where the file of one is missing.

        Raises
        ------
        BrokenStore
            If a file is damaged.
        """
        codes, profiles, metrics = self.codes(), {}, {}
        for path in self._files():
            try:
                found = decoded(_Snapshot, unsealed(parse_json(path.read_bytes())))
                if found.step != _step(path):
                    raise ValueError(f"it holds step {found.step}")
                frame = pd.DataFrame(found.rows, columns=list(COLUMNS))
                for name in ("value", "null", "ceiling", "se"):
                    frame[name] = frame[name].astype("float64")
                frame["warnings"] = frame["warnings"].map(tuple)
            except (OSError, ValueError, TypeError) as error:
                raise BrokenStore(f"{path} is damaged: {error}. Delete it to measure that step again.") from None
            profiles[found.step], metrics[found.step] = Profile(frame, codes), found.metrics
        missing = [step for step in self._head().steps if step not in profiles]
        if missing:
            steps = ", ".join(map(str, missing))
            warnings.warn(
                f"the stream at {self.folder} has lost the files of its steps {steps}, so that it "
                "has fewer snapshots than were taken; restore the files, or measure these steps again",
                stacklevel=2,
            )
        return profiles, metrics

    def _head(self) -> _Head:
        path = self.folder / HEAD
        try:
            content = parse_json(path.read_bytes())
            # The digest of another version is its own affair.
            head = decoded(_Head, unsealed(content) if content.get("version") == VERSION else content)
        except (OSError, ValueError) as error:
            raise BrokenStore(f"{path} is damaged: {error}") from None
        if (head.format, head.version) != (FORMAT, VERSION):
            raise BrokenStore(f"{path} must be {FORMAT} version {VERSION}, got {head.format} version {head.version}.")
        return head

    def _write(self, head: _Head) -> None:
        write_json(self.folder / HEAD, sealed(dataclasses.asdict(head)))

    def _files(self) -> list[Path]:
        """The files of the snapshots, those without a number as well, which are no snapshots and are refused."""
        return sorted((self.folder / "snapshots").glob("[!.]*.json"))

    def _file(self, step: int) -> Path:
        return self.folder / "snapshots" / f"{step:012d}.json"


def _step(path: Path) -> int | None:
    return int(path.stem) if path.stem.isdecimal() else None
