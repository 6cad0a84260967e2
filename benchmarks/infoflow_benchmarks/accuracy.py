"""Estimators × tasks × sample sizes × seeds, against the truth."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from infoflow.core.checks import integer
from infoflow.core.errors import BrokenStore, InfoflowError, InvalidArgument
from infoflow.core.protocols import Estimator, Task
from infoflow.tasks import BEYOND_NORMAL, find
from infoflow_benchmarks import peers
from infoflow_benchmarks.heat_map import draw

COLUMNS = (
    "task",
    "truth",
    "estimator",
    "n",
    "seed",
    "nats",
    "error",
    "low",
    "high",
    "ceiling",
    "saturated",
    "seconds",
    "cpu_seconds",
    "kind",
    "refused",
    "warnings",
)

# A result counts as right within this many nats or this share of the truth, whichever is more.
TOLERANCE_NATS, TOLERANCE_SHARE = 0.05, 0.1


@dataclass(frozen=True)
class Cell:
    """One estimate to make: which estimator, on how many samples of which task, drawn with which seed."""

    label: str
    estimator: Estimator
    task: Task
    n: int
    seed: int

    @property
    def key(self) -> str:
        """A file name of its own; settings count, so that other settings under the same label are another cell."""
        text = json.dumps([self.label, repr(self.estimator), self.task.name, self.n, self.seed])
        return hashlib.sha256(text.encode()).hexdigest()[:24]


def run(
    estimators: Mapping[str, Estimator] | Sequence[str],
    tasks: Sequence[Task | str] = BEYOND_NORMAL,
    *,
    output: str | os.PathLike[str],
    sizes: Sequence[int] = (10_000,),
    seeds: Sequence[int] = (0,),
    n_jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Runs every estimator on every task and writes a table and heat maps of the errors into the folder `output`.

    `estimators`: texts as `parse` takes them ("ksg:k=5"), or labels with estimator objects; texts may name other
    packages' too (`infoflow_benchmarks.peers`: "torch-mist:estimator=nwj"), which are left out, with a line in the log,
    where they aren't installed. `tasks`: tasks or their names. Each finished cell is kept in `output/parts`, so that an
    interrupted run goes on where it was, and a longer one adds to a shorter; `n_jobs` processes through joblib (its
    backends reach clusters), with a bar if `progress`. Files appear whole or not at all.

    - `accuracy.csv`: one row a cell with the columns task, truth, estimator, n, seed, nats, error (nats - truth), low
      and high (the estimator's interval), ceiling, saturated, seconds, cpu_seconds (of all threads), kind, refused
      (why there is no estimate), warnings.
    - `accuracy-nN.png`: for each sample size N, errors as a heat map (tasks down, estimators across), means over seeds.

    Returns the table. Raises InvalidArgument or UnknownName for bad arguments, BrokenStore for a damaged part file; an
    estimator that refuses a task is noted in `refused`, and its faults are raised.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = run(["gaussian"], ["1v1-normal-0.75"], sizes=[500], output=folder)
    >>> bool(abs(table["error"][0]) < 0.1)
    True
    """
    cells = _cells(estimators, tasks, sizes, seeds)
    folder = Path(output)
    parts = folder / "parts"
    try:
        parts.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidArgument(f"output {folder} is a file; want a folder") from None
    missing = []
    for cell in cells:  # a part that can't be read is told of before the work, not after it
        path = _part(parts, cell)
        if path.exists():
            _read(path)
        else:
            missing.append(cell)
    work = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_finish)(cell, parts) for cell in missing)
    for _ in tqdm(work, total=len(missing), desc="estimating", unit="estimate", disable=not progress):
        pass
    table = pd.DataFrame([_read(_part(parts, cell)) for cell in cells], columns=list(COLUMNS))
    _write(folder / "accuracy.csv", table.to_csv(index=False))
    for n in dict.fromkeys(sizes):
        draw(table[table["n"] == n], folder / f"accuracy-n{n}.png")
    return table


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """How each estimator does over all tasks, from what `run` returned: one row an estimator and n.

    Columns: tasks (that it took), mean_error and mean_absolute_error in nats over tasks (of means over seeds), right
    (tasks within max(0.05 nats, 10 % of the truth)), seconds (median per estimate), cpu_seconds (all tasks once),
    covered (share of the intervals that hold the truth; NaN where the estimator gives none).

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
    by_task["right"] = by_task["absolute"] <= np.maximum(TOLERANCE_NATS, TOLERANCE_SHARE * by_task["truth"])
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


def _cells(
    estimators: Mapping[str, Estimator] | Sequence[str],
    tasks: Sequence[Task | str],
    sizes: Sequence[int],
    seeds: Sequence[int],
) -> list[Cell]:
    if isinstance(estimators, str) or isinstance(tasks, str):
        raise InvalidArgument("estimators and tasks are lists; want ['ksg'], not 'ksg'")
    if isinstance(estimators, Mapping):
        named = dict(estimators)
    else:
        named = {text: peers.parse(text) for text in peers.present(list(estimators))}
    chosen = [find(task) if isinstance(task, str) else task for task in tasks]
    for what, values in (("estimators", named), ("tasks", chosen), ("sizes", sizes), ("seeds", seeds)):
        if not len(values):
            raise InvalidArgument(f"{what} is empty; want at least one")
    if len({task.name for task in chosen}) < len(chosen):
        raise InvalidArgument("two tasks have the same name; want different ones")
    counts = [integer(n, "sizes", minimum=2) for n in sizes]
    starts = [integer(seed, "seeds", minimum=0) for seed in seeds]
    return [
        Cell(label, estimator, task, n, seed)
        for n in counts
        for task in chosen
        for label, estimator in named.items()
        for seed in starts
    ]


def _part(parts: Path, cell: Cell) -> Path:
    return parts / f"{cell.key}.json"


def _finish(cell: Cell, parts: Path) -> None:
    _write(_part(parts, cell), json.dumps(measure(cell)))


def measure(cell: Cell) -> dict[str, Any]:
    """One row of the table: draws the samples, estimates, and compares.

    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> from infoflow.tasks import bivariate
    >>> round(measure(Cell("g", Gaussian(), bivariate(0.5), 10_000, 0))["error"], 1) + 0.0
    0.0
    """
    x, y = cell.task.sample(cell.n, cell.seed)
    truth = float(cell.task.mutual_information)
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"task": cell.task.name, "truth": truth, "estimator": cell.label, "n": cell.n, "seed": cell.seed}
    row |= {"refused": "", "warnings": ""}
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        found = cell.estimator.estimate(x, y)
    except InfoflowError as refusal:  # this estimator is not for this kind of data, or gave up
        return row | {"refused": str(refusal)}
    row |= {"nats": found.nats, "error": found.nats - truth, "seconds": time.perf_counter() - start}
    row |= {"cpu_seconds": time.process_time() - cpu_start}
    row |= {"ceiling": found.ceiling if math.isfinite(found.ceiling) else None, "saturated": found.saturated}
    if found.interval is not None:
        row |= {k: v for k, v in asdict(found.interval).items() if k in ("low", "high")}
    return row | {"kind": str(found.kind), "warnings": "; ".join(found.warnings)}


def _read(path: Path) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(path.read_text())
    except ValueError:
        raise BrokenStore(f"{path} is damaged; delete it and run again") from None
    if not isinstance(row, dict) or set(row) != set(COLUMNS):
        raise BrokenStore(f"{path} is of another version; delete it and run again")
    return row


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text)
    part.replace(path)
