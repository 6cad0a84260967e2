"""`infoflow plane`: train networks, record them, and write their information plane."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

from infoflow.cli.options import parse_options, value_of
from infoflow.cli.plane_text import TEXT, text_command
from infoflow.core.settings import Integer, check
from infoflow.plane.experiment import run
from infoflow.plane.protocols import Experiment, protocol


@dataclass(frozen=True)
class Options:
    """Train networks on real data, record them through training, estimate I(X;T) and I(T;Y) of every layer, and
    write the recording, the table, a figure and an HTML report.

    examples:
      infoflow plane
      infoflow plane --protocol saxe --data szt --output runs/saxe
      infoflow plane --activations relu --widths 32 16 --estimators binning:width=0.1 ksg:k=5
      infoflow plane --output runs/saxe --protocol saxe --data szt --resume
      infoflow plane --data text         a small language model; for its options: infoflow plane --data text --help"""

    experiment: Annotated[Experiment, tyro.conf.arg(name="")]
    protocol: str = "default"
    """published settings that the other options start from: default, idnns (SZT) or saxe (SZT, MNIST)"""
    output: Path | None = None
    """run folder (default: runs/DATA-PROTOCOL)"""
    data_root: Path | None = None
    """folder of the MNIST family (default: $INFOFLOW_DATA, then ~/.cache/infoflow)"""
    resume: bool = False
    """continue an interrupted run"""
    overwrite: bool = False
    """replace an earlier run in the output folder"""
    discard_damaged: bool = False
    """with --resume: delete damaged snapshots and train again to replace them"""
    device: str = "auto"
    """cpu, cuda, cuda:1, ... or auto"""
    jobs: int = -1
    """number of processes of the analysis; -1 for one per processor"""
    threads: int | None = None
    """threads of each torch operation on the CPU (default: one for narrow networks, else torch's own)"""
    quiet: bool = False
    """show no progress bars"""


def command(argv: list[str]) -> None:
    """Run `infoflow plane` with these arguments."""
    if value_of("--data", argv) == TEXT:
        text_command(argv)
        return
    experiment = protocol(value_of("--protocol", argv) or "default", value_of("--data", argv))
    options = parse_options(Options, argv, prog="infoflow plane", default=Options(experiment))
    # A narrow layer is done before a second thread has started; on a busy machine threads wait far longer.
    if options.threads is not None:
        torch.set_num_threads(check(options.threads, "threads", Integer(1)))
    elif max(options.experiment.widths) <= 256:
        torch.set_num_threads(1)
    finished = run(
        options.experiment,
        options.output or Path("runs") / f"{options.experiment.data}-{options.protocol}",
        data_root=options.data_root,
        resume=options.resume,
        overwrite=options.overwrite,
        discard_damaged=options.discard_damaged,
        device=options.device,
        n_jobs=options.jobs,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    print(finished.plane.audit())
    print(f"\nWritten to {finished.folder}:")
    for what, path in finished.files.items():
        print(f"  {what:<18} {path}")
