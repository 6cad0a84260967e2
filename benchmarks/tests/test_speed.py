"""The speed benchmarks: infoflow and the baselines have the same results. Times are not asserted."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from infoflow_benchmarks.speed import BENCHMARKS, Comparison, Row, dependence_graph, nearest_neighbors, run
from infoflow_benchmarks.speed.comparison import compare
from infoflow_benchmarks.speed.runner import measure
from infoflow_benchmarks.speed.timing import extra_memory, torch_threads

from infoflow.core.errors import InvalidArgument, MissingData, MissingExtra, UnknownName

# In nats (seeds-side-by-side: logits, rare-inputs: weights, in float32). Exact methods differ by rounding only.
TOLERANCE = {
    "kernel-density": 1e-4,
    "binning": 1e-9,
    "matrix-renyi": 1e-8,
    "dependence-graph": 1e-9,
    "information-dropout": 1e-5,
    "nearest-neighbors": 1e-9,
    "screening": 1e-9,
    "table-ranking": 1e-9,
    "screening-million": 1e-9,
    "wide-tables": 1e-9,
    "medium-dimension": 0.01,  # share of samples with other neighbors
    "seeds-side-by-side": 1e-5,
    "rare-inputs": 1e-6,
    "information-flow": 1e-5,
    "many-pairs": 1e-5,
    "deep-infomax": 1e-5,
    "recorder-overhead": 1e-9,
    "median-distance": 1e-9,
    "report-page": 1e-5,  # 32-bit numbers
    "profile-cost": 1e-5,  # nats, of 32-bit activations
}

# Those whose baseline computes something else.
TIMED_ONLY = {"default-in-one-dimension", "start-up"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "start-up" else ()) for name in BENCHMARKS]
)
def test_infoflow_and_the_baseline_agree(name: str) -> None:
    try:
        rows = list(measure(name, quick=True))
    except (MissingExtra, MissingData) as error:
        pytest.skip(str(error))
    assert all(row.benchmark == name for row in rows)
    assert len({(row.case, row.reference) for row in rows}) == len(rows)
    compared = [row for row in rows if row.difference is not None]
    assert bool(compared) != (name in TIMED_ONLY)
    for row in compared:
        approximate = row.note == "approximation" and "krylov" in row.case
        assert row.difference is not None
        assert row.difference < (0.02 if approximate else TOLERANCE[name]), row


def test_different_quantities_have_no_difference() -> None:
    rows = [row for name in ("kernel-density", "nearest-neighbors") for row in measure(name, quick=True)]
    different = [row for row in rows if row.difference is None]
    assert {row.benchmark for row in different} == {"kernel-density", "nearest-neighbors"}
    assert all(row.note for row in different)


def test_float64_rows_are_accurate_to_float64() -> None:
    double = next(row for row in measure("kernel-density", quick=True) if "float64" in row.case)
    assert double.difference is not None
    assert double.difference < 1e-9


def test_tables_are_written_with_their_provenance(tmp_path: Path) -> None:
    seen: list[Row] = []
    table = run(["dependence-graph", "nearest-neighbors"], output=tmp_path / "out", quick=True, on_row=seen.append)
    columns = [field.name for field in dataclasses.fields(Row)]
    assert list(table.columns) == columns
    assert [row.case for row in seen] == table["case"].tolist()
    assert table["target_ratio"].isna().all()  # ratios of tiny samples mean nothing
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == [f"{name}.{end}" for name in ("dependence-graph", "nearest-neighbors") for end in ("csv", "json")]
    again = pd.read_csv(tmp_path / "out" / "dependence-graph.csv")
    assert list(again.columns) == columns
    np.testing.assert_allclose(again["ratio"], table["ratio"][: len(again)])
    provenance = json.loads((tmp_path / "out" / "dependence-graph.json").read_text())
    assert provenance["quick"] is True
    assert {"torch", "numpy", "python", "processor", "threads", "load", "time"} <= set(provenance)
    assert os.uname().nodename not in json.dumps(provenance)


def test_a_failed_benchmark_leaves_the_earlier_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(["dependence-graph"], output=tmp_path, quick=True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fails(quick: bool) -> Iterator[Comparison]:
        yield from nearest_neighbors.cases(quick)
        raise ZeroDivisionError

    monkeypatch.setattr(dependence_graph, "cases", fails)
    with pytest.raises(ZeroDivisionError):
        run(["dependence-graph"], output=tmp_path, quick=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_invalid_arguments_raise_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'binning'"):
        run(["bining"], output=tmp_path / "out")
    with pytest.raises(InvalidArgument, match="^names must be a list"):
        run([], output=tmp_path / "out")
    with pytest.raises(InvalidArgument, match="^names must be a list"):
        run("binning", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgument, match="^output must be"):
        run(["binning"], output=tmp_path / "file")


def test_both_sides_are_called_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a simulated clock: ours takes 1 s (and 9 s at the first call), the reference 4 s."""
    clock, calls = [0.0], []

    def call(name: str, seconds: float) -> str:
        clock[0] += 9.0 if not calls else seconds
        calls.append(name)
        return name

    monkeypatch.setattr("infoflow_benchmarks.speed.timing.time.perf_counter", lambda: clock[0])
    pair = compare(lambda: call("ours", 1.0), lambda: call("reference", 4.0))
    assert (pair.seconds, pair.reference_seconds, pair.ratio) == (1.0, 4.0, 4.0)
    assert calls == ["ours"] + ["ours", "reference"] * 3
    assert (pair.ours, pair.reference) == ("ours", "reference")


def test_short_calls_are_repeated_and_the_fastest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, durations = [0.0], iter([0.0, *[0.2, 0.05, 0.04, 0.03, 0.06, 0.05] * 3])

    def ours() -> float:
        clock[0] += next(durations)
        return 0.0

    def reference() -> float:
        clock[0] += 0.6
        return 0.5

    monkeypatch.setattr("infoflow_benchmarks.speed.timing.time.perf_counter", lambda: clock[0])
    pair = compare(ours, reference)
    assert pair.seconds == pytest.approx(0.03)
    assert pair.ratio == pytest.approx(20.0)
    comparison = Comparison("case", "reference", ours, reference)
    assert comparison.row(pair).difference == 0.5
    assert dataclasses.replace(comparison, difference=None).row(pair).difference is None


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is known on Linux only")
def test_extra_memory_is_that_of_the_call() -> None:
    found = extra_memory(lambda: np.ones((64, 1024, 128)).sum())
    assert found == pytest.approx(64, abs=8)
    again = extra_memory(lambda: None)
    assert again is not None
    assert again < 8


def test_the_number_of_threads_is_restored() -> None:
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
