"""A ratio that fell by more than 20 % is a regression, unless a repetition shows that it was noise."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from infoflow_benchmarks import speed
from infoflow_benchmarks.speed import Row, regressions

from infoflow.cli import main
from infoflow.core.errors import InvalidArgument, MissingData


def row(case: str, ratio: float) -> Row:
    return Row(case=case, reference="a loop", reference_seconds=ratio, seconds=1.0, ratio=ratio)


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    pd.DataFrame([vars(row("small", 4.0)), vars(row("large", 10.0))]).to_csv(tmp_path / "binning.csv", index=False)
    return tmp_path


def test_the_best_of_the_repeats_counts(committed: Path) -> None:
    runs = iter([(3.9, 5.0), (2.0, 7.9), (3.0, 8.1)])

    def measured(_: str) -> Iterator[Row]:
        small, large = next(runs)
        yield row("small", small)
        yield row("large", large)

    found = list(regressions(["binning"], committed=committed, repeats=3, measured=measured))
    assert [(each.case, each.measured, each.repeats, each.holds) for each in found] == [
        ("small", 3.9, 3, True),
        ("large", 8.1, 3, True),
    ]


def test_one_run_suffices_where_all_ratios_hold(committed: Path) -> None:
    runs = iter([(3.3, 12.0)])

    def measured(_: str) -> Iterator[Row]:
        small, large = next(runs)
        yield from (row("small", small), row("large", large), row("new", 1.0))

    assert all(each.repeats == 1 for each in regressions(["binning"], committed=committed, measured=measured))


def test_missing_tables_and_cases_are_errors(committed: Path) -> None:
    with pytest.raises(MissingData, match="screening"):
        list(regressions(["screening"], committed=committed))
    with pytest.raises(InvalidArgument, match="not measured: .*large"):
        list(regressions(["binning"], committed=committed, measured=lambda _: iter([row("small", 4.0)])))


def test_the_command_fails_where_a_ratio_fell(
    committed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ratio = [9.0]

    def measured(_: str) -> Iterator[Row]:
        yield from (row("small", 4.0), row("large", ratio[0]))

    monkeypatch.setattr(speed, "regressions", partial(regressions, measured=measured))
    assert main(["bench", "check", "--committed", str(committed)]) == 0
    ratio[0] = 7.0
    with pytest.raises(SystemExit) as ended:
        main(["bench", "check", "--committed", str(committed)])
    assert ended.value.code == 1
    assert "✗ binning" in capsys.readouterr().out
