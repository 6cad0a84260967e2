"""The Zarr store (format 3) of a recording, in which every snapshot is complete or absent.

    zarr.json                        attributes: format, version, name, layers, seeds, probes, provenance, ...
    probes/PROBE/{inputs,labels}     the fixed probe sets
    snapshots/EPOCH.REVISION/        attributes: complete, epoch, metrics, ranges and digests of the arrays
    snapshots/EPOCH.REVISION/PROBE/LAYER    activations of shape (seeds, n, d)

The attributes of the root and of a snapshot are written last, each in one file that is replaced at once: an interrupted
snapshot has none and is ignored. Recording an epoch again writes a new revision, and deletes the old one afterwards.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData
from infoflow.plane.array_files import Array, Digest, LayerWriter, Stored, digest, write_array

Location: TypeAlias = str | os.PathLike[str] | Store

FORMAT = "infoflow-recording"
VERSION = 2
_ROOT_ENTRIES = {"zarr.json", "probes", "snapshots"}
_SNAPSHOT = re.compile(r"(\d+)\.(\d+)")
_THREADS = 4


@dataclass(frozen=True)
class Header:
    """What holds for a whole recording; stored as the root's attributes."""

    name: str
    layers: list[str]
    seeds: list[int]
    probes: dict[str, dict[str, Any]]
    """Probe name -> {"n": samples, "digest": of inputs and labels}."""
    maps: str
    stacked: bool
    chain: bool
    """Whether each layer is known to be computed from the one before it alone."""
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """A complete snapshot, without its activations."""

    epoch: int
    revision: int
    metrics: dict[str, list[float]]
    layers: dict[str, dict[str, Stored]]
    """Probe name -> layer name -> what is stored."""


