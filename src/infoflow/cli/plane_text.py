"""`infoflow plane --data text`: train a small language model on text that ships with Python, and measure its layers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, check
from infoflow.plane.text_experiment import QUICK, TextExperiment, run_text

TEXT = "text"
"""Name of the data set."""


@dataclass(frozen=True)
class Options:
    """Train a small language model on text that ships with Python, measure every layer through training, and write
    the table, a picture and a page. It takes about five minutes on two processors and downloads nothing.

    examples:
      infoflow plane --data text
      infoflow plane --data text --depth 6 --seeds 3 --output runs/six-blocks
      infoflow plane --data text --quick"""

    experiment: Annotated[TextExperiment, tyro.conf.arg(name="")]
    data: Literal["text"] = "text"
    """data set; the others have other options: infoflow plane --help"""
    quick: bool = False
    """run of seconds that shows that everything works; its numbers mean nothing"""
    output: Path | None = None
    """run folder (default: runs/text)"""
    resume: bool = False
    """continue an interrupted run"""
    overwrite: bool = False
    """replace an earlier run in the output folder"""
    device: str = "auto"
    """cpu, cuda, cuda:1, ... or auto"""
    threads: int | None = None
    """threads of each torch operation on the CPU (default: torch's own)"""
    quiet: bool = False
    """show no progress bars"""


def text_command(argv: list[str]) -> None:
    """Run `infoflow plane --data text` with these arguments."""
    start = QUICK if "--quick" in argv else TextExperiment()
    options = parse_options(Options, argv, prog="infoflow plane", default=Options(start))
    if options.threads is not None:
        torch.set_num_threads(check(options.threads, "threads", Integer(1)))
    folder = options.output or Path("runs") / TEXT
    if folder.is_file():
        raise InvalidArgument("output", "a folder", got_text=f"the file {folder}")
    found = run_text(
        options.experiment,
        folder,
        resume=options.resume,
        overwrite=options.overwrite,
        device=options.device,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    last = found.profiles[0].at(found.profiles[0].steps[-1])
    for quantity in ("I(current;W)", "V-information of current", "I(next;W)", "V-information of next"):
        if quantity in last.quantities:
            values = "  ".join(f"{value:6.3f}" for value in last.select(quantity)["value"])
            print(f"{quantity:<26} {values}   nats by depth")
    print(f"\nWritten to {found.folder}:")
    for what, path in found.files.items():
        print(f"  {what:<10} {path}")
