"""Runs the trials side by side, remembers each when it is done, and goes on where a kill stopped it."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import torch
from tqdm import tqdm

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.core.files import write_atomically
from infoflow.plane.provenance import machine, plain
from infoflow.training.surroundings import own_random_state, seed_layers
from infoflow_reproductions.harness.trial import Context, Results, Trial

log = logging.getLogger(__name__)


def run_trials(
    trials: Sequence[Trial],
    folder: Path,
    *,
    data_root: Path | None = None,
    device: str = "cpu",
    jobs: int = 1,
    progress: bool = False,
) -> Results:
    """Runs every trial that `folder` doesn't know yet; each result is written there, whole or not at all.

    With `jobs` other than 1 the trials run in so many processes (-1: one for each processor) of one thread each.

    Raises InvalidArgument (two trials of one name), BrokenStore (a result that can't be read), and what a trial raises.
    """
    ((_, results),) = run_together([(trials, folder)], data_root=data_root, device=device, jobs=jobs, progress=progress)
    return results


def run_together(
    groups: Sequence[tuple[Sequence[Trial], Path]],
    *,
    data_root: Path | None = None,
    device: str = "cpu",
    jobs: int = 1,
    progress: bool = False,
) -> Iterator[tuple[int, Results]]:
    """`run_trials` of several groups of trials, each with its folder, in one pool; no process waits between groups.

    Gives a group's place and results as soon as its last trial is done. Raises like `run_trials`.
    """
    missing = [_missing(trials, folder) for trials, folder in groups]
    left = [len(some) for some in missing]
    tasks = [(index, trial) for index, some in enumerate(missing) for trial in some]
    total = sum(len(trials) for trials, _ in groups)
    log.info("%d of %d trials to run", len(tasks), total)

    def one_by_one() -> Iterator[int]:
        for index, trial in tasks:
            _run(trial, groups[index][1], data_root, device, progress=progress)
            yield index

    with tqdm(total=total, initial=total - len(tasks), disable=not progress, unit="trial") as bar:
        for index, count in enumerate(left):
            if not count:
                yield index, _gathered(*groups[index])
        if jobs == 1 or len(tasks) < 2:
            done: Iterable[int] = one_by_one()
        else:
            work = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
            done = work(
                joblib.delayed(_run_alone)(index, trial, groups[index][1], data_root, device) for index, trial in tasks
            )
        for index in done:
            bar.update()
            left[index] -= 1
            if not left[index]:
                yield index, _gathered(*groups[index])


def _missing(trials: Sequence[Trial], folder: Path) -> list[Trial]:
    """Those that the folder doesn't know yet."""
    names = [trial.name for trial in trials]
    if len(set(names)) != len(names):
        raise InvalidArgument(f"two trials are named {max(names, key=names.count)!r}; want different names")
    folder.mkdir(parents=True, exist_ok=True)
    return [trial for trial in trials if _remembered(trial, folder) is None]


def _gathered(trials: Sequence[Trial], folder: Path) -> Results:
    """What the folder knows of trials that are all done."""
    known = {trial.name: _remembered(trial, folder) for trial in trials}
    done = {name: each for name, each in known.items() if each is not None}
    seconds = sum(float(each["seconds"]) for each in done.values())
    return Results(trials, {name: each["result"] for name, each in done.items()}, seconds)


def _run_alone(group: int, trial: Trial, folder: Path, data_root: Path | None, device: str) -> int:
    """In a process of its own: one thread, as the other processors have trials too. Says which group it was of."""
    torch.set_num_threads(1)
    _run(trial, folder, data_root, device, progress=False)
    return group


def _run(trial: Trial, folder: Path, data_root: Path | None, device: str, *, progress: bool) -> None:
    path = _file(trial, folder)
    checkpoint = path.with_suffix(".checkpoint")
    where = torch.device(device)
    begun = time.perf_counter()
    with own_random_state(where):
        # What a trial draws from torch's global state (a layer's first weights) is its own, and the same each time.
        seed_layers(where, int(hashlib.sha256(trial.name.encode()).hexdigest()[:8], 16), 0)
        result = trial.run(context=Context(data_root, device, checkpoint, progress), **trial.arguments)
    known = {
        "trial": trial.name,
        "fingerprint": _fingerprint(trial),
        "seconds": time.perf_counter() - begun,
        "machine": machine(),
        "result": _plain(result),
    }
    write_atomically(path, lambda part: part.write_text(json.dumps(known)))
    checkpoint.unlink(missing_ok=True)


def _plain(result: Mapping[str, Any]) -> Any:
    """What JSON can hold, but NaN and infinity as themselves: Python reads them back."""

    def keep(value: Any) -> Any:
        if isinstance(value, float):
            return value
        if isinstance(value, Mapping):
            return {str(name): keep(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [keep(item) for item in value]
        if hasattr(value, "tolist"):
            return keep(value.tolist())
        return plain(value)

    return keep(result)


def _fingerprint(trial: Trial) -> dict[str, Any]:
    function = f"{trial.run.__module__}.{trial.run.__qualname__}"
    return {"function": function, "arguments": json.loads(json.dumps(plain(trial.arguments)))}


def _file(trial: Trial, folder: Path) -> Path:
    """A name to read, and a digest that keeps names apart which look alike when cut to what files can be called."""
    short = re.sub(r"[^A-Za-z0-9=._-]+", "-", trial.name)[:80]
    return folder / f"{short}-{hashlib.sha256(trial.name.encode()).hexdigest()[:8]}.json"


def _remembered(trial: Trial, folder: Path) -> dict[str, Any] | None:
    path = _file(trial, folder)
    if not path.exists():
        return None
    try:
        known: dict[str, Any] = json.loads(path.read_text())
        same = known["fingerprint"] == _fingerprint(trial)
        _ = known["result"], known["seconds"]
    except (ValueError, KeyError, TypeError):
        raise BrokenStore(f"{path} is damaged; remove it, and its trial runs again") from None
    return known if same else None
