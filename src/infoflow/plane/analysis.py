"""From recordings to the plane: every estimator on every layer of every snapshot."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from infoflow.core.errors import BrokenStore, InvalidArgument, UnknownName
from infoflow.core.provenance import machine
from infoflow.entropies import discrete
from infoflow.plane.naming import description, display_names
from infoflow.plane.placing import all_placed
from infoflow.plane.plane import Plane
from infoflow.plane.recording import Recording, as_recording
from infoflow.plane.snapshot_estimates import SnapshotTask, tables
from infoflow.plane.store import Location
from infoflow.plane.table_cache import TableCache

Source: TypeAlias = "Location | Recording"
Span: TypeAlias = Callable[[Recording, str, int, "int | None"], tuple[float, float]]

# Ranges over more than one layer, which an estimator's `scope` may require.
_WIDE_SCOPES = ("epoch", "run")


def analyse(
    stores: Source | Sequence[Source] | Mapping[str, Source | Sequence[Source]],
    estimators: Any = ("binning", "kernel-density"),
    *,
    layers: Sequence[str] | None = None,
    epochs: Iterable[int] | None = None,
    probes: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    n_jobs: int | None = None,
    progress: bool = False,
    cache: str | os.PathLike[str] | None = None,
) -> Plane:
    """Estimate I(X;T) and I(T;Y) for every recorded layer, snapshot, probe and seed with every estimator.

    Parameters
    ----------
    stores
        A recording (folder, URL or `Recording`); a list of recordings, where those of one name are one network
        recorded with different seeds; or a mapping from names of networks to recordings or lists of them.
    estimators
        One or several: texts such as "binning:width=0.5", or objects with
        `measure(t, y, x=None) -> LayerInformation`. Estimators of I(T;Y) alone ("auto", "class-neighbors",
        "classifier-bound", "mixed", and objects of your own with `estimate(t, y)`) fill the label axis, and their
        plane shows I(T;Y) by depth.
    layers
        Layers to analyze; None for all.
    epochs
        Epochs to analyze; None for all.
    probes
        Probes to analyze; None for all.
    seeds
        Seeds to analyze; None for all.
    n_jobs
        Number of joblib's workers; None for what `joblib.parallel_config` sets around the call, else one.
    progress
        Show a progress bar.
    cache
        Folder for finished tables. An interrupted analysis continues from there with the same result; a table is
        computed again when the recording, an estimator's settings or the version of infoflow change.

    Returns
    -------
    Plane
        All estimates, in nats.

    Raises
    ------
    MissingData
        If a recording does not exist.
    BrokenStore
        If a recording is damaged, or holds no snapshot.
    UnknownName
        If a layer, epoch, probe, seed or estimator does not exist.
    InvalidArgument
        If an estimator cannot measure layers, or fails; the message names network, probe, layer, epoch and seed.

    Notes
    -----
    Each worker has one snapshot of one probe at a time. On a Dask or Ray cluster (through `joblib.parallel_config`),
    workers must reach recordings and cache under the same name. Tasks of lost workers, killed for their memory for
    example, are repeated by others. Estimators whose class has `measure_many` share one pass over the data. An
    estimator with `scope` "epoch" or "run" gets the range of all recorded layers of that snapshot, or of the whole
    run, for each probe and seed, through `with_range`.

    Examples
    --------
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
    chosen = all_placed(estimators)
    named = dict(zip(display_names(chosen), chosen, strict=True))
    tables_of = None if cache is None else TableCache(cache)
    networks = _networks(stores)
    recordings = [recording for members in networks.values() for recording in members]
    selection = _selection(recordings, {"layer": layers, "epoch": epochs, "probe": probes, "seed": seeds})
    span = functools.cache(_span)  # a run's range is requested at every snapshot, and always the same
    tasks = [
        SnapshotTask(
            network,
            recording.only(epoch),
            probe,
            epoch,
            part["layer"],
            part["seed"],
            {seed: _with_ranges(named, recording, probe, epoch, seed, span) for seed in part["seed"]},
            tables_of,
        )
        for network, members in networks.items()
        for recording in members
        if all((part := _held(recording, selection)).values())
        for probe in part["probe"]
        for epoch in part["epoch"]
    ]
    if not tasks:
        raise InvalidArgument("Nothing to analyze: no recorded snapshot holds all that was selected.")
    frame = pd.concat(tables(tasks, n_jobs, progress), ignore_index=True)
    order = {
        "network": list(networks),
        "probe": list(dict.fromkeys(probe for recording in recordings for probe in recording.probes)),
        "estimator": list(named),
    }
    frame = frame.sort_values(
        ["network", "probe", "estimator", "depth", "seed", "epoch", "axis"],
        key=lambda column: column.map(order[column.name].index) if column.name in order else column,
        ignore_index=True,
    )
    return Plane(frame, _metrics(networks, frame), _provenance(networks, named))


