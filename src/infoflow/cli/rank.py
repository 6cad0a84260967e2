"""`infoflow rank`: the columns of a file in the order of their information about one of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro
from tqdm import tqdm

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_atomically
from infoflow.core.settings import NonNegativeInt, PositiveInt, Seed, Settings
from infoflow.data.csv_files import CsvFormat
from infoflow.data.files import ArrayFile
from infoflow.tables import rank


@dataclass(frozen=True)
class Options(Settings):
    """Rank the columns of a .csv, .parquet or .npy file by their mutual information with one of them, and write the
    table as CSV and PNG.

    examples:
      infoflow rank houses.csv --y price --permutations 200
      infoflow rank genes.parquet --y disease --method pairs --output pairs"""

    file: tyro.conf.Positional[Path]
    """file to read"""
    y: str
    """name of the target column"""
    method: Literal["univariate", "pairs", "jmi", "mrmr", "cmim"] = "univariate"
    """each column alone, with its best partner, or greedy selection"""
    estimator: str = "by-type"
    """by-type (one estimator for each pair of types), auto, or name:parameter=value,parameter=value"""
    permutations: NonNegativeInt = 0
    """add p-values and q-values from this number of permutations of the target"""
    missing: Literal["raise", "drop"] = "drop"
    """missing values: an error, or leave out rows that have one, column by column"""
    seed: Seed = 0
    """random seed of the permutations"""
    jobs: PositiveInt | Literal[-1] = 1
    """processes at once, -1 for one for each processor"""
    sep: str = ","
    """of a .csv: character between columns, '\\t' for a tab"""
    decimal: Literal[".", ","] = "."
    """of a .csv: decimal mark"""
    encoding: str = "utf-8"
    """of a .csv: encoding of its text, such as cp1252"""
    output: Path = Path("ranking")
    """path of the results without ending"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.output.parent.is_dir():
            raise InvalidArgument("output", "a path in an existing folder", str(self.output))
        for path in self.paths:
            if path.exists():
                raise InvalidArgument("output", "a path whose .csv and .png are new", str(path))

    @property
    def paths(self) -> tuple[Path, Path]:
        """The table and the picture."""
        return self.output.with_name(self.output.name + ".csv"), self.output.with_name(self.output.name + ".png")


def command(argv: list[str]) -> None:
    """Run `infoflow rank` with these arguments."""
    options = parse_options(Options, argv, prog="infoflow rank")
    form = CsvFormat(options.sep, options.decimal, options.encoding)
    stream = options.file.suffix.lower() == ".parquet" and form == CsvFormat()
    table = options.file if stream else ArrayFile(options.file, form).table

    def progress(names: Iterable[Any], total: int) -> Iterable[Any]:
        bar: Iterable[Any] = tqdm(names, total=total, unit="column", disable=not sys.stderr.isatty(), file=sys.stderr)
        return bar

    ranking = rank(
        table,
        options.y,
        method=options.method,
        estimator=options.estimator,
        permutations=options.permutations,
        missing=options.missing,
        seed=options.seed,
        n_jobs=options.jobs,
        progress=progress,
    )
    csv, png = options.paths
    figure = ranking.plot().get_figure(root=True)
    assert figure is not None
    ranking.to_csv(csv)
    write_atomically(png, lambda part: figure.savefig(part, dpi=150))
    print(ranking.frame.drop(columns="warnings").to_string(index=False, float_format="{:.4g}".format))
    for name, warnings in zip(ranking.frame["column"], ranking.frame["warnings"], strict=True):
        for text in warnings:
            print(f"  {name}: {text}")
    print(f"written: {csv}, {png}")
