"""`infoflow estimate`: the mutual information between arrays of a file."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_text
from infoflow.core.provenance import plain
from infoflow.core.settings import NonNegativeInt, Seed, Settings
from infoflow.data.csv_files import CsvFormat
from infoflow.data.files import ArrayFile
from infoflow.estimators import conditional_mutual_information, mutual_information
from infoflow.estimators.registry import resolve


@dataclass(frozen=True)
class Options(Settings):
    """Estimate the mutual information between arrays of an .npz, .npy, .csv or .parquet file. Text and booleans
    are symbols; for a named estimator, so is an integer array of one column.

    examples:
      infoflow estimate pairs.npz --x x --y y
      infoflow estimate table.csv --x age,weight --y label --estimator ksg:k=5 --permutations 99
      infoflow estimate samples.npy --x 0:3 --y 3 --z 4
      infoflow estimate german.csv --x Alter --y Gewicht --sep ';' --decimal , --encoding cp1252"""

    file: tyro.conf.Positional[Path]
    """file to read"""
    x: str
    """X: name of an array, columns joined by commas, or column numbers of an .npy (0:3)"""
    y: str
    """Y, in the same form"""
    z: str | None = None
    """Z: estimate I(X;Y|Z) instead"""
    estimator: str = "auto"
    """auto, or name:parameter=value,parameter=value"""
    interval: str | None = None
    """add an interval: subsampling, bootstrap or jackknife"""
    permutations: NonNegativeInt = 0
    """add a p-value from this number of permutations of Y"""
    seed: Seed = 0
    """random seed of interval and permutations"""
    missing: Literal["raise", "drop"] = "raise"
    """missing values: an error, or leave out rows that have one"""
    sep: str = ","
    """of a .csv: character between columns, '\\t' for a tab"""
    decimal: Literal[".", ","] = "."
    """of a .csv: decimal mark"""
    encoding: str = "utf-8"
    """of a .csv: encoding of its text, such as cp1252"""
    output: Path | None = None
    """write the result as JSON, too"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.z is not None and (self.interval is not None or self.permutations):
            raise InvalidArgument("z", "omitted with interval or permutations", self.z)
        if self.output is not None and (self.output.exists() or not self.output.parent.is_dir()):
            raise InvalidArgument("output", "a new file in an existing folder", str(self.output))


def command(argv: list[str]) -> None:
    """Run `infoflow estimate` with these arguments."""
    options = parse_options(Options, argv, prog="infoflow estimate")
    arrays = ArrayFile(options.file, CsvFormat(options.sep, options.decimal, options.encoding))
    x, y = arrays[options.x], arrays[options.y]
    estimator = options.estimator if options.estimator == "auto" else resolve(options.estimator)
    if options.z is not None:
        found = conditional_mutual_information(x, y, arrays[options.z], estimator=estimator, missing=options.missing)
    else:
        further: dict[str, Any] = {"interval": options.interval, "permutations": options.permutations}
        further["progress"] = sys.stderr.isatty()
        found = mutual_information(x, y, estimator=estimator, missing=options.missing, seed=options.seed, **further)
    print(found)
    if options.output is not None:
        write_text(options.output, json.dumps(plain(found.to_dict()), indent=2, allow_nan=False) + "\n")
