"""The state of an unfinished pass in one file, without pickle: accumulators, and how far the pass is."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import read_sealed, write_sealed
from infoflow.profiles.meter import Meter

_FILE = b"infoflow profile 1"
_HEAD = "head"


@dataclass(frozen=True)
class Progress:
    """How far a pass is.

    Parameters
    ----------
    batches
        Batches that are done, over all processes.
    digest
        Checksum of these batches.
    """

    batches: int = 0
    digest: str = ""


class SavedPass:
    """A file that holds an unfinished pass of one process.

    Parameters
    ----------
    path
        The file; that of one of several processes has its number behind the name.
    turn
        Number of the process.
    turns
        Number of processes.
    settings
        What must be equal for a pass to continue.
    """

    def __init__(self, path: str | os.PathLike[str], turn: int, turns: int, settings: Mapping[str, Any]) -> None:
        base = Path(path)
        self.path = base if turns == 1 else base.with_name(f"{base.name}.{turn}-of-{turns}")
        self._settings = json.loads(json.dumps(dict(settings)))

    def load(self, meters: Sequence[Meter]) -> Progress:
        """Restore the accumulators, where the file exists."""
        if not self.path.exists():
            return Progress()
        try:
            with np.load(io.BytesIO(read_sealed(self.path, _FILE)), allow_pickle=False) as arrays:
                head = json.loads(bytes(arrays[_HEAD]))
                self._compare(head["settings"])
                for place, meter in enumerate(meters):
                    if head["widths"][place]:
                        meter.make(head["widths"][place])
                    meter.broken = [(int(number), int(count)) for number, count in head["broken"][place]]
                    for name, accumulator in meter.accumulators.items():
                        start = f"{place}/{name}/"
                        found = [key for key in arrays.files if key.startswith(start)]
                        state = {key.removeprefix(start): torch.from_numpy(arrays[key]) for key in found}
                        accumulator.load_state_dict(state)
                return Progress(int(head["batches"]), str(head["digest"]))
        except (KeyError, ValueError, IndexError, OSError) as error:
            if isinstance(error, InvalidArgument):
                raise
            raise BrokenStore(f"{self.path} is no unfinished profile: {error}. Remove it to start again.") from error

    def save(self, meters: Sequence[Meter], progress: Progress) -> None:
        """Replace the file."""
        head = {
            "settings": self._settings,
            "batches": progress.batches,
            "digest": progress.digest,
            "widths": [meter.width for meter in meters],
            "broken": [meter.broken for meter in meters],
        }
        arrays = {_HEAD: np.frombuffer(json.dumps(head).encode(), dtype=np.uint8)}
        for place, meter in enumerate(meters):
            for name, accumulator in meter.accumulators.items():
                for key, tensor in accumulator.state_dict().items():
                    arrays[f"{place}/{name}/{key}"] = tensor.cpu().numpy()
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **arrays)
        write_sealed(self.path, _FILE, content.getvalue())

    def compare(self, progress: Progress, digest: str) -> None:
        """Raise InvalidArgument where the batches that are done differ from those of this pass."""
        if progress.digest != digest:
            raise InvalidArgument(
                f"the first {progress.batches} batches",
                f"those of the unfinished profile at {self.path}",
                got_text="others",
                remedy="Remove that file to start again.",
            )

    def delete(self) -> None:
        """Delete the file of a pass that is complete."""
        self.path.unlink(missing_ok=True)

    def _compare(self, before: Mapping[str, Any]) -> None:
        for name in sorted({*before, *self._settings}):
            if before.get(name) != self._settings.get(name):
                wanted = f"{before.get(name)!r} as in the unfinished profile at {self.path}"
                remedy = "Remove that file to start again."
                raise InvalidArgument(name, wanted, self._settings.get(name), remedy=remedy)
