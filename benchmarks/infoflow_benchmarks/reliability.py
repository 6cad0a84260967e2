"""Estimators on distributions by family: errors, silently wrong cells, coverage and time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd

from infoflow import __version__
from infoflow.core.errors import InvalidArgument, MissingData
from infoflow.core.files import write_text
from infoflow.core.settings import Each, Integer, PositiveFloat, validated
from infoflow_benchmarks import peers
from infoflow_benchmarks.accuracy import Cell, complete
from infoflow_benchmarks.distributions import DISTRIBUTIONS, FAMILIES, chosen, one_per_family
from infoflow_benchmarks.heat_map import draw, tolerance
from infoflow_benchmarks.output import make_folder

SUBJECT = "auto"
"""The estimator that the others are compared with."""

KEYS = ["family", "task", "n", "estimator"]
"""Columns that name a cell of an estimator."""

NOTICEABLE = 0.02
"""Difference of mean |error| in nats from which the page lists a cell in which another estimator is better."""

_PAGE = """# Estimators on distributions with known information

Written by `infoflow bench distributions`: {distributions} distributions in {families} families{choice},
n = {sizes}, with {draws} draws. Errors are in nats, estimate minus truth; their means leave out infinite truths. A cell
(distribution, n) is silently wrong where the mean estimate is off by more than max(0.05 nats, 10 %) while not every
draw has a warning, is saturated, or is a lower bound below the truth. Coverage is the share of 95 % intervals that
contain the truth, over draws without warnings that are not lower bounds, where the warning that 0 is not excluded does
not count for independent variables. CPU seconds are per estimate. An estimator that refuses a kind
of data (several columns, classes) has fewer cells. All cells are in `cells.csv`, the families in `families.csv`, and
the errors of each distribution in heat maps ({maps}).{notes}

## Where another estimator is better than `{subject}`

Cells in which its mean |error| is smaller by more than {noticeable} nats: {count} of {cells}.

{worse}
{failures}
## Families

{summary}
"""

_FAILURES = """
## Cells without an estimate in some draw

In these cells the estimator accepted the samples, but failed or was stopped. They are no cells of the tables.

{table}
"""

_RULE = (
    "\n(the first distribution of dependent floating-point numbers of each family, the first of independent ones, and "
    "the\nwidest of all, a choice that depends on no results)"
)


@validated
def run(
    estimators: Sequence[str],
    families: Sequence[str] = FAMILIES,
    *,
    output: str | os.PathLike[str],
    distributions: Sequence[str] = ("all",),
    sizes: Annotated[Sequence[int], Each(Integer(2), length=1)] = (50, 200, 1000),
    draws: Annotated[Sequence[int], Each(Integer(1), length=1)] = (5, 5, 5),
    limit: PositiveFloat | None = None,
    merge: bool = False,
    n_jobs: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Run estimators on the distributions of some families, and write tables, heat maps and a page.

    Parameters
    ----------
    estimators
        Names with parameters, as of `infoflow_benchmarks.run`.
    families
        Names of families.
    output
        Folder for `cells.csv`, `families.csv`, `README.md` and `distributions-nN.png`. Completed estimates are stored
        in its subfolder `parts`, so that an interrupted run continues.
    distributions
        Names of distributions of these families, "all", or "one-per-family" (see `one_per_family`).
    sizes
        Numbers of samples, at least 2.
    draws
        Number of draws, with seeds 0, 1, ..., for each number of samples; fewer draws of many samples save time.
    limit
        CPU seconds after which an estimate is given up; the page lists its cell as such.
    merge
        Keep the cells of the table in `output` that this run does not measure. Their column `version` says which
        version of the library measured them.
    n_jobs
        Number of joblib processes.
    progress
        Show a progress bar.

    Returns
    -------
    pandas.DataFrame
        The summary by family, as of `by_family`.

    Raises
    ------
    InvalidArgument
        If an argument is out of range or empty, or no estimator is installed.
    UnknownName
        If there is no estimator, distribution or family of a name.
    MissingData
        If cells are to be kept, and `output` has no table.
    """
    named = peers.installed(estimators)
    if len(draws) != len(sizes):
        raise InvalidArgument("draws", f"as many numbers as sizes ({len(sizes)})", draws)
    members = chosen(distributions, families)
    if not named or not members:
        raise InvalidArgument("estimators, families and distributions", "at least one each", got_text="none")
    folder = make_folder(output)
    former = _read(folder / "cells.csv") if merge else None
    estimates = complete(
        [
            Cell(label, estimator, distribution, n, seed, limit)
            for n, count in zip(sizes, draws, strict=True)
            for distribution in members
            for label, estimator in named.items()
            for seed in range(count)
        ],
        folder,
        n_jobs=n_jobs,
        progress=progress,
    )
    cells = by_cell(estimates.assign(family=estimates["task"].map({d.name: d.family for d in members})))
    cells["version"] = __version__
    if former is not None:
        cells = compared(pd.concat([cells, former]).drop_duplicates(KEYS))
    summary = by_family(cells)
    write_text(folder / "cells.csv", cells.to_csv(index=False, float_format="%.4g"))
    write_text(folder / "families.csv", summary.to_csv(index=False, float_format="%.4g"))
    write_text(folder / "README.md", page(cells, summary))
    for n in dict.fromkeys(sizes):
        draw(_errors(cells[cells["n"] == n], list(named)), folder / f"distributions-n{n}.png")
    return summary


