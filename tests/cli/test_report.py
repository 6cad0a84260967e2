"""`infoflow report`: damaged snapshots are an error, and are left out only where that is stated."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from infoflow.cli import main
from infoflow.plane import record


def test_damaged_snapshots_are_left_out_only_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, output = tmp_path / "run", tmp_path / "report"
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    with record(model, torch.randn(30, 4), torch.arange(30) % 2, store=store) as recorder:
        for epoch in (0, 7):
            recorder.snapshot(epoch)
    damaged = next(path for path in sorted(store.rglob("zarr.json")) if "7" in path.parent.name)
    damaged.write_text(json.dumps({"zarr_format": 3}))
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    command = ["report", str(store), "--output", str(output), "--jobs", "1", "--quiet", "--estimators", "binning"]
    assert main(command) == 2
    captured = capsys.readouterr()
    assert "snapshot 7" in captured.err
    assert captured.err.count("\n") == 1
    assert not output.exists()
    assert main([*command, "--discard-damaged"]) == 0
    assert pd.read_csv(output / "table.csv")["epoch"].unique().tolist() == [0]
    described = json.loads((output / "provenance.json").read_text(encoding="utf-8"))["provenance"]["recordings"]
    assert list(described["Sequential"]["left_out"]) == ["7"]
    assert {path: path.read_bytes() for path in store.rglob("*") if path.is_file()} == before
