"""Damaged and foreign files for every function that reads a file: an error of infoflow, or a result; by discovery.

The source is searched for calls that read a file. Each function that has one must be entered by a case below, or be
listed with the reason why it reads no file of a user; a new reader without a case fails. Public readers of one path
receive foreign files and folders without a case.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import random
import re
import shutil
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import infoflow
from infoflow.core.errors import InfoflowError
from infoflow.core.files import write_json
from infoflow.core.schema import sealed
from infoflow.data import cifar10
from infoflow.data.files import _ENDINGS, ArrayFile
from infoflow.data.idx import read_idx
from infoflow.estimators import Binning
from infoflow.estimators.streaming.covariance import CovarianceSpectrum
from infoflow.plane import Plane, Recording, analyse, record
from infoflow.plane.run_folder import open_run_folder
from infoflow.plane.snapshot_folder import SnapshotFolder
from infoflow.plane.table_cache import TableCache
from infoflow.plane.text_experiment import _tokens
from infoflow.profiles.pretrained import load
from infoflow.profiles.saved_pass import Progress, SavedPass
from infoflow.profiles.texts import documents
from infoflow.profiles.token_readings import TokenReadings
from infoflow.training.checkpoint import Checkpoint

SOURCE = Path(infoflow.__file__).parent

_READS = {
    *("read_bytes", "read_text", "open", "read_parquet", "read_csv", "NpzFile", "read_array", "ParquetFile"),
    *("open_array", "open_group", "from_pretrained", "read_table", "loadtxt", "genfromtxt", "fromfile", "memmap"),
    *("load_file", "safe_open", "read_json", "read_pickle"),
}
_LOADS = {"np", "torch", "pickle", "json", "joblib"}

NO_FILE_OF_A_USER = {
    "cli/main.py:main": "the null device",
    "core/files.py:write_atomically": "flushes what it wrote",
    "core/files.py:process_is_alive": "/proc",
    "data/english.py:_docstrings": "sources of Python",
    "plane/caveats.py:_caveats": "a file of the package",
    "plane/protocols.py:_protocols": "a file of the package",
    "plane/report.py:render": "files of the package",
    "plane/report.py:_program": "files of the package",
    "plane/store.py:RecordingStore._write": "writes",
    "plane/store.py:RecordingStore._array": "metadata that `_read` reads too",
    "profiles/page.py:render": "files of the package",
    "profiles/training_page.py:render": "files of the package",
}


def reading_functions() -> set[str]:
    """The functions of the package with a call that reads a file, as PATH:NAME."""

    def inside(node: ast.AST, names: list[str]) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                yield from inside(child, [*names, child.name])
                continue
            if isinstance(child, ast.Call):
                called = child.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                owner = getattr(called.value, "id", "") if isinstance(called, ast.Attribute) else ""
                if name in _READS or (name == "load" and owner in _LOADS):
                    yield ".".join(names)
            yield from inside(child, names)

    return {
        f"{path.relative_to(SOURCE).as_posix()}:{name}"
        for path in SOURCE.rglob("*.py")
        for name in inside(ast.parse(path.read_text(encoding="utf-8")), [])
    }


@dataclass(frozen=True)
class Case:
    """How a file or folder is written, and how it is read."""

    write: Callable[[Path], Any]
    """Write below this folder."""
    read: Callable[[Path], Any]
    """Read below this folder; returns what can be compared, or None where the format has no checksum."""


TABLE = pd.DataFrame({"x": [0.5, 1.5, 2.5, 3.5, 4.5, 5.5], "y": [0, 1, 0, 1, 0, 1], "s": list("abcabc")})


def _arrays(ending: str, write: Callable[[Path], Any]) -> Case:
    def read(folder: Path) -> None:
        file = ArrayFile(folder / f"file{ending}")
        for name in file.names:
            file[name]
        if ending != ".npz":
            file.table

    return Case(lambda folder: write(folder / f"file{ending}"), read)


def _trained() -> Any:
    accumulator = CovarianceSpectrum().accumulator(2)
    accumulator.update(torch.arange(12.0).reshape(6, 2))
    return accumulator


def _accumulated(path: Path) -> list[Any]:
    found = CovarianceSpectrum().accumulator(2).load(path).state_dict()
    return [(name, tensor.tolist()) for name, tensor in sorted(found.items())]


MODEL = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
X, Y = torch.arange(24.0).reshape(12, 2), torch.arange(12) % 2


def _record(folder: Path) -> None:
    with record(MODEL, X, Y, store=folder / "recording") as recorder:
        recorder.snapshot(0)


def _recorded(folder: Path) -> list[Any]:
    recording = Recording(folder / "recording")
    return [recording.activations(0, layer).tolist() for layer in recording.layers] + [recording.inputs().tolist()]


def _save_plane(folder: Path) -> None:
    _record(folder)
    analyse(folder / "recording", [Binning(width=0.5)]).save(folder / "plane")
    shutil.rmtree(folder / "recording")


def _read_plane(folder: Path) -> str:
    plane = Plane.load(folder / "plane")
    return plane.frame.to_csv() + plane.metrics.to_csv() + str(plane.provenance)


def _checkpoint(folder: Path) -> Checkpoint:
    return Checkpoint(folder / "state", {"epochs": 3})


def _tables(folder: Path) -> str:
    found = TableCache(folder / "cache").get("key")
    return "computed again" if found is None else str(found.to_csv())


def _write_stream(folder: Path) -> None:
    store = SnapshotFolder(folder / "stream")
    store.begin({"epochs": 2}, None)
    store.append(0, infoflow.profile(MODEL, [(X, Y)]), {"loss": 0.5})


def _read_stream(folder: Path) -> str:
    store = SnapshotFolder(folder / "stream")
    return repr(store.read()) if store.exists() else "computed again"


def _write_tokens(folder: Path) -> None:
    readings = TokenReadings(["a", "b"], {0: {"surprise": [float("nan"), 0.7]}})
    (folder / "tokens").mkdir()
    write_json(folder / "tokens" / "000000000000.json", sealed(readings.to_dict()))


def _write_idx(path: Path) -> None:
    path.write_bytes(bytes([0, 0, 8, 2]) + struct.pack(">2I", 2, 3) + bytes(range(6)))


def _write_model(folder: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    config = transformers.GPT2Config(n_embd=4, n_layer=1, n_head=1, n_positions=8, vocab_size=16)
    transformers.GPT2Model(config).save_pretrained(folder / "model")


CASES: dict[str, Case] = {
    "csv": _arrays(".csv", lambda path: TABLE.to_csv(path, index=False)),
    "parquet": _arrays(".parquet", lambda path: TABLE.to_parquet(path, index=False)),
    "npz": _arrays(".npz", lambda path: np.savez(path, x=np.arange(6.0), y=np.arange(6))),
    "npy": _arrays(".npy", lambda path: np.save(path, np.arange(12.0).reshape(6, 2))),
    "parquet, a column at a time": Case(
        lambda folder: TABLE.to_parquet(folder / "file.parquet", index=False),
        lambda folder: len(infoflow.rank(folder / "file.parquet", "y", estimator="binning").frame),
    ),
    "txt": Case(
        lambda folder: (folder / "file.txt").write_text("one\n\ntwo", encoding="utf-8"),
        lambda folder: documents(folder / "file.txt") and None,
    ),
    "jsonl": Case(
        lambda folder: (folder / "file.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n', encoding="utf-8"),
        lambda folder: documents(folder / "file.jsonl") and None,
    ),
    "idx": Case(lambda folder: _write_idx(folder / "file"), lambda folder: read_idx(folder / "file").sum() and None),
    "cifar": Case(  # an md5 protects it, so that other content is never unpickled
        lambda folder: [
            (folder / "cifar-10-batches-py").mkdir(),
            *((folder / "cifar-10-batches-py" / f"data_batch_{k}").write_bytes(b"content") for k in range(1, 6)),
        ],
        lambda folder: cifar10(root=folder),
    ),
    "checkpoint": Case(
        lambda folder: _checkpoint(folder).save({"w": torch.arange(3.0)}),
        lambda folder: str(_checkpoint(folder).load(resume=True, device=torch.device("cpu"))),
    ),
    "accumulator": Case(lambda folder: _trained().save(folder / "sums"), lambda folder: _accumulated(folder / "sums")),
    "unfinished profile": Case(
        lambda folder: SavedPass(folder / "pass", 0, 1, {"bins": 3}).save([], Progress(2, "digest")),
        lambda folder: str(SavedPass(folder / "pass", 0, 1, {"bins": 3}).load([])),
    ),
    "recording": Case(_record, _recorded),
    "plane": Case(_save_plane, _read_plane),
    "cached table": Case(lambda folder: TableCache(folder / "cache").put("key", TABLE), _tables),
    "run": Case(
        lambda folder: open_run_folder(folder / "run", "test", {"epochs": 1}),
        lambda folder: open_run_folder(folder / "run", "test", {"epochs": 1}, resume=True),
    ),
    "stream": Case(
        _write_stream,
        _read_stream,
    ),
    "tokens": Case(_write_tokens, lambda folder: str(_tokens(folder).to_dict())),
    "model of transformers": Case(_write_model, lambda folder: load(folder / "model") and None),
}

SLOW = {"model of transformers", "plane", "stream"}


def _hostile(generator: random.Random, value: Any) -> Any:
    """The JSON value with one part of another type, size or depth."""
    if isinstance(value, dict | list) and value and generator.random() < 0.8:
        place = generator.choice(list(value) if isinstance(value, dict) else range(len(value)))
        copied: Any = dict(value) if isinstance(value, dict) else list(value)
        copied[place] = _hostile(generator, value[place])
        return copied
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    odd = [None, True, -1, 2**63, 10**400, 1e308, float("nan"), "", "\0", "<b>", [], {}, [[]], {"": None}, deep]
    return generator.choice(odd)


def spoil(path: Path, generator: random.Random) -> str:
    """Damage one file, and return how."""
    content = bytearray(path.read_bytes())
    position = generator.randrange(max(1, len(content)))
    kind = generator.choice(["flip", "flip", "truncate", "delete", "folder", "empty", "random", "extend", "hostile"])
    if kind in ("delete", "folder"):
        path.unlink()
        if kind == "folder":
            path.mkdir()
        return kind
    if kind == "flip" and content:
        content[position] ^= 1 << generator.randrange(8)
    elif kind == "truncate":
        del content[position:]
    elif kind == "empty":
        content.clear()
    elif kind == "random":
        content = bytearray(generator.randbytes(64))
    elif kind == "hostile":
        try:
            content = bytearray(json.dumps(_hostile(generator, json.loads(content))).encode())
        except ValueError:
            content = bytearray(generator.choice([b"[" * 100_000, b"{}", b"null", b'{"text": 1}', b"\xff\xfe"]))
    else:
        content += generator.randbytes(9)
    path.write_bytes(content)
    return kind


def outcome(case: Case, folder: Path) -> Any:
    """What the case reads, or the error of infoflow that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return case.read(folder)
        except InfoflowError as error:
            return error


