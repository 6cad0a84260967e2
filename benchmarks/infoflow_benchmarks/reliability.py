"""Estimators on distributions by family: errors, silently wrong cells, coverage and time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
import pandas as pd

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.files import write_text
from infoflow.core.settings import Each, Integer, validated
from infoflow_benchmarks import peers
from infoflow_benchmarks.accuracy import Cell, complete
from infoflow_benchmarks.distributions import DISTRIBUTIONS, FAMILIES
from infoflow_benchmarks.heat_map import draw, tolerance
from infoflow_benchmarks.output import make_folder

SUBJECT = "auto"
"""The estimator that the others are compared with."""

NOTICEABLE = 0.02
"""Difference of mean |error| in nats from which the page lists a cell in which another estimator is better."""

_PAGE = """# Estimators on distributions with known information

Written by `infoflow bench distributions`: {distributions} distributions in {families} families, n = {sizes}, with
{draws} draws. Errors are in nats, estimate minus truth; their means leave out infinite truths. A cell
(distribution, n) is silently wrong where the mean estimate is off by more than max(0.05 nats, 10 %) while not every
draw has a warning, is saturated, or is a lower bound below the truth. Coverage is the share of 95 % intervals that
contain the truth, over draws without warnings that are not lower bounds, where the warning that 0 is not excluded does
not count for independent variables. CPU seconds are per estimate. An estimator that refuses a kind
of data (several columns, classes) has fewer cells. All cells are in `cells.csv`, the families in `families.csv`, and
the errors of each distribution in the heat maps `distributions-nN.png`.

Estimators that train a network at every estimate (torch-mist, NeuralMI, those of bmi) are not in these tables, nor is
n = 10000: thousands of estimates would take days of CPU time. At n = 10000 there are the forty tasks of `bench
accuracy`, and five of these with the InfoNCE and SMILE of torch-mist (`benchmarks/results/peers`). NeuralMI, those of
bmi, the pretrained MIST, and MINDE and flow matching of mutinfo were not run.

## Where another estimator is better than `{subject}`

Cells in which its mean |error| is smaller by more than {noticeable} nats: {count} of {cells}.

{worse}

## Families

{summary}
"""


@validated
def run(
    estimators: Sequence[str],
    families: Sequence[str] = FAMILIES,
    *,
    output: str | os.PathLike[str],
    sizes: Annotated[Sequence[int], Each(Integer(2), length=1)] = (50, 200, 1000),
    draws: Annotated[Sequence[int], Each(Integer(1), length=1)] = (5, 5, 5),
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
    sizes
        Numbers of samples, at least 2.
    draws
        Number of draws, with seeds 0, 1, ..., for each number of samples; fewer draws of many samples save time.
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
        If there is no estimator or family of a name.
    """
    named = peers.installed(estimators)
    if len(draws) != len(sizes):
        raise InvalidArgument("draws", f"as many numbers as sizes ({len(sizes)})", draws)
    if not named or not families:
        raise InvalidArgument("estimators and families", "at least one each", got_text="none")
    for family in families:
        if family not in FAMILIES:
            raise UnknownName("family", family, FAMILIES)
    chosen = [distribution for distribution in DISTRIBUTIONS if distribution.family in families]
    folder = make_folder(output)
    estimates = complete(
        [
            Cell(label, estimator, distribution, n, seed)
            for n, count in zip(sizes, draws, strict=True)
            for distribution in chosen
            for label, estimator in named.items()
            for seed in range(count)
        ],
        folder,
        n_jobs=n_jobs,
        progress=progress,
    )
    cells = by_cell(estimates.assign(family=estimates["task"].map({d.name: d.family for d in chosen})))
    summary = by_family(cells)
    write_text(folder / "cells.csv", cells.to_csv(index=False, float_format="%.4g"))
    write_text(folder / "families.csv", summary.to_csv(index=False, float_format="%.4g"))
    write_text(folder / "README.md", page(cells, summary, draws))
    for n in dict.fromkeys(sizes):
        draw(estimates[(estimates["n"] == n) & np.isfinite(estimates["truth"])], folder / f"distributions-n{n}.png")
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
        cpu_seconds, behind (mean |error| minus that of the best other estimator, only for `auto`) and best. The cells
        in which another estimator is better than `auto` are first, the largest difference first.
    """
    infinite = np.isinf(estimates["truth"])
    error = estimates["error"].mask(infinite & (estimates["nats"] == estimates["truth"]), 0.0)
    bound = estimates["kind"] == "lower bound"
    warned = estimates["warnings"].fillna("") != ""
    limited = warned | estimates["saturated"].eq(True) | (bound & (error <= 0))
    held = estimates["truth"].between(estimates["low"], estimates["high"]).astype(float)
    # Of independent variables, the draws without a warning would be those whose interval excludes 0 alone.
    texts = estimates["warnings"].fillna("")
    unresolved = texts.str.contains("0 is not excluded") & ~texts.str.contains("autocorrelated")
    judged = estimates["low"].notna() & (~warned | (estimates["truth"].eq(0) & unresolved)) & ~bound
    keys = ["family", "task", "n", "estimator"]
    found = (
        estimates.assign(error=error, absolute=error.abs(), limited=limited, covered=held.where(judged), judged=judged)
        .dropna(subset="nats")
        .groupby(keys, sort=False)
        .agg(
            truth=("truth", "first"),
            draws=("seed", "size"),
            mean_error=("error", "mean"),
            mean_absolute_error=("absolute", "mean"),
            limited=("limited", "all"),
            covered=("covered", "mean"),
            judged=("judged", "sum"),
            cpu_seconds=("cpu_seconds", "mean"),
        )
        .reset_index()
    )
    allowed = tolerance(found["truth"]).where(np.isfinite(found["truth"]), 0.0)
    found.insert(8, "silently_wrong", (found["mean_error"].abs() > allowed) & ~found.pop("limited"))
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
        cells, mean_error and mean_absolute_error (over cells with a finite truth), silently_wrong (share of the
        cells), covered (share of the judged intervals) and cpu_seconds (mean over cells).
    """
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


def page(cells: pd.DataFrame, summary: pd.DataFrame, draws: Sequence[int]) -> str:
    """Return the page of the results in Markdown.

    Parameters
    ----------
    cells
        Table that `by_cell` returned.
    summary
        Table that `by_family` returned.
    draws
        Number of draws for each number of samples.

    Returns
    -------
    str
        The page.
    """
    worse = cells[cells["behind"] > NOTICEABLE]
    columns = ["family", "task", "n", "truth", "mean_error", "mean_absolute_error", "behind", "best", "silently_wrong"]
    return _PAGE.format(
        distributions=cells["task"].nunique(),
        families=cells["family"].nunique(),
        sizes=", ".join(str(n) for n in sorted(cells["n"].unique())),
        draws=", ".join(str(count) for count in draws),
        subject=SUBJECT,
        noticeable=NOTICEABLE,
        count=len(worse),
        cells=(cells["estimator"] == SUBJECT).sum(),
        worse=_markdown(worse[columns]),
        summary=_markdown(summary),
    )


def _markdown(table: pd.DataFrame) -> str:
    rows: list[Iterable[object]] = [table.columns, ["---"] * table.shape[1], *table.to_numpy(dtype=object)]
    return "\n".join("| " + " | ".join(_text(value) for value in row) + " |" for row in rows)


def _text(value: object) -> str:
    if isinstance(value, float):
        return "–" if np.isnan(value) else f"{value:.3f}"
    return {True: "yes", False: "no"}[bool(value)] if isinstance(value, bool | np.bool_) else str(value)
