"""`infoflow estimate`: the mutual information between arrays of a file."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

import tyro

from infoflow.cli.options import parse_options
from infoflow.data.files import ArrayFile
from infoflow.errors import InvalidArgument
from infoflow.estimators import conditional_mutual_information, mutual_information, parse
from infoflow.interface import Estimate


@dataclass(frozen=True)
class Options:
    """Estimate the mutual information between arrays of an .npz, .npy, .csv or .parquet file.

    An integer array of one column means classes."""

    file: tyro.conf.Positional[Path]
    """The file."""
    x: str
    """Name of X: an array, columns joined by commas, or column numbers of an .npy (0:3)."""
    y: str
    """Name of Y."""
    z: str | None = None
    """Name of Z: estimate I(X;Y|Z) instead."""
    estimator: str = "auto"
    """auto, or name:parameter=value,parameter=value."""
    interval: str | None = None
    """Also an interval: subsampling, bootstrap or jackknife."""
    permutations: int = 0
    """Also a p-value, from so many shuffles of Y."""
    seed: int = 0
    """Seed of the interval and the shuffles."""
    output: Path | None = None
    """Also write the result as JSON."""


def command(argv: list[str]) -> None:
    """Runs `infoflow estimate` with these arguments."""
    options = parse_options(Options, argv, prog="infoflow estimate")
    if options.output is not None and options.output.exists():
        raise InvalidArgument(f"{options.output} exists; want a new file")
    arrays = ArrayFile(options.file)
    x, y = arrays[options.x], arrays[options.y]
    estimator = options.estimator if options.estimator == "auto" else parse(options.estimator)
    if options.z is not None:
        found = conditional_mutual_information(x, y, arrays[options.z], estimator=estimator)
    else:
        found = mutual_information(
            x,
            y,
            estimator=estimator,
            interval=options.interval,
            permutations=options.permutations,
            seed=options.seed,
        )
    print(found)
    if options.output is not None:
        part = options.output.with_name(f".{options.output.name}.part")
        part.write_text(as_json(found))
        part.replace(options.output)


def as_json(estimate: Estimate) -> str:
    """The estimate as JSON; an absent ceiling is null."""
    fields = dataclasses.asdict(estimate) | {"bits": estimate.bits, "saturated": estimate.saturated}
    if not math.isfinite(estimate.ceiling):
        fields["ceiling"] = None
    return json.dumps(fields, indent=2, default=str, allow_nan=False) + "\n"
