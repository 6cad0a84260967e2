"""`infoflow report`: analyze and draw existing recordings."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.plane import Recording, analyse
from infoflow.plane.placing import placed


@dataclass(frozen=True)
class Options:
    """Analyze recordings that `infoflow plane` or infoflow.plane.record wrote, and write the table, a figure and an
    HTML report.

    examples:
      infoflow report runs/mine
      infoflow report runs/tanh runs/relu --output compared --estimators binning:width=0.1 ksg
      infoflow report small=runs/a large=runs/b
      infoflow report runs/seed0 runs/seed1 runs/seed2"""

    stores: tyro.conf.Positional[tuple[str, ...]]
    """recordings: one or several Zarr stores, each as PATH or NAME=PATH. Those of one name count as one network and
    must hold different seeds"""
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


def _named(store: str) -> tuple[str, str]:
    """Name and path of "NAME=PATH"; no name where the text is a path, which may itself hold an equals sign."""
    name, equals, path = store.partition("=")
    plain = not equals or Path(store).exists() or "/" in name or ":" in name
    return ("", store) if plain else (name, path)


def command(argv: list[str]) -> None:
    """Run `infoflow report` with these arguments."""
    options = parse_options(Options, argv, prog="infoflow report")
    if not options.stores:
        raise InvalidArgument("stores", "at least one recording", got_text="none")
    for text in options.estimators:
        placed(text)  # before anything is read
    networks: dict[str, list[Recording]] = {}
    for store in options.stores:
        name, path = _named(store)
        recording = Recording(path, discard_damaged=options.discard_damaged)
        networks.setdefault(name or recording.name, []).append(recording)
    page = options.output / "report.html"
    if page.exists() and not options.overwrite:
        raise InvalidArgument(
            "output", "a folder without a report", got_text=str(page), remedy="Replace it with --overwrite."
        )
    progress = not options.quiet and sys.stderr.isatty()
    plane = analyse(networks, options.estimators, n_jobs=options.jobs, progress=progress)
    plane.save(options.output)
    plane.figure(options.output / "plane.png")
    plane.report(page)
    print(plane.audit())
    print(f"\nWritten to {options.output}: report.html, plane.png, table.parquet, table.csv")
