"""The main job: train networks, record them, estimate, and write a run folder that says everything.

RUN/run.json                    the settings, written first
RUN/recordings/NETWORK.zarr     activations of the probe set at every snapshot
RUN/checkpoints/NETWORK.pt      where training can go on after an interruption
RUN/analysis/                   finished parts of the analysis
RUN/table.parquet, table.csv    the plane, one row per network, layer, seed, epoch, estimator and axis
RUN/metrics.csv, provenance.json, audit.txt, plane.png, report.html
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoflow import data as datasets
from infoflow.core.errors import BrokenStore
from infoflow.core.files import write_atomically
from infoflow.estimators.registry import parse
from infoflow.models import MLP, stack
from infoflow.plane.analysis import analyse
from infoflow.plane.plane import Plane
from infoflow.plane.recorder import record
from infoflow.plane.run_folder import open_run_folder
from infoflow.plane.settings import Settings
from infoflow.training import Training, snapshot_epochs, train, usable_device

log = logging.getLogger(__name__)

FORMAT = "infoflow plane run"


@dataclass(frozen=True)
class Run:
    """A finished experiment: its folder, and the plane that was found."""

    folder: Path
    plane: Plane

    @property
    def files(self) -> dict[str, Path]:
        """What lies in the folder, by what it is."""
        return {
            "report": self.folder / "report.html",
            "picture": self.folder / "plane.png",
            "table": self.folder / "table.parquet",
            "table as text": self.folder / "table.csv",
            "accuracy and loss": self.folder / "metrics.csv",
            "provenance": self.folder / "provenance.json",
            "audit": self.folder / "audit.txt",
            "recordings": self.folder / "recordings",
        }


def run(
    settings: Settings,
    folder: str | Path,
    *,
    data_root: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    jobs: int = 1,
    progress: bool = False,
) -> Run:
    """Runs one experiment into a folder, or goes on with one that was interrupted.

    Everything is checked before anything is written. A folder that holds something is refused, unless `resume` (an
    interrupted or finished run with the same settings goes on, and ends with the same table) or `overwrite` (a former
    run of ours is replaced; a folder of anything else never is).

    Raises MissingData (data set), InvalidArgument (folder, settings that differ on resume), BrokenStore (run.json).
    """
    folder = Path(folder)
    split = datasets.load(settings.data, root=data_root, split_seed=0 if settings.shuffled_split else None)
    estimators = [parse(text) for text in settings.estimators]
    where = usable_device(device)
    open_run_folder(folder, FORMAT, settings.as_dict(), resume=resume, overwrite=overwrite)

    stores = {}
    for activation in settings.activations:
        log.info("training %d %s network(s) on %s", settings.seeds, activation, settings.data)
        stores[activation] = _train_and_record(activation, split, settings, folder, device=where, progress=progress)
    plane = analyse(stores, estimators, n_jobs=jobs, progress=progress, cache=folder / "analysis")
    plane.save(folder)
    write_atomically(folder / "audit.txt", lambda path: path.write_text(f"{plane.audit()}\n"))
    plane.figure(folder / "plane.png")
    plane.report(folder / "report.html")
    return Run(folder, plane)


def _train_and_record(
    activation: str, split: datasets.Split, settings: Settings, folder: Path, *, device: torch.device, progress: bool
) -> Path:
    train_set, test_set = split.train.tensors(), split.test.tensors()
    seeds = range(settings.seeds)
    widths = (train_set[0].shape[1], *settings.widths, split.train.classes)
    network = stack(
        [MLP(widths, activation, initialization=settings.initialization_for(activation), seed=seed) for seed in seeds]
    ).to(device)
    probe_x, probe_y = _probe(split, settings.probe)
    store = folder / "recordings" / f"{activation}.zarr"
    checkpoint = folder / "checkpoints" / f"{activation}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with record(
        network,
        probe_x,
        probe_y,
        store=store,
        output=_softmax,
        seeds=list(seeds),
        name=activation,
        resume=True,  # the folder is this run's own, and new if nothing was begun
        provenance={
            "settings": settings.as_dict(),
            "activation": activation,
            "widths": list(widths),
            "data": {"name": split.name, "source": split.train.source, "train": len(split.train),
                     "test": len(split.test), "sha256": split.whole.digest},
        },
    ) as recorder:  # fmt: skip
        epochs = sorted({*snapshot_epochs(settings.epochs, settings.snapshots), *settings.also_at})
        train(
            network,
            train_set,
            Training(
                epochs=settings.epochs,
                batch_size=settings.batch_size,
                optimizer=settings.optimizer,
                learning_rate=settings.learning_rate,
                momentum=settings.momentum,
                weight_decay=settings.weight_decay,
                shuffle=settings.shuffle,
            ),
            seeds=list(seeds),
            evaluate={"train": train_set, "test": test_set},
            snapshots=epochs,
            on_snapshot=lambda epoch, _, metrics: recorder.snapshot(epoch, **metrics),
            checkpoint=checkpoint,
            resume=checkpoint.exists(),
            progress=f"training {settings.seeds} × {activation}" if progress else False,
        )
        lost = sorted({*epochs} - {*recorder.epochs})
        if lost:
            raise BrokenStore(f"{store} lost its snapshots at epochs {lost}; want --overwrite to begin again")
    return store


def _probe(split: datasets.Split, probe: str) -> tuple[Any, Any]:
    if probe == "both":
        train_x, train_y = split.train.tensors()
        test_x, test_y = split.test.tensors()
        return {"train": train_x, "test": test_x}, {"train": train_y, "test": test_y}
    chosen = {"all": split.whole, "train": split.train, "test": split.test}[probe]
    x, y = chosen.tensors()
    return {probe: x}, {probe: y}


def _softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1)
