"""Kills an operation at each of its accesses to a file, one after another; test_kills.py runs it in its own process.

Usage: kill_at_every_access.py FOLDER STEP OPERATION ... The k-th child is killed (SIGKILL) before its k-th access,
for every STEP-th k, until one ends by itself. After each kill the operation is done again, must succeed, and must leave
what it leaves without a kill and no file besides. Prints the number of kills of each operation.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

import infoflow
from infoflow.core.files import read_sealed, write_sealed
from infoflow.plane import Plane, Recording, record
from infoflow.plane.run_folder import open_run_folder
from infoflow.plane.snapshot_folder import SnapshotFolder
from infoflow.plane.table_cache import TableCache

ACCESSES = {
    "open",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.listdir",
    "os.scandir",
    "shutil.rmtree",
}

X, Y = torch.arange(48.0).reshape(12, 4), torch.arange(12) % 2
MODEL = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))


@dataclass(frozen=True)
class Operation:
    """What is done before, what is killed and done again, and what can be compared of its result."""

    prepare: Callable[[Path], Any]
    run: Callable[[Path], Any]
    found: Callable[[Path], Any]
    acknowledged: Callable[[Path], Any] = lambda folder: None
    """Raises where a kill lost what `prepare` had stored."""


def earlier_run(folder: Path) -> None:
    open_run_folder(folder / "run", "test", {"epochs": 1})
    (folder / "run" / "inside").mkdir()
    (folder / "run" / "inside" / "table.csv").write_text("old", encoding="utf-8")


def streamed(folder: Path) -> None:
    store = SnapshotFolder(folder / "stream")
    if not store.exists():
        store.begin({"epochs": 2}, None)
    for step in (0, 1, 0):
        store.append(step, PROFILE, {"loss": 0.5})


def recorded(folder: Path) -> None:
    with record(MODEL, X, Y, store=folder / "recording", resume=True) as recorder:
        for epoch in (0, 1, 0):
            recorder.snapshot(epoch)


def estimated(folder: Path) -> None:
    with record(
        MODEL, X, Y, store=folder / "plane", resume=True, estimate_on_snapshot=["binning:width=0.5"]
    ) as recorder:
        for epoch in (0, 1):
            if epoch not in recorder.epochs:
                recorder.snapshot(epoch, loss=1.0)


def snapshots(folder: Path) -> list[Any]:
    recording = Recording(folder / "recording")
    return [recording.activations(epoch, layer).tolist() for epoch in recording.epochs for layer in recording.layers]


def plane_of(folder: Path) -> list[str]:
    plane = Plane.load(folder / "plane")
    return [plane.frame.to_csv(), plane.metrics.to_csv()]


def same(found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"found {found}, expected {expected}")


PROFILE = infoflow.profile(MODEL, [(X, Y)])
TABLE = pd.DataFrame({"a": [1.5, 2.5]})

OPERATIONS = {
    "sealed file": Operation(
        lambda folder: write_sealed(folder / "file", b"test", b"old"),
        lambda folder: write_sealed(folder / "file", b"test", b"new"),
        lambda folder: read_sealed(folder / "file", b"test"),
        lambda folder: same(read_sealed(folder / "file", b"test") in (b"old", b"new"), True),
    ),
    "run": Operation(
        earlier_run,
        lambda folder: open_run_folder(folder / "run", "test", {"epochs": 2}, overwrite=True),
        lambda folder: (folder / "run" / "run.json").read_text(encoding="utf-8"),
    ),
    "first run": Operation(
        lambda folder: None,
        lambda folder: open_run_folder(folder / "run", "test", {"epochs": 2}, resume=True),
        lambda folder: (folder / "run" / "run.json").read_text(encoding="utf-8"),
    ),
    "table": Operation(
        lambda folder: TableCache(folder).put("one", TABLE),
        lambda folder: TableCache(folder).put("two", TABLE),
        lambda folder: [str(TableCache(folder).get(key)) for key in ("one", "two")],
        lambda folder: same(str(TableCache(folder).get("one")), str(TABLE)),
    ),
    "stream": Operation(lambda folder: None, streamed, lambda folder: repr(SnapshotFolder(folder / "stream").read())),
    "estimates on snapshots": Operation(lambda folder: None, estimated, plane_of),
    "recording": Operation(lambda folder: None, recorded, snapshots),
    "recording that continues": Operation(
        recorded, recorded, snapshots, lambda folder: same(len(snapshots(folder)), 4)
    ),
}


def child(work: Callable[[], Any], before: Callable[[], None] = lambda: None) -> int:
    """The exit code of the work in a process of its own, which leaves nothing in this one."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        before()
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def killed_at(access: int, folder: Path) -> Callable[[], None]:
    """A function after which the process is killed right before this access to a file in the folder."""

    def begin() -> None:
        count = 0

        def notice(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            if event in ACCESSES and any(str(folder) in str(each) for each in arguments[:2]):
                count += 1
                if count == access:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(notice)

    return begin


def files(folder: Path) -> list[str]:
    """Names of all files below the folder, without what differs between revisions of one snapshot."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def main(name: str, folder: Path, step: int) -> None:
    operation, place, kills = OPERATIONS[name], folder / "place", 0
    folder.mkdir()
    whole = folder / "whole"
    for each in (place, whole):
        each.mkdir()
    if child(lambda: (operation.prepare(whole), operation.run(whole), operation.run(whole))):
        sys.exit(f"{name} fails without a kill")

    def again() -> None:
        operation.acknowledged(place)
        operation.run(place)
        same(operation.found(place), operation.found(whole))
        if "recording" not in name:
            same(files(place), files(whole))
        same([each for each in files(place) if "part" in each or "lock" in each], [])

    for access in range(1, 100_000, step):
        shutil.rmtree(place)
        place.mkdir()
        if child(lambda: operation.prepare(place)):
            sys.exit(f"the preparation of {name} fails")
        ended = child(lambda: operation.run(place), killed_at(access, place))
        if ended not in (0, -signal.SIGKILL):
            sys.exit(f"{name} failed before its access {access}")
        if child(again):
            sys.exit(f"a kill of {name} at access {access} left {files(place)}")
        if ended == 0:
            break
        kills += 1
    sys.stdout.write(f"{kills}\n")


if __name__ == "__main__":
    for operation_name in sys.argv[3:]:
        main(operation_name, Path(sys.argv[1], operation_name), int(sys.argv[2]))
