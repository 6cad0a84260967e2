"""A file with all that training needs to go on after a kill."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoflow.core.errors import BrokenStore, InvalidArgument

SECONDS_BETWEEN = 30.0
"""A kill loses at most about this much work, however far apart the snapshots lie."""


class Checkpoint:
    """A line, the SHA-256 of the rest, and what torch.save wrote; replaced whole or not at all.

    torch.load doesn't notice flipped bits in a tensor; the checksum does. `fingerprint` is what must be the same for
    a resumed run to be the run that was interrupted: plain values by name.

    Raises InvalidArgument where the folder doesn't exist.
    """

    _LINE = b"infoflow checkpoint 1\n"

    def __init__(self, path: Path, fingerprint: dict[str, Any]) -> None:
        self.path = path
        self._fingerprint = fingerprint
        if not path.parent.is_dir():
            raise InvalidArgument(f"checkpoint {path} lies in a folder that doesn't exist; want an existing one")

    def save(self, state: dict[str, Any]) -> None:
        """Replaces the file by one that holds `state`: tensors and plain values."""
        buffer = io.BytesIO()
        torch.save({"fingerprint": self._fingerprint, **state}, buffer)
        content = buffer.getvalue()
        part = self.path.with_name(f"{self.path.name}.part")
        with part.open("wb") as file:
            file.write(self._LINE + hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)

    def load(self, *, resume: bool, device: torch.device) -> dict[str, Any] | None:
        """What was saved; None where there is no file yet.

        Raises InvalidArgument (a file, but not `resume`; a run with other settings), BrokenStore.
        """
        if not self.path.exists():
            return None
        if not resume:
            raise InvalidArgument(f"checkpoint {self.path} exists; want resume=True to go on from it, or another file")
        state = self._read(device)
        saved = state["fingerprint"]
        differing = [name for name, value in self._fingerprint.items() if saved.get(name) != value]
        if differing:
            told = "; ".join(f"{name} was {saved.get(name)!r}, is {self._fingerprint[name]!r}" for name in differing)
            raise InvalidArgument(f"checkpoint {self.path} is of a run with other settings: {told}")
        return state

    def _read(self, device: torch.device) -> dict[str, Any]:
        raw = self.path.read_bytes()
        start = len(self._LINE) + hashlib.sha256().digest_size
        if not raw.startswith(self._LINE):
            raise BrokenStore(
                f"{self.path} is no checkpoint of this version of infoflow; want it removed, or another file"
            )
        content = raw[start:]
        if hashlib.sha256(content).digest() != raw[len(self._LINE) : start]:
            raise BrokenStore(f"checkpoint {self.path} is damaged: its checksum doesn't match; remove it to start anew")
        try:
            state: dict[str, Any] = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
            raise BrokenStore(f"checkpoint {self.path} can't be read: {error}") from None
        return state


def digest(tensors: Iterable[Tensor]) -> str:
    """SHA-256 (hex) of the tensors' types, shapes and bytes."""
    sha = hashlib.sha256()
    for tensor in tensors:
        sha.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return sha.hexdigest()
