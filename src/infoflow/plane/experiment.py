"""Train networks, record them, estimate their information plane, and write it all into a run folder.

RUN/run.json                    the settings, written first
RUN/recordings/NETWORK.zarr     activations of the probe set at every snapshot
RUN/checkpoints/NETWORK.pt      where training continues after an interruption
RUN/analysis/                   finished tables of the analysis
RUN/table.parquet, table.csv    the plane: one row per network, layer, seed, epoch, estimator and axis
RUN/metrics.csv, provenance.json, audit.txt, plane.png, report.html
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

import joblib
import torch
from torch import Tensor

from infoflow import data as datasets
from infoflow.core.errors import BrokenStore
from infoflow.core.files import write_text
from infoflow.models import MLP, stack
from infoflow.plane.analysis import analyse
from infoflow.plane.orphans import ends_with
from infoflow.plane.plane import Plane
from infoflow.plane.protocols import Experiment
from infoflow.plane.recorder import record
from infoflow.plane.run_folder import open_run_folder
from infoflow.training import Training, snapshot_epochs, train, usable_device

log = logging.getLogger(__name__)

FORMAT = "infoflow plane run"

_FILES = {
    "report": "report.html",
    "figure": "plane.png",
    "table": "table.parquet",
    "table as text": "table.csv",
    "accuracy and loss": "metrics.csv",
    "provenance": "provenance.json",
    "audit": "audit.txt",
    "recordings": "recordings",
}


@dataclass(frozen=True)
class Run:
    """A finished experiment: its folder and its plane."""

    folder: Path
    plane: Plane

    @property
    def files(self) -> dict[str, Path]:
        """What the folder holds, by a description."""
        return {what: self.folder / name for what, name in _FILES.items()}


def run(
    experiment: Experiment,
    folder: str | Path,
    *,
    data_root: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    discard_damaged: bool = False,
    device: str = "auto",
    n_jobs: int = 1,
    progress: bool = False,
) -> Run:
    """Run one experiment into a folder, or continue an interrupted one.

    Parameters
    ----------
    experiment
        Settings of the experiment.
    folder
        Run folder. One that holds something is an error unless `resume` or `overwrite` is set.
    data_root
        Folder of the data sets; None for $INFOFLOW_DATA, else the user's cache.
    resume
        Continue an interrupted or finished run with the same settings, to the same table.
    overwrite
        Replace an earlier run; a folder of anything else is never touched.
    discard_damaged
        With `resume`, delete damaged snapshots and train again to replace them; they are an error otherwise.
    device
        Device to train on, such as "cpu" or "cuda:1"; "auto" for a GPU where there is one.
    n_jobs
        Processes of the analysis; -1 for all processors.
    progress
        Show progress bars.

    Returns
    -------
    Run
        The folder and the plane.

    Raises
    ------
    MissingData
        If the data set is missing.
    InvalidArgument
        If the folder holds something else, or settings differ on resume; nothing has been written then.
    BrokenStore
        If run.json or a recording is damaged.
    """
    folder = Path(folder)
    split = datasets.load(experiment.data, root=data_root, split_seed=0 if experiment.shuffled_split else None)
    where = usable_device(device)
    open_run_folder(folder, FORMAT, experiment.as_dict(), resume=resume, overwrite=overwrite)
    log.info(
        "training %d networks of %s on %s", experiment.seeds, " and ".join(experiment.activations), experiment.data
    )
    # Networks that are trained by one thread each are trained at the same time.
    side_by_side = n_jobs if where.type == "cpu" and torch.get_num_threads() == 1 else 1
    titles = _titles(experiment, together=side_by_side != 1) if progress else {}
    joblib.Parallel(n_jobs=side_by_side)(
        joblib.delayed(ends_with)(
            os.getpid(),
            _train_and_record,
            activation,
            split,
            experiment,
            folder.absolute(),  # a worker may run in another folder
            device=where,
            progress=titles.get(activation, False),
            discard_damaged=discard_damaged,
        )
        for activation in experiment.activations
    )
    stores = {activation: _recording(folder, activation) for activation in experiment.activations}
    plane = analyse(stores, experiment.estimators, n_jobs=n_jobs, progress=progress, cache=folder / "analysis")
    plane.save(folder)
    write_text(folder / "audit.txt", f"{plane.audit()}\n")
    plane.figure(folder / "plane.png")
    plane.report(folder / "report.html")
    return Run(folder, plane)


def _titles(experiment: Experiment, *, together: bool) -> dict[str, str]:
    """The titles of the progress bars by activation; networks that are trained together have one, of the first."""
    if together:
        return {experiment.activations[0]: f"training {experiment.seeds} × {', '.join(experiment.activations)}"}
    return {activation: f"training {experiment.seeds} × {activation}" for activation in experiment.activations}


def _recording(folder: Path, activation: str) -> Path:
    return folder / "recordings" / f"{activation}.zarr"


def _train_and_record(
    activation: str,
    split: datasets.Split,
    experiment: Experiment,
    folder: Path,
    *,
    device: torch.device,
    progress: str | bool,
    discard_damaged: bool,
) -> None:
    """Train the networks of one activation from all seeds in parallel, and record them."""
    samples = {"train": split.train.tensors(), "test": split.test.tensors()}
    seeds = list(range(experiment.seeds))
    widths = (samples["train"][0].shape[1], *experiment.widths, split.train.classes)
    initialization = experiment.initialization_for(activation)
    network = stack([MLP(widths, activation, initialization=initialization, seed=seed) for seed in seeds]).to(device)
    data = {"name": split.name, "source": split.train.source, "train": len(split.train), "test": len(split.test)}
    checkpoint = folder / "checkpoints" / f"{activation}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    epochs = sorted({*snapshot_epochs(experiment.epochs, experiment.snapshots), *experiment.also_at})
    with record(
        network,
        *_probes(split, experiment.probe),
        store=_recording(folder, activation),
        output=_softmax,
        seeds=seeds,
        name=activation,
        resume=True,  # the folder belongs to this run, and is new if nothing was begun
        discard_damaged=discard_damaged,
        provenance={
            "settings": experiment.as_dict(),
            "activation": activation,
            "widths": list(widths),
            "data": {**data, "sha256": split.whole.digest},
        },
    ) as recorder:
        if discard_damaged:
            checkpoint.unlink(missing_ok=True)  # training continues after the lost snapshots otherwise
        names = ("epochs", "batch_size", "optimizer", "learning_rate", "momentum", "weight_decay", "shuffle")
        train(
            network,
            samples["train"],
            Training(**{name: getattr(experiment, name) for name in names}),
            seeds=seeds,
            evaluate=samples,
            snapshots=epochs,
            on_snapshot=lambda epoch, _, metrics: recorder.snapshot(epoch, **metrics),
            checkpoint=checkpoint,
            resume=checkpoint.exists(),
            progress=progress,
        )
        if lost := sorted({*epochs} - {*recorder.epochs}):
            raise BrokenStore(
                f"The recording of {activation} in {folder} lacks its snapshots at epochs {lost}. "
                "Pass --resume --discard-damaged to train again."
            )


def _probes(split: datasets.Split, probe: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs and classes of the probe sets by name."""
    parts = {"all": split.whole, "train": split.train, "test": split.test}
    chosen = {name: parts[name].tensors() for name in (("train", "test") if probe == "both" else (probe,))}
    return {name: x for name, (x, _) in chosen.items()}, {name: y for name, (_, y) in chosen.items()}


def _softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1)
