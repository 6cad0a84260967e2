"""`infoflow plane`: a damaged snapshot stops a run that is continued, until the user asks to replace it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from infoflow.cli.main import main

QUICK = [
    *("--data", "szt", "--epochs", "4", "--snapshots", "3", "--seeds", "1", "--widths", "4", "3"),
    *("--estimators", "binning", "--jobs", "1", "--quiet"),
]


def test_damaged_snapshots_are_trained_again_only_on_request(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["plane", *QUICK, "--output", str(tmp_path / "run")]
    assert main(command) == 0
    table = next((tmp_path / "run").rglob("table.csv"))
    whole = pd.read_csv(table)
    damaged = next((tmp_path / "run" / "recordings").glob(f"*.zarr/snapshots/*{max(whole['epoch'])}.0/zarr.json"))
    damaged.write_text(json.dumps({"zarr_format": 3}), encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()

    assert main([*command, "--resume"]) == 2
    error = capsys.readouterr().err
    assert "--discard-damaged" in error
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before

    assert main([*command, "--resume", "--discard-damaged"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(table), whole)
