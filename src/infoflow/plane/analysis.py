"""From a recording to the plane: every estimator on every layer of every snapshot."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import joblib
import numpy as np
import pandas as pd
from tqdm import tqdm

from infoflow import __version__
from infoflow.core.errors import BrokenStore, DidNotConverge, InfoflowError, InvalidArgument, UnknownName
from infoflow.core.estimate import Estimate, LayerInformation
from infoflow.entropies import discrete
from infoflow.plane.labels import description, labels
from infoflow.plane.parts import Parts
from infoflow.plane.plane import Plane
from infoflow.plane.provenance import machine
from infoflow.plane.recording import Recording
from infoflow.plane.store import Array, Location
from infoflow.plane.table import COLUMNS

log = logging.getLogger(__name__)

Source: TypeAlias = "Location | Recording"

# Bins over the range of more than one layer: what the estimator's `scope` may ask for.
_WIDE_SCOPES = ("epoch", "run")

# So often in a row may all workers be lost without a single snapshot being done.
_LOSSES = 2


@dataclass(frozen=True)
class _Group:
    """Estimators that share one pass over the data, by their labels."""

    members: dict[str, Any]

    @property
    def together(self) -> bool:
        return hasattr(next(iter(self.members.values())), "measure_many")


@dataclass(frozen=True)
class _Task:
    """One snapshot of one probe: what one worker reads and estimates."""

    network: str
    recording: Recording
    """With this snapshot only."""
    probe: str
    epoch: int
    layers: list[str]
    seeds: list[int]
    groups: dict[int, list[_Group]]
    """For each seed, because the range of a run is that of one network."""
    cache: str | None


def analyse(
    stores: Source | Mapping[str, Source | Sequence[Source]],
    estimators: Iterable[Any] = ("binning", "kernel-density"),
    *,
    layers: Sequence[str] | None = None,
    epochs: Iterable[int] | None = None,
    probes: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
    cache: str | os.PathLike[str] | None = None,
) -> Plane:
    """Estimates I(X;T) and I(T;Y) in nats for every recorded layer, snapshot, probe and seed, by every estimator.

    `stores` is a recording (its folder, URL or `Recording`), or a mapping from network names to recordings; a list of
    recordings of one network, with different seeds, counts as one network. `estimators` are objects with
    `measure(t, y, x=None) -> LayerInformation`, or texts such as "binning:width=0.5"; those whose class has
    `measure_many` share one pass. An estimator with `scope` "epoch" or "run" gets the range of all the recorded layers
    of that snapshot, or of the whole run, for each probe and seed, by `with_range`. `layers`, `epochs`, `probes` and
    `seeds` choose; None means all.

    Workers each have one snapshot of one probe at a time. They are joblib's: `n_jobs` of them, or, where it is None,
    what `joblib.parallel_config` says around the call (one, if it says nothing), so that an analysis runs on a Dask or
    Ray cluster as it is; workers must reach the recordings and the cache under the same name. Where workers are lost
    (killed for memory, say), what they had is done again by others. `cache` is a folder for finished parts: an
    interrupted analysis goes on there, with the same result; a part is made again when the recording, an estimator's
    settings or the version of infoflow change.

    Raises MissingData and BrokenStore (recordings), UnknownName (layer, epoch, probe, seed, estimator) and
    InvalidArgument; an estimator that fails is named with the network, layer, epoch and seed.

    >>> import tempfile, torch
    >>> from infoflow.plane import record
    >>> x = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]])
    >>> folder = tempfile.TemporaryDirectory()
    >>> with record(torch.nn.Sequential(torch.nn.Tanh()), x, [0, 0, 1, 1], store=folder.name, name="net") as recorder:
    ...     recorder.snapshot(0)
    >>> plane = analyse(folder.name, ["binning:width=0.5"])
    >>> plane.frame[["layer", "axis", "nats"]].values.tolist()
    [['0', 'input', 0.693], ['0', 'label', 0.693]]
    >>> folder.cleanup()
    """
    measures = [_estimator(each) for each in estimators]
    if not measures:
        raise InvalidArgument("estimators is empty; want at least one")
    names = labels(measures)
    for name, measure in zip(names, measures, strict=True):
        if not callable(getattr(measure, "measure", None)):
            raise InvalidArgument(
                f"estimator {name} has no measure(t, y, x=None), so it can't place a layer in the plane"
            )
    if cache is not None:
        Parts(cache)
    networks = _networks(stores)
    every = [recording for recordings in networks.values() for recording in recordings]
    for recording in every:
        if not recording.epochs:
            raise BrokenStore(f"the recording {str(recording.store)!r} holds no complete snapshot; record one first")
    choices: dict[str, Iterable[Any] | None] = {"layer": layers, "epoch": epochs, "probe": probes, "seed": seeds}
    wanted = {what: None if choice is None else list(choice) for what, choice in choices.items()}
    for what, choice in wanted.items():
        known = dict.fromkeys(option for recording in every for option in _holds(recording)[what])
        for one in choice or ():
            if one not in known:
                raise UnknownName(what, one, map(str, known))

    # A run's range is asked for at every snapshot, and is the same each time.
    span = functools.cache(_span)
    tasks = []
    for network, recordings in networks.items():
        for recording in recordings:
            part = {what: _chosen(options, wanted[what]) for what, options in _holds(recording).items()}
            if not all(part.values()):
                continue
            for probe in part["probe"]:
                for epoch in part["epoch"]:
                    groups = {
                        seed: _groups(dict(zip(names, measures, strict=True)), recording, probe, epoch, seed, span)
                        for seed in part["seed"]
                    }
                    tasks.append(
                        _Task(
                            network,
                            recording.only(epoch),
                            probe,
                            epoch,
                            part["layer"],
                            part["seed"],
                            groups,
                            None if cache is None else str(Path(cache).absolute()),
                        )
                    )
    if not tasks:
        raise InvalidArgument("there is nothing to analyse: no recorded snapshot has all that was chosen")
    frame = _sorted(pd.concat(_run(tasks, n_jobs, progress), ignore_index=True), list(networks), every, names)
    return Plane(frame, _metrics(networks, frame), _provenance(networks, names, measures))


def _networks(stores: Any) -> dict[str, list[Recording]]:
    """The recordings by the network's name."""
    if not isinstance(stores, Mapping):
        recording = stores if isinstance(stores, Recording) else Recording(stores)
        return {recording.name: [recording]}
    networks: dict[str, list[Recording]] = {}
    for name, value in stores.items():
        sources = value if isinstance(value, list | tuple) else [value]
        recordings = [source if isinstance(source, Recording) else Recording(source) for source in sources]
        if not recordings:
            raise InvalidArgument(f"network {name!r} has no recordings")
        if any(recording.layers != recordings[0].layers for recording in recordings):
            raise InvalidArgument(f"the recordings of network {name!r} have different layers; want the same")
        seeds = [seed for recording in recordings for seed in recording.seeds]
        if len(set(seeds)) < len(seeds):
            raise InvalidArgument(
                f"the recordings of network {name!r} have the seeds {seeds}; want each once (record(..., seeds=1))"
            )
        networks[str(name)] = recordings
    if not networks:
        raise InvalidArgument("stores is empty; want at least one recording")
    return networks


