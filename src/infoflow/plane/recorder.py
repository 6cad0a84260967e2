"""Record the activations of a network on a fixed probe set, snapshot by snapshot, in your own training loop."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Annotated, Any, Literal, Self

import numpy as np
from torch import Tensor, nn
from tqdm import tqdm
from zarr.storage import MemoryStore

from infoflow.core.capture import Capture
from infoflow.core.errors import InvalidArgument
from infoflow.core.provenance import machine, plain
from infoflow.core.settings import Integer, PositiveInt, validated
from infoflow.plane.array_files import digest
from infoflow.plane.live_estimates import LiveEstimates
from infoflow.plane.plane import Plane
from infoflow.plane.probe_activations import Precision, ProbeActivations, batch_of, device_of
from infoflow.plane.probe_sets import Probes, checked_probes, checked_seeds
from infoflow.plane.readout import Readout
from infoflow.plane.recording_start import begin
from infoflow.plane.store import LAST_EPOCH, Header, Location, ProbeFacts, RecordingStore
from infoflow.plane.thinning import given_up
from infoflow.plane.truth import truth

log = logging.getLogger(__name__)


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
    capture = Capture(model, layers, output, batch_of(model, next(iter(probes.values()))[0], 0, 2), readout.call)
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
            "device": str(device_of(model)),
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
    begin(target, header, arrays, resume=resume, overwrite=overwrite, discard_damaged=discard_damaged)
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
    >>> import tempfile, torch
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
        self._max_bytes = max_bytes
        self._live = live
        self._bar = tqdm(desc=f"recording {store.header.name}", unit="snapshot", disable=not progress)
        self._activations = ProbeActivations(capture, store.header, readout, precision)
        self._probes = probes
        self._store = store
        self._header = store.header
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
        slabs = {probe: self._activations.slabs(probe, x, epoch, widths) for probe, (x, _) in self._probes.items()}
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

    def _metric(self, name: str, value: Any) -> list[float]:
        seeds = len(self._header.seeds)
        try:
            array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=np.float64)
            if array.shape not in ((), (seeds,)):
                raise ValueError
        except (TypeError, ValueError):
            raise InvalidArgument(f"metric {name!r}", f"a number, or one for each of {seeds} seeds", value) from None
        return [float(number) for number in np.broadcast_to(array, (seeds,))]