def by_cell(estimates: pd.DataFrame) -> pd.DataFrame:
    """Judge each estimator on each distribution and number of samples.

    Parameters
    ----------
    estimates
        One row per estimate, with the columns of `accuracy.csv` and `family`.

    Returns
    -------
    pandas.DataFrame
        One row per cell with the columns family, task, n, estimator, truth, draws (with an estimate), mean_error,
        mean_absolute_error, silently_wrong, covered (NaN where no interval is judged), judged (number of intervals),
        cpu_seconds, failure (why a draw that the estimator accepted has no estimate) and those of `compared`.
    """
    infinite = np.isinf(estimates["truth"])
    error = estimates["error"].mask(infinite & (estimates["nats"] == estimates["truth"]), 0.0)
    bound = estimates["kind"] == "lower bound"
    warned = estimates["warnings"].fillna("") != ""
    failure = estimates["failure"].fillna("")
    failure = failure.where(failure.str.startswith(peers.NO_ESTIMATE), "")
    limited = warned | estimates["saturated"].eq(True) | (bound & (error <= 0)) | (failure != "")
    held = estimates["truth"].between(estimates["low"], estimates["high"]).astype(float)
    # Of independent variables, the draws without a warning would be those whose interval excludes 0 alone.
    texts = estimates["warnings"].fillna("")
    unresolved = texts.str.contains("0 is not excluded") & ~texts.str.contains("autocorrelated")
    judged = estimates["low"].notna() & (~warned | (estimates["truth"].eq(0) & unresolved)) & ~bound
    found = (
        estimates.assign(error=error, absolute=error.abs(), limited=limited, covered=held.where(judged), judged=judged)
        .assign(failure=failure)[estimates["nats"].notna() | (failure != "")]
        .groupby(KEYS, sort=False)
        .agg(
            truth=("truth", "first"),
            draws=("nats", "count"),
            mean_error=("error", "mean"),
            mean_absolute_error=("absolute", "mean"),
            limited=("limited", "all"),
            covered=("covered", "mean"),
            judged=("judged", "sum"),
            cpu_seconds=("cpu_seconds", "mean"),
            failure=("failure", "max"),
        )
        .reset_index()
    )
    allowed = tolerance(found["truth"]).where(np.isfinite(found["truth"]), 0.0)
    found.insert(8, "silently_wrong", (found["mean_error"].abs() > allowed) & ~found.pop("limited"))
    return compared(found)


def compared(cells: pd.DataFrame) -> pd.DataFrame:
    """Compare `auto` with the best other estimator in each cell.

    Parameters
    ----------
    cells
        One row per distribution, n and estimator, with the columns estimator, task, n and mean_absolute_error.

    Returns
    -------
    pandas.DataFrame
        The cells with the columns behind (mean |error| minus that of the best other estimator, only for `auto`) and
        best. Those in which another estimator is better than `auto` are first, the largest difference first.
    """
    found = cells.reset_index(drop=True)
    others = found[found["estimator"] != SUBJECT].sort_values("mean_absolute_error", kind="stable")
    best = others.drop_duplicates(["task", "n"]).set_index(["task", "n"])
    best = best.reindex(pd.MultiIndex.from_frame(found[["task", "n"]]))
    with np.errstate(invalid="ignore"):
        behind = found["mean_absolute_error"] - best["mean_absolute_error"].to_numpy()
    subject = found["estimator"] == SUBJECT
    found["behind"] = behind.where(subject)
    found["best"] = pd.Series(best["estimator"].to_numpy(), found.index).where(found["behind"] > 0)
    order = found["behind"].where(found["behind"] > 0).sort_values(ascending=False, kind="stable", na_position="last")
    return found.loc[order.index].reset_index(drop=True)


