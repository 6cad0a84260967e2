"""Runs benchmarks one after another and keeps what they say."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import scipy
import sklearn
import torch

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.files import write_atomically
from infoflow.plane.provenance import machine
from infoflow_benchmarks.speed import (
    binning,
    deep_infomax,
    dependence_graph,
    information_dropout,
    information_flow,
    kernel_density,
    many_pairs,
    matrix_renyi,
    recorder_overhead,
    seeds_side_by_side,
)
from infoflow_benchmarks.speed import nearest_neighbors as nearest_neighbors
from infoflow_benchmarks.speed.row import Row

BENCHMARKS: Mapping[str, Callable[[bool], Iterator[Row]]] = MappingProxyType(
    {
        "kernel-density": kernel_density.run,
        "binning": binning.run,
        "matrix-renyi": matrix_renyi.run,
        "dependence-graph": dependence_graph.run,
        "nearest-neighbors": nearest_neighbors.run,
        "seeds-side-by-side": seeds_side_by_side.run,
        "information-flow": information_flow.run,
        "many-pairs": many_pairs.run,
        "information-dropout": information_dropout.run,
        "deep-infomax": deep_infomax.run,
        "recorder-overhead": recorder_overhead.run,
    }
)


def run(
    names: Sequence[str] = tuple(BENCHMARKS),
    *,
    output: str | os.PathLike[str],
    quick: bool = False,
    on_row: Callable[[Row], None] | None = None,
) -> pd.DataFrame:
    """Times our estimators beside references on the same samples, in turns in this process.

    `names` are of `BENCHMARKS`; `quick` takes tiny samples and calls each side once, so its answers count, but its
    times don't. `on_row` is called with every row as it comes. Into the folder `output` each benchmark writes, when it
    is done, `NAME.csv` (the columns are the fields of `Row`) and `NAME.json` (versions, processor, threads, load and
    time), whole or not at all.

    Returns all rows as a table. Raises UnknownName for an unknown benchmark, InvalidArgument for none or for an output
    that is a file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = run(["dependence-graph"], output=folder, quick=True)
    >>> bool(table["difference"].max() < 1e-9)
    True
    """
    if isinstance(names, str) or not names:
        raise InvalidArgument(f"names is {names!r}; want a list of one or more of {', '.join(BENCHMARKS)}")
    for name in names:
        if name not in BENCHMARKS:
            raise UnknownName("benchmark", name, BENCHMARKS)
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InvalidArgument(f"output {folder} is a file; want a folder") from None
    tables = []
    for name in dict.fromkeys(names):
        provenance = {"benchmark": name, "quick": quick, **environment()}
        rows = []
        for row in BENCHMARKS[name](quick):
            if quick:
                row = dataclasses.replace(row, wanted_ratio=None)
            rows.append(row)
            if on_row is not None:
                on_row(row)
        table = pd.DataFrame(
            [dataclasses.asdict(row) for row in rows], columns=[field.name for field in dataclasses.fields(Row)]
        )
        _write(folder / f"{name}.csv", table.to_csv(index=False))
        _write(folder / f"{name}.json", json.dumps(provenance, indent=2) + "\n")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def environment() -> dict[str, Any]:
    """What times depend on: versions, processor, threads, and how busy the machine is (load over the last minute).

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
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda part: part.write_text(text))
