"""`infoflow plane`: the main job."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

from infoflow.cli.options import parse_options, value_of
from infoflow.core import checks
from infoflow.plane.experiment import run
from infoflow.plane.settings import Settings, protocol


@dataclass(frozen=True)
class Options:
    """Train networks on real data, record them through training, estimate I(X;T) and I(T;Y) of every layer, and
    write the recording, the table, a picture and a page to explore."""

    settings: Annotated[Settings, tyro.conf.arg(name="")]
    protocol: str = "default"
    """Whose settings the other options start from: default, idnns (SZT) or saxe (SZT, MNIST)."""
    output: Path | None = None
    """Run folder (default: runs/DATA-PROTOCOL)."""
    data_root: Path | None = None
    """Where the MNIST family lies (default: $INFOFLOW_DATA, then ~/.cache/infoflow)."""
    resume: bool = False
    """Go on with a run that was interrupted."""
    overwrite: bool = False
    """Replace a former run in the output folder."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ... or auto."""
    jobs: int = -1
    """Processes that analyse at once; -1 means one for each processor."""
    threads: int | None = None
    """Threads of each torch operation on the CPU (default: one for networks too small to share, else torch's own)."""
    quiet: bool = False
    """No progress bars."""


def command(argv: list[str]) -> None:
    """Runs `infoflow plane` with these arguments."""
    settings = protocol(value_of("--protocol", argv) or "default", value_of("--data", argv))
    options = parse_options(Options, argv, prog="infoflow plane", default=Options(settings))
    _set_threads(options)
    folder = options.output or Path("runs") / f"{options.settings.data}-{options.protocol}"
    finished = run(
        options.settings,
        folder,
        data_root=options.data_root,
        resume=options.resume,
        overwrite=options.overwrite,
        device=options.device,
        jobs=options.jobs,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    print(finished.plane.audit())
    print(f"\nWritten to {finished.folder}:")
    for what, path in finished.files.items():
        print(f"  {what:<18} {path}")


def _set_threads(options: Options) -> None:
    """A layer this narrow is done before a second thread has woken up; on a busy machine it waits far longer."""
    if options.threads is not None:
        torch.set_num_threads(checks.integer(options.threads, "threads"))
    elif max(options.settings.widths) <= 256:
        torch.set_num_threads(1)