def attack(name: str, number: int, tmp_path: Path, tally: Counter[str]) -> None:
    """Read a case once as it is, and then damaged in this number of ways."""
    case, whole, failures = CASES[name], tmp_path / "whole", []
    whole.mkdir()
    case.write(whole)
    expected = outcome(case, whole)
    assert name == "cifar" or not isinstance(expected, InfoflowError) or "tokenizer" in str(expected), expected
    for seed in range(number):
        generator = random.Random(f"{name} {seed}")
        copy = tmp_path / "copy"
        shutil.copytree(whole, copy)
        victim = generator.choice(sorted(path for path in copy.rglob("*") if path.is_file()))
        kind = spoil(victim, generator)
        what = f"{name}, seed {seed}: {kind} {victim.name}"
        try:
            found = outcome(case, copy)
        except Exception as error:
            failures.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
        else:
            # Without its file, an unfinished pass begins again.
            if kind != "delete" and not isinstance(found, InfoflowError) and found not in (expected, "computed again"):
                failures.append(f"{what}: read something else")
        shutil.rmtree(copy)
    tally["malformed files"] += number
    assert not failures, f"{len(failures)} of {number}:\n" + "\n".join(failures[:30])


@pytest.mark.parametrize("name", [name for name in CASES if name not in SLOW])
def test_damaged_files_are_reported(name: str, tmp_path: Path, tally: Counter[str]) -> None:
    attack(name, 12, tmp_path, tally)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:coroutine 'LocalStore.get' was never awaited:RuntimeWarning")
