"""Estimators × tasks × sample sizes × seeds, compared with the true mutual information."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from infoflow.core.errors import BrokenStore, InfoflowError, InvalidArgument
from infoflow.core.files import write_json, write_text
from infoflow.core.protocols import Estimator, Task
from infoflow.core.settings import Each, Integer, validated
from infoflow.tasks import BEYOND_NORMAL, find
from infoflow_benchmarks import peers
from infoflow_benchmarks.heat_map import draw, tolerance
from infoflow_benchmarks.output import make_folder
from infoflow_benchmarks.time_limit import OutOfTime, at_most


@dataclass(frozen=True)
class Result:
    """One row of the table; the columns are described in `run`."""

    task: str
    truth: float
    estimator: str
    n: int
    seed: int
    nats: float | None = None
    error: float | None = None
    low: float | None = None
    high: float | None = None
    ceiling: float | None = None
    saturated: bool | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    kind: str | None = None
    failure: str = ""
    warnings: str = ""


COLUMNS = tuple(field.name for field in fields(Result))


@dataclass(frozen=True)
class Cell:
    """One estimate to make: an estimator, and the samples of a task drawn with a seed."""

    label: str
    estimator: Estimator
    task: Task
    n: int
    seed: int
    limit: float | None = None
    """CPU seconds after which the estimate is given up."""

    @property
    def key(self) -> str:
        """A unique file name, which depends on the estimator's settings as well as on its label."""
        limited = [] if self.limit is None else [self.limit]
        text = json.dumps([self.label, repr(self.estimator), self.task.name, self.n, self.seed, *limited])
        return hashlib.sha256(text.encode()).hexdigest()[:24]


