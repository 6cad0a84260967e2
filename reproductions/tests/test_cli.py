"""The command `infoflow reproduce`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from infoflow_reproductions import PAPERS, experiments

from infoflow.cli import main


def test_help_lists_papers_and_experiments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce"]) == 0
    text = capsys.readouterr().out
    for paper in PAPERS:
        assert paper in text
        assert " | ".join(experiments(paper)) in text


def test_an_experiment_runs_and_resumes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["reproduce", "milc", "theory", "--scale", "smoke", "--jobs", "1", "--output", str(tmp_path / "run")]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "report.html" in text
    assert main(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text())["settings"]["scale"] == "smoke"


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["milk"], "Did you mean 'milc'"),
        (["milc", "mnits"], "Did you mean 'mnist'"),
        (["milc", "mnist", "--scale", "big"], "unknown scale 'big'"),
        (["milc", "theory", "--scale", "smoke", "--seeds", "0"], "seeds must be"),
        (["milc", "theory", "--scale", "smoke", "--jobs", "0"], "jobs must be"),
        (["milc", "theory", "--scale", "smoke", "--device", "cuda:99"], "device must be"),
        (["milc", "theory", "--resume", "--overwrite"], "overwrite must be"),
        (["milc", "theory", "--sclae", "smoke"], "sclae"),
    ],
)
def test_errors_are_one_line_and_write_nothing(
    argv: list[str], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *argv]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_fields_of_a_single_recipe_are_options(tmp_path: Path) -> None:
    command = ["reproduce", "milc", "theory", "--scale", "smoke", "--jobs", "1", "--seeds", "1", "--quiet"]
    assert main([*command, "--output", str(tmp_path), "--recipe.draws", "500"]) == 0
    settings = json.loads((tmp_path / "results.json").read_text())["settings"]
    assert (settings["seeds"], settings["draws"]) == (1, 500)


def test_collecting_without_results_names_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--collect", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
