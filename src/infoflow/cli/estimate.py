"""`infoflow estimate`: the mutual information between arrays of a file."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

import tyro

from infoflow.cli.options import parse_options
from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate
from infoflow.core.files import write_atomically
from infoflow.data.files import ArrayFile
from infoflow.estimators import conditional_mutual_information, mutual_information, parse
from infoflow.plane.provenance import plain


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
    _check(options)
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
        text = as_json(found)
        write_atomically(options.output, lambda part: part.write_text(text))


def _check(options: Options) -> None:
    """What is wrong with the options is said before anything is computed."""
    integer(options.permutations, "permutations", minimum=0)
    integer(options.seed, "seed", minimum=0)
    if options.z is not None and (options.interval is not None or options.permutations):
        raise InvalidArgument("interval and permutations are for I(X;Y); want them without z")
    if options.output is None:
        return
    if options.output.exists():
        raise InvalidArgument(f"{options.output} exists; want a new file")
    if not options.output.parent.is_dir():
        raise InvalidArgument(f"output {options.output}: there is no folder {options.output.parent}")


def as_json(estimate: Estimate) -> str:
    """The estimate as JSON; an absent ceiling is null, and an infinite estimate the text "inf"."""
    fields = dataclasses.asdict(estimate) | {"bits": estimate.bits, "saturated": estimate.saturated}
    if not math.isfinite(estimate.ceiling):
        fields["ceiling"] = None
    return json.dumps(plain(fields), indent=2, allow_nan=False) + "\n"
