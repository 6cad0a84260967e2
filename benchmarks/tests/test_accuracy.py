"""The accuracy table: correct numbers, complete files, and no estimate made twice."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from infoflow_benchmarks import accuracy
from infoflow_benchmarks.accuracy import COLUMNS, run, summary

from infoflow import tasks
from infoflow.core.errors import BrokenStore, InvalidArgument, UnknownName
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators.gaussian.gaussian import Gaussian

NAMES = ["1v1-normal-0.75", "student-identity-2-2-2", "uniform-on-class-5"]


def test_the_table_has_estimates_and_reasons_for_missing_ones(tmp_path: Path) -> None:
    table = run(["gaussian", "gaussian:copula=True"], NAMES, sizes=[300, 500], seeds=[0, 1], output=tmp_path / "out")
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 2 * 3 * 2 * 2
    row = table.query("task == '1v1-normal-0.75' and estimator == 'gaussian' and n == 500 and seed == 1").iloc[0]
    direct = Gaussian().estimate(*tasks.bivariate(0.75).sample(500, 1))
    assert direct.interval is not None
    assert row["nats"] == direct.nats
    assert row["error"] == pytest.approx(direct.nats - 0.413339, abs=1e-6)
    assert (row["low"], row["high"]) == (direct.interval.low, direct.interval.high)
    assert row["kind"] == "point estimate"
    assert "heavy tails" in table.query("task == 'student-identity-2-2-2' and n == 500")["warnings"].iloc[0]
    failed = table[table["task"] == "uniform-on-class-5"]
    assert failed["nats"].isna().all()
    assert failed["failure"].str.contains("classes").all()


def test_files_are_complete_and_no_temporary_ones_remain(tmp_path: Path) -> None:
    table = run({"mine": Gaussian()}, [tasks.bivariate(0.5)], sizes=[100], output=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accuracy-n100.png", "accuracy.csv", "parts"]
    assert [path.suffix for path in (tmp_path / "parts").iterdir()] == [".json"]
    with (tmp_path / "accuracy.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["nats"]) == table["nats"][0]
    assert (tmp_path / "accuracy-n100.png").read_bytes().startswith(b"\x89PNG")


def test_completed_estimates_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(["gaussian"], NAMES[:2], sizes=[100], output=tmp_path)
    done: list[str] = []
    measure = accuracy.measure
    monkeypatch.setattr(accuracy, "measure", lambda cell: (done.append(cell.task.name), measure(cell))[1])
    again = run(["gaussian"], NAMES, sizes=[100], output=tmp_path)
    assert done == NAMES[2:]
    pd.testing.assert_frame_equal(again[:2], first, check_dtype=False)
    # Different settings under the same label are a different cell.
    run({"gaussian": Gaussian(copula=True)}, NAMES[:1], sizes=[100], output=tmp_path)
    assert done == [*NAMES[2:], NAMES[0]]


def test_completed_estimates_survive_an_exception(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Stumbles:
        def estimate(self, x: Any, y: Any) -> Estimate:
            if x.shape[1] > 1:
                raise ZeroDivisionError
            return Estimate(0.5, quantity="I(X;Y)", kind=Kind.POINT, estimator="s", n=len(x))

    with pytest.raises(ZeroDivisionError):
        run({"s": Stumbles()}, NAMES[:2], sizes=[50], output=tmp_path)
    assert len(list((tmp_path / "parts").iterdir())) == 1
    assert not (tmp_path / "accuracy.csv").exists()


def test_processes_give_the_same_table(tmp_path: Path) -> None:
    tables = [
        run(["gaussian"], NAMES[:2], sizes=[100], output=tmp_path / str(jobs), n_jobs=jobs).drop(
            columns=["seconds", "cpu_seconds"]
        )
        for jobs in (1, 2)
    ]
    pd.testing.assert_frame_equal(*tables)


def test_the_summary_counts_estimates_within_tolerance() -> None:
    same = {"estimator": "e", "n": 10, "seconds": 1.0, "cpu_seconds": 0.5, "low": 0.1, "high": 1.5}
    rows = [
        {"task": task, "truth": truth, "seed": seed, "error": error, **same}
        for task, truth, errors in (("a", 0.1, (0.06, 0.02)), ("b", 2.0, (0.15, 0.15)), ("c", 1.0, (-0.3, -0.3)))
        for seed, error in enumerate(errors)
    ]
    rows.append({"task": "d", "truth": 1.0, "seed": 0, "error": np.nan, **same, "low": np.nan})
    found = summary(pd.DataFrame(rows)).iloc[0]
    assert found["tasks"] == 3
    assert found["covered"] == 4 / 6  # a and c; the failed one has no interval
    assert found["cpu_seconds"] == 1.5  # each of the three tasks once
    assert found["right"] == 2  # 0.04 within 0.05, 0.15 within 10 % of 2
    assert found["mean_absolute_error"] == pytest.approx((0.04 + 0.15 + 0.3) / 3)
    assert found["mean_error"] == pytest.approx((0.04 + 0.15 - 0.3) / 3)


def test_invalid_arguments_raise_before_anything_is_written(tmp_path: Path) -> None:
    output = tmp_path / "out"
    with pytest.raises(UnknownName, match="Did you mean 'gaussian'"):
        run(["gausian"], output=output)
    with pytest.raises(UnknownName, match="unknown task"):
        run(["gaussian"], ["nothing"], output=output)
    with pytest.raises(InvalidArgument, match="^estimators must be a list"):
        run("gaussian", output=output)
    for arguments in ({"sizes": []}, {"seeds": []}, {"sizes": [0]}, {"seeds": [-1]}):
        with pytest.raises(InvalidArgument, match=f"^{next(iter(arguments))} must be"):
            run(["gaussian"], NAMES, output=output, **arguments)
    with pytest.raises(InvalidArgument, match="^tasks must be"):
        run(["gaussian"], [tasks.bivariate(0.5), tasks.bivariate(0.5)], output=output)
    assert not output.exists()
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgument, match="^output must be"):
        run(["gaussian"], NAMES, output=tmp_path / "file")


def test_a_damaged_part_is_named_in_the_error(tmp_path: Path) -> None:
    run(["gaussian"], NAMES[:1], sizes=[50], output=tmp_path)
    part = next((tmp_path / "parts").iterdir())
    part.write_text('{"task"')
    with pytest.raises(BrokenStore, match=part.name):
        run(["gaussian"], NAMES[:1], sizes=[50], output=tmp_path)
    part.write_text("{}")
    with pytest.raises(BrokenStore, match="another version"):  # before anything is estimated
        run(["gaussian", "cca"], NAMES[:1], sizes=[50], output=tmp_path)
    assert len(list((tmp_path / "parts").iterdir())) == 1