@validated
def run(
    estimators: Mapping[str, Estimator] | Sequence[str],
    tasks: Sequence[Task | str] = BEYOND_NORMAL,
    *,
    output: str | os.PathLike[str],
    sizes: Annotated[Sequence[int], Each(Integer(2), length=1)] = (10_000,),
    seeds: Annotated[Sequence[int], Each(Integer(0), length=1)] = (0,),
    n_jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Run every estimator on every task, and write a table and heat maps of the errors.

    Parameters
    ----------
    estimators
        Names with parameters such as "ksg:k=5", or labels with estimator objects. Names may be of other packages too
        (see `infoflow_benchmarks.peers`: "torch-mist:estimator=nwj"); those whose package is not installed are left
        out with a warning in the log.
    tasks
        Tasks or their names.
    output
        Folder for the files. Each completed estimate is stored in its subfolder `parts`, so that an interrupted run
        continues where it stopped, and a longer run extends a shorter one.
    sizes
        Numbers of samples, at least 2.
    seeds
        Random seeds with which the samples are drawn.
    n_jobs
        Number of joblib processes; its backends also reach clusters.
    progress
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per estimate, with the columns of `accuracy.csv`.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, empty, or `output` is a file.
    UnknownName
        If there is no estimator or task of a name.
    BrokenStore
        If a stored estimate is damaged or of another version.

    Notes
    -----
    Files are written whole or not at all:

    - `accuracy.csv` with the columns task, truth, estimator, n, seed, nats, error (nats - truth), low and high (the
      estimator's interval), ceiling, saturated, seconds, cpu_seconds (of all threads), kind, failure (why there is no
      estimate), warnings.
    - `accuracy-nN.png` for each number of samples N: errors as a heat map (tasks down, estimators across), means over
      seeds.

    An estimator that raises an `InfoflowError` for a task has it in the column `failure`; other exceptions propagate.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = run(["gaussian"], ["1v1-normal-0.75"], sizes=[500], output=folder)
    >>> bool(abs(table["error"][0]) < 0.1)
    True
    """
    if isinstance(estimators, str):
        raise InvalidArgument("estimators", "a list of names", estimators)
    if isinstance(tasks, str):
        raise InvalidArgument("tasks", "a list of names", tasks)
    named = estimators if isinstance(estimators, Mapping) else peers.installed(estimators)
    chosen = [find(task) if isinstance(task, str) else task for task in tasks]
    if not named:
        raise InvalidArgument("estimators", "at least one that is installed", estimators)
    if not chosen or len({task.name for task in chosen}) < len(chosen):
        raise InvalidArgument("tasks", "at least one, with different names", [task.name for task in chosen])
    cells = [
        Cell(label, estimator, task, n, seed)
        for n in sizes
        for task in chosen
        for label, estimator in named.items()
        for seed in seeds
    ]
    folder = make_folder(output)
    table = complete(cells, folder, n_jobs=n_jobs, progress=progress)
    write_text(folder / "accuracy.csv", table.to_csv(index=False))
    for n in dict.fromkeys(sizes):
        draw(table[table["n"] == n], folder / f"accuracy-n{n}.png")
    return table


def complete(cells: Sequence[Cell], folder: Path, *, n_jobs: int, progress: bool) -> pd.DataFrame:
    """Make the estimates that the folder does not hold, and return all of them.

    Parameters
    ----------
    cells
        The estimates to make.
    folder
        Folder whose subfolder `parts` holds one file per estimate.
    n_jobs
        Number of joblib processes.
    progress
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per cell, in their order.

    Raises
    ------
    BrokenStore
        If a stored estimate is damaged or of another version.
    """
    # Absolute, since a worker may run in another folder.
    parts = {cell: folder.absolute() / "parts" / f"{cell.key}.json" for cell in cells}
    # Before the work, so that a damaged part is reported at once.
    missing = [cell for cell, path in parts.items() if not path.exists() or not _read(path)]
    work = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_store)(cell, parts[cell]) for cell in missing)
    for _ in tqdm(work, total=len(missing), desc="estimating", unit="estimate", disable=not progress):
        pass
    table = pd.DataFrame([_read(path) for path in parts.values()], columns=list(COLUMNS))
    # Without this, a column in which all estimates lack a value is one of objects.
    return table.astype(dict.fromkeys(("nats", "error", "low", "high"), float))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Summarize the errors of each estimator over all tasks.

    Parameters
    ----------
    table
        Table that `run` returned.

    Returns
    -------
    pandas.DataFrame
        One row per estimator and n with the columns tasks (for which it has an estimate), mean_error and
        mean_absolute_error in nats (over tasks, of means over seeds), right (number of tasks with an error of at most
        0.05 nats or 10 % of the truth, whichever is larger), seconds (median per estimate), cpu_seconds (all tasks
        once), covered (share of the intervals that contain the truth; NaN for estimators without intervals).

    Examples
    --------
    >>> same = dict(truth=1.0, estimator="e", n=10, seed=0, low=0.9, high=1.2, seconds=1.0, cpu_seconds=1.0)
    >>> rows = [dict(task=task, error=error, **same) for task, error in (("a", 0.05), ("b", -0.15))]
    >>> summary(pd.DataFrame(rows))[["tasks", "mean_error", "mean_absolute_error", "right"]].values.tolist()
    [[2.0, -0.05, 0.1, 1.0]]
    """
    by_task = table.groupby(["estimator", "n", "task"], sort=False, observed=True).agg(
        truth=("truth", "first"),
        error=("error", "mean"),
        seconds=("seconds", "median"),
        cpu_seconds=("cpu_seconds", "mean"),
    )
    by_task = by_task.dropna(subset="error")
    held = table["truth"].between(table["low"], table["high"]).astype(float)
    covered = table.assign(covered=held.where(table["low"].notna())).groupby(["estimator", "n"], sort=False)["covered"]
    by_task["absolute"] = by_task["error"].abs()
    by_task["right"] = by_task["absolute"] <= tolerance(by_task["truth"])
    groups = by_task.reset_index().groupby(["estimator", "n"], sort=False)
    return (
        groups.agg(
            tasks=("task", "nunique"),
            mean_error=("error", "mean"),
            mean_absolute_error=("absolute", "mean"),
            right=("right", "sum"),
            seconds=("seconds", "median"),
            cpu_seconds=("cpu_seconds", "sum"),
        )
        .join(covered.mean())
        .reset_index()
    )


def measure(cell: Cell) -> Result:
    """Draw the samples, estimate, and compare with the truth.

    Parameters
    ----------
    cell
        The estimate to make.

    Returns
    -------
    Result
        The row of the table.

    Examples
    --------
    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> from infoflow.tasks import bivariate
    >>> round(measure(Cell("g", Gaussian(), bivariate(0.5), 10_000, 0)).error, 1) + 0.0
    0.0
    """
    x, y = cell.task.sample(cell.n, cell.seed)
    truth = float(cell.task.mutual_information)
    result = Result(cell.task.name, truth, cell.label, cell.n, cell.seed)
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        with at_most(cell.limit):
            found = cell.estimator.estimate(x, y)
    except OutOfTime:
        return replace(result, failure=f"{peers.NO_ESTIMATE}: more than {cell.limit:g} CPU seconds.")
    except InfoflowError as failure:  # the estimator does not support this kind of data, or did not converge
        return replace(result, failure=str(failure))
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return replace(
        result,
        nats=found.nats,
        error=found.nats - truth,
        low=None if found.interval is None else found.interval.low,
        high=None if found.interval is None else found.interval.high,
        ceiling=found.ceiling if math.isfinite(found.ceiling) else None,
        saturated=found.saturated,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        kind=str(found.kind),
        warnings="; ".join(found.warnings),
    )


def _store(cell: Cell, path: Path) -> None:
    write_json(path, asdict(measure(cell)))


def _read(path: Path) -> dict[str, object]:
    try:
        row: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise BrokenStore(f"{path} is not valid JSON. Delete it and run again.") from None
    if not isinstance(row, dict) or set(row) != set(COLUMNS):
        raise BrokenStore(f"{path} was written by another version. Delete it and run again.")
    return row
