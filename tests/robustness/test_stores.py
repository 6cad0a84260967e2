"""Random damage to every file of a recording, a saved plane, a cached table and a run: reported, or without effect.

Files are found by walking what was written. A reader returns what was recorded or raises an error of infoflow, and a
resumed recording deletes nothing.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.estimators import Binning
from infoflow.plane import Plane, Recorder, Recording, analyse, record
from infoflow.plane.run_folder import open_run_folder
from infoflow.plane.table_cache import TableCache

X = torch.randn(30, 4, generator=torch.Generator().manual_seed(1))
Y = torch.arange(30) % 2
MODEL = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
KILLS = Path(__file__).parent.parent / "plane" / "kill_and_resume.py"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    with record(MODEL, X, Y, store=folder / "recording") as recorder:
        for epoch in range(3):
            recorder.snapshot(epoch, loss=1.0 / (1 + epoch))
    plane = analyse(folder / "recording", [Binning(width=0.5)], cache=folder / "cache")
    plane.save(folder / "plane")
    TableCache(folder / "cache").put("key", plane.frame)
    open_run_folder(folder / "run", "test", {"epochs": 1})
    return folder


def plain(value: Any) -> Any:
    """What can be compared of what an operation returned."""
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    return value.to_csv() if isinstance(value, pd.DataFrame) else repr(value)


def operations(kind: type) -> list[str]:
    """Names of the public methods and properties of a class, which a new one joins by itself."""
    return [name for name, _ in inspect.getmembers(kind) if not name.startswith("_")]


def arguments(method: Callable[..., Any], known: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """All combinations of the values of the required parameters; one without values here fails."""
    parameters = inspect.signature(method).parameters.values()
    required = [each.name for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    assert set(required) <= set(known), f"give the parameters {required} of {method.__qualname__} values"
    return [dict(zip(required, each, strict=True)) for each in itertools.product(*(known[name] for name in required))]


def recorded(folder: Path) -> list[Any]:
    """The result of every operation of a recording, for every epoch, layer and seed."""
    recording = Recording(folder / "recording")
    known = {"epoch": recording.epochs, "layer": recording.layers, "seed": recording.seeds}
    found: list[Any] = []
    for name in operations(Recording):
        value = getattr(recording, name)
        calls = [value(**each) for each in arguments(value, known)] if callable(value) else [value]
        found += [plain(each).replace(str(folder), "") if name == "only" else plain(each) for each in calls]
    return found


def cached(folder: Path) -> list[Any]:
    table = TableCache(folder / "cache").get("key")
    return ["recomputed" if table is None else table.to_csv()]


def continued(folder: Path) -> list[Any]:
    open_run_folder(folder / "run", "test", {"epochs": 1}, resume=True)
    return []


def resumed(folder: Path) -> list[Any]:
    with record(MODEL, X, Y, store=folder / "recording", resume=True) as recorder:
        return [recorder.epochs]


READERS: list[Callable[[Path], list[Any]]] = [recorded, cached, continued, resumed]


def damaged(path: Path, generator: random.Random) -> str:
    """Damage one file, and return how."""
    content = bytearray(path.read_bytes())
    kind = generator.choice(["flip", "flip", "flip", "truncate", "delete", "garbage", "extend"])
    position = generator.randrange(max(1, len(content)))
    if kind == "delete":
        path.unlink()
        return kind
    if kind == "flip" and content:
        content[position] ^= 1 << generator.randrange(8)
    elif kind == "truncate":
        del content[position:]
    elif kind == "garbage":
        content[position : position + 16] = generator.randbytes(16)
    else:
        content += generator.randbytes(9)
    path.write_bytes(content)
    return kind


def attack(
    whole: Path, expected: Mapping[Any, Any], folder: Path, seed: int, counts: Counter[str], failures: list[str]
) -> None:
    generator = random.Random(seed)
    shutil.copytree(whole, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.parent != folder / "plane")
    # Every kind of file is as likely as every other, however many there are of it.
    kinds: dict[str, list[Path]] = {}
    for path in files:
        kinds.setdefault("".join(c for c in str(path.relative_to(folder)) if not c.isdigit()), []).append(path)
    victim = generator.choice(kinds[generator.choice(sorted(kinds))])
    what = f"seed {seed}: {damaged(victim, generator)} {victim.relative_to(folder)}"
    before = {path for path in folder.rglob("*") if path.is_file()}
    counts["damaged"] += 1
    for reader in READERS:
        try:
            found = reader(folder)
        except InfoflowError:
            counts["reported"] += 1
        except Exception as error:
            counts["raw"] += 1
            failures.append(f"{what}: {reader.__name__} raised {type(error).__name__}: {error}")
        else:
            if found not in (expected[reader], ["recomputed"]):
                counts["silent"] += 1
                failures.append(f"{what}: {reader.__name__} returned something else")
    if lost := {path for path in before if not path.exists()}:
        counts["lost"] += 1
        failures.append(f"{what}: deleted {lost}")
    shutil.rmtree(folder)


@pytest.mark.parametrize("part", ["shape", "chunks"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_array_of_huge_size_is_refused_at_once(part: str, place: int, whole: Path, tmp_path: Path) -> None:
    """Chunks that are missing count as zeros, so metadata alone could fill the memory or keep a reader for days."""
    copy = Path(shutil.copytree(whole, tmp_path / "copy"))
    for path in (copy / "recording" / "snapshots").rglob("zarr.json"):
        document = json.loads(path.read_bytes())
        if document["node_type"] == "array":
            sizes = document["shape"] if part == "shape" else document["chunk_grid"]["configuration"]["chunk_shape"]
            sizes[place] = 10**12
            path.write_text(json.dumps(document), encoding="utf-8")
    recording = Recording(copy / "recording")
    with pytest.raises(InfoflowError, match=r"10{12}|allocate|another length") as caught:
        recording.activations(0, recording.layers[0])
    assert "\n" not in str(caught.value)


def operated(folder: Path, name: str) -> None:
    """One operation of a recorder that continues the recording."""
    with record(MODEL, X, Y, store=folder / "recording", resume=True) as recorder:
        value = getattr(recorder, name)
        if callable(value):
            value(**arguments(value, {"epoch": [1]})[0])


@pytest.mark.parametrize("name", operations(Recorder))
def test_operations_of_a_recorder_on_damaged_stores(
    name: str, whole: Path, tmp_path: Path, tally: Counter[str]
) -> None:
    failures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(InvalidArgument):  # `plane` requires estimates on each snapshot
            operated(Path(shutil.copytree(whole, tmp_path / "intact")), name)
        for seed in range(5):
            generator = random.Random(f"{name} {seed}")
            copy = Path(shutil.copytree(whole, tmp_path / f"copy{seed}"))
            victim = generator.choice(sorted(path for path in (copy / "recording").rglob("*") if path.is_file()))
            what = f"seed {seed}: {damaged(victim, generator)} {victim.relative_to(copy)}"
            try:
                operated(copy, name)
            except InfoflowError:
                pass
            except Exception as error:
                failures.append(f"{what}: {name} raised {type(error).__name__}: {error}")
    tally["damaged stores"] += 5
    assert not failures, "\n".join(failures)


def attacked(whole: Path, tmp_path: Path, number: int, tally: Counter[str]) -> None:
    counts: Counter[str] = Counter()
    failures: list[str] = []
    expected = {reader: reader(whole) for reader in READERS}
    for seed in range(number):
        attack(whole, expected, tmp_path / "copy", seed, counts, failures)
    tally["damaged stores"] += number
    assert counts["damaged"] == number
    assert counts["reported"] > number / 4
    assert not failures, "\n".join(failures)


def test_damaged_stores_are_reported(whole: Path, tmp_path: Path, tally: Counter[str]) -> None:
    attacked(whole, tmp_path, 30, tally)


@pytest.mark.slow
# Of zarr, whose coroutine of a chunk is left behind where another chunk of the same array cannot be decoded.
@pytest.mark.filterwarnings("ignore:coroutine 'LocalStore.get' was never awaited:RuntimeWarning")
def test_thousands_of_damaged_stores_are_reported(whole: Path, tmp_path: Path, tally: Counter[str]) -> None:
    attacked(whole, tmp_path, 2000, tally)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_hundreds_of_kills_lose_nothing_that_was_stored(tmp_path: Path, tally: Counter[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", str(KILLS), str(tmp_path / "run"), "300", "1"],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    tally["kills"] += 300


def test_a_damaged_plane_is_reported(whole: Path, tmp_path: Path) -> None:
    for name in ("provenance.json", "table.parquet", "metrics.parquet"):
        for content in (b"", b"[]", b"{}", b"[" * 100_000, b'{"format": 1, "version": {}}', np.arange(99).tobytes()):
            shutil.copytree(whole / "plane", tmp_path / "plane", dirs_exist_ok=True)
            (tmp_path / "plane" / name).write_bytes(content)
            with pytest.raises(InfoflowError):
                Plane.load(tmp_path / "plane")


def test_an_intact_table_of_another_key_is_computed_again(whole: Path, tmp_path: Path) -> None:
    cache = TableCache(shutil.copytree(whole / "cache", tmp_path / "cache"))
    cache.put("other", pd.DataFrame({"a": [1]}))
    [theirs] = {*cache.folder.iterdir()} - {cache.folder / path.name for path in (whole / "cache").iterdir()}
    for path in (whole / "cache").iterdir():
        shutil.copy(theirs, cache.folder / path.name)
    assert cache.get("key") is None
    assert cache.get("other") is not None