@pytest.mark.parametrize("name", CASES)
def test_hundreds_of_damaged_files_are_reported(name: str, tmp_path: Path, tally: Counter[str]) -> None:
    attack(name, 40 if name == "model of transformers" else 200, tmp_path, tally)


def test_every_reader_has_a_case(tmp_path: Path) -> None:
    entered: set[tuple[str, str]] = set()

    def enter(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            entered.add((frame.f_code.co_filename, frame.f_code.co_qualname.removesuffix(".<locals>.<lambda>")))

    for name, case in CASES.items():
        if name == "model of transformers" and "transformers" not in sys.modules:
            continue  # its import takes long
        folder = tmp_path / name
        folder.mkdir()
        case.write(folder)
        sys.setprofile(enter)
        try:
            outcome(case, folder)
        finally:
            sys.setprofile(None)
    known = {f"{Path(file).relative_to(SOURCE).as_posix()}:{name.replace('.<locals>', '')}" for file, name in entered
             if Path(file).is_relative_to(SOURCE)}  # fmt: skip
    found = reading_functions() - NO_FILE_OF_A_USER.keys()
    assert len(found) > 15
    missing = found - known - {"profiles/pretrained.py:load"}
    assert not missing, "give these readers a case in CASES"
    assert set(_ENDINGS) <= {f".{name}" for name in CASES}, "give the new ending a case in CASES"


def public_readers() -> dict[str, Callable[[Path], Any]]:
    """Public functions, classes and class methods of which the one required argument is a path, by discovery."""
    found: dict[str, Callable[[Path], Any]] = {}
    for info in [None, *pkgutil.iter_modules(infoflow.__path__)]:
        if info is not None and (not info.ispkg or info.name in ("core", "cli", "integrations")):
            continue
        package = infoflow if info is None else importlib.import_module(f"infoflow.{info.name}")
        for name in getattr(package, "__all__", ()):
            public = getattr(package, name)
            held = dir(public) if isinstance(public, type) else []
            methods = [each for each in held if isinstance(inspect.getattr_static(public, each), classmethod)]
            for qualified, called in ((name, public), *((f"{name}.{each}", getattr(public, each)) for each in methods)):
                if callable(called) and not qualified.rpartition(".")[2].startswith("_") and _takes_one_path(called):
                    found[f"{package.__name__}.{qualified}"] = called
    return found


def _takes_one_path(called: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(called).parameters.values()
    except ValueError:
        return False
    required = [
        each
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)
    ]
    return len(required) == 1 and re.search("Path|Location", str(required[0].annotation)) is not None


FOREIGN = [
    *(b"", b"\0" * 100, b"\xff\xfe\0", b"[" * 100_000, b"{}", b"[1]", b"null", b'{"text": 1}', b"a,b\n1\n"),
    *(b"PK\x03\x04 no archive", b"PAR1 no table PAR1", b"\x93NUMPY\x01\0v\0{", b"\x80\x04.", b"\x89PNG\r\n"),
]
NAMES = (
    "file",
    "file.csv",
    "file.npz",
    "file.npy",
    "file.parquet",
    "file.jsonl",
    "file.txt",
    "provenance.json",
    "zarr.json",
)


@pytest.mark.parametrize("name", public_readers())
def test_a_public_reader_of_a_path_reports_foreign_files_and_folders(
    name: str, tmp_path: Path, tally: Counter[str]
) -> None:
    reader, failures = public_readers()[name], []
    for number, content in enumerate(FOREIGN):
        folder = tmp_path / str(number)
        folder.mkdir()
        for each in NAMES:
            (folder / each).write_bytes(content)
        for path in (folder, tmp_path / "missing", *sorted(folder.iterdir())):
            tally["malformed files"] += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    reader(path)
            except InfoflowError:
                continue
            except Exception as error:
                failures.append(f"{path.name} of {content[:12]!r}: {type(error).__name__}: {str(error)[:200]}")
    assert not failures, "\n".join(failures[:30])


def test_no_file_is_read_or_written_in_the_encoding_of_the_system() -> None:
    """Text is opened with an explicit encoding in all packages."""
    root = SOURCE.parents[1]
    faults = []
    for folder in (
        SOURCE,
        root / "reproductions" / "infoflow_reproductions",
        root / "benchmarks" / "infoflow_benchmarks",
    ):
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") not in ("read_text", "write_text"):
                    continue
                if not any(keyword.arg == "encoding" for keyword in node.keywords):
                    faults.append(f"{path.relative_to(root)}:{node.lineno}")
    assert not faults
