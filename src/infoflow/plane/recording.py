"""Reads a recording."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd

from infoflow.core.errors import UnknownName
from infoflow.plane.store import Array, Location, RecordingStore, Snapshot


class Recording:
    """A recording that `infoflow.plane.record` wrote: activations of a fixed probe set through training.

    `store` is its folder or fsspec URL. Only complete snapshots are seen, those that were there when it was opened;
    activations are read when they are asked for, and checked against the digest that was stored with them.

    Raises MissingData when nothing is there, BrokenStore when it is half-written, damaged, foreign or of another
    version, UnknownName for layers, probes and epochs that it doesn't hold. `infoflow.plane.record` has an example.

    >>> import tempfile, torch
    >>> from infoflow.models import MLP
    >>> from infoflow.plane import record
    >>> folder = tempfile.TemporaryDirectory()
    >>> with record(MLP([2, 3, 2], "tanh", seed=0), torch.eye(2), [0, 1], store=folder.name + "/run") as recorder:
    ...     recorder.snapshot(0)
    >>> Recording(folder.name + "/run").activations(0, "tanh1").shape  # seeds, samples, units
    (1, 2, 3)
    >>> folder.cleanup()
    """

    def __init__(self, store: Location) -> None:
        self.store = store
        self._archive = RecordingStore(store, read_only=True)
        self._header = self._archive.header()
        self._snapshots = self._archive.snapshots(self._header)

    @property
    def name(self) -> str:
        """The network's name."""
        return self._header.name

    @property
    def layers(self) -> list[str]:
        """The layers' names, in the order of their depth."""
        return list(self._header.layers)

    @property
    def epochs(self) -> list[int]:
        """The epochs of the snapshots, in order."""
        return list(self._snapshots)

    @property
    def seeds(self) -> list[int]:
        """The seeds of the networks that were recorded side by side."""
        return list(self._header.seeds)

    @property
    def probes(self) -> list[str]:
        """The probes' names."""
        return list(self._header.probes)

    @property
    def chain(self) -> bool:
        """Whether each layer is known to be computed from the one before it alone, so that data processing applies."""
        return self._header.chain

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, platform, device and time of the recording; what the user added is under "user"."""
        return dict(self._header.provenance)

    @property
    def metrics(self) -> pd.DataFrame:
        """The metrics that were given with the snapshots: columns seed, epoch, metric, value."""
        rows = [
            (seed, snapshot.epoch, metric, value)
            for snapshot in self._snapshots.values()
            for metric, values in snapshot.metrics.items()
            for seed, value in zip(self.seeds, values, strict=True)
        ]
        columns = {"seed": "int64", "epoch": "int64", "metric": "str", "value": "float64"}
        return pd.DataFrame(rows, columns=list(columns)).astype(columns)

    def inputs(self, probe: str | None = None) -> Array:
        """The probe's inputs as they were given, shape (n, ...); `probe` may be left out when there is only one."""
        return self._archive.probe(self._header, self._probe(probe))[0]

    def labels(self, probe: str | None = None) -> Array:
        """The probe's classes, shape (n,)."""
        return self._archive.probe(self._header, self._probe(probe))[1]

    def activations(self, epoch: int, layer: str, probe: str | None = None) -> Array:
        """A layer's activations at a snapshot, shape (seeds, n, d)."""
        name = self._probe(probe)
        return self._archive.activations(self._header, self._snapshot(epoch), name, self._layer(layer))

    def range(self, epoch: int, layer: str, seed: int, probe: str | None = None) -> tuple[float, float]:
        """The least and the greatest activation of a layer at a snapshot, without reading the activations."""
        stored = self._snapshot(epoch).layers[self._probe(probe)][self._layer(layer)]
        if seed not in self._header.seeds:
            raise UnknownName("seed", seed, map(str, self.seeds))
        member = self._header.seeds.index(seed)
        return stored.low[member], stored.high[member]

    def digest(self, epoch: int, layer: str, probe: str | None = None) -> str:
        """What changes when the stored activations of a layer change, without reading them."""
        return self._snapshot(epoch).layers[self._probe(probe)][self._layer(layer)].digest

    def probe_digest(self, probe: str | None = None) -> str:
        """What differs when a probe's inputs or labels differ, without reading them."""
        return str(self._header.probes[self._probe(probe)]["digest"])

    def only(self, epoch: int) -> Recording:
        """The same recording with this snapshot alone: little to send to another process."""
        part = copy.copy(self)
        part._snapshots = {epoch: self._snapshot(epoch)}
        return part

    def __repr__(self) -> str:
        return (
            f"Recording({self._archive.name!r}: {self.name}, {len(self.layers)} layers, {len(self.seeds)} seeds, "
            f"{len(self.epochs)} snapshots, probes {', '.join(self.probes)})"
        )

    def _probe(self, name: str | None) -> str:
        if name is None and len(self._header.probes) == 1:
            return next(iter(self._header.probes))
        if name not in self._header.probes:
            raise UnknownName("probe", name, self._header.probes)
        return name

    def _layer(self, name: str) -> str:
        if name not in self._header.layers:
            raise UnknownName("layer", name, self._header.layers)
        return name

    def _snapshot(self, epoch: int) -> Snapshot:
        if epoch not in self._snapshots:
            raise UnknownName("epoch", epoch, map(str, self._snapshots))
        return self._snapshots[epoch]
