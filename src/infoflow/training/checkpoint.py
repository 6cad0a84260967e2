"""A file with everything that training needs to continue after it was killed."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import read_sealed, write_sealed

SECONDS_BETWEEN = 30.0
"""A killed process loses at most about this much work, however far apart the snapshots are."""


class Checkpoint:
    """A file that is replaced atomically: a line, the SHA-256 of the rest, and what torch.save wrote.

    Parameters
    ----------
    path
        The file, in an existing folder.
    fingerprint
        Plain values by name that must be the same for a resumed run to be the one that was interrupted.

    Raises
    ------
    InvalidArgument
        If the folder does not exist.

    Notes
    -----
    The checksum detects flipped bits in a tensor, which torch.load does not.
    """

    _KIND = b"infoflow checkpoint 1"

    def __init__(self, path: Path, fingerprint: dict[str, Any]) -> None:
        self.path = path
        self._fingerprint = fingerprint
        self._saved_at = time.monotonic()
        if not path.parent.is_dir():
            raise InvalidArgument("checkpoint", "a file in an existing folder", str(path))

    @property
    def due(self) -> bool:
        """Whether the last checkpoint is older than `SECONDS_BETWEEN`."""
        return time.monotonic() - self._saved_at > SECONDS_BETWEEN

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file by one that holds `state`: tensors and plain values."""
        buffer = io.BytesIO()
        torch.save({"fingerprint": self._fingerprint, **state}, buffer)
        write_sealed(self.path, self._KIND, buffer.getvalue())
        self._saved_at = time.monotonic()

    def load(self, *, resume: bool, device: torch.device) -> dict[str, Any] | None:
        """Return what was saved, or None if there is no file yet.

        Raises
        ------
        InvalidArgument
            If there is a file but `resume` is False, or it is of a run with other settings.
        BrokenStore
            If the file is damaged.
        """
        if not self.path.exists():
            return None
        if not resume:
            raise InvalidArgument(
                "checkpoint",
                "a new file without resume=True",
                str(self.path),
                remedy="Pass resume=True to continue from it, or another file.",
            )
        state = self._read(device)
        saved = state["fingerprint"]
        differing = [name for name, value in self._fingerprint.items() if saved.get(name) != value]
        if differing:
            changes = "; ".join(f"{name} was {saved.get(name)!r}, is {self._fingerprint[name]!r}" for name in differing)
            raise InvalidArgument(f"checkpoint {self.path} is of a run with other settings: {changes}.")
        return state

    def _read(self, device: torch.device) -> dict[str, Any]:
        content = read_sealed(self.path, self._KIND)
        try:
            state = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        except Exception as error:  # torch raises errors of many kinds for a foreign pickle
            raise BrokenStore(f"checkpoint {self.path} cannot be read: {error}") from None
        if not isinstance(state, dict) or not isinstance(state.get("fingerprint"), dict):
            raise BrokenStore(f"checkpoint {self.path} holds no state of training. Remove it to start again.")
        return state


def digest(tensors: Iterable[Tensor]) -> str:
    """Return the SHA-256 (hex) of the tensors' types, shapes and bytes."""
    sha = hashlib.sha256()
    for tensor in tensors:
        sha.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
