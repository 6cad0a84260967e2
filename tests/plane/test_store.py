from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.plane import Recording, record
from infoflow.plane.array_files import digest

X = torch.randn(30, 4, generator=torch.Generator().manual_seed(1))
Y = torch.arange(30) % 2
MODEL = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with record(MODEL, X, Y, store=tmp_path / "run") as recorder:
        recorder.snapshot(0, loss=1.0)
        recorder.snapshot(7, loss=0.5)
    return tmp_path / "run"


def edit(path: Path, change: Any) -> None:
    document = json.loads(path.read_text())
    change(document["attributes"])
    path.write_text(json.dumps(document))


def snapshot(store: Path, epoch: int) -> Path:
    (found,) = (store / "snapshots").glob(f"{epoch:08d}.*")
    return found


def test_other_programs_can_read_it_as_zarr_3(store: Path) -> None:
    import zarr

    root = zarr.open_group(store, mode="r", zarr_format=3)
    assert root.attrs["format"] == "infoflow-recording"
    assert root.attrs["layers"] == ["1", "output"]
    array = root["snapshots/00000007.0/00.probe/00.1"]
    assert array.shape == (1, 30, 3)
    assert np.array_equal(array[...], Recording(store).activations(7, "1"))


def test_a_snapshot_without_attributes_is_ignored(store: Path) -> None:
    edit(snapshot(store, 7) / "zarr.json", lambda attributes: attributes.clear())
    assert Recording(store).epochs == [0]
    with record(MODEL, X, Y, store=store, resume=True) as recorder:
        assert recorder.epochs == [0]
        recorder.snapshot(7, loss=0.4)
    assert Recording(store).metrics["value"].tolist() == [1.0, 0.4]
    assert sorted(path.name for path in (store / "snapshots").iterdir() if path.is_dir()) == [
        "00000000.0",
        "00000007.0",
    ]


def test_a_snapshot_with_truncated_attributes_is_ignored(store: Path) -> None:
    path = snapshot(store, 7) / "zarr.json"
    path.write_bytes(path.read_bytes()[:-20])
    assert Recording(store).epochs == [0]
    path.unlink()
    assert Recording(store).epochs == [0]


def test_an_unfinished_revision_does_not_hide_the_finished_one(store: Path) -> None:
    unfinished = store / "snapshots" / "00000007.1"
    shutil.copytree(snapshot(store, 7), unfinished)
    edit(unfinished / "zarr.json", lambda attributes: attributes.clear())
    assert Recording(store).epochs == [0, 7]
    with record(MODEL, X, Y, store=store, resume=True) as recorder:
        recorder.snapshot(7, loss=0.25)
    assert sorted(path.name for path in (store / "snapshots").iterdir() if path.is_dir()) == [
        "00000000.0",
        "00000007.1",
    ]
    assert Recording(store).metrics["value"].tolist() == [1.0, 0.25]


def test_resuming_deletes_incomplete_snapshots(store: Path) -> None:
    for name in ("00000003.0", "00000007.1"):
        shutil.copytree(snapshot(store, 0), store / "snapshots" / name)
        edit(store / "snapshots" / name / "zarr.json", lambda attributes: attributes.clear())
    shutil.copytree(snapshot(store, 0), store / "snapshots" / "00000000.5")
    record(MODEL, X, Y, store=store, resume=True)
    left = sorted(path.name for path in (store / "snapshots").iterdir() if path.is_dir())
    assert left == ["00000000.5", "00000007.0"]
    assert Recording(store).epochs == [0, 7]


