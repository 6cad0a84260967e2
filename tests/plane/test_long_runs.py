"""Long runs: coarser numbers on request, a budget of bytes, and estimates without stored activations."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.plane import Plane, Recording, analyse, record
from infoflow.plane.thinning import given_up


def model_and_probe(n: int = 200) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model, torch.randn(n, 5, generator=generator), torch.arange(n) % 3


def run(store: Path, epochs: int = 3, **options: object) -> Recording:
    model, x, y = model_and_probe()
    with record(model, x, y, store=store, **options) as recorder:  # type: ignore[arg-type]
        for epoch in range(epochs):
            recorder.snapshot(epoch)
    return Recording(store)


@pytest.mark.parametrize(("precision", "error"), [("float16", 2.0**-11), ("bfloat16", 2.0**-8)])
def test_coarser_numbers_are_rounded_and_smaller(tmp_path: Path, precision: str, error: float) -> None:
    exact, coarse = run(tmp_path / "exact"), run(tmp_path / "coarse", precision=precision)
    for layer in exact.layers:
        full, half = exact.activations(1, layer), coarse.activations(1, layer)
        assert half.dtype == (np.float16 if precision == "float16" else np.float32)
        np.testing.assert_allclose(half.astype(np.float64), full, rtol=error, atol=1e-6)
        assert not np.array_equal(half, full)
    sizes = [sum(each.nbytes for each in recording._snapshots.values()) for recording in (exact, coarse)]
    assert sizes[1] < 0.75 * sizes[0]
    both = analyse({"exact": exact, "coarse": coarse}, ["kernel-density"]).frame.groupby("network")["nats"]
    apart = both.get_group("exact").to_numpy() - both.get_group("coarse").to_numpy()
    assert len(apart) == 18
    assert np.abs(apart).max() < 0.005


def test_numbers_beyond_float16_are_an_error_and_nothing_is_stored(tmp_path: Path) -> None:
    model, x, y = model_and_probe()
    nn.init.constant_(model[4].weight, 1e6)  # type: ignore[index]
    with record(model, x, y, store=tmp_path / "run", precision="float16") as recorder:
        with pytest.raises(InvalidArgument, match="within float16 .*bfloat16"):
            recorder.snapshot(0)
        assert recorder.epochs == []


def test_a_recording_is_continued_in_its_precision(tmp_path: Path) -> None:
    run(tmp_path / "run", precision="float16")
    model, x, y = model_and_probe()
    with pytest.raises(InvalidArgument, match="^precision must be 'float16'"):
        record(model, x, y, store=tmp_path / "run", resume=True)


def test_what_stays_is_first_last_and_spaced_logarithmically() -> None:
    kept: dict[int, int] = {}
    for epoch in range(10_001):
        kept[epoch] = 1
        for gone in given_up(kept, 20):
            del kept[gone]
        assert len(kept) <= 20
    epochs = sorted(kept)
    assert epochs[0] == 0
    assert epochs[-1] == 10_000
    steps = np.diff(np.log1p(epochs))
    even = math.log(10_001) / 19
    assert steps.max() < 2.5 * even


def test_a_run_stays_within_its_budget(tmp_path: Path) -> None:
    one = run(tmp_path / "one", epochs=1)
    size = one._snapshots[0].nbytes
    files = [path for path in (tmp_path / "one" / "snapshots").rglob("c/**/*") if path.is_file()]
    assert size == sum(path.stat().st_size for path in files)
    recording = run(tmp_path / "run", epochs=30, max_bytes=6 * size + 10)
    assert len(recording.epochs) == 6
    assert recording.epochs[0] == 0
    assert recording.epochs[-1] == 29
    assert sorted(path.name for path in (tmp_path / "run" / "snapshots").iterdir() if path.is_dir()) == [
        f"{epoch:08d}.0" for epoch in recording.epochs
    ]
    with pytest.raises(InvalidArgument, match=f"^max_bytes must be at least {2 * size}"):
        run(tmp_path / "small", max_bytes=size)


def test_estimates_while_training_are_those_of_the_recording(tmp_path: Path) -> None:
    estimators = ["binning:width=0.5", "kernel-density"]
    expected = analyse(run(tmp_path / "run"), estimators)
    model, x, y = model_and_probe()
    with record(model, x, y, store=tmp_path / "live", estimate_on_snapshot=estimators) as recorder:
        for epoch in range(2):
            recorder.snapshot(epoch, loss=0.5)
        assert recorder.epochs == [0, 1]
        assert len(recorder.plane.metrics) == 2
    with record(model, x, y, store=tmp_path / "live", estimate_on_snapshot=estimators, resume=True) as recorder:
        recorder.snapshot(2)
        recorder.snapshot(2)  # again
    pd.testing.assert_frame_equal(recorder.plane.frame, expected.frame)
    pd.testing.assert_frame_equal(Plane.load(tmp_path / "live").frame, expected.frame)
    files = {path.name.partition(".")[0] for path in (tmp_path / "live").iterdir()}
    assert files == {"table", "metrics", "provenance"}
    assert recorder.truncate(0) == [1, 2]
    assert Plane.load(tmp_path / "live").frame["epoch"].unique().tolist() == [0]


def test_what_cannot_be_estimated_while_training(tmp_path: Path) -> None:
    model, x, y = model_and_probe()
    with pytest.raises(InvalidArgument, match="scope='run'"):
        record(model, x, y, store=tmp_path / "a", estimate_on_snapshot=["binning:scope=run"])
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine.txt").touch()
    with pytest.raises(InvalidArgument, match="other content"):
        record(model, x, y, store=tmp_path / "b", estimate_on_snapshot=["binning"], overwrite=True)
    with record(model, x, y, store=tmp_path / "c") as recorder, pytest.raises(InvalidArgument, match="analyse"):
        _ = recorder.plane


def test_a_bar_counts_snapshots(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path / "run", progress=True)
    assert "3snapshot" in capsys.readouterr().err.replace(" ", "")
