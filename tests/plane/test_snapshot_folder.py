"""The folder of a stream: snapshots that are lost or renamed are noticed."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

import infoflow
from infoflow.core.errors import BrokenStore
from infoflow.plane.snapshot_folder import SnapshotFolder


@pytest.fixture(name="folder")
def three_snapshots(tmp_path: Path) -> SnapshotFolder:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 80), torch.nn.Tanh())
    profile = infoflow.profile(model, [torch.randn(40, 4)], layers=["0", "1"])
    folder = SnapshotFolder(tmp_path / "stream")
    folder.begin({"seed": 0}, None)
    for step in (0, 10, 20):
        folder.append(step, profile, {"loss": 0.5})
    return folder


def paths(folder: SnapshotFolder) -> list[Path]:
    return sorted((folder.folder / "snapshots").iterdir())


def test_a_snapshot_that_vanished_is_warned_about(folder: SnapshotFolder) -> None:
    paths(folder)[1].unlink()
    with pytest.warns(UserWarning, match="lost the files of its steps 10, .*measure these steps again"):
        profiles, metrics = folder.read()
    assert list(profiles) == list(metrics) == [0, 20]
    folder.append(10, profiles[0], {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(folder.read()[0]) == [0, 10, 20]


def test_a_renamed_snapshot_is_refused(folder: SnapshotFolder) -> None:
    paths(folder)[1].rename(folder.folder / "snapshots" / f"{30:012d}.json")
    with pytest.raises(BrokenStore, match="holds step 10"):
        folder.read()


def test_truncated_snapshots_are_not_missing(folder: SnapshotFolder) -> None:
    paths(folder)[2].unlink()
    folder.truncate(5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(folder.read()[0]) == [0]


def test_a_snapshot_that_an_interrupted_call_did_not_list_is_read_and_listed(folder: SnapshotFolder) -> None:
    listed = (folder.folder / "stream.json").read_bytes()
    profile = folder.read()[0][0]
    folder.append(30, profile, {})
    (folder.folder / "stream.json").write_bytes(listed)
    assert list(folder.read()[0]) == [0, 10, 20, 30]
    folder.append(40, profile, {})
    paths(folder)[3].unlink()
    with pytest.warns(UserWarning, match="steps 30"):
        folder.read()
