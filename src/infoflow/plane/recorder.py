"""Record the activations of a network on a fixed probe set, snapshot by snapshot, in your own training loop."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from zarr.storage import MemoryStore

from infoflow.core.capture import Capture, samples_at_once
from infoflow.core.errors import InvalidArgument
from infoflow.core.provenance import machine, plain
from infoflow.core.settings import Integer, PositiveInt, validated
from infoflow.plane.array_files import Array, digest
from infoflow.plane.live_estimates import LiveEstimates
from infoflow.plane.plane import Plane
from infoflow.plane.probe_sets import Probes, checked_probes, checked_seeds
from infoflow.plane.readout import Readout
from infoflow.plane.store import LAST_EPOCH, Header, Location, ProbeFacts, RecordingStore
from infoflow.plane.thinning import given_up
from infoflow.plane.truth import truth

log = logging.getLogger(__name__)

Precision: TypeAlias = Literal["model", "float16", "bfloat16"]

LARGEST_BATCH = 1024

MEMORY = 32 * 2**20
"""Bytes of activations that a recorder holds at once; a larger probe runs through the model in slabs."""


@validated
def record(
    model: nn.Module,
    probe_x: Any,
    probe_y: Any,
    *,
    store: Location,
    layers: str | Sequence[str] = "auto",
    output: Callable[[Any], Tensor] | None = None,
    readout: Readout | None = None,
    seeds: int | Sequence[int] | None = None,
    name: str | None = None,
    unit: Literal["epoch", "step"] = "epoch",
    resume: bool = False,
    overwrite: bool = False,
    discard_damaged: bool = False,
    provenance: Mapping[str, Any] | None = None,
    precision: Precision = "model",
    max_bytes: PositiveInt | None = None,
    estimate_on_snapshot: Any = None,
    progress: bool = False,
) -> Recorder:
    """Begin a recording of a model on a fixed probe set; `.snapshot(epoch)` of the result appends to it.

    Parameters
    ----------
    model : torch.nn.Module
        Model to record; training flags, parameters, buffers and random states are restored after every snapshot.
    probe_x : array-like of shape (n, ...)
        Inputs of the probe; or a mapping from names to inputs for several probes, such as {"train": ..., "test": ...}.
    probe_y : array-like of shape (n,)
        Integer classes of the probe, or text or categories, which become codes 0, 1, ... in the order of their names;
        a mapping where `probe_x` is one.
    store
        Folder or fsspec URL to write to. An existing recording is an error unless `resume` or `overwrite` is set.
    layers
        "auto" for every activation module of `torch.nn.modules.activation`, in the order in which they run, and the
        model's output, named "output" (an activation that is the output is stored once). Activations that are called
        as functions have no module: where no activation module runs, "auto" takes what "leaves" takes, which is every
        innermost module with parameters (convolutions, linear and normalization layers, attention), and the output.
        The choice is logged, and is `Recorder.layers`. Or names of modules as in `model.named_modules()`. A module that
        runs k > 1 times in a forward pass gives "name@1" to "name@k".
    output : callable
        Function applied to the model's output before it is stored, such as a softmax.
    readout
        How the probe runs through the model and how maps and tokens are pooled; None for `Readout()`. Of a layer that
        returns a tuple, as blocks of transformers do, the first entry is recorded.
    seeds
        A list for a stacked model, whose layers return (len(seeds), n, ...); an integer names the seed of a plain
        model, 0 by default.
    name
        Name of the network; None for the model's class.
    unit
        What the numbers of the snapshots count, "epoch" or "step": the axis of pictures and pages.
    resume
        Continue an existing recording, whose layers, probes and seeds must be the same; begin one where none exists.
    overwrite
        Delete an existing recording. A location that holds anything else is never touched.
    discard_damaged
        With `resume`, delete the snapshots that are damaged; they are an error otherwise.
    provenance
        Further facts to store with the recording.
    precision
        "model" to store activations as the model returns them; "float16" for half of the bytes with a relative
        rounding error of 2⁻¹¹ (activations beyond 65,504 are an error); "bfloat16" for numbers rounded to bfloat16
        (2⁻⁹), stored as float32 whose zeros are compressed.
    max_bytes
        Budget for the snapshots. Where it is exceeded, snapshots are deleted so that those that stay are spaced
        logarithmically; the first and the last stay.
    estimate_on_snapshot
        Estimators as in `infoflow.plane.analyse`, which measure every snapshot as soon as it is taken. No activations
        are stored: `store` is a folder to which the plane is saved each time, and `Recorder.plane` is the plane.
    progress
        Show a bar that counts snapshots and their bytes.

    Returns
    -------
    Recorder
        A context manager with `snapshot`.

    Raises
    ------
    InvalidArgument
        If something cannot be recorded; `UnknownName` for a layer, `TooFewSamples` for a probe.
    BrokenStore
        If an existing recording cannot be read, or another process is writing it.

    Notes
    -----
    A snapshot is taken in evaluation mode without gradients, and stored completely or not at all. The rounding of
    `precision` moves estimates by little where their own resolution is coarser: see "Long runs" in the how-to page of
    training loops for measured differences. Nearest-neighbor estimators need "model", as rounding makes ties.

    Examples
    --------
    >>> import tempfile, torch
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> x, y = torch.eye(2).repeat(4, 1), torch.arange(8) % 2
    >>> folder = tempfile.TemporaryDirectory()
    >>> with record(model, x, y, store=folder.name + "/run") as recorder:
    ...     for epoch in range(3):
    ...         recorder.snapshot(epoch, train_loss=0.7 - 0.1 * epoch)
    >>> recorder.layers
    ['1', 'output']
    >>> from infoflow.plane import Recording
    >>> Recording(folder.name + "/run").activations(2, "1").shape  # seeds, samples, units
    (1, 8, 3)
    >>> folder.cleanup()
    """
    if not isinstance(model, nn.Module):
        raise InvalidArgument("model", "a torch.nn.Module", got_text=f"a {type(model).__name__}")
    if resume and overwrite:
        raise InvalidArgument("overwrite", "False where resume is set", True)
    live = None
    if estimate_on_snapshot is not None:
        if max_bytes is not None:
            raise InvalidArgument("max_bytes", "None with estimate_on_snapshot", max_bytes)
        live = LiveEstimates(estimate_on_snapshot, store, resume=resume, overwrite=overwrite)
    readout = readout or Readout()
    probes = checked_probes(probe_x, probe_y)
    members, stacked = checked_seeds(seeds)
    readout.check(x for x, _ in probes.values())
    capture = Capture(model, layers, output, _batch(model, next(iter(probes.values()))[0], 0, 2), readout.call)
    arrays = {key: (x.cpu().numpy(), y.cpu().numpy()) for key, (x, y) in probes.items()}
    header = Header(
        name=type(capture.model).__name__ if name is None else str(name),
        layers=capture.layers,
        seeds=members,
        probes={key: ProbeFacts(len(y), digest(x, y)) for key, (x, y) in arrays.items()},
        maps=str(readout),
        stacked=stacked,
        chain=capture.chain and readout.complete,
        provenance={
            **machine(),
            "device": str(_device(model)),
            "unit": unit,
            **({} if precision == "model" else {"precision": precision}),
            "truth": truth(capture.model, (x for x, _ in probes.values())),
            "user": plain(provenance or {}),
        },
    )
    # Live estimates need the activations of one snapshot at a time.
    target = RecordingStore(store if live is None else MemoryStore(), read_only=False)
    if live is not None:
        resume, overwrite = False, False
    _begin(target, header, arrays, resume=resume, overwrite=overwrite, discard_damaged=discard_damaged)
    return Recorder(
        capture, probes, target, readout, precision=precision, max_bytes=max_bytes, live=live, progress=progress
    )


class Recorder:
    """Appends snapshots of a model to a recording; a context manager that `infoflow.plane.record` returns.

    Parameters
    ----------
    capture
        Runs the model and returns the activations of its layers.
    probes
        Inputs and classes by the probe's name.
    store
        Open store of the recording.
    readout
        How the probe runs and what is stored of maps and tokens.
    precision
        As in `record`.
    max_bytes
        As in `record`.
    live
        Estimates that are made instead of storing activations.
    progress
        Show a bar that counts snapshots.

    Examples
    --------
    >>> import tempfile
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> folder = tempfile.TemporaryDirectory()
    >>> with record(model, torch.eye(2), [0, 1], store=folder.name + "/run") as recorder:
    ...     recorder.snapshot(0)
    >>> recorder.layers
    ['1', 'output']
    >>> folder.cleanup()
    """

    def __init__(
        self,
        capture: Capture,
        probes: Probes,
        store: RecordingStore,
        readout: Readout,
        *,
        precision: Precision = "model",
        max_bytes: int | None = None,
        live: LiveEstimates | None = None,
        progress: bool = False,
    ) -> None:
        self._precision = precision
        self._max_bytes = max_bytes
        self._live = live
        self._bar = tqdm(desc=f"recording {store.header.name}", unit="snapshot", disable=not progress)
        self._capture = capture
        self._probes = probes
        self._store = store
        self._header = store.header
        self._readout = readout
        self._closed = False
        weakref.finalize(self, store.lock.release)
        snapshots = store.snapshots()
        last = snapshots[max(snapshots)] if snapshots else None
        self._widths = {} if last is None else {layer: store.width(last, layer) for layer in self.layers}

    @property
    def layers(self) -> list[str]:
        """Names of the layers, in the order of their depth."""
        return list(self._header.layers)

    @property
    def epochs(self) -> list[int]:
        """Epochs whose snapshots are complete, in order."""
        return list(self._store.snapshots()) if self._live is None else self._live.epochs

    @property
    def plane(self) -> Plane:
        """The estimates so far, of a recorder with `estimate_on_snapshot`."""
        if self._live is None:
            raise InvalidArgument("The recorder stores activations. Pass its store to infoflow.plane.analyse.")
        return self._live.plane

    @validated
    def snapshot(self, epoch: Annotated[int, Integer(0, LAST_EPOCH)], **metrics: Any) -> None:
        """Store the activations of every layer on every probe, with metrics; an epoch recorded again is replaced.

        Parameters
        ----------
        epoch
            Epoch, or any other count of the training.
        **metrics
            A number each, or one per seed; NaN and infinity are allowed.

        Raises
        ------
        InvalidArgument
            If a layer changes its shape or has activations that are not finite, or the recorder is closed; nothing is
            stored then.
        BrokenStore
            If the store is full; earlier snapshots stay intact.
        """
        if self._closed:
            raise InvalidArgument("The recorder is closed. Take snapshots inside its `with` block.")
        numbers = {name: self._metric(name, value) for name, value in metrics.items()}
        widths: dict[str, tuple[int, ...]] = dict(self._widths)
        slabs = {probe: self._slabs(probe, x, epoch, widths) for probe, (x, _) in self._probes.items()}
        size = self._store.append(epoch, slabs, numbers)
        self._widths = widths
        if self._live is not None:
            self._live.take(self._store, epoch)
        else:
            self._thin(epoch, size)
        self._bar.update()
        log.debug("recorded epoch %d of %s", epoch, self._header.name)

    @validated
    def truncate(self, epoch: Annotated[int, Integer(-1)]) -> list[int]:
        """Delete the snapshots later than an epoch, from which training continues for example.

        Parameters
        ----------
        epoch
            Last epoch to keep; -1 deletes all.

        Returns
        -------
        list of int
            The deleted epochs.
        """
        return self._store.truncate(epoch) if self._live is None else self._live.truncate(epoch)

    def _thin(self, epoch: int, size: int) -> None:
        """Delete snapshots beyond the budget."""
        if self._max_bytes is None and self._bar.disable:
            return
        sizes = {each: snapshot.nbytes for each, snapshot in self._store.snapshots().items()}
        self._bar.set_postfix(epoch=epoch, MiB=round(sum(sizes.values()) / 2**20, 1), refresh=False)
        if self._max_bytes is None:
            return
        if 2 * size > self._max_bytes:
            self._store.remove([epoch])
            remedy = "A recording has at least two snapshots; record fewer layers or samples, or precision='float16'."
            raise InvalidArgument("max_bytes", f"at least {2 * size}", self._max_bytes, remedy=remedy)
        self._store.remove(given_up(sizes, self._max_bytes))

    def close(self) -> None:
        """End the recording; a later snapshot is an error."""
        self._closed = True
        self._bar.close()
        self._store.lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _slabs(
        self, probe: str, x: Tensor, epoch: int, widths: dict[str, tuple[int, ...]]
    ) -> Iterator[dict[str, Array]]:
        """The probe's activations, as many samples at a time as fit into `MEMORY`; `widths` are noted and enforced."""
        rows = max(1, min(len(x), MEMORY // max(1, self._capture.bytes_per_sample)))
        for start in range(0, len(x), rows):
            slab = self._activations(probe, x[start : start + rows], epoch)
            for layer, values in slab.items():
                width = widths.setdefault(layer, values.shape[2:])
                if width != values.shape[2:]:
                    raise InvalidArgument(
                        f"layer {layer!r}",
                        f"of the same shape in every snapshot ({width[0]} units)",
                        got_text=f"{values.shape[2]} units on probe {probe!r} at epoch {epoch}",
                    )
            yield slab

    def _activations(self, probe: str, x: Tensor, epoch: int) -> dict[str, Array]:
        """Layer -> (seeds, n, d)."""
        parts: dict[str, list[Tensor]] = {layer: [] for layer in self._header.layers}
        size = self._readout.batch_size or samples_at_once(x, LARGEST_BATCH)
        for start in range(0, len(x), size):
            batch = _batch(self._capture.model, x, start, start + size)
            for layer, values in self._capture(batch).items():
                parts[layer].append(self._shaped(layer, values, batch))
        return {
            layer: _joined(pieces, f"layer {layer!r}", f"on probe {probe!r} at epoch {epoch}", self._precision)
            for layer, pieces in parts.items()
        }

    def _shaped(self, layer: str, values: Tensor, batch: Tensor) -> Tensor:
        """(seeds, n, d), with maps and tokens flattened or pooled."""
        n, seeds = len(batch), len(self._header.seeds)
        returned = tuple(values.shape)
        if not self._header.stacked:
            values = values.unsqueeze(0)
        if values.ndim < 2 or tuple(values.shape[:2]) != (seeds, n):
            shape = f"({seeds}, {n}, ...) from a model of {seeds} seeds" if self._header.stacked else f"({n}, ...)"
            raise InvalidArgument(f"layer {layer!r}", f"of shape {shape}", got_text=f"shape {returned}")
        return self._readout.pooled(values, batch)

    def _metric(self, name: str, value: Any) -> list[float]:
        seeds = len(self._header.seeds)
        try:
            array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=np.float64)
            if array.shape not in ((), (seeds,)):
                raise ValueError
        except (TypeError, ValueError):
            raise InvalidArgument(f"metric {name!r}", f"a number, or one for each of {seeds} seeds", value) from None
        return [float(number) for number in np.broadcast_to(array, (seeds,))]


def _joined(pieces: list[Tensor], layer: str, where: str, precision: Precision) -> Array:
    """The batches of a layer as one finite array."""
    try:
        values = torch.cat(pieces, dim=1)
    except RuntimeError as error:
        raise InvalidArgument(f"{layer} changes its shape between batches: {error}") from None
    # The sum needs no mask, and NaN and infinity carry over to it.
    if not bool(torch.isfinite(values.sum())) and not bool(torch.isfinite(values).all()):
        bad = int((~torch.isfinite(values)).sum())
        raise InvalidArgument(
            layer,
            "finite",
            got_text=f"{bad} NaN or infinite activation{'s' * (bad > 1)} {where}",
            remedy="Nothing was stored for this epoch. Training may have diverged.",
        )
    if precision == "model" or not values.is_floating_point():
        return values.numpy()
    if precision == "bfloat16":
        return values.to(torch.bfloat16).to(torch.float32).numpy()
    half = values.to(torch.float16)
    if not bool(torch.isfinite(half).all()):
        largest = float(values.abs().max())
        remedy = "Nothing was stored for this epoch. Record with precision='bfloat16'."
        wanted = "within float16 (65,504)"
        raise InvalidArgument(layer, wanted, got_text=f"activations up to {largest:.3g} {where}", remedy=remedy)
    return half.numpy()


def _device(model: nn.Module) -> torch.device:
    for tensor in [*model.parameters(), *model.buffers()]:
        return tensor.device
    return torch.device("cpu")


def _batch(model: nn.Module, x: Tensor, start: int, stop: int) -> Tensor:
    """Part of the probe on the model's device and in its precision; integers (tokens) stay integers."""
    batch = x[start:stop].to(_device(model))
    if not batch.is_floating_point():
        return batch
    kinds = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
    return batch.to(next(kinds, torch.get_default_dtype()))


def _begin(
    store: RecordingStore,
    header: Header,
    probes: Mapping[str, tuple[Array, Array]],
    *,
    resume: bool,
    overwrite: bool,
    discard_damaged: bool,
) -> None:
    state = store.state()
    if state == "foreign":
        raise InvalidArgument("store", "a new folder, or a recording", got_text=f"{store.name!r} with other content")
    if state != "absent" and not resume and not overwrite:
        kind = {"interrupted": "an interrupted", "damaged": "a damaged"}.get(state, "a")
        raise InvalidArgument(
            "store",
            "a new folder",
            got_text=f"{store.name!r}, which holds {kind} recording",
            remedy="Pass resume=True to continue it or overwrite=True to delete it.",
        )
    store.lock.acquire()
    try:
        if state in ("complete", "damaged") and resume:
            store.load()
            _check_same(store, header)
            store.tidy(discard_damaged=discard_damaged)
        else:
            store.create(header, probes)
    except BaseException:
        store.lock.release()
        raise


def _check_same(store: RecordingStore, header: Header) -> None:
    """Raise InvalidArgument where a resumed recording would differ from the stored one."""
    was, now = (each.provenance.get("precision", "model") for each in (store.header, header))
    if was != now:
        raise InvalidArgument("precision", f"{was!r} as in the recording {store.name!r}", now)
    for what in ("layers", "seeds", "probes", "maps", "stacked"):
        was, now = getattr(store.header, what), getattr(header, what)
        if was == now:
            continue
        if what == "probes" and set(was) == set(now):
            changed = ", ".join(repr(key) for key in now if was[key] != now[key])
            raise InvalidArgument(f"{store.name!r} was recorded on other samples of probe {changed}.")
        was, now = (list(was), list(now)) if what == "probes" else (was, now)
        raise InvalidArgument(what, f"{was} as in the recording {store.name!r}", got_text=str(now))
