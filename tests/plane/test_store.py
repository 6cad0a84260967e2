from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.schema import sealed as with_digest
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


def edit(path: Path, change: Any, *, seal: bool = True) -> None:
    document = json.loads(path.read_text())
    attributes = document["attributes"]
    sealed = attributes.pop("sealed", None)
    change(attributes)
    if attributes:
        attributes["sealed"] = with_digest(attributes)["sealed"] if seal else sealed
    path.write_text(json.dumps(document))


def unlist(store: Path, epoch: int) -> None:
    """Let the store look as if the process had been killed before it listed this snapshot."""

    def remove(attributes: Any) -> None:
        attributes["complete"] = [pair for pair in attributes["complete"] if pair[0] != epoch]

    edit(store / "snapshots" / "zarr.json", remove)


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
    unlist(store, 7)
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


def test_a_complete_snapshot_counts_before_it_is_listed(store: Path) -> None:
    unlist(store, 7)
    assert Recording(store).epochs == [0, 7]


@pytest.mark.parametrize("damage", ["truncated", "missing", "changed", "unlisted header"])
def test_damaged_metadata_is_reported_and_deleted_only_on_request(store: Path, damage: str) -> None:
    path = snapshot(store, 7) / "zarr.json"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "missing":
        path.unlink()
    elif damage == "changed":
        edit(path, lambda attributes: attributes.update(metrics={"loss": [0.1]}), seal=False)
    else:
        edit(path, lambda attributes: attributes.clear())
    before = sorted(store.rglob("*"))
    with pytest.raises(BrokenStore, match="snapshot 7"):
        Recording(store)
    with pytest.raises(BrokenStore, match="discard_damaged=True"):
        record(MODEL, X, Y, store=store, resume=True)
    assert sorted(store.rglob("*")) == before
    assert Recording(store, discard_damaged=True).epochs == [0]
    assert sorted(store.rglob("*")) == before
    with record(MODEL, X, Y, store=store, resume=True, discard_damaged=True) as recorder:
        assert recorder.epochs == [0]
        recorder.snapshot(7, loss=0.4)
    assert Recording(store).metrics["value"].tolist() == [1.0, 0.4]


def test_a_lost_folder_of_a_snapshot_is_seen(store: Path) -> None:
    shutil.rmtree(snapshot(store, 0))
    with pytest.raises(BrokenStore, match="snapshot 0"):
        Recording(store)
    assert Recording(store, discard_damaged=True).epochs == [7]


def test_discarding_finds_damaged_activations_too(store: Path) -> None:
    shutil.rmtree(snapshot(store, 0) / "00.probe" / "00.1" / "c")
    assert Recording(store).epochs == [0, 7]
    assert Recording(store, discard_damaged=True).epochs == [7]


def test_a_damaged_list_of_snapshots_is_reported_and_made_again(store: Path) -> None:
    (store / "snapshots" / "zarr.json").write_text("[" * 100_000)
    with pytest.raises(BrokenStore, match="nested"):
        Recording(store)
    with record(MODEL, X, Y, store=store, resume=True, discard_damaged=True) as recorder:
        assert recorder.epochs == [0, 7]
    assert Recording(store).epochs == [0, 7]