class RecordingStore:
    """Reads and writes the format above, independent of models and estimators."""

    header: Header
    """Set by `load` and `create`."""

    def __init__(self, location: Location, *, read_only: bool) -> None:
        self.name = location if isinstance(location, str) else str(location)
        self._store = _open(location, read_only=read_only)

    def state(self) -> Literal["absent", "complete", "interrupted", "foreign"]:
        """What the location holds; "interrupted" is a recording that was begun and never got its header."""
        try:
            entries = {entry for entry in _listed(self._store, "") if not entry.endswith(".partial")}
        except NotADirectoryError:
            return "foreign"
        if not entries:
            return "absent"
        attributes = self._attributes("") if "zarr.json" in entries else None
        if attributes and attributes.get("format") == FORMAT:
            return "complete"
        return "interrupted" if entries <= _ROOT_ENTRIES and not attributes else "foreign"

    def load(self) -> None:
        """Read the header; MissingData where nothing is, BrokenStore for anything but a recording of this version."""
        state = self.state()
        if state == "absent":
            raise MissingData(f"No recording at {self.name!r}: the location is empty or missing.")
        if state == "foreign":
            raise BrokenStore(f"{self.name!r} is not a recording of infoflow.")
        if state == "interrupted":
            raise BrokenStore(f"{self.name!r} is an incomplete recording. Record again with resume=True.")
        attributes = self._attributes("") or {}
        if attributes.get("version") != VERSION:
            raise BrokenStore(
                f"{self.name!r} must be a recording of version {VERSION}, got version {attributes.get('version')!r}."
            )
        try:
            self.header = Header(**{part.name: attributes[part.name] for part in fields(Header)})
        except KeyError as error:
            raise BrokenStore(f"The header of the recording {self.name!r} lacks {error}.") from None

    def create(self, header: Header, probes: Mapping[str, tuple[Array, Array]]) -> None:
        """Begin a recording; an earlier one is deleted."""
        if self.state() != "absent":
            # Without the root's attributes the rest is ignored, however far the deletion gets.
            sync(self._store.delete("zarr.json"))
            sync(self._store.delete_dir("snapshots"))
            sync(self._store.delete_dir("probes"))
        root = zarr.create_group(self._store, zarr_format=3)
        folder = root.create_group("probes")
        for index, (name, (inputs, labels)) in enumerate(probes.items()):
            probe = folder.create_group(_key(index, name))
            write_array(probe, "inputs", inputs)
            write_array(probe, "labels", labels)
        root.create_group("snapshots")
        root.update_attributes({"format": FORMAT, "version": VERSION, **asdict(header)})
        self.header = header

    def snapshots(self) -> dict[int, Snapshot]:
        """The complete snapshots by epoch, in order; of several revisions the newest."""
        found: dict[int, Snapshot] = {}
        for epoch, revision in self._revisions():
            attributes = self._attributes(_folder(epoch, revision))
            if not attributes or not attributes.get("complete"):
                continue
            try:
                layers = {
                    probe: {layer: Stored(**attributes["layers"][probe][layer]) for layer in self.header.layers}
                    for probe in self.header.probes
                }
                metrics = {name: [float(value) for value in values] for name, values in attributes["metrics"].items()}
            except (KeyError, TypeError, ValueError) as error:
                raise BrokenStore(f"Snapshot {epoch} of {self.name!r} is damaged: {error}") from None
            found[epoch] = Snapshot(epoch, revision, metrics, layers)
        return found

    def append(
        self,
        epoch: int,
        slabs: Mapping[str, Iterable[Mapping[str, Array]]],
        metrics: Mapping[str, Sequence[float]],
    ) -> None:
        """Write one snapshot; an earlier one of the same epoch stays until this one is complete.

        `slabs` are each probe's layers (seeds, some samples, d), all but the last of one length. BrokenStore is raised
        where the store is full; earlier snapshots are untouched then, as they are by any exception of `slabs`.
        """
        earlier = [revision for found, revision in self._revisions() if found == epoch]
        revision = max(earlier, default=-1) + 1
        try:
            self._write(epoch, revision, slabs, metrics)
        except BaseException as error:
            # An incomplete snapshot takes space. Deleting it may fail too; without attributes it is ignored, and a
            # resumed recording deletes it.
            with contextlib.suppress(OSError):
                self._delete(epoch, revision)
            if not isinstance(error, OSError):
                raise
            raise BrokenStore(
                f"Epoch {epoch} could not be stored in {self.name!r}: {error}. Earlier snapshots are intact. "
                "Free some space and take the snapshot again, or continue later with resume=True."
            ) from error
        for old in earlier:
            self._delete(epoch, old)

    def _write(
        self,
        epoch: int,
        revision: int,
        slabs: Mapping[str, Iterable[Mapping[str, Array]]],
        metrics: Mapping[str, Sequence[float]],
    ) -> None:
        """Write the arrays, and last the attributes that make them valid."""
        group = zarr.open_group(self._store, path=_folder(epoch, revision), mode="w", zarr_format=3)
        stored: dict[str, dict[str, dict[str, Any]]] = {}
        # Compression and digests release the interpreter, and training waits for both.
        with ThreadPoolExecutor(_THREADS) as threads:
            for probe, facts in self.header.probes.items():
                folder = group.create_group(self._probe_key(probe))
                writers: dict[str, LayerWriter] = {}
                for slab in slabs[probe]:
                    for layer in self.header.layers:
                        if layer not in writers:
                            writers[layer] = LayerWriter(folder, self._layer_key(layer), slab[layer], facts["n"])
                    steps = [(step, slab[layer]) for layer, writer in writers.items() for step in writer.steps]
                    for done in [threads.submit(step, values) for step, values in steps]:
                        done.result()
                stored[probe] = {layer: asdict(writer.stored) for layer, writer in writers.items()}
        numbers = {name: [_json_number(value) for value in values] for name, values in metrics.items()}
        group.update_attributes({"complete": True, "epoch": epoch, "metrics": numbers, "layers": stored})

    def tidy(self) -> None:
        """Delete incomplete snapshots, and revisions that were replaced."""
        current = {(snapshot.epoch, snapshot.revision) for snapshot in self.snapshots().values()}
        for epoch, revision in self._revisions():
            if (epoch, revision) not in current:
                self._delete(epoch, revision)

    def truncate(self, epoch: int) -> list[int]:
        """Delete every snapshot later than `epoch`, and return their epochs."""
        later = [(found, revision) for found, revision in self._revisions() if found > epoch]
        for found, revision in later:
            self._delete(found, revision)
        return sorted({found for found, _ in later})

    def activations(self, snapshot: Snapshot, probe: str, layer: str) -> Array:
        """One layer's activations, shape (seeds, n, d); BrokenStore unless they have the digest that was recorded."""
        path = self._array_path(snapshot, probe, layer)
        values = self._read(path)
        # Zarr reads a missing chunk as zeros; a partly copied recording must not become a constant layer.
        known = Digest(len(values))
        known.add(values)
        if known.text != snapshot.layers[probe][layer].digest:
            raise BrokenStore(f"{path!r} in {self.name!r} is damaged: it differs from what was recorded.")
        return values

    def width(self, snapshot: Snapshot, layer: str) -> tuple[int, ...]:
        """The shape of one layer's activations for one sample."""
        path = self._array_path(snapshot, next(iter(self.header.probes)), layer)
        return tuple(self._array(path).shape[2:])

    def probe(self, name: str) -> tuple[Array, Array]:
        """A probe's inputs and labels; BrokenStore unless they have the digest that was recorded."""
        path = f"probes/{self._probe_key(name)}"
        inputs, labels = self._read(f"{path}/inputs"), self._read(f"{path}/labels")
        if digest(inputs, labels) != self.header.probes[name]["digest"]:
            raise BrokenStore(f"Probe {name!r} in {self.name!r} is damaged: it differs from what was recorded.")
        return inputs, labels

    def _probe_key(self, name: str) -> str:
        return _key(list(self.header.probes).index(name), name)

    def _layer_key(self, name: str) -> str:
        return _key(self.header.layers.index(name), name)

    def _array_path(self, snapshot: Snapshot, probe: str, layer: str) -> str:
        return f"{_folder(snapshot.epoch, snapshot.revision)}/{self._probe_key(probe)}/{self._layer_key(layer)}"

    def _array(self, path: str) -> Any:
        try:
            return zarr.open_array(self._store, path=path, mode="r")
        except (OSError, ValueError, KeyError) as error:
            raise BrokenStore(f"{path!r} in {self.name!r} cannot be read: {error}") from None

    def _read(self, path: str) -> Array:
        array = self._array(path)
        try:
            return np.asarray(array[...])
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise BrokenStore(f"{path!r} in {self.name!r} cannot be read: {error}") from None

    def _attributes(self, path: str) -> dict[str, Any] | None:
        """A group's attributes; None when there is no group, or one that is damaged."""
        try:
            return dict(zarr.open_group(self._store, path=path, mode="r", zarr_format=3).attrs)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        except OSError as error:  # no permission or no network, which does not mean that nothing is stored
            raise BrokenStore(f"{self.name!r} cannot be read: {error}") from None

    def _revisions(self) -> list[tuple[int, int]]:
        """Epoch and revision of every snapshot, complete or not, in order."""
        matches = (_SNAPSHOT.fullmatch(entry) for entry in _listed(self._store, "snapshots"))
        return sorted((int(match[1]), int(match[2])) for match in matches if match)

    def _delete(self, epoch: int, revision: int) -> None:
        path = _folder(epoch, revision)
        # The attributes go first: a half-deleted snapshot must not look complete.
        sync(self._store.delete(f"{path}/zarr.json"))
        sync(self._store.delete_dir(path))


