"""What the command line offers before a command: help, version, completion; and names of recordings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from infoflow import __version__
from infoflow.cli import main
from infoflow.core.errors import InvalidArgument
from infoflow.plane import analyse, record


def store(path: Path, seed: int, name: str = "net") -> Path:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    x, y = torch.randn(40, 2, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 2
    with record(model, x, y, store=path, seeds=seed, name=name) as recorder:
        recorder.snapshot(0)
        recorder.snapshot(1)
    return path


def report(*stores: str, output: Path, estimator: str = "binning:width=0.5") -> int:
    return main(["report", *stores, "--output", str(output), "--estimators", estimator, "--jobs", "1", "--quiet"])


def test_help_and_version_have_several_spellings(capsys: pytest.CaptureFixture[str]) -> None:
    for argument in ("-V", "--version"):
        assert main([argument]) == 0
        assert capsys.readouterr().out == f"infoflow {__version__}\n"
    assert main(["help"]) == 0
    assert "usage: infoflow COMMAND" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        main(["help", "estimate"])
    assert "--permutations" in capsys.readouterr().out
    assert main(["help", "reprot"]) == 2
    assert "Did you mean 'report'?" in capsys.readouterr().err


def test_the_module_runs_as_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "infoflow", "-V"], capture_output=True, text=True, check=True)
    assert done.stdout == f"infoflow {__version__}\n"


def test_a_reader_that_ends_early_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as a `head` that has ended
    with os.fdopen(writer, "w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        assert main(["completion", "bash"]) == 141
    assert capsys.readouterr().err == ""


def test_completion_knows_commands_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    assert main(["completion", "fish"]) == 0
    assert "__fish_seen_subcommand_from report' -l overwrite" in capsys.readouterr().out
    if bash := shutil.which("bash"):
        for words, wanted in (("infoflow re", "report"), ("infoflow estimate --perm", "--permutations")):
            line = f"COMP_WORDS=({words}); COMP_CWORD={len(words.split()) - 1}; _infoflow; echo ${{COMPREPLY[@]}}"
            done = subprocess.run([bash, "-c", script + line], capture_output=True, text=True, check=True)
            assert wanted in done.stdout.split()


def test_recordings_are_named_and_seeds_of_one_name_merge(tmp_path: Path) -> None:
    paths = [str(store(tmp_path / f"run{seed}", seed)) for seed in range(3)]
    assert report(f"small={paths[0]}", f"large={paths[1]}", output=tmp_path / "named") == 0
    assert set(pd.read_csv(tmp_path / "named" / "table.csv")["network"]) == {"small", "large"}
    assert report(*paths, output=tmp_path / "merged") == 0
    table = pd.read_csv(tmp_path / "merged" / "table.csv")
    assert (set(table["network"]), set(table["seed"])) == ({"net"}, {0, 1, 2})


def test_a_list_of_recordings_is_accepted(tmp_path: Path) -> None:
    paths = [store(tmp_path / f"run{seed}", seed) for seed in range(2)]
    other = store(tmp_path / "other", 0, name="other")
    frame = analyse([*paths, other], ["binning:width=0.5"]).frame
    assert frame.groupby("network")["seed"].unique().map(sorted).to_dict() == {"net": [0, 1], "other": [0]}
    with pytest.raises(InvalidArgument, match="different seeds"):
        analyse([paths[0], paths[0]])
    with pytest.raises(InvalidArgument, match="at least one recording"):
        analyse([])


def test_a_store_whose_path_holds_an_equals_sign_is_a_path(tmp_path: Path) -> None:
    assert report(str(store(tmp_path / "lr=0.1", 0)), output=tmp_path / "report") == 0


def test_an_estimator_without_a_place_is_reported_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(str(store(tmp_path / "run", 0)), output=tmp_path / "report", estimator="cca") == 2
    assert "class-neighbors" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
