"""A full disk: nothing that was recorded is lost, and recording continues once there is space."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from infoflow.core.errors import BrokenStore
from infoflow.plane import Recording, analyse, record

X, Y = torch.arange(64.0)[:, None], torch.arange(64) // 32


class Disk(LocalStore):
    """A folder that can fill up: writing raises what the system raises then."""

    left: float = float("inf")

    async def set(self, key: str, value: Buffer, *more: Any, **named: Any) -> None:
        if len(value) > Disk.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        Disk.left -= len(value)
        await super().set(key, value, *more, **named)


@pytest.fixture(autouse=True)
def empty_disk() -> Any:
    Disk.left = float("inf")
    yield
    Disk.left = float("inf")


class Scaled(nn.Module):
    factor = 1.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.factor * x


@pytest.mark.parametrize("bytes_left", [0, 100, 400, 700, 1000, 1300, 1600])
def test_a_full_disk_loses_nothing_and_recording_continues(tmp_path: Path, bytes_left: int) -> None:
    model = Scaled()
    with record(model, X, Y, store=Disk(tmp_path / "run")) as recorder:
        for epoch in range(3):
            model.factor = epoch + 1.0
            recorder.snapshot(epoch, loss=1.0 / (epoch + 1))
        before = analyse(str(tmp_path / "run"), ["binning:width=0.5"]).frame
        Disk.left = bytes_left
        messages: list[str] = []
        for epoch in (3, 1):  # a new one, and one that would replace another
            model.factor = 100.0 + epoch
            try:
                recorder.snapshot(epoch)
            except BrokenStore as error:
                messages.append(str(error))
        failed = len(messages)
        assert failed or bytes_left >= 1300
        assert all("could not be stored" in message and "No space left" in message for message in messages)
        recording = Recording(str(tmp_path / "run"))
        for epoch in (0, 2):
            assert np.array_equal(recording.activations(epoch, "output")[0], (epoch + 1) * X.numpy())
        assert recording.activations(1, "output")[0][1, 0] in (2.0, 101.0)
        if failed == 2:
            again = analyse(str(tmp_path / "run"), ["binning:width=0.5"]).frame
            assert again.equals(before)
        Disk.left = float("inf")  # space was freed
        model.factor = 7.0
        recorder.snapshot(3)
    with record(model, X, Y, store=str(tmp_path / "run"), resume=True):
        pass  # which deletes incomplete snapshots
    left = sorted((tmp_path / "run" / "snapshots").glob("0*"))
    assert [path.name.partition(".")[0] for path in left] == [f"{epoch:08d}" for epoch in range(4)]
    assert Recording(str(tmp_path / "run")).epochs == [0, 1, 2, 3]
    assert Recording(str(tmp_path / "run")).activations(3, "output")[0][1, 0] == 7.0


def test_a_disk_that_is_full_from_the_beginning(tmp_path: Path) -> None:
    Disk.left = 500
    with pytest.raises((BrokenStore, OSError), match="No space left"):
        record(Scaled(), X, Y, store=Disk(tmp_path / "run"))
    Disk.left = float("inf")
    with record(Scaled(), X, Y, store=Disk(tmp_path / "run"), resume=True) as recorder:
        recorder.snapshot(0)
    assert Recording(str(tmp_path / "run")).epochs == [0]
