"""`infoflow bench`: both benchmarks run, print where their files are, and report invalid options in one line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from infoflow.cli import main


def test_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--estimators", "gaussian", "cca", "--sizes", "200", "300", "--seeds", "2", "--quiet"]
    tasks = ["--tasks", "1v1-normal-0.75", "1v1-normal-0.75", "erasure-channel-4-0.25"]
    assert main(["bench", "accuracy", *arguments, *tasks, "--output", str(tmp_path / "out")]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "mean_absolute_error" in captured.out
    assert f"Written to {tmp_path / 'out'}: accuracy.csv, accuracy-n200.png, accuracy-n300.png" in captured.out
    table = pd.read_csv(tmp_path / "out" / "accuracy.csv")
    assert len(table) == 2 * 2 * 2 * 2  # estimators, tasks (a repeated one counts once), sizes, seeds


def test_beyond_normal_stands_for_forty_tasks(tmp_path: Path) -> None:
    assert main(["bench", "accuracy", "--estimators", "gaussian", "--sizes", "200", "--output", str(tmp_path)]) == 0
    assert pd.read_csv(tmp_path / "accuracy.csv")["task"].nunique() == 40


def test_speed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "speed", "dependence-graph", "--quick", "--output", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "loops over samples with dictionaries" in captured.out
    assert f"Written to {tmp_path}: dependence-graph.csv, dependence-graph.json" in captured.out
    assert (tmp_path / "dependence-graph.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "accuracy, distributions, speed or check"),
        (["sped"], "Did you mean 'speed'"),
        (["speed", "matrix-reny"], "Did you mean 'matrix-renyi'"),
        (["speed", "--fast"], "fast"),
        (["accuracy", "--estimators", "kgs"], "Did you mean 'ksg'"),
        (["accuracy", "--estimators", "ksg:kk=3"], "unknown parameter of ksg"),
        (["accuracy", "--tasks", "1v1-normal"], "Did you mean '1v1-normal-0.75'"),
        (["accuracy", "--sizes", "many"], "--sizes"),
        (["accuracy", "--sizes", "1"], "sizes must be"),
        (["accuracy", "--seeds", "0"], "seeds must be"),
    ],
)
def test_invalid_options_are_reported_in_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_lists_both_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--help"]) == 0
    assert "accuracy" in capsys.readouterr().out
