"""`infoflow reproduce` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from infoflow_reproductions import PAPERS, experiments

from infoflow.cli import main


def test_it_lists_papers_and_experiments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce"]) == 0
    told = capsys.readouterr().out
    for paper in PAPERS:
        assert paper in told
        assert " | ".join(experiments(paper)) in told


def test_an_experiment_runs_resumes_and_takes_the_recipes_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["reproduce", "milc", "theory", "--scale", "smoke", "--jobs", "1", "--output", str(tmp_path / "run")]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "report.html" in told
    assert main(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text())["settings"]["scale"] == "smoke"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["milk"], "Did you mean 'milc'"),
        (["milc", "mnits"], "Did you mean 'mnist'"),
        (["milc", "mnist", "--scale", "big"], "unknown scale 'big'"),
        (["milc", "theory", "--scale", "smoke", "--seeds", "0"], "seeds must be"),
        (["milc", "theory", "--scale", "smoke", "--jobs", "0"], "jobs must be"),
        (["milc", "theory", "--scale", "smoke", "--device", "cuda:99"], "can't be used here"),
        (["milc", "theory", "--resume", "--overwrite"], "exclude each other"),
        (["milc", "theory", "--sclae", "smoke"], "sclae"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    argv: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *argv]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