def _networks(stores: Any) -> dict[str, list[Recording]]:
    """The recordings by the network's name."""
    if not isinstance(stores, Mapping):
        listed = [as_recording(source) for source in (stores if isinstance(stores, list | tuple) else [stores])]
        stores = {one.name: [other for other in listed if other.name == one.name] for one in listed}
    networks: dict[str, list[Recording]] = {}
    for name, value in stores.items():
        recordings = [as_recording(source) for source in (value if isinstance(value, list | tuple) else [value])]
        if not recordings:
            raise InvalidArgument("stores", "at least one recording per network", got_text=f"none for {name!r}")
        if any(recording.layers != recordings[0].layers for recording in recordings):
            raise InvalidArgument(f"The recordings of network {name!r} must have the same layers.")
        seeds = [seed for recording in recordings for seed in recording.seeds]
        if len(set(seeds)) < len(seeds):
            raise InvalidArgument(
                f"The recordings of network {name!r} must have different seeds, got {seeds}. "
                "Set them by record(..., seeds=1)."
            )
        networks[str(name)] = recordings
    if not networks:
        raise InvalidArgument("stores", "at least one recording", got_text="none")
    return networks


def _options(recording: Recording) -> dict[str, list[Any]]:
    return {name: getattr(recording, f"{name}s") for name in ("layer", "epoch", "probe", "seed")}


def _selection(recordings: list[Recording], choices: Mapping[str, Iterable[Any] | None]) -> dict[str, list[Any] | None]:
    """The choices as lists, once every recording has snapshots and every choice exists in some recording."""
    for recording in recordings:
        if not recording.epochs:
            raise BrokenStore(f"The recording {str(recording.store)!r} holds no complete snapshot. Record one first.")
    selection = {name: None if choice is None else list(choice) for name, choice in choices.items()}
    for name, choice in selection.items():
        known = dict.fromkeys(option for recording in recordings for option in _options(recording)[name])
        for one in choice or ():
            if one not in known:
                raise UnknownName(name, one, map(str, known))
    return selection


def _held(recording: Recording, selection: Mapping[str, list[Any] | None]) -> dict[str, list[Any]]:
    """What the recording holds of the selection."""
    return {
        name: [option for option in options if (wanted := selection[name]) is None or option in wanted]
        for name, options in _options(recording).items()
    }


def _span(recording: Recording, probe: str, seed: int, epoch: int | None) -> tuple[float, float]:
    """The range of all recorded layers at a snapshot, or in the whole run (None)."""
    epochs = recording.epochs if epoch is None else [epoch]
    ranges = [recording.range(each, layer, seed, probe) for each in epochs for layer in recording.layers]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _with_ranges(
    estimators: Mapping[str, Any], recording: Recording, probe: str, epoch: int, seed: int, span: Span
) -> dict[str, Any]:
    """The estimators, with the range set of those whose scope is wider than a layer."""
    found = dict(estimators)
    for name, estimator in estimators.items():
        scope = getattr(estimator, "scope", None)
        if scope in _WIDE_SCOPES and estimator.low is None:
            found[name] = estimator.with_range(*span(recording, probe, seed, None if scope == "run" else epoch))
    return found


def _metrics(networks: Mapping[str, list[Recording]], frame: pd.DataFrame) -> pd.DataFrame:
    """The recorded metrics of the seeds and epochs that were analyzed."""
    found = []
    for network, recordings in networks.items():
        rows = frame[frame["network"] == network]
        for recording in recordings:
            table = recording.metrics.assign(network=network)
            found.append(table[table["seed"].isin(rows["seed"]) & table["epoch"].isin(rows["epoch"])])
    return pd.concat(found, ignore_index=True)


def _provenance(networks: Mapping[str, list[Recording]], estimators: Mapping[str, Any]) -> dict[str, Any]:
    described = {network: [_described(each) for each in recordings] for network, recordings in networks.items()}
    return {
        "analysis": machine(),
        "estimators": {name: description(each) for name, each in estimators.items()},
        "promise_data_processing": [
            name for name, each in estimators.items() if getattr(each, "promises_data_processing", False)
        ],
        "recordings": {name: parts[0] if len(parts) == 1 else {"parts": parts} for name, parts in described.items()},
    }


def _described(recording: Recording) -> dict[str, Any]:
    classes = {probe: np.unique(recording.labels(probe), return_counts=True)[1] for probe in recording.probes}
    return {
        "name": recording.name,
        "layers": recording.layers,
        "seeds": recording.seeds,
        "chain": recording.chain,
        "snapshots": len(recording.epochs),
        **({"left_out": {str(epoch): why for epoch, why in recording.left_out.items()}} if recording.left_out else {}),
        "probes": {
            probe: {"n": int(counts.sum()), "label_entropy": float(discrete.plug_in(counts))}
            for probe, counts in classes.items()
        },
        **recording.provenance,
    }
