"""Run speed benchmarks one after another and write their tables."""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import scipy
import sklearn
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_json, write_text
from infoflow.core.provenance import machine
from infoflow.core.settings import OneOf, check, validated
from infoflow_benchmarks.output import make_folder
from infoflow_benchmarks.speed.comparison import Row

# Each is a module of this package (with underscores) that yields its comparisons from `cases(quick)`.
BENCHMARKS = (
    "kernel-density",
    "binning",
    "matrix-renyi",
    "dependence-graph",
    "nearest-neighbors",
    "screening",
    "table-ranking",
    "screening-million",
    "wide-tables",
    "medium-dimension",
    "default-in-one-dimension",
    "start-up",
    "seeds-side-by-side",
    "rare-inputs",
    "information-flow",
    "many-pairs",
    "information-dropout",
    "deep-infomax",
    "recorder-overhead",
    "median-distance",
    "report-page",
    "profile-cost",
)


def measure(name: str, quick: bool = False) -> Iterator[Row]:
    """Yield the rows of one benchmark as they are measured; ratios of quick ones have no target."""
    module = importlib.import_module(f"infoflow_benchmarks.speed.{name.replace('-', '_')}")
    for found in module.cases(quick):
        row = found if isinstance(found, Row) else found.measure(quick)
        yield replace(row, benchmark=name, target_ratio=None if quick else row.target_ratio)


@validated
def run(
    names: Sequence[str] = BENCHMARKS,
    *,
    output: str | os.PathLike[str],
    quick: bool = False,
    on_row: Callable[[Row], None] | None = None,
) -> pd.DataFrame:
    """Time infoflow and its baselines on the same samples, in turns in this process.

    Parameters
    ----------
    names
        Names of `BENCHMARKS`.
    output
        Folder; each benchmark writes `NAME.csv` and `NAME.json` to it when it is complete. The columns of the table
        are the fields of `Row`; the JSON file holds versions, processor, threads, load and time.
    quick
        Take tiny samples and call each side once, so that the results can be compared, but the times mean nothing.
    on_row
        Function that is called with every row as soon as it is measured.

    Returns
    -------
    pandas.DataFrame
        All rows.

    Raises
    ------
    UnknownName
        If there is no benchmark of a name.
    InvalidArgument
        If `names` is empty or not a sequence, or `output` is a file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = run(["dependence-graph"], output=folder, quick=True)
    >>> bool(table["difference"].max() < 1e-9)
    True
    """
    if isinstance(names, str) or not names:
        raise InvalidArgument("names", f"a list of one or more of {', '.join(BENCHMARKS)}", names)
    for name in names:
        check(name, "benchmark", OneOf(BENCHMARKS))
    folder = make_folder(output)
    tables = []
    for name in dict.fromkeys(names):
        provenance = {"benchmark": name, "quick": quick, **environment()}
        rows = []
        for row in measure(name, quick):
            rows.append(row)
            if on_row is not None:
                on_row(row)
        table = pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(Row)])
        write_text(folder / f"{name}.csv", table.to_csv(index=False))
        write_json(folder / f"{name}.json", provenance)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def environment() -> dict[str, Any]:
    """Return what times depend on: versions, processor, threads, and the load of the machine over the last minute.

    Examples
    --------
    >>> environment()["threads"] >= 1
    True
    """
    return {
        **machine(),
        "platform": f"{platform.system()} {platform.machine()}",
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "processor": _processor(),
        "processors": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
