"""The Zarr store (format 3) that a recording lives in, and how a snapshot in it is complete or absent.

    zarr.json                        attributes: format, version, name, layers, seeds, probes, provenance, ...
    probes/PROBE/{inputs,labels}     the fixed probe sets
    snapshots/EPOCH.REVISION/        attributes: complete, epoch, metrics, ranges and digests of the arrays
    snapshots/EPOCH.REVISION/PROBE/LAYER    activations of shape (seeds, n, d)

The attributes of the root and of a snapshot are written last, each in one file that is replaced at once: what was
interrupted has none and is ignored. Recording an epoch again writes a new revision, and only then deletes the old.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.abc.store import Store
from zarr.codecs import BloscCodec
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData

Location: TypeAlias = "str | os.PathLike[str] | Store"
Array: TypeAlias = NDArray[Any]

FORMAT = "infoflow-recording"
VERSION = 2
_ROOT_ENTRIES = {"zarr.json", "probes", "snapshots"}
_SNAPSHOT = re.compile(r"(\d+)\.(\d+)")

# A chunk is what one read decompresses: whole members, as many as stay small; huge layers are cut by samples.
_CHUNK_BYTES = 4 * 2**20
_LARGEST_CHUNK_BYTES = 64 * 2**20

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
class Stored:
    """One stored layer: its digest, and its least and greatest value for each seed."""

    digest: str
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class Snapshot:
    """A complete snapshot, without its activations."""

    epoch: int
    revision: int
    metrics: dict[str, list[float]]
    layers: dict[str, dict[str, Stored]]
    """Probe name -> layer name -> what is stored."""

    @property
    def path(self) -> str:
        return f"snapshots/{self.epoch:08d}.{self.revision}"


def digest(*arrays: Array) -> str:
    """A digest of the arrays' shapes, types and bytes."""
    state = hashlib.blake2b(digest_size=16)
    for array in arrays:
        state.update(f"{array.shape}{array.dtype.str}".encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


class Digest:
    """A digest of activations (seeds, n, d) that come some samples at a time; how they are cut doesn't change it."""

    def __init__(self, seeds: int) -> None:
        self._members = [hashlib.blake2b(digest_size=16) for _ in range(seeds)]
        self._samples = 0
        self._rest = ""

    def add(self, values: Array) -> None:
        """The next samples."""
        self._samples += values.shape[1]
        self._rest = f"{values.shape[2:]}{values.dtype.str}"
        for state, member in zip(self._members, values, strict=True):
            state.update(np.ascontiguousarray(member).data)

    @property
    def text(self) -> str:
        """In hexadecimal."""
        whole = hashlib.blake2b(f"{len(self._members)} {self._samples} {self._rest}".encode(), digest_size=16)
        for state in self._members:
            whole.update(state.digest())
        return whole.hexdigest()


class RecordingStore:
    """Reads and writes the format above; knows nothing of models or estimators."""

    def __init__(self, location: Location, *, read_only: bool) -> None:
        self.name = location if isinstance(location, str) else str(location)
        self._store = _open(location, read_only=read_only)

    def state(self) -> str:
        """One of "absent", "whole", "half" (begun, and interrupted before anything was recorded), "foreign"."""
        try:
            entries = {entry for entry in _listed(self._store, "") if not entry.endswith(".partial")}
        except NotADirectoryError:
            return "foreign"
        if not entries:
            return "absent"
        attributes = self._attributes("") if "zarr.json" in entries else None
        if attributes and attributes.get("format") == FORMAT:
            return "whole"
        return "half" if entries <= _ROOT_ENTRIES and not attributes else "foreign"

    def header(self) -> Header:
        """The header. Raises MissingData (nothing there) or BrokenStore (foreign, half-written, other version)."""
        state = self.state()
        if state == "absent":
            raise MissingData(f"no recording at {self.name!r}: nothing is there")
        if state == "foreign":
            raise BrokenStore(f"{self.name!r} is not a recording of infoflow")
        if state == "half":
            raise BrokenStore(
                f"{self.name!r} is a half-written recording without snapshots; record again with resume=True"
            )
        attributes = self._attributes("") or {}
        if attributes.get("version") != VERSION:
            raise BrokenStore(
                f"{self.name!r} is a recording of version {attributes.get('version')!r}; want version {VERSION}"
            )
        try:
            return Header(**{part.name: attributes[part.name] for part in fields(Header)})
        except KeyError as error:
            raise BrokenStore(f"the recording {self.name!r} lacks {error} in its header") from None

    def create(self, header: Header, probes: Mapping[str, tuple[Array, Array]]) -> None:
        """Begins a recording; whatever a former one left there is deleted."""
        if self.state() != "absent":
            # Without the root's attributes nothing here counts any more, however far the deletion gets.
            sync(self._store.delete("zarr.json"))
            sync(self._store.delete_dir("snapshots"))
            sync(self._store.delete_dir("probes"))
        root = zarr.create_group(self._store, zarr_format=3)
        folder = root.create_group("probes")
        for index, (name, (inputs, labels)) in enumerate(probes.items()):
            probe = folder.create_group(_key(index, name))
            _write(probe, "inputs", inputs)
            _write(probe, "labels", labels)
        root.create_group("snapshots")
        root.update_attributes({"format": FORMAT, "version": VERSION, **asdict(header)})

    def snapshots(self, header: Header) -> dict[int, Snapshot]:
        """The complete snapshots by epoch, in order; of several revisions the newest."""
        found: dict[int, Snapshot] = {}
        for epoch, revision in self._revisions():
            attributes = self._attributes(f"snapshots/{epoch:08d}.{revision}")
            if not attributes or not attributes.get("complete"):
                continue
            try:
                layers = {
                    probe: {layer: Stored(**attributes["layers"][probe][layer]) for layer in header.layers}
                    for probe in header.probes
                }
                metrics = {name: [float(value) for value in values] for name, values in attributes["metrics"].items()}
            except (KeyError, TypeError, ValueError) as error:
                raise BrokenStore(f"snapshot {epoch} of {self.name!r} is damaged: {error}") from None
            found[epoch] = Snapshot(epoch, revision, metrics, layers)
        return found

    def append(
        self,
        header: Header,
        epoch: int,
        activations: Mapping[str, Iterable[Mapping[str, Array]]],
        metrics: Mapping[str, Sequence[float]],
    ) -> None:
        """Writes one snapshot; an earlier one of the same epoch stays until this one is complete.

        `activations` are each probe's layers, (seeds, some samples, d) at a time, all but the last of one length.

        Raises BrokenStore where the store takes no more (a full disk): what was recorded before is untouched, as it is
        by whatever `activations` raises.
        """
        earlier = [revision for found, revision in self._revisions() if found == epoch]
        snapshot = Snapshot(epoch, max(earlier, default=-1) + 1, {}, {})
        try:
            self._write(header, snapshot, activations, metrics)
        except BaseException as error:
            # What was half written is in the way of what would still fit. Deleting may fail as well, or leave what is
            # written meanwhile; without attributes it counts for nothing, and a resumed recording deletes it.
            with contextlib.suppress(OSError):
                self._delete(epoch, snapshot.revision)
            if not isinstance(error, OSError):
                raise
            raise BrokenStore(
                f"epoch {epoch} could not be stored in {self.name!r}: {error}. What was recorded before is kept; make "
                "room and take the snapshot again, or go on later with resume=True"
            ) from error
        for revision in earlier:
            self._delete(epoch, revision)

    def _write(
        self,
        header: Header,
        snapshot: Snapshot,
        activations: Mapping[str, Iterable[Mapping[str, Array]]],
        metrics: Mapping[str, Sequence[float]],
    ) -> None:
        """The arrays, and last the attributes that make them count."""
        group = zarr.open_group(self._store, path=snapshot.path, mode="w", zarr_format=3)
        stored: dict[str, dict[str, dict[str, Any]]] = {}
        # Compressing and digesting leave the interpreter to others, and training waits for both.
        with ThreadPoolExecutor(_THREADS) as threads:
            for probe_index, probe in enumerate(header.probes):
                folder = group.create_group(_key(probe_index, probe))
                writers: dict[str, _Writer] = {}
                for slab in activations[probe]:
                    for layer_index, layer in enumerate(header.layers):
                        if layer not in writers:
                            key = _key(layer_index, layer)
                            writers[layer] = _Writer(folder, key, slab[layer], header.probes[probe]["n"])
                    parts = [(part, slab[layer]) for layer, writer in writers.items() for part in writer.parts]
                    for done in [threads.submit(part, values) for part, values in parts]:
                        done.result()
                stored[probe] = {layer: asdict(writer.stored) for layer, writer in writers.items()}
        group.update_attributes(
            {
                "complete": True,
                "epoch": snapshot.epoch,
                "metrics": {name: [_number(value) for value in values] for name, values in metrics.items()},
                "layers": stored,
            }
        )

    def tidy(self, header: Header) -> None:
        """Deletes what interrupted writes have left, and revisions that were replaced."""
        kept = {(snapshot.epoch, snapshot.revision) for snapshot in self.snapshots(header).values()}
        for epoch, revision in self._revisions():
            if (epoch, revision) not in kept:
                self._delete(epoch, revision)

    def truncate(self, epoch: int) -> list[int]:
        """Deletes every snapshot later than `epoch`, and returns their epochs."""
        later = sorted({found for found, _ in self._revisions() if found > epoch})
        for found, revision in self._revisions():
            if found > epoch:
                self._delete(found, revision)
        return later

    def activations(self, header: Header, snapshot: Snapshot, probe: str, layer: str) -> Array:
        """One layer's activations, shape (seeds, n, d). Raises BrokenStore when they aren't what was written."""
        probe_key = _key(list(header.probes).index(probe), probe)
        path = f"{snapshot.path}/{probe_key}/{_key(header.layers.index(layer), layer)}"
        values = self._read(path)
        # Zarr takes a missing chunk for zeros; a partly copied recording must not become a constant layer.
        known = Digest(len(values))
        known.add(values)
        if known.text != snapshot.layers[probe][layer].digest:
            raise BrokenStore(f"{path!r} in {self.name!r} is damaged: it isn't what was recorded")
        return values

    def width(self, header: Header, snapshot: Snapshot, layer: str) -> tuple[int, ...]:
        """The shape of one layer's activations for one sample."""
        path = f"{snapshot.path}/{_key(0, next(iter(header.probes)))}/{_key(header.layers.index(layer), layer)}"
        try:
            return tuple(zarr.open_array(self._store, path=path, mode="r").shape[2:])
        except (OSError, ValueError, KeyError) as error:
            raise BrokenStore(f"{path!r} in {self.name!r} can't be read: {error}") from None

    def probe(self, header: Header, name: str) -> tuple[Array, Array]:
        """A probe's inputs and labels. Raises BrokenStore when they aren't what was written."""
        path = f"probes/{_key(list(header.probes).index(name), name)}"
        inputs, labels = self._read(f"{path}/inputs"), self._read(f"{path}/labels")
        if digest(inputs, labels) != header.probes[name]["digest"]:
            raise BrokenStore(f"probe {name!r} in {self.name!r} is damaged: it isn't what was recorded")
        return inputs, labels

    def _read(self, path: str) -> Array:
        try:
            array = zarr.open_array(self._store, path=path, mode="r")
            return np.asarray(array[...])
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise BrokenStore(f"{path!r} in {self.name!r} can't be read: {error}") from None

    def _attributes(self, path: str) -> dict[str, Any] | None:
        """A group's attributes; None when there is no group, or one that can't be read."""
        try:
            return dict(zarr.open_group(self._store, path=path, mode="r", zarr_format=3).attrs)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        except OSError as error:  # no permission, no network: that says nothing about what is stored
            raise BrokenStore(f"{self.name!r} can't be read: {error}") from None

    def _revisions(self) -> list[tuple[int, int]]:
        """(epoch, revision) of everything that looks like a snapshot, complete or not, in order."""
        matches = (_SNAPSHOT.fullmatch(entry) for entry in _listed(self._store, "snapshots"))
        return sorted((int(match[1]), int(match[2])) for match in matches if match)

    def _delete(self, epoch: int, revision: int) -> None:
        path = f"snapshots/{epoch:08d}.{revision}"
        # Its attributes go first: half-deleted must not look complete.
        sync(self._store.delete(f"{path}/zarr.json"))
        sync(self._store.delete_dir(path))


def _open(location: Location, *, read_only: bool) -> Store:
    if isinstance(location, Store):
        return location
    text = os.fspath(location)
    if not text:
        raise InvalidArgument("store is empty; want a folder or a URL")
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if "://" not in text:
        path = Path(text)
        if path.exists() and not path.is_dir():
            raise InvalidArgument(f"store {text!r} is a file; want a folder or a URL")
        # A worker may run in another folder.
        return LocalStore(path.absolute(), read_only=read_only)
    try:
        return FsspecStore.from_url(text, read_only=read_only)
    except (ImportError, ValueError) as error:  # no such protocol, or its package is not installed
        raise InvalidArgument(f"store {text!r} can't be opened: {error}") from None


def _listed(store: Store, prefix: str) -> list[str]:
    async def collect() -> list[str]:
        names: AsyncIterator[str] = store.list_dir(prefix)
        return [name.rstrip("/") async for name in names]

    return sync(collect())


def _key(index: int, name: str) -> str:
    """A name as a folder: numbered, so that odd or equal-looking names stay apart."""
    return f"{index:02d}." + re.sub(r"[^A-Za-z0-9._@-]", "_", name)[:80]


def _number(value: float) -> float | str:
    # JSON has no NaN and no infinity, and a diverged loss is worth keeping.
    return value if math.isfinite(value) else str(value)


# On activations as small as zstd's, in a third of its time.
_COMPRESSOR = BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle")


def _write(group: zarr.Group, name: str, values: Array) -> None:
    row = max(1, values.nbytes // max(1, len(values)))
    rows = max(1, min(len(values), _LARGEST_CHUNK_BYTES // row))
    chunks = (rows, *values.shape[1:])
    array = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks, compressors=_COMPRESSOR)
    array[...] = values


class _Writer:
    """One layer of (seeds, n, d), written some samples at a time as they come: chunks are as long as the first."""

    def __init__(self, group: zarr.Group, name: str, first: Array, n: int) -> None:
        seeds, rows, *width = first.shape
        member = max(1, first.nbytes // seeds)
        if rows == n and member > _LARGEST_CHUNK_BYTES:
            rows = max(1, _LARGEST_CHUNK_BYTES // max(1, member // rows))
        self._array = group.create_array(
            name,
            shape=(seeds, n, *width),
            dtype=first.dtype,
            chunks=(max(1, min(seeds, _CHUNK_BYTES // member)), rows, *width),
            compressors=_COMPRESSOR,
        )
        self._digest = Digest(seeds)
        self._low = np.full(seeds, np.inf)
        self._high = np.full(seeds, -np.inf)
        self._done = 0

    @property
    def parts(self) -> tuple[Callable[[Array], None], Callable[[Array], None]]:
        """What is to be done with the next samples, in any order or at once."""
        return self._write, self._note

    def _write(self, values: Array) -> None:
        stop = self._done + values.shape[1]
        self._array[:, self._done : stop] = values
        self._done = stop

    def _note(self, values: Array) -> None:
        self._digest.add(values)
        axes = tuple(range(1, values.ndim))
        self._low = np.minimum(self._low, values.min(axes))
        self._high = np.maximum(self._high, values.max(axes))

    @property
    def stored(self) -> Stored:
        return Stored(self._digest.text, [float(low) for low in self._low], [float(high) for high in self._high])
