"""Run trials in parallel, store each result when it is complete, and resume after an interruption."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import torch
from tqdm import tqdm

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import write_text
from infoflow.core.provenance import machine, plain
from infoflow.training.surroundings import own_random_state, seed_layers
from infoflow_reproductions.harness.allocator import keep_freed_memory
from infoflow_reproductions.harness.trial import Context, Results, Trial

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """How trials run; nothing here changes their results.

    Parameters
    ----------
    data_root
        Folder of the data sets; None searches the default folders.
    device
        Device such as "cpu" or "cuda"; "auto" chooses one.
    n_jobs
        Number of processes; -1 starts one per processor. Each of several processes runs with one thread.
    resume
        Whether to continue an interrupted run.
    overwrite
        Whether to replace an earlier run.
    progress
        Whether to show progress bars.
    """

    data_root: str | Path | None = None
    device: str = "auto"
    n_jobs: int = 1
    resume: bool = False
    overwrite: bool = False
    progress: bool = False

    def context(self, checkpoint: Path) -> Context:
        """Return the context of the trial with this checkpoint.

        Parameters
        ----------
        checkpoint
            File name of the trial's checkpoint.

        Returns
        -------
        Context
            The context.
        """
        root = None if self.data_root is None else Path(self.data_root)
        return Context(root, self.device, checkpoint, self.progress)


def run_trials(trials: Sequence[Trial], folder: Path, options: RunOptions | None = None) -> Results:
    """Run every trial whose result the folder does not hold yet.

    Parameters
    ----------
    trials
        Trials with different names.
    folder
        Folder of the results, one file per trial.
    options
        How they run; by default on the processor, one after another.

    Returns
    -------
    Results
        Results of all trials.

    Raises
    ------
    InvalidArgument
        If two trials have the same name.
    BrokenStore
        If a stored result cannot be read.
    """
    ((_, results),) = run_together([(trials, folder)], options or RunOptions(device="cpu"))
    return results


def run_together(groups: Sequence[tuple[Sequence[Trial], Path]], options: RunOptions) -> Iterator[tuple[int, Results]]:
    """Run several groups of trials in one pool of processes.

    Parameters
    ----------
    groups
        Trials and their folder for each group.
    options
        How they run.

    Returns
    -------
    iterator of (int, Results)
        Number and results of each group as soon as its last trial is done.

    Raises
    ------
    InvalidArgument
        If two trials of a group have the same name.
    BrokenStore
        If a stored result cannot be read.
    """
    missing = [_missing(trials, folder) for trials, folder in groups]
    left = [len(some) for some in missing]
    tasks = [(index, trial) for index, some in enumerate(missing) for trial in some]
    total = sum(len(trials) for trials, _ in groups)
    log.info("%d of %d trials to run", len(tasks), total)

    def one_by_one() -> Iterator[int]:
        for index, trial in tasks:
            _run(trial, groups[index][1], options)
            yield index

    with tqdm(total=total, initial=total - len(tasks), disable=not options.progress, unit="trial") as bar:
        for index, count in enumerate(left):
            if not count:
                yield index, _gathered(*groups[index])
        if options.n_jobs == 1 or len(tasks) < 2:
            done: Iterable[int] = one_by_one()
        else:
            work = joblib.Parallel(n_jobs=options.n_jobs, return_as="generator_unordered")
            # A worker may run in another folder.
            folders = [folder.absolute() for _, folder in groups]
            done = work(joblib.delayed(_run_alone)(index, trial, folders[index], options) for index, trial in tasks)
        for index in done:
            bar.update()
            left[index] -= 1
            if not left[index]:
                yield index, _gathered(*groups[index])


def agree(trials: Sequence[Trial], folder: Path) -> bool:
    """Return whether every stored result of a trial's name is of the trial's settings.

    Parameters
    ----------
    trials
        Trials with different names.
    folder
        Folder of the results.

    Returns
    -------
    bool
        False if one of them would be replaced.

    Raises
    ------
    BrokenStore
        If a stored result cannot be read.
    """
    return all(_stored(trial, folder) is not None for trial in trials if _file(trial, folder).exists())


def _missing(trials: Sequence[Trial], folder: Path) -> list[Trial]:
    """Return the trials whose results the folder does not hold."""
    names = [trial.name for trial in trials]
    if len(set(names)) != len(names):
        raise InvalidArgument("trials", "of different names", got_text=f"two named {max(names, key=names.count)!r}")
    folder.mkdir(parents=True, exist_ok=True)
    return [trial for trial in trials if _stored(trial, folder) is None]


def _gathered(trials: Sequence[Trial], folder: Path) -> Results:
    """Return the results of trials that are all done."""
    known = {trial.name: _stored(trial, folder) for trial in trials}
    done = {name: each for name, each in known.items() if each is not None}
    seconds = sum(float(each["seconds"]) for each in done.values())
    return Results(trials, {name: each["result"] for name, each in done.items()}, seconds)


def _run_alone(group: int, trial: Trial, folder: Path, options: RunOptions) -> int:
    """Run a trial in a process of its own and return the number of its group."""
    torch.set_num_threads(1)  # the other processors run trials too
    keep_freed_memory()
    _run(trial, folder, replace(options, progress=False))
    return group


def _run(trial: Trial, folder: Path, options: RunOptions) -> None:
    path = _file(trial, folder)
    checkpoint = path.with_suffix(".checkpoint")
    where = torch.device(options.device)
    begun = time.perf_counter()
    with own_random_state(where):
        # What a trial draws from torch's global state (a layer's first weights) depends on its name alone.
        seed_layers(where, int(hashlib.sha256(trial.name.encode()).hexdigest()[:8], 16), 0)
        result = trial(options.context(checkpoint))
    known = {
        "trial": trial.name,
        "fingerprint": _fingerprint(trial),
        "seconds": time.perf_counter() - begun,
        "machine": machine(),
        "result": _plain(result),
    }
    write_text(path, json.dumps(known))
    checkpoint.unlink(missing_ok=True)


def _plain(result: Mapping[str, Any]) -> Any:
    """Return a JSON form that retains NaN and infinity, which Python's parser reads back."""

    def convert(value: Any) -> Any:
        if isinstance(value, float):
            return value
        if isinstance(value, Mapping):
            return {str(name): convert(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [convert(item) for item in value]
        if hasattr(value, "tolist"):
            return convert(value.tolist())
        return plain(value)

    return convert(result)


def _fingerprint(trial: Trial) -> dict[str, Any]:
    function = f"{trial.run.__module__}.{trial.run.__qualname__}"
    return {"function": function, "arguments": json.loads(json.dumps(plain(trial.arguments)))}


def digest(trials: Sequence[Trial]) -> str:
    """Return a short text that depends on the names, functions and settings of trials.

    Parameters
    ----------
    trials
        All trials of a run.

    Returns
    -------
    str
        Sixteen hexadecimal digits. Fields that trials omit at their default do not change it.
    """
    known = {trial.name: _fingerprint(trial) for trial in trials}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def _file(trial: Trial, folder: Path) -> Path:
    """Return a readable file name whose digest separates names that are equal once shortened."""
    short = re.sub(r"[^A-Za-z0-9=._-]+", "-", trial.name)[:80]
    return folder / f"{short}-{hashlib.sha256(trial.name.encode()).hexdigest()[:8]}.json"


def _stored(trial: Trial, folder: Path) -> dict[str, Any] | None:
    path = _file(trial, folder)
    if not path.exists():
        return None
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        same = known["fingerprint"] == _fingerprint(trial)
        _ = known["result"], known["seconds"]
    except (ValueError, KeyError, TypeError):
        raise BrokenStore(f"{path} is damaged. Remove it to run its trial again.") from None
    return known if same else None