def test_a_store_without_permission_does_not_count_as_incomplete(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def get(*arguments: Any, **options: Any) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr("zarr.storage.LocalStore.get", get)
    with pytest.raises(BrokenStore, match="cannot be read: not yours"):
        record(MODEL, X, Y, store=store, resume=True)
    monkeypatch.undo()
    assert Recording(store).epochs == [0, 7]


def test_of_two_finished_revisions_the_newer_counts(store: Path) -> None:
    shutil.copytree(snapshot(store, 7), store / "snapshots" / "00000007.10")
    edit(
        store / "snapshots" / "00000007.10" / "zarr.json", lambda attributes: attributes.update(metrics={"loss": [0.1]})
    )
    shutil.copytree(snapshot(store, 0), store / "snapshots" / "00000007.9")
    assert Recording(store).metrics["value"].tolist() == [1.0, 0.1]


def test_missing_chunks_are_not_read_as_zeros(store: Path) -> None:
    chunks = [path for path in (snapshot(store, 7) / "00.probe" / "00.1" / "c").rglob("*") if path.is_file()]
    assert chunks
    for chunk in chunks:
        chunk.unlink()
    recording = Recording(store)
    recording.activations(7, "output")
    with pytest.raises(BrokenStore, match=r"00\.1' in .* is damaged"):
        recording.activations(7, "1")


def test_damaged_activations_and_probes_are_reported(store: Path) -> None:
    (chunk,) = [path for path in (snapshot(store, 7) / "00.probe" / "00.1" / "c").rglob("*") if path.is_file()]
    chunk.write_bytes(b"not what was written")
    with pytest.raises(BrokenStore, match=r"cannot be read|is damaged"):
        Recording(store).activations(7, "1")
    shutil.rmtree(snapshot(store, 0) / "00.probe" / "01.output")
    with pytest.raises(BrokenStore, match="cannot be read"):
        Recording(store).activations(0, "output")
    shutil.rmtree(store / "probes" / "00.probe" / "labels" / "c")
    with pytest.raises(BrokenStore, match=r"Probe 'probe' in .* is damaged"):
        Recording(store).labels()


def test_damaged_attributes_are_reported(store: Path) -> None:
    edit(snapshot(store, 7) / "zarr.json", lambda attributes: attributes.pop("layers"))
    with pytest.raises(BrokenStore, match=r"Snapshot 7 of .* is damaged"):
        Recording(store)


def test_another_version_or_an_incomplete_header_is_rejected(store: Path) -> None:
    edit(store / "zarr.json", lambda attributes: attributes.pop("seeds"))
    with pytest.raises(BrokenStore, match="lacks 'seeds'"):
        Recording(store)
    edit(store / "zarr.json", lambda attributes: attributes.update(version=99))
    with pytest.raises(BrokenStore, match="version 2, got version 99"):
        Recording(store)
    with pytest.raises(BrokenStore, match="version 99"):
        record(MODEL, X, Y, store=store, resume=True)
    assert snapshot(store, 0).is_dir()


def test_a_store_without_a_header_is_incomplete(store: Path) -> None:
    edit(store / "zarr.json", lambda attributes: attributes.clear())
    with pytest.raises(BrokenStore, match="incomplete recording"):
        Recording(store)
    with pytest.raises(InvalidArgument, match=r"interrupted recording\. Pass resume=True"):
        record(MODEL, X, Y, store=store)
    with record(MODEL, X, Y, store=store, resume=True) as recorder:
        assert recorder.epochs == []


def test_another_zarr_group_is_not_a_recording(tmp_path: Path) -> None:
    import zarr

    zarr.create_group(tmp_path, attributes={"experiment": "mine"}, zarr_format=3)
    with pytest.raises(BrokenStore, match="not a recording"):
        Recording(tmp_path)
    with pytest.raises(InvalidArgument, match=r"^store must be a new folder"):
        record(MODEL, X, Y, store=tmp_path, overwrite=True)
    assert zarr.open_group(tmp_path, mode="r").attrs["experiment"] == "mine"


def test_large_layers_are_cut_into_chunks_and_come_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infoflow.plane.array_files._CHUNK_BYTES", 700)
    monkeypatch.setattr("infoflow.plane.array_files._LARGEST_CHUNK_BYTES", 300)

    class Stacked(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.stack([x, 2 * x, 3 * x])

    with record(Stacked(), X, Y, store=tmp_path, seeds=[0, 1, 2]) as recorder:
        recorder.snapshot(0)
    files = [path for path in (snapshot(tmp_path, 0) / "00.probe" / "00.output" / "c").rglob("*") if path.is_file()]
    assert len(files) == 3 * 2  # 480 bytes a seed, 288 at most in a chunk
    expected = np.stack([X.numpy() * factor for factor in (1, 2, 3)])
    assert np.array_equal(Recording(tmp_path).activations(0, "output"), expected)


def test_digests_depend_on_shape_type_and_content() -> None:
    a = np.arange(6, dtype=np.float32)
    different = [a, a.reshape(2, 3), a.astype(np.float64), a + 1, -a]
    assert len({digest(each) for each in different}) == len(different)
    assert digest(np.asfortranarray(a.reshape(2, 3))) == digest(a.reshape(2, 3))