def test_two_processes_do_not_write_one_store(store: Path) -> None:
    command = (
        "import sys, time, torch\n"
        "from infoflow.plane.store import RecordingStore\n"
        "RecordingStore(sys.argv[1], read_only=False).lock.acquire()\n"
        "print('locked', flush=True)\n"
        "time.sleep(60)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", command, str(store)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        assert Recording(store).epochs == [0, 7]
        for choice in ({"resume": True}, {"overwrite": True}):
            with pytest.raises(BrokenStore, match=f"process {other.pid} of .* since 20"):
                record(MODEL, X, Y, store=store, **choice)
    finally:
        other.kill()
    # The process has not been waited for, and counts as ended all the same.
    time.sleep(0.2)
    with record(MODEL, X, Y, store=store, resume=True) as recorder:
        recorder.snapshot(8)
    other.communicate()
    assert Recording(store).epochs == [0, 7, 8]
    assert not (store / "lock.json").exists()


def test_a_second_recorder_of_one_process_ends_the_first(store: Path) -> None:
    first = record(MODEL, X, Y, store=store, resume=True)
    second = record(MODEL, X, Y, store=store, resume=True)
    with pytest.raises(BrokenStore, match="Another recorder"):
        first.snapshot(8)
    second.snapshot(9)
    assert Recording(store).epochs == [0, 7, 9]


def test_epochs_that_json_cannot_hold_are_refused(store: Path) -> None:
    recorder = record(MODEL, X, Y, store=store, resume=True)
    with pytest.raises(InvalidArgument, match="epoch must be"):
        recorder.snapshot(2**63)
    assert Recording(store).epochs == [0, 7]


class _Planted:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return open, (str(self.file), "w")


@pytest.mark.parametrize("reader", ["activations", "labels"])
def test_a_pickle_in_a_store_of_zarr_2_is_not_run(store: Path, tmp_path: Path, reader: str) -> None:
    array = snapshot(store, 7) / "00.probe" / "00.1" if reader == "activations" else store / "probes/00.probe/labels"
    shutil.rmtree(array)
    array.mkdir()
    meta = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "fill_value": None, "order": "C"}
    (array / ".zarray").write_text(
        json.dumps({**meta, "compressor": None, "filters": [{"id": "pickle", "protocol": 5}]})
    )
    (array / ".zattrs").write_text("{}")
    (array / "0").write_bytes(pickle.dumps(np.array([_Planted(tmp_path / "ran")], dtype=object)))
    recording = Recording(store)
    with pytest.raises(BrokenStore, match="cannot be read"):
        recording.activations(7, "1") if reader == "activations" else recording.labels()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"codecs": [{"name": "numcodecs.pickle"}]},
        {"codecs": ["pickle"]},
        {"codecs": []},
        {"data_type": "object"},
        {"data_type": {"name": "numpy.datetime64"}},
        {"storage_transformers": [{"name": "unknown"}]},
        {"node_type": "group"},
        {"shape": [10**30]},
    ],
)
def test_arrays_with_unknown_codecs_and_types_are_refused(store: Path, change: dict[str, Any]) -> None:
    path = snapshot(store, 7) / "00.probe" / "00.1" / "zarr.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BrokenStore, match="cannot be read"):
        Recording(store).activations(7, "1")


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
    with pytest.raises(BrokenStore, match="snapshot 7.*lacks 'layers'"):
        Recording(store)


def test_another_version_or_an_incomplete_header_is_rejected(store: Path) -> None:
    edit(store / "zarr.json", lambda attributes: attributes.pop("seeds"))
    with pytest.raises(BrokenStore, match="lacks 'seeds'"):
        Recording(store)
    edit(store / "zarr.json", lambda attributes: attributes.update(version=99))
    with pytest.raises(BrokenStore, match="version 3, got version 99"):
        Recording(store)
    with pytest.raises(BrokenStore, match="version 99"):
        record(MODEL, X, Y, store=store, resume=True)
    assert snapshot(store, 0).is_dir()


@pytest.mark.parametrize("damage", [b"{}", b"", b"[]", b"{"])
def test_a_lost_header_does_not_let_a_resumed_recording_delete_snapshots(store: Path, damage: bytes) -> None:
    (store / "zarr.json").write_bytes(damage)
    for discard in (False, True):
        with pytest.raises(BrokenStore, match="damaged"):
            record(MODEL, X, Y, store=store, resume=True, discard_damaged=discard)
    assert snapshot(store, 0).is_dir()
    with pytest.raises(InvalidArgument, match="a damaged recording"):
        record(MODEL, X, Y, store=store)
    with record(MODEL, X, Y, store=store, overwrite=True) as recorder:
        assert recorder.epochs == []


def test_a_store_without_a_header_is_incomplete(store: Path) -> None:
    edit(store / "zarr.json", lambda attributes: attributes.clear())
    shutil.rmtree(store / "snapshots")
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