def _holds(recording: Recording) -> dict[str, list[Any]]:
    return {
        "layer": recording.layers,
        "epoch": recording.epochs,
        "probe": recording.probes,
        "seed": recording.seeds,
    }


def _chosen(options: list[Any], wanted: list[Any] | None) -> list[Any]:
    return options if wanted is None else [option for option in options if option in wanted]


def _estimator(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    from infoflow.estimators.registry import parse

    return parse(value)


def _span(recording: Recording, probe: str, seed: int, epoch: int | None) -> tuple[float, float]:
    """The range of all recorded layers at a snapshot, or (None) in the whole run."""
    epochs = recording.epochs if epoch is None else [epoch]
    ranges = [recording.range(each, layer, seed, probe) for each in epochs for layer in recording.layers]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _groups(
    measures: Mapping[str, Any],
    recording: Recording,
    probe: str,
    epoch: int,
    seed: int,
    span: Callable[[Recording, str, int, int | None], tuple[float, float]],
) -> list[_Group]:
    """The estimators with their ranges set, those that share a pass together."""
    groups: dict[Any, dict[str, Any]] = {}
    for name, measure in measures.items():
        scope = getattr(measure, "scope", None)
        if scope in _WIDE_SCOPES and hasattr(measure, "with_range") and getattr(measure, "low", None) is None:
            measure = measure.with_range(*span(recording, probe, seed, None if scope == "run" else epoch))
        key = type(measure) if hasattr(measure, "measure_many") else name
        groups.setdefault(key, {})[name] = measure
    return [_Group(members) for members in groups.values()]


def _run(tasks: list[_Task], n_jobs: int | None, progress: bool) -> list[pd.DataFrame]:
    """The tables of all tasks, in their order, whichever workers are lost on the way."""
    done: dict[int, pd.DataFrame] = {}
    losses = 0
    with tqdm(total=len(tasks), desc="estimating", unit="snapshot", disable=not progress) as bar:
        while len(done) < len(tasks):
            before = len(done)
            left = [index for index in range(len(tasks)) if index not in done]
            try:
                for index, table in _workers(n_jobs)(joblib.delayed(_numbered)(index, tasks[index]) for index in left):
                    done[index] = table
                    bar.update()
            except BrokenProcessPool as error:
                losses = losses + 1 if len(done) == before else 1
                if losses > _LOSSES:
                    error.add_note("give cache= a folder, and the next call goes on from what is done")
                    raise
                log.warning("workers were lost after %d of %d snapshots; going on with the rest", len(done), len(tasks))
    return [done[index] for index in range(len(tasks))]


def _workers(n_jobs: int | None) -> Any:
    """joblib's workers, whose results come as they are done, so that they are kept when a worker dies."""
    try:
        return joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    except ValueError:  # Ray's can't: all at the end
        return joblib.Parallel(n_jobs=n_jobs)


def _numbered(index: int, task: _Task) -> tuple[int, pd.DataFrame]:
    return index, _analysed(task)


def _analysed(task: _Task) -> pd.DataFrame:
    """The rows of one snapshot."""
    parts = None if task.cache is None else Parts(task.cache)
    tables = []
    for index in range(len(next(iter(task.groups.values())))):
        groups = {seed: task.groups[seed][index] for seed in task.seeds}
        key = _key(task, groups)
        table = None if parts is None else parts.get(key)
        if table is None:
            table = pd.DataFrame(_measured(task, groups), columns=list(COLUMNS))
            if parts is not None:
                parts.put(key, table)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _key(task: _Task, groups: Mapping[int, _Group]) -> Any:
    """Everything that the rows depend on."""
    recording = task.recording
    return {
        "infoflow": __version__,
        "network": task.network,
        "probe": [task.probe, recording.probe_digest(task.probe)],
        "epoch": task.epoch,
        "layers": [
            [recording.layers.index(layer), layer, recording.digest(task.epoch, layer, task.probe)]
            for layer in task.layers
        ],
        "seeds": recording.seeds,
        "estimators": {
            str(seed): [[name, description(each)] for name, each in group.members.items()]
            for seed, group in groups.items()
        },
    }


def _measured(task: _Task, groups: Mapping[int, _Group]) -> list[dict[str, Any]]:
    recording = task.recording
    x, y = recording.inputs(task.probe), recording.labels(task.probe)
    rows = []
    for layer in task.layers:
        activations = recording.activations(task.epoch, layer, task.probe)
        for seed in task.seeds:
            where = f"network {task.network!r}, probe {task.probe!r}, layer {layer!r}, epoch {task.epoch}, seed {seed}"
            t = activations[recording.seeds.index(seed)]
            for name, information in _information(groups[seed], t, y, x, where).items():
                for axis, estimate in zip(("input", "label"), information, strict=True):
                    rows.append(
                        {
                            "network": task.network,
                            "probe": task.probe,
                            "layer": layer,
                            "depth": recording.layers.index(layer),
                            "seed": seed,
                            "epoch": task.epoch,
                            "estimator": name,
                            "axis": axis,
                            **_columns(estimate),
                        }
                    )
        del activations, t  # before the next are read
    return rows


def _information(group: _Group, t: Array, y: Array, x: Array, where: str) -> dict[str, LayerInformation]:
    measures = list(group.members.values())
    try:
        if group.together:
            found = list(type(measures[0]).measure_many(measures, t, y))
        else:
            found = [measure.measure(t, y, x) for measure in measures]
    except (InfoflowError, ValueError, ArithmeticError) as error:
        kind = DidNotConverge if isinstance(error, DidNotConverge) else InvalidArgument
        raise kind(f"{', '.join(group.members)} failed on {where}: {error}") from error
    except Exception as error:
        error.add_note(f"in {', '.join(group.members)} on {where}")
        raise
    return dict(zip(group.members, found, strict=True))


def _columns(estimate: Estimate) -> dict[str, Any]:
    interval = estimate.interval
    return {
        "quantity": estimate.quantity,
        "kind": str(estimate.kind),
        "nats": float(estimate.nats),
        "ceiling": float(estimate.ceiling),
        "ceiling_name": estimate.ceiling_name,
        "saturated": estimate.saturated,
        "low": float("nan") if interval is None else interval.low,
        "high": float("nan") if interval is None else interval.high,
        "spans": "" if interval is None else interval.spans,
        "n": estimate.n,
        "warnings": "; ".join(estimate.warnings),
    }


def _sorted(frame: pd.DataFrame, networks: list[str], recordings: list[Recording], names: list[str]) -> pd.DataFrame:
    """In an order that doesn't depend on how the work was cut: network, probe, estimator, depth, seed, epoch, axis."""
    probes = list(dict.fromkeys(probe for recording in recordings for probe in recording.probes))
    keys = [
        frame["network"].map(networks.index),
        frame["probe"].map(probes.index),
        frame["estimator"].map(names.index),
        frame["depth"],
        frame["seed"],
        frame["epoch"],
        frame["axis"],
    ]
    order = np.lexsort([key.to_numpy() for key in reversed(keys)])
    return frame.iloc[order].reset_index(drop=True)


def _metrics(networks: Mapping[str, list[Recording]], frame: pd.DataFrame) -> pd.DataFrame:
    """The recorded metrics of the seeds and epochs that were analyzed."""
    tables = []
    for network, recordings in networks.items():
        rows = frame[frame["network"] == network]
        for recording in recordings:
            table = recording.metrics
            table.insert(0, "network", network)
            tables.append(table[table["seed"].isin(rows["seed"]) & table["epoch"].isin(rows["epoch"])])
    return pd.concat(tables, ignore_index=True)


def _provenance(networks: Mapping[str, list[Recording]], names: list[str], measures: list[Any]) -> dict[str, Any]:
    def described(recording: Recording) -> dict[str, Any]:
        return {
            "name": recording.name,
            "layers": recording.layers,
            "seeds": recording.seeds,
            "chain": recording.chain,
            "snapshots": len(recording.epochs),
            "probes": {
                probe: {
                    "n": len(labels_of),
                    "label_entropy": float(discrete.plug_in(np.unique(labels_of, return_counts=True)[1])),
                }
                for probe in recording.probes
                for labels_of in [recording.labels(probe)]
            },
            **recording.provenance,
        }

    return {
        "analysis": machine(),
        "estimators": dict(zip(names, map(description, measures), strict=True)),
        "promise_data_processing": [
            name
            for name, measure in zip(names, measures, strict=True)
            if getattr(measure, "promises_data_processing", False)
        ],
        "recordings": {
            network: described(recordings[0])
            if len(recordings) == 1
            else {"parts": [described(recording) for recording in recordings]}
            for network, recordings in networks.items()
        },
    }
