"""A stored recording, for reading."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd

from infoflow.core.errors import UnknownName
from infoflow.plane.array_files import Array, Stored
from infoflow.plane.store import Location, RecordingStore, Snapshot


class Recording:
    """A recording that `infoflow.plane.record` wrote: activations on fixed probe sets through training.

    Parameters
    ----------
    store
        Folder or fsspec URL of the recording.
    discard_damaged
        Leave out the snapshots that are damaged; they are an error otherwise. Nothing is deleted.

    Raises
    ------
    MissingData
        If the location is empty or missing.
    BrokenStore
        If it holds something else, or a recording that is incomplete, damaged or of another version.
    UnknownName
        From its methods, for a layer, probe, epoch or seed that was not recorded.

    Notes
    -----
    Only the snapshots that were complete when it was opened are visible. Activations are read on request, and checked
    against the digest that was stored with them.

    Examples
    --------
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

    def __init__(self, store: Location, *, discard_damaged: bool = False) -> None:
        self.store = store
        self._store = RecordingStore(store, read_only=True)
        self._store.load()
        self._header = self._store.header
        self._snapshots = self._store.snapshots(discard_damaged=discard_damaged)

    @property
    def name(self) -> str:
        """Name of the network."""
        return self._header.name

    @property
    def layers(self) -> list[str]:
        """Names of the layers, in the order of their depth."""
        return list(self._header.layers)

    @property
    def epochs(self) -> list[int]:
        """Epochs of the snapshots, in order."""
        return list(self._snapshots)

    @property
    def left_out(self) -> dict[int, str]:
        """Epochs of damaged snapshots that `discard_damaged` left out, and what is wrong with each."""
        return dict(self._store.left_out)

    @property
    def seeds(self) -> list[int]:
        """Seeds of the networks that were recorded together."""
        return list(self._header.seeds)

    @property
    def probes(self) -> list[str]:
        """Names of the probe sets."""
        return list(self._header.probes)

    @property
    def chain(self) -> bool:
        """Whether each layer is known to depend on the one before it alone, so that data processing applies."""
        return self._header.chain

    @property
    def provenance(self) -> dict[str, Any]:
        """Versions, platform, device and time of the recording; under "user" what the user added."""
        return dict(self._header.provenance)

    @property
    def metrics(self) -> pd.DataFrame:
        """Metrics that were passed with the snapshots: columns seed, epoch, metric and value."""
        rows = [
            (seed, snapshot.epoch, metric, value)
            for snapshot in self._snapshots.values()
            for metric, values in snapshot.metrics.items()
            for seed, value in zip(self.seeds, values, strict=True)
        ]
        columns = {"seed": "int64", "epoch": "int64", "metric": "str", "value": "float64"}
        return pd.DataFrame(rows, columns=list(columns)).astype(columns)

    def inputs(self, probe: str | None = None) -> Array:
        """Inputs of a probe, shape (n, ...).

        Parameters
        ----------
        probe
            Name of the probe; may be omitted where there is only one.

        Returns
        -------
        numpy.ndarray
            The inputs as they were passed to `record`.
        """
        return self._store.probe(self._probe(probe))[0]

    def labels(self, probe: str | None = None) -> Array:
        """Classes of a probe, shape (n,).

        Parameters
        ----------
        probe
            Name of the probe; may be omitted where there is only one.

        Returns
        -------
        numpy.ndarray
            Integers.
        """
        return self._store.probe(self._probe(probe))[1]

    def activations(self, epoch: int, layer: str, probe: str | None = None) -> Array:
        """Activations of a layer at a snapshot, shape (seeds, n, d).

        Parameters
        ----------
        epoch
            Epoch of the snapshot.
        layer
            Name of the layer.
        probe
            Name of the probe; may be omitted where there is only one.

        Returns
        -------
        numpy.ndarray
            The activations.

        Raises
        ------
        BrokenStore
            If they differ from what was recorded.
        """
        stored = self._stored(epoch, layer, probe)[0]
        return self._store.activations(stored, self._probe(probe), layer)

    def range(self, epoch: int, layer: str, seed: int, probe: str | None = None) -> tuple[float, float]:
        """The least and the greatest activation of a layer at a snapshot, without reading the activations.

        Parameters
        ----------
        epoch
            Epoch of the snapshot.
        layer
            Name of the layer.
        seed
            Seed of the network.
        probe
            Name of the probe; may be omitted where there is only one.

        Returns
        -------
        tuple of float
            Least and greatest activation.
        """
        stored = self._stored(epoch, layer, probe)[1]
        member = self.seeds.index(_known("seed", seed, self.seeds))
        return stored.low[member], stored.high[member]

    def digest(self, epoch: int, layer: str, probe: str | None = None) -> str:
        """A text that changes when the stored activations of a layer change, without reading them."""
        return self._stored(epoch, layer, probe)[1].digest

    def probe_digest(self, probe: str | None = None) -> str:
        """A text that changes when the inputs or labels of a probe change, without reading them."""
        return self._header.probes[self._probe(probe)].digest

    def only(self, epoch: int) -> Recording:
        """The same recording with this snapshot alone, which is small to send to another process."""
        part = copy.copy(self)
        part._snapshots = {epoch: self._snapshots[_known("epoch", epoch, self.epochs)]}
        return part

    def __repr__(self) -> str:
        counts = {"layer": len(self.layers), "seed": len(self.seeds), "snapshot": len(self.epochs)}
        counted = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items())
        probes = f"probe{'s' * (len(self.probes) != 1)} {', '.join(self.probes)}"
        return f"Recording({self._store.name!r}: {self.name}, {counted}, {probes})"

    def _probe(self, name: str | None) -> str:
        only = self.probes[0] if len(self.probes) == 1 else None
        return str(_known("probe", only if name is None else name, self.probes))

    def _stored(self, epoch: int, layer: str, probe: str | None) -> tuple[Snapshot, Stored]:
        """The snapshot, and what is known of one of its layers."""
        snapshot = self._snapshots[_known("epoch", epoch, self.epochs)]
        return snapshot, snapshot.layers[self._probe(probe)][_known("layer", layer, self.layers)]


def as_recording(source: Recording | Location) -> Recording:
    """The recording itself, or the one at this location."""
    return source if isinstance(source, Recording) else Recording(source)


def _known(what: str, value: Any, options: list[Any]) -> Any:
    if value not in options:
        raise UnknownName(what, value, map(str, options))
    return value
