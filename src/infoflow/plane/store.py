"""The Zarr store (format 3) of a recording, in which every snapshot is complete or absent.

    zarr.json                        attributes: format, version, name, layers, seeds, probes, provenance, ...
    probes/PROBE/{inputs,labels}     the fixed probe sets
    snapshots/zarr.json              attributes: complete, the epoch and revision of every complete snapshot
    snapshots/EPOCH.REVISION/        attributes: complete, epoch, metrics, ranges and digests of the arrays
    snapshots/EPOCH.REVISION/PROBE/LAYER    activations of shape (seeds, n, d)
    lock.json                        who writes the store now

The attributes of the root and of a snapshot are written last, each in one file that is replaced at once: an interrupted
snapshot has none, is not in the list and is ignored. Recording an epoch again writes a new revision, and deletes the
old one afterwards. All attributes hold their own digest. A listed snapshot whose attributes cannot be read is damaged:
that is reported, and nothing of it is deleted unless the user requests it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import zarr
from zarr.abc.store import Store
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import FsspecStore, LocalStore

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData
from infoflow.core.paths import usable_path
from infoflow.core.schema import decoded, parse_json, sealed, unsealed
from infoflow.plane.array_files import (
    Array,
    Digest,
    LayerWriter,
    Stored,
    check_array,
    digest,
    write_array,
)
from infoflow.plane.chunks import plain_chunks, read_chunks, read_file
from infoflow.plane.store_lock import LOCK, StoreLock

Location: TypeAlias = str | os.PathLike[str] | Store

FORMAT = "infoflow-recording"
VERSION = 3
LAST_EPOCH = 2**53
"""Larger whole numbers are not exact in JSON."""
_ROOT_ENTRIES = {"zarr.json", "probes", "snapshots"}
_SNAPSHOT = re.compile(r"(\d+)\.(\d+)")
_THREADS = 4

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class ProbeFacts:
    """Number of samples of a probe, and the digest of its inputs and labels."""

    n: int
    digest: str


@dataclass(frozen=True)
class Header:
    """What holds for a whole recording; stored as the root's attributes."""

    name: str
    layers: list[str]
    seeds: list[int]
    probes: dict[str, ProbeFacts]
    maps: str
    stacked: bool
    chain: bool
    """Whether each layer is known to be computed from the one before it alone."""
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """A complete snapshot, without its activations."""

    epoch: int
    metrics: dict[str, list[float]]
    layers: dict[str, dict[str, Stored]]
    """Probe name -> layer name -> what is stored."""
    revision: int = 0
    nbytes: int = 0
    """Bytes of the stored activations; 0 in recordings of earlier versions."""


@dataclass(frozen=True)
class _Listed:
    complete: list[list[int]]


