"""`infoflow report STORE ...`: analysis and drawing of recordings that exist already."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.estimators.registry import parse
from infoflow.plane.analysis import analyse
from infoflow.plane.recording import Recording


@dataclass(frozen=True)
class Options:
    """Analyse recordings (made by `infoflow plane` or by infoflow.plane.record in your own loop) and draw them."""

    stores: tyro.conf.Positional[tuple[str, ...]]
    """Recordings: one or several Zarr stores."""
    output: Path = Path("report")
    """Folder for the table, the picture and the page."""
    estimators: tuple[str, ...] = ("binning:width=0.07", "kernel-density:variance=0.01")
    """How to measure: name, or name:parameter=value,parameter=value."""
    overwrite: bool = False
    """Replace files of a former report in the output folder."""
    jobs: int = -1
    """Processes that analyse at once; -1 means one for each processor."""
    quiet: bool = False
    """No progress bars."""


def command(argv: list[str]) -> None:
    """Runs `infoflow report` with these arguments."""
    options = parse_options(Options, argv, prog="infoflow report")
    if not options.stores:
        raise InvalidArgument("no recording named; want one or more Zarr stores")
    recordings: dict[str, Recording] = {}
    for store in options.stores:
        recording = Recording(store)
        if recording.name in recordings:
            raise InvalidArgument(f"two recordings are named {recording.name!r}; want different names")
        recordings[recording.name] = recording
    page = options.output / "report.html"
    if page.exists() and not options.overwrite:
        raise InvalidArgument(f"{page} exists; want --overwrite or another --output")
    plane = analyse(
        recordings,
        [parse(text) for text in options.estimators],
        n_jobs=options.jobs,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    options.output.mkdir(parents=True, exist_ok=True)
    plane.save(options.output)
    plane.figure(options.output / "plane.png")
    plane.report(page)
    print(plane.audit())
    print(f"\nWritten to {options.output}: report.html, plane.png, table.parquet, table.csv")
