"""`infoflow report`: analyze and draw existing recordings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.plane import Recording, analyse


@dataclass(frozen=True)
class Options:
    """Analyze recordings that `infoflow plane` or infoflow.plane.record wrote, and write the table, a figure and an
    HTML report.

    examples:
      infoflow report runs/mine
      infoflow report runs/tanh runs/relu --output compared --estimators binning:width=0.1 ksg"""

    stores: tyro.conf.Positional[tuple[str, ...]]
    """recordings: one or several Zarr stores"""
    output: Path = Path("report")
    """folder of the table, the figure and the report"""
    estimators: tuple[str, ...] = ("binning:width=0.07", "kernel-density:variance=0.01")
    """estimators: name, or name:parameter=value,parameter=value"""
    overwrite: bool = False
    """replace files of an earlier report in the output folder"""
    discard_damaged: bool = False
    """leave out damaged snapshots, which are an error otherwise; nothing is deleted"""
    jobs: int = -1
    """number of processes; -1 for one per processor"""
    quiet: bool = False
    """show no progress bar"""


def command(argv: list[str]) -> None:
    """Run `infoflow report` with these arguments."""
    options = parse_options(Options, argv, prog="infoflow report")
    recordings = [Recording(store, discard_damaged=options.discard_damaged) for store in options.stores]
    names = [recording.name for recording in recordings]
    if len(set(names)) < len(names) or not names:
        raise InvalidArgument("stores", "at least one recording, each of another network", got_text=str(names))
    page = options.output / "report.html"
    if page.exists() and not options.overwrite:
        raise InvalidArgument(
            "output", "a folder without a report", got_text=str(page), remedy="Replace it with --overwrite."
        )
    progress = not options.quiet and sys.stderr.isatty()
    networks = dict(zip(names, recordings, strict=True))
    plane = analyse(networks, options.estimators, n_jobs=options.jobs, progress=progress)
    plane.save(options.output)
    plane.figure(options.output / "plane.png")
    plane.report(page)
    print(plane.audit())
    print(f"\nWritten to {options.output}: report.html, plane.png, table.parquet, table.csv")
