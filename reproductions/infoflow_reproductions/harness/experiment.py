"""An experiment of a paper: its recipe at each scale, its trials, and what to say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from infoflow.core.checks import choice
from infoflow.plane.provenance import machine, plain
from infoflow.plane.run_folder import open_run_folder
from infoflow.training import usable_device
from infoflow_reproductions.harness import page
from infoflow_reproductions.harness.findings import Findings
from infoflow_reproductions.harness.running import run_together
from infoflow_reproductions.harness.trial import Results, Trial

SCALES = ("smoke", "cpu", "full")
"""Seconds and tiny, to see that everything runs; minutes on two processors; as published."""

KIND = "infoflow reproduction"


@dataclass(frozen=True)
class Experiment:
    """`recipes` holds, for each scale, a frozen dataclass of hyper-parameters with the number of `seeds` among them."""

    paper: str
    name: str
    title: str
    recipes: Mapping[str, Any]
    trials: Callable[[Any], Sequence[Trial]]
    report: Callable[[Any, Results], Findings]

    def recipe(self, scale: str) -> Any:
        """That of this scale. Raises UnknownName."""
        return self.recipes[choice(scale, "scale", self.recipes)]


@dataclass(frozen=True)
class Reproduction:
    """A finished one: what was found, and where it is written."""

    experiment: Experiment
    scale: str
    recipe: Any
    findings: Findings
    folder: Path
    files: Mapping[str, Path]
    provenance: Mapping[str, Any]

    def __str__(self) -> str:
        return page.as_text(self.findings)


def reproduce(
    experiment: Experiment,
    scale: str,
    folder: str | Path,
    *,
    recipe: Any = None,
    data_root: str | Path | None = None,
    device: str = "auto",
    jobs: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Reproduction:
    """Runs an experiment into a folder, and writes its table, claims, pictures and page there.

    `recipe` replaces that of the scale. `resume` goes on with an interrupted run, trial by trial, and may ask for more
    seeds; other settings that differ are refused. Results carry versions, device, seconds and every setting.

    Raises UnknownName (scale), InvalidArgument (folder, other settings), BrokenStore, MissingData.
    """
    chosen = experiment.recipe(scale) if recipe is None else recipe
    (done,) = reproduce_together(
        [Plan(experiment, chosen, Path(folder))],
        scale,
        data_root=data_root,
        device=device,
        jobs=jobs,
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )
    return done


class Plan(NamedTuple):
    """What to run, how, and where its results belong."""

    experiment: Experiment
    recipe: Any
    folder: Path


def reproduce_together(
    plans: Sequence[Plan],
    scale: str,
    *,
    data_root: str | Path | None = None,
    device: str = "auto",
    jobs: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Iterator[Reproduction]:
    """`reproduce` of several experiments, whose trials share one pool of processes: each as soon as it is done.

    Folders that are refused are so before anything runs. Raises like `reproduce`.
    """
    where = usable_device(device)
    settings = [
        {
            "paper": plan.experiment.paper,
            "experiment": plan.experiment.name,
            "scale": scale,
            **plain(asdict(plan.recipe)),
        }
        for plan in plans
    ]
    for plan, its_settings in zip(plans, settings, strict=True):
        open_run_folder(plan.folder, KIND, its_settings, resume=resume, overwrite=overwrite, may_differ=("seeds",))
    groups = [(plan.experiment.trials(plan.recipe), plan.folder / "trials") for plan in plans]
    root = None if data_root is None else Path(data_root)
    for index, results in run_together(groups, data_root=root, device=str(where), jobs=jobs, progress=progress):
        experiment, recipe, folder = plans[index]
        findings = experiment.report(recipe, results)
        provenance = {
            **machine(),
            "device": page.device_name(where),
            "jobs": jobs,
            "trials": len(results),
            "trial_seconds": round(results.seconds, 1),
        }
        files = page.write(experiment.title, settings[index], findings, results, provenance, folder)
        yield Reproduction(experiment, scale, recipe, findings, folder, files, provenance)