class RecordingStore:
    """Reads and writes the format above, independent of models and estimators."""

    header: Header
    """Set by `load` and `create`."""

    def __init__(self, location: Location, *, read_only: bool) -> None:
        self.location = location
        self.name = location if isinstance(location, str) else str(location)
        self._store = _open(location, read_only=read_only)
        self.lock = StoreLock(self._store, self.name)
        self.left_out: dict[int, str] = {}

    def state(self) -> Literal["absent", "complete", "interrupted", "damaged", "foreign"]:
        """What the location holds; "interrupted" is a recording that was begun and has neither header nor snapshots."""
        try:
            entries = {entry for entry in _listed(self._store, "") if not entry.endswith(".partial")} - {LOCK}
        except NotADirectoryError:
            return "foreign"
        if not entries:
            return "absent"
        ours = entries <= _ROOT_ENTRIES
        try:
            attributes = self._attributes("") if "zarr.json" in entries else None
        except BrokenStore as error:
            if isinstance(error.__cause__, OSError):
                raise
            return "damaged" if ours else "foreign"
        if attributes and attributes.get("format") == FORMAT:
            return "complete"
        if attributes or not ours:
            return "foreign"
        return "damaged" if self._revisions() else "interrupted"

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
        if state == "complete" and attributes.get("version") != VERSION:
            raise BrokenStore(
                f"{self.name!r} must be a recording of version {VERSION}, got version {attributes.get('version')!r}."
            )
        self.header = self._decoded(Header, attributes, f"The header of the recording {self.name!r}")

    def create(self, header: Header, probes: Mapping[str, tuple[Array, Array]]) -> None:
        """Begin a recording; an earlier one is deleted."""
        self._delete_unfinished()
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
        self.header = header
        self._list([])
        self._seal("", {"format": FORMAT, "version": VERSION, **asdict(header)})

    def snapshots(self, *, discard_damaged: bool = False) -> dict[int, Snapshot]:
        """The complete snapshots by epoch, in order; of several revisions the newest.

        BrokenStore names those whose attributes are damaged; with `discard_damaged` they are left out, and so are those
        whose activations are damaged.
        """
        while True:
            listed = self._complete(discard_damaged)
            found, damaged = self._intact(listed)
            if listed == self._complete(discard_damaged):  # else a writer has changed the list since
                break
        if not discard_damaged:
            if damaged:
                raise BrokenStore(
                    f"{self.name!r} is damaged: {'; '.join(damaged.values())}. Restore the files, or pass "
                    "discard_damaged=True (--discard-damaged) to do without these snapshots."
                )
            return found
        for epoch, snapshot in list(found.items()):
            try:
                for probe in self.header.probes:
                    for layer in self.header.layers:
                        self.activations(snapshot, probe, layer)
            except BrokenStore as error:
                damaged[epoch] = str(error)
                del found[epoch]
        self.left_out = dict(sorted(damaged.items()))
        for reason in self.left_out.values():
            log.warning(
                "A snapshot of %r is damaged and left out: %s. Restore its files from a copy, or record it again.",
                self.name,
                reason.rstrip("."),
            )
        return found

    def _intact(self, listed: list[list[int]] | None) -> tuple[dict[int, Snapshot], dict[int, str]]:
        """The snapshots whose attributes can be read, and the reasons for those whose attributes cannot, by epoch."""
        found: dict[int, Snapshot] = {}
        damaged: dict[int, str] = {}
        present = self._revisions()
        for epoch, revision in sorted({*present, *((epoch, revision) for epoch, revision in listed or ())}):
            what = f"snapshot {epoch}"
            try:
                attributes = self._attributes(_folder(epoch, revision))
                if attributes and attributes.get("complete"):
                    snapshot = self._decoded(Snapshot, {**attributes, "revision": revision}, what)
                    if snapshot.epoch != epoch or any(
                        layer not in snapshot.layers.get(probe, {})
                        for probe in self.header.probes
                        for layer in self.header.layers
                    ):
                        raise BrokenStore(f"{what} lacks what the header lists")
                    found[epoch] = snapshot
                    damaged.pop(epoch, None)
                elif listed is None or [epoch, revision] in listed:
                    damaged[epoch] = f"{what} is listed, but its attributes are missing"
            except BrokenStore as error:
                if isinstance(error.__cause__, OSError):
                    raise
                damaged[epoch] = f"{what}: {error}".replace(f" in {self.name!r}", "").rstrip(".")
        # A newer revision stands for an older one, and a damaged newer one is damage.
        for epoch in damaged:
            found.pop(epoch, None)
        return dict(sorted(found.items())), damaged

    def _complete(self, lenient: bool) -> list[list[int]] | None:
        """The recorded list of complete snapshots; None where it is damaged and `lenient`."""
        try:
            pairs = self._decoded(_Listed, self._attributes("snapshots") or {}, "the list of snapshots").complete
            if any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
                raise BrokenStore(f"The list of snapshots in {self.name!r} is damaged.")
        except BrokenStore as error:
            if not lenient or isinstance(error.__cause__, OSError):
                raise
            return None
        return pairs

    def _list(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._seal("snapshots/", {"complete": [list(pair) for pair in sorted(pairs)]})

    def _seal(self, folder: str, attributes: dict[str, Any]) -> None:
        """Replace the attributes of a group, with their digest."""
        document = {"attributes": sealed(attributes), "zarr_format": 3, "node_type": "group"}
        content = default_buffer_prototype().buffer.from_bytes(json.dumps(document, indent=2).encode())
        sync(self._store.set(f"{folder}zarr.json", content))

    def append(
        self,
        epoch: int,
        slabs: Mapping[str, Iterable[Mapping[str, Array]]],
        metrics: Mapping[str, Sequence[float]],
    ) -> int:
        """Write one snapshot, and return its bytes; an earlier one of the same epoch stays until this one is complete.

        `slabs` are each probe's layers (seeds, some samples, d), all but the last of one length. BrokenStore is raised
        where the store is full; earlier snapshots are untouched then, as they are by any exception of `slabs`.
        """
        self.lock.check()
        earlier = [revision for found, revision in self._revisions() if found == epoch]
        revision = max(earlier, default=-1) + 1
        others = [(each, number) for each, number in self._complete(False) or () if each != epoch]
        try:
            size = self._write(epoch, revision, slabs, metrics)
            self._list([*others, (epoch, revision)])
        except BaseException as error:
            # An incomplete snapshot takes space. Deleting it may fail too; without attributes it is ignored, and a
            # resumed recording deletes it.
            with contextlib.suppress(OSError, BrokenStore):
                if [epoch, revision] not in (self._complete(False) or ()):
                    self._delete(epoch, revision)
            if not isinstance(error, OSError):
                raise
            raise BrokenStore(
                f"Epoch {epoch} could not be stored in {self.name!r}: {error}. Earlier snapshots are intact. "
                "Free some space and take the snapshot again, or continue later with resume=True."
            ) from error
        for old in earlier:
            self._delete(epoch, old)
        return size

    def _write(
        self,
        epoch: int,
        revision: int,
        slabs: Mapping[str, Iterable[Mapping[str, Array]]],
        metrics: Mapping[str, Sequence[float]],
    ) -> int:
        """Write the arrays, and last the attributes that make them valid; returns the bytes of the arrays."""
        size = 0
        group = zarr.open_group(self._store, path=_folder(epoch, revision), mode="w", zarr_format=3)
        stored: dict[str, dict[str, dict[str, Any]]] = {}
        # Compression and digests release the interpreter, and training waits for both.
        with ThreadPoolExecutor(_THREADS) as threads:
            for probe, facts in self.header.probes.items():
                group.create_group(self._probe_key(probe))
                writers: dict[str, LayerWriter] = {}
                for slab in slabs[probe]:
                    for layer in self.header.layers:
                        if layer not in writers:
                            path = f"{_folder(epoch, revision)}/{self._probe_key(probe)}/{self._layer_key(layer)}"
                            writers[layer] = LayerWriter(self._store, path, slab[layer], facts.n)
                    steps = [(step, slab[layer]) for layer, writer in writers.items() for step in writer.steps]
                    for done in [threads.submit(step, values) for step, values in steps]:
                        done.result()
                size += sum(writer.nbytes for writer in writers.values())
                stored[probe] = {layer: asdict(writer.stored) for layer, writer in writers.items()}
        numbers = {name: [_json_number(value) for value in values] for name, values in metrics.items()}
        facts_of = {"complete": True, "epoch": epoch, "metrics": numbers, "layers": stored, "nbytes": size}
        self._seal(f"{_folder(epoch, revision)}/", facts_of)
        return size

    def tidy(self, *, discard_damaged: bool) -> None:
        """Delete incomplete snapshots, revisions that were replaced, and damaged ones if `discard_damaged`."""
        found = self.snapshots(discard_damaged=discard_damaged).values()
        current = {(snapshot.epoch, snapshot.revision) for snapshot in found}
        self._list(current)
        self._delete_unfinished()
        for epoch, revision in self._revisions():
            if (epoch, revision) not in current:
                self._delete(epoch, revision)

    def remove(self, epochs: Sequence[int]) -> None:
        """Delete these snapshots."""
        if not epochs:
            return
        self.lock.check()
        gone = [(found, revision) for found, revision in self._revisions() if found in set(epochs)]
        self._list((each, number) for each, number in self._complete(False) or () if each not in set(epochs))
        for found, revision in gone:
            self._delete(found, revision)

    def truncate(self, epoch: int) -> list[int]:
        """Delete every snapshot later than `epoch`, and return their epochs."""
        self.lock.check()
        later = [(found, revision) for found, revision in self._revisions() if found > epoch]
        self._list((each, number) for each, number in self._complete(False) or () if each <= epoch)
        for found, revision in later:
            self._delete(found, revision)
        return sorted({found for found, _ in later})

    def activations(self, snapshot: Snapshot, probe: str, layer: str) -> Array:
        """One layer's activations, shape (seeds, n, d); BrokenStore unless they have the digest that was recorded."""
        path = self._array_path(snapshot, probe, layer)
        values = self._read(path)
        # Zarr reads a missing chunk as zeros; a partly copied recording must not become a constant layer.
        known = Digest(len(values)) if values.ndim > 1 else None
        if known is not None:
            known.add(values)
        if known is None or known.text != snapshot.layers[probe][layer].digest:
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
        if digest(inputs, labels) != self.header.probes[name].digest:
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
            check_array(self._document(path) or {})
            return zarr.open_array(self._store, path=path, mode="r", zarr_format=3)
        except BrokenStore:
            raise
        except Exception as error:  # zarr and its codecs raise errors of many kinds for damaged files
            raise BrokenStore(f"{path!r} in {self.name!r} cannot be read: {error}") from None

    def _read(self, path: str) -> Array:
        try:
            document = self._document(path, array=True) or {}
            check_array(document)
            if plain_chunks(document):
                return read_chunks(self._store, path, document)
            return np.asarray(zarr.open_array(self._store, path=path, mode="r", zarr_format=3)[...])
        except BrokenStore:
            raise
        except Exception as error:  # zarr and its codecs raise errors of many kinds for damaged files
            raise BrokenStore(f"{path!r} in {self.name!r} cannot be read: {error}") from None

    def _content(self, file: str) -> bytes | None:
        buffer = sync(self._store.get(file, default_buffer_prototype()))
        return None if buffer is None else buffer.to_bytes()

    def _document(self, path: str, *, array: bool = False) -> dict[str, Any] | None:
        """The metadata of a group or array; None where there is none."""
        file = f"{path}/zarr.json".removeprefix("/")
        try:
            content = read_file(self._store, file) if array else self._content(file)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:  # no permission or no network, which does not mean that nothing is stored
            raise BrokenStore(f"{self.name!r} cannot be read: {error}") from error
        try:
            return None if content is None else parse_json(content)
        except ValueError as error:
            raise BrokenStore(f"{file!r} in {self.name!r} is damaged: {error}") from None

    def _attributes(self, path: str) -> dict[str, Any] | None:
        """A group's attributes; None where they were not written. BrokenStore where they are damaged."""
        document = self._document(path)
        file = f"{path}/zarr.json".removeprefix("/")
        attributes = None if document is None else document.get("attributes")
        if not attributes:
            return None
        if not isinstance(attributes, dict):
            raise BrokenStore(f"'{file}' in {self.name!r} is damaged: its attributes are no object.")
        if not path and (attributes.get("format"), attributes.get("version")) != (FORMAT, VERSION):
            return attributes
        try:
            return unsealed(attributes)
        except ValueError as error:
            raise BrokenStore(f"'{file}' in {self.name!r} is damaged: {error}.") from None

    def _decoded(self, kind: type[T], attributes: Any, what: str) -> T:
        try:
            return decoded(kind, attributes)
        except ValueError as error:
            raise BrokenStore(f"{what} in {self.name!r} is damaged: {error}") from None

    def _revisions(self) -> list[tuple[int, int]]:
        """Epoch and revision of every snapshot, complete or not, in order."""
        matches = (_SNAPSHOT.fullmatch(entry) for entry in _listed(self._store, "snapshots"))
        return sorted((int(match[1]), int(match[2])) for match in matches if match)

    def _delete_unfinished(self) -> None:
        """Delete files that killed processes had not finished; the lock must be held."""
        for folder in ("", "snapshots/"):
            for entry in _listed(self._store, folder.rstrip("/")):
                if entry.endswith(".partial"):
                    sync(self._store.delete(folder + entry))

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
        path = usable_path(text, "store")
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
