"""Whether the ratios of the committed tables still hold on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from infoflow.core.errors import InvalidArgument, MissingData
from infoflow.core.settings import Integer, OneOf, check
from infoflow_benchmarks.speed.comparison import Row
from infoflow_benchmarks.speed.runner import BENCHMARKS, measure

# A ratio may fall by this share before it is a regression.
TOLERANCE = 0.2


@dataclass(frozen=True)
class Checked:
    """One case of a committed table, measured again.

    Parameters
    ----------
    benchmark
        Name of the benchmark.
    case
        What was computed.
    reference
        What the baseline is.
    committed
        The ratio of the committed table.
    measured
        The best ratio of all repeats.
    repeats
        How often it was measured.

    Examples
    --------
    >>> Checked("binning", "N = 10", "np.unique", committed=2.0, measured=1.7, repeats=1).holds
    True
    """

    benchmark: str
    case: str
    reference: str
    committed: float
    measured: float
    repeats: int

    @property
    def holds(self) -> bool:
        """Whether the ratio fell by at most 20 %."""
        return self.measured >= (1 - TOLERANCE) * self.committed


def regressions(
    names: Sequence[str],
    *,
    committed: str | os.PathLike[str],
    repeats: int = 3,
    measured: Callable[[str], Iterator[Row]] = measure,
) -> Iterator[Checked]:
    """Measure the ratios of committed tables again.

    Parameters
    ----------
    names
        Names of benchmarks.
    committed
        Folder of the tables (NAME.csv).
    repeats
        A benchmark is measured up to this often, as long as one of its ratios is too low; the best ratio of a case
        counts, because a loaded machine lowers ratios at random.
    measured
        Function that measures a benchmark.

    Yields
    ------
    Checked
        One for each case of the tables, once its benchmark is done.

    Raises
    ------
    UnknownName
        If there is no benchmark of a name.
    MissingData
        If a table is missing.
    InvalidArgument
        If `repeats` is below one, or a case of the table is not measured any more.

    Examples
    --------
    >>> row = Row(case="N = 1", reference="a loop", reference_seconds=2.0, seconds=1.0, ratio=2.0)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pd.DataFrame([vars(row)]).to_csv(f"{folder}/binning.csv")
    ...     [each.holds for each in regressions(["binning"], committed=folder, measured=lambda _: iter([row]))]
    [True]
    """
    check(repeats, "repeats", Integer(1))
    for name in names:
        check(name, "benchmark", OneOf(BENCHMARKS))
    for name in names:
        path = Path(committed) / f"{name}.csv"
        if not path.is_file():
            raise MissingData(
                f"No committed table {path.name!r} in {str(committed)!r}. Run: infoflow bench speed {name}"
            )
        table = pd.read_csv(path).dropna(subset=["ratio"])
        cases = zip(table["case"], table["reference"], strict=True)
        wanted = dict(zip(cases, table["ratio"].astype(float).tolist(), strict=True))
        best: dict[tuple[str, str], float] = {}
        done = 0
        while done < repeats and (not done or any(best[k] < (1 - TOLERANCE) * wanted[k] for k in wanted)):
            for row in measured(name):
                key = (row.case, row.reference)
                best[key] = max(best.get(key, 0.0), row.ratio)
            done += 1
            if missing := [" / ".join(key) for key in wanted if key not in best]:
                remedy = f"Commit a new table: infoflow bench speed {name}"
                raise InvalidArgument(f"{path.name} has cases that are not measured: {missing}. {remedy}")
        yield from (Checked(name, *key, ratio, best[key], done) for key, ratio in wanted.items())