def by_family(cells: pd.DataFrame) -> pd.DataFrame:
    """Summarize the cells of each family, number of samples and estimator.

    Parameters
    ----------
    cells
        Table that `by_cell` returned.

    Returns
    -------
    pandas.DataFrame
        One row per family, n and estimator, and per n and estimator for all families together, with the columns
        cells (with an estimate), mean_error and mean_absolute_error (over cells with a finite truth), silently_wrong
        (share of the cells), covered (share of the judged intervals) and cpu_seconds (mean over cells).
    """
    cells = cells[cells["draws"] > 0]
    finite = np.isfinite(cells["truth"])
    known = cells.assign(
        mean_error=cells["mean_error"].where(finite), mean_absolute_error=cells["mean_absolute_error"].where(finite)
    )
    both = pd.concat([known, known.assign(family="all")])
    both["family"] = pd.Categorical(both["family"], [*FAMILIES, "all"])
    columns = ["mean_error", "mean_absolute_error", "silently_wrong", "covered", "cpu_seconds"]
    both["held"] = both["covered"].fillna(0.0) * both["judged"]
    groups = both.groupby(["family", "n", "estimator"], observed=True)
    means, totals = groups[columns].mean(), groups[["held", "judged"]].sum()
    means["covered"] = totals["held"] / totals["judged"].where(totals["judged"] > 0)
    return means.join(groups.size().rename("cells")).reset_index().astype({"family": str})


def page(cells: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Return the page of the results in Markdown.

    Parameters
    ----------
    cells
        Table that `by_cell` returned, with the column `version`.
    summary
        Table that `by_family` returned.

    Returns
    -------
    str
        The page.
    """
    worse = cells[cells["behind"] > NOTICEABLE]
    columns = ["family", "task", "n", "truth", "mean_error", "mean_absolute_error", "behind", "best", "silently_wrong"]
    failed = cells.loc[cells["failure"] != "", ["estimator", "task", "n", "failure"]]
    draws = cells.groupby("n")["draws"].max()
    return _PAGE.format(
        distributions=cells["task"].nunique(),
        families=cells["family"].nunique(),
        choice=_RULE if set(cells["task"]) == {d.name for d in one_per_family()} else "",
        sizes=", ".join(str(n) for n in draws.index),
        draws=", ".join(str(count) for count in draws),
        maps=", ".join(f"[n = {n}](distributions-n{n}.png)" for n in draws.index),
        notes=_notes(cells),
        subject=SUBJECT,
        noticeable=NOTICEABLE,
        count=len(worse),
        cells=((cells["estimator"] == SUBJECT) & (cells["draws"] > 0)).sum(),
        worse=_markdown(worse[columns]),
        failures=_FAILURES.format(table=_markdown(failed)) if len(failed) else "",
        summary=_markdown(summary),
    )


def _notes(cells: pd.DataFrame) -> str:
    """Sentences about sizes at which an estimator was not measured, and about cells of several versions."""
    sizes = {n: set(cells.loc[cells["n"] == n, "estimator"]) for n in sorted(cells["n"].unique())}
    everywhere = set(cells["estimator"])
    notes = [
        f"Not measured at n = {n}: {', '.join(f'`{name}`' for name in sorted(everywhere - found))}."
        for n, found in sizes.items()
        if found < everywhere
    ]
    versions = sorted(set(cells["version"].astype(str)))
    for version in versions if len(versions) > 1 else []:
        measured = cells[cells["version"] == version].groupby("estimator")["n"].unique()
        each = [f"`{name}` (n = {', '.join(str(n) for n in sorted(found))})" for name, found in measured.items()]
        notes.append(f"Measured by infoflow {version}: {', '.join(each)}.")
    return "".join(f"\n\n{note}" for note in notes)


def _read(path: Path) -> pd.DataFrame:
    """Cells of an earlier run."""
    if not path.is_file():
        raise MissingData(f"No table {str(path)!r} whose cells could be kept. Run without merge.")
    texts = {"version": "of an unrecorded version", "failure": ""}
    cells = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(("best", *texts), str))
    for name, absent in texts.items():
        cells[name] = cells[name].fillna(absent) if name in cells else absent
    return cells


def _errors(cells: pd.DataFrame, estimators: Sequence[str]) -> pd.DataFrame:
    """The table of a heat map: a row for each draw, with the mean error of its cell."""
    tasks = {distribution.name: i for i, distribution in enumerate(DISTRIBUTIONS)}
    columns = {name: i for i, name in enumerate(dict.fromkeys([*estimators, *cells["estimator"]]))}
    rows: pd.DataFrame = cells[np.isfinite(cells["truth"])]
    rows = rows.loc[rows.index.repeat(rows["draws"].clip(lower=1))].rename(columns={"mean_error": "error"})
    rows["seed"] = rows.groupby(KEYS).cumcount()
    rows["order"] = rows["task"].map(tasks) * len(columns) + rows["estimator"].map(columns)
    return rows.sort_values("order", kind="stable")


def _markdown(table: pd.DataFrame) -> str:
    rows: list[Iterable[object]] = [table.columns, ["---"] * table.shape[1], *table.to_numpy(dtype=object)]
    return "\n".join("| " + " | ".join(_text(value) for value in row) + " |" for row in rows)


def _text(value: object) -> str:
    if isinstance(value, float):
        return "–" if np.isnan(value) else f"{value:.3f}"
    return {True: "yes", False: "no"}[bool(value)] if isinstance(value, bool | np.bool_) else str(value)
