"""Invalid input: one clear line, exit status 2, no traceback, and nothing overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import infoflow
from infoflow.cli import main
from infoflow.core.errors import InfoflowError

SMALL = ["--epochs", "2", "--seeds", "1", "--snapshots", "2", "--quiet", "--activations", "relu", "--widths", "4", "3"]


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder with a digest of what it holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert main(["plane", *SMALL, "--output", str(folder)]) == 0
    return folder


@pytest.fixture
def place(tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in that holds things which must survive, and no data set."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "notes.txt").write_text("mine")
    (tmp_path / "a-file").write_text("mine too")
    (tmp_path / "finished").symlink_to(finished)
    (tmp_path / "other-run").mkdir()
    (tmp_path / "other-run" / "run.json").write_text(json.dumps({"format": "output must"}))
    (tmp_path / "broken-run").mkdir()
    (tmp_path / "broken-run" / "run.json").write_text('{"format": "infoflow pla')
    (tmp_path / "empty.zarr").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFOFLOW_DATA", str(tmp_path / "no-data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def half_written_store(place: Path) -> list[str]:
    """A store whose only snapshot was never completed: a crash in the first write."""
    model, x = nn.Sequential(nn.Linear(3, 2), nn.ReLU()), torch.rand(8, 3)
    with infoflow.plane.record(model, x, torch.arange(8) % 2, store=place / "half.zarr"):
        pass
    return ["report", "half.zarr"]


COMMANDS: dict[str, tuple[list[str] | Callable[[Path], list[str]], str]] = {
    "no such command": (["plain"], "Did you mean 'plane'"),
    "unknown option": (["plane", "--epoch", "3"], "--epochs"),
    "option of a wrong type": (["plane", "--epochs", "many"], "--epochs"),
    "unknown data set": (["plane", "--data", "mnits"], "Did you mean 'mnist'"),
    "missing data set": (["plane", "--data", "mnist"], "train-images-idx3-ubyte"),
    "missing fashion-mnist": (["plane", "--data", "fashion-mnist"], "FashionMNIST"),
    "unknown protocol": (["plane", "--protocol", "idnn"], "Did you mean 'idnns'"),
    "protocol without that data": (["plane", "--protocol", "idnns", "--data", "digits"], "szt"),
    "unknown activation": (["plane", "--activations", "tahn"], "Did you mean 'tanh'"),
    "an activation twice": (["plane", "--activations", "tanh", "tanh"], "activations must"),
    "no hidden layer": (["plane", "--widths"], "widths must"),
    "width zero": (["plane", "--widths", "4", "0"], "widths must"),
    "no epoch": (["plane", "--epochs", "0"], "epochs must"),
    "no seed": (["plane", "--seeds", "0"], "seeds must"),
    "one snapshot": (["plane", "--snapshots", "1"], "snapshots must"),
    "snapshot after the end": (["plane", "--epochs", "5", "--also-at", "6"], "also_at must"),
    "negative step": (["plane", "--learning-rate", "-1"], "learning_rate must"),
    "step of NaN": (["plane", "--learning-rate", "nan"], "learning_rate must"),
    "unknown optimizer": (["plane", "--optimizer", "adma"], "Did you mean 'adam'"),
    "unknown estimator": (["plane", "--estimators", "bining"], "Did you mean 'binning'"),
    "unknown parameter": (["plane", "--estimators", "binning:widht=0.1"], "Did you mean 'width'"),
    "parameter out of range": (["plane", "--estimators", "binning:width=-1"], "width must be"),
    "parameter of text": (["plane", "--estimators", "binning:width=wide"], "width must be"),
    "parameter without value": (["plane", "--estimators", "binning:width"], "parameter=value"),
    "unknown device": (["plane", "--device", "abacus"], "device must be"),
    "output is a file": (["plane", *SMALL, "--output", "a-file"], "output must"),
    "output holds something else": (["plane", *SMALL, "--output", "precious"], "output must"),
    "overwriting something else": (["plane", *SMALL, "--output", "precious", "--overwrite"], "output must"),
    "output holds a run": (["plane", *SMALL, "--output", "finished"], "--resume"),
    "a run of another program": (["plane", *SMALL, "--output", "other-run", "--overwrite"], "left unchanged"),
    "a run with a broken record": (["plane", *SMALL, "--output", "broken-run", "--resume"], "cannot be read"),
    "resume and overwrite": (["plane", *SMALL, "--output", "finished", "--resume", "--overwrite"], "overwrite must"),
    "resume with other settings": (
        ["plane", *SMALL, "--output", "finished", "--resume", "--batch-size", "7"],
        "batch_size must",
    ),
    "training diverges": (
        ["plane", *SMALL, "--optimizer", "sgd", "--learning-rate", "1e30", "--output", "new"],
        "loss is no longer finite in epoch 1",
    ),
    "report of nothing": (["report"], "stores must"),
    "report of a missing store": (["report", "missing.zarr"], "No recording at 'missing.zarr'"),
    "report of a folder that is no store": (["report", "precious"], "'precious' is not a recording"),
    "report of an empty store": (["report", "empty.zarr"], "No recording at 'empty.zarr'"),
    "report of a half-written store": (half_written_store, "'half.zarr' holds no complete snapshot"),
    "report on one recording twice": (
        ["report", "finished/recordings/relu.zarr", "finished/recordings/relu.zarr"],
        "must have different seeds, got [0, 0]",
    ),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_the_command_line_reports_it_in_one_line(
    case: str, place: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, expected = COMMANDS[case]
    argv = command(place) if callable(command) else command
    before = tree(place), tree(finished)
    capsys.readouterr()
    assert main(argv) == 2
    out, err = capsys.readouterr()
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert expected in lines[0]
    assert "Traceback" not in err
    assert out == ""
    after = tree(place)
    assert {name: after.get(name) for name in before[0]} == before[0], "something was overwritten"
    assert tree(finished) == before[1]


def _record(model: nn.Module | None = None, x: object = None, y: object = None, **options: object) -> None:
    model = model or nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x = torch.rand(8, 3) if x is None else x
    y = torch.arange(8) % 2 if y is None else y
    with infoflow.plane.record(model, x, y, **{"store": "s.zarr", **options}) as recorder:  # type: ignore[arg-type]
        recorder.snapshot(0)


class NotANumber(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / 0 - x / 0


CALLS: dict[str, tuple[Callable[[], object], str]] = {
    "NaN activations": (
        lambda: _record(nn.Sequential(nn.Linear(3, 2), NotANumber(), nn.ReLU())),
        "layer '2' must be finite",
    ),
    "NaN in the probe": (lambda: _record(x=torch.full((8, 3), float("nan"))), "probe_x must be finite"),
    "empty probe": (lambda: _record(x=torch.rand(0, 3), y=torch.zeros(0, dtype=torch.long)), "probe_x must"),
    "one sample": (lambda: _record(x=torch.rand(1, 3), y=torch.tensor([1])), "probe_x must"),
    "mismatched lengths": (lambda: _record(y=torch.arange(5)), "probe_x and probe_y must hold the same number"),
    "labels that are no classes": (lambda: _record(y=torch.rand(8)), "probe_y must be integer classes"),
    "unknown layer": (lambda: _record(layers=["3"]), "unknown layer '3'"),
    "store that exists": (lambda: (_record(), _record()), "store must be a new folder"),
    "resume with another probe": (
        lambda: (_record(), _record(x=torch.rand(9, 3), y=torch.arange(9) % 2, resume=True)),
        "other samples of probe 'probe'",
    ),
    "labels not numbers": (
        lambda: infoflow.estimators.Binning(width=1.0).estimate([[0.0], [1.0]], ["a", "b"]),
        "y must be",
    ),
    "NaN in an estimate": (
        lambda: infoflow.estimators.Binning(width=1.0).entropy([[0.0], [np.nan]]),
        "t must be finite",
    ),
    "one sample in an estimate": (lambda: infoflow.estimators.KernelDensity().entropy([[0.0]]), "at least 2 samples"),
    "mismatched estimate": (
        lambda: infoflow.estimators.KernelDensity().estimate([[0.0], [1.0]], [1, 2, 3]),
        "x and y must hold the same number",
    ),
    "unknown bound": (
        lambda: infoflow.estimators.KernelDensity(bound="uper"),
        "unknown bound 'uper'. Did you mean 'upper'?",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_the_library_reports_it_in_one_line(case: str, place: Path) -> None:
    call, expected = CALLS[case]
    with pytest.raises(InfoflowError) as caught:
        call()
    assert expected in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_constant_layer_is_measured_with_a_warning(place: Path) -> None:
    for estimator in (
        infoflow.estimators.Binning(width=0.5),
        infoflow.estimators.KernelDensity(variance=0.1),
    ):
        found = estimator.measure(np.ones((16, 3)), np.arange(16) % 2)
        assert found.input.nats == 0
        assert found.label.nats == 0
        assert any("constant" in warning for warning in found.input.warnings)


def test_help_and_version_succeed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "plane" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert infoflow.__version__ in capsys.readouterr().out
    assert main([]) == 2
    capsys.readouterr()
    for command in ("plane", "report"):
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
        assert "--estimators" in capsys.readouterr().out


COMMAND = "import sys; from infoflow.cli import main; sys.exit(main())"


@pytest.mark.parametrize("environment", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "cp1252"}])
def test_output_that_the_terminal_cannot_show_does_not_fail(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "table.csv").write_text("ψ,y\n1,2\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "estimate", "table.csv", "--x", "nothing", "--y", "y"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONCOERCECLOCALE": "0", **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert b"\\u03c8" in done.stderr