def _open(location: Location, *, read_only: bool) -> Store:
    if isinstance(location, Store):
        return location
    text = os.fspath(location).removeprefix("file://")
    if not text:
        raise InvalidArgument("store", "a folder or a URL", location)
    if "://" not in text:
        path = Path(text)
        if path.exists() and not path.is_dir():
            raise InvalidArgument("store", "a folder or a URL", got_text=f"the file {text!r}")
        return LocalStore(path.absolute(), read_only=read_only)  # a worker may run in another folder
    try:
        return FsspecStore.from_url(text, read_only=read_only)
    except (ImportError, ValueError) as error:  # an unknown protocol, or one whose package is not installed
        raise InvalidArgument("store", "a folder or a URL that fsspec can open", text, remedy=str(error)) from None


def _listed(store: Store, prefix: str) -> list[str]:
    async def collect() -> list[str]:
        names: AsyncIterator[str] = store.list_dir(prefix)
        return [name.rstrip("/") async for name in names]

    return sync(collect())


def _folder(epoch: int, revision: int) -> str:
    return f"snapshots/{epoch:08d}.{revision}"


def _key(index: int, name: str) -> str:
    """A name as a folder: numbered, so that odd or similar names stay different."""
    return f"{index:02d}." + re.sub(r"[^A-Za-z0-9._@-]", "_", name)[:80]


def _json_number(value: float) -> float | str:
    # JSON has no NaN and no infinity, and a diverged loss is worth recording.
    return value if math.isfinite(value) else str(value)
