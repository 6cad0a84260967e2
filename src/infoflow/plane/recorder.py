"""Records what a network does with a fixed probe set, snapshot by snapshot, in anybody's training loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core.capture import Capture, samples_at_once
from infoflow.core.checks import classes, integer, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.plane.pooling import Pooling
from infoflow.plane.provenance import machine, plain
from infoflow.plane.store import Array, Header, Location, RecordingStore, digest
from infoflow.plane.truth import truth

log = logging.getLogger(__name__)

LARGEST_BATCH = 1024

MEMORY = 32 * 2**20
"""Bytes of activations that a recorder holds at once; a probe that has more of them goes through in parts."""


def record(
    model: nn.Module,
    probe_x: Any,
    probe_y: Any,
    *,
    store: Location,
    layers: str | Sequence[str] = "auto",
    output: Callable[[Any], Tensor] | None = None,
    maps: str = "flatten",
    tokens: str = "none",
    padding: int | None = None,
    call: Callable[[nn.Module, Tensor], Any] | None = None,
    seeds: int | Sequence[int] | None = None,
    name: str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    provenance: Mapping[str, Any] | None = None,
    batch_size: int | None = None,
) -> Recorder:
    """Begins a recording of `model` on a fixed probe set; `.snapshot(epoch)` on what it returns appends to it.

    `probe_x` (n, ...) and `probe_y` (n,), integer classes, are the probe named "probe"; mappings from names to arrays
    give several, such as {"train": ..., "test": ...}. `layers` is "auto" (every activation module of
    `torch.nn.modules.activation`, in the order in which they run, and the model's output, named "output"; an
    activation that is the model's output is not stored twice) or module names as in `model.named_modules()`. A module
    that runs k > 1 times in a forward pass gives "name@1" ... "name@k". `output` is applied to the model's output
    before it is stored (a softmax, say). `maps` says what becomes of (n, C, H, W): "flatten" to (n, C·H·W), or "mean"
    or "max" over all but the channels, axis 1.

    `tokens` says what becomes of representations of tokens, (n, length, d): "mean" over the tokens, "first" (the class
    token), "last", or "none" for all of them, (n, length·d). `padding` is the integer that fills the sequences of the
    probe up: means leave it out, and "last" is the last that is none. `call(model, batch)` runs the model where
    `model(batch)` isn't how (attention masks, say). A layer that returns a tuple, as the blocks of transformers do,
    is recorded by its first entry.

    The probe runs through the model `batch_size` samples at a time: by default 1024, fewer of large ones.

    `seeds` given as a list means a stacked model, whose layers return (len(seeds), n, ...); an integer names the one
    seed of a plain model, 0 by default.

    A snapshot is taken in evaluation mode without gradients; training flags, parameters, buffers and every random
    state are afterwards as they were. It is stored complete or not at all. `store` is a folder or an fsspec URL; an
    existing recording is refused unless `resume` (goes on; layers, probes and seeds must be the same; begins anew
    where nothing is) or `overwrite` (deletes it; anything but a recording is left alone).

    Raises InvalidArgument (what can't be recorded, and why), UnknownName (layer), TooFewSamples (probe), BrokenStore.

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
        raise InvalidArgument(f"model is a {type(model).__name__}; want a torch.nn.Module")
    if resume and overwrite:
        raise InvalidArgument("resume and overwrite exclude each other; want one of them")
    pooling = Pooling(maps, tokens, padding)
    if batch_size is not None:
        integer(batch_size, "batch_size")
    probes = _probes(probe_x, probe_y)
    stacked = seeds is not None and not isinstance(seeds, int | np.integer)
    members = _seeds(seeds)
    pooling.check(x for x, _ in probes.values())
    capture = Capture(model, layers, output, _batch(model, next(iter(probes.values()))[0], 0, 2), call)
    stored = {key: (x.cpu().numpy(), y.cpu().numpy()) for key, (x, y) in probes.items()}
    header = Header(
        name=type(capture.model).__name__ if name is None else str(name),
        layers=capture.layers,
        seeds=members,
        probes={key: {"n": len(y), "digest": digest(x, y)} for key, (x, y) in stored.items()},
        maps=str(pooling),
        stacked=stacked,
        chain=capture.chain and pooling.keeps_all,
        provenance={
            **machine(),
            "device": str(_device(model)),
            "truth": truth(capture.model, (x for x, _ in probes.values())),
            "user": plain(provenance or {}),
        },
    )
    archive = RecordingStore(store, read_only=False)
    _begin(archive, header, stored, resume=resume, overwrite=overwrite)
    return Recorder(capture, probes, header, archive, batch_size, pooling)


class Recorder:
    """Appends snapshots of a model to a recording; `infoflow.plane.record` makes one. A context manager.

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
        probes: Mapping[str, tuple[Tensor, Tensor]],
        header: Header,
        archive: RecordingStore,
        batch_size: int | None,
        pooling: Pooling,
    ) -> None:
        self._capture = capture
        self._pooling = pooling
        self._probes = probes
        self._header = header
        self._archive = archive
        self._batch_size = batch_size
        self._closed = False
        self._widths: dict[str, tuple[int, ...]] = {}
        snapshots = archive.snapshots(header)
        if snapshots:
            last = snapshots[max(snapshots)]
            self._widths = {layer: archive.width(header, last, layer) for layer in header.layers}

    @property
    def layers(self) -> list[str]:
        """The layers' names, in the order of their depth."""
        return list(self._header.layers)

    @property
    def epochs(self) -> list[int]:
        """The epochs that are stored, complete, in order."""
        return list(self._archive.snapshots(self._header))

    def snapshot(self, epoch: int, **metrics: Any) -> None:
        """Stores the activations of every layer on every probe, with `metrics` (numbers, or one number for each seed).

        An epoch that is stored already is replaced, and the old one is kept until the new one is complete.

        Raises InvalidArgument for NaN or infinite activations (nothing is written), a layer whose shape changed, a
        wrong number of seeds, metrics that aren't numbers, or a recorder that was closed.
        """
        if self._closed:
            raise InvalidArgument("the recorder is closed; take snapshots inside its `with` block")
        epoch = integer(epoch, "epoch", minimum=0)
        numbers = {name: self._metric(name, value) for name, value in metrics.items()}
        widths: dict[str, tuple[int, ...]] = dict(self._widths)
        slabs = {probe: self._slabs(probe, x, epoch, widths) for probe, (x, _) in self._probes.items()}
        self._archive.append(self._header, epoch, slabs, numbers)
        self._widths = widths
        log.debug("recorded epoch %d of %s", epoch, self._header.name)

    def truncate(self, epoch: int) -> list[int]:
        """Deletes the snapshots later than `epoch` (where training goes on from, say), and returns their epochs."""
        return self._archive.truncate(integer(epoch, "epoch", minimum=-1))

    def close(self) -> None:
        """Ends the recording; a snapshot afterwards is refused."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _slabs(
        self, probe: str, x: Tensor, epoch: int, widths: dict[str, tuple[int, ...]]
    ) -> Iterator[dict[str, Array]]:
        """The probe's activations, as many samples at a time as memory is given; `widths` are noted and held to."""
        rows = max(1, min(len(x), MEMORY // max(1, self._capture.bytes_per_sample)))
        for start in range(0, len(x), rows):
            slab = self._activations(probe, x[start : start + rows], epoch)
            for layer, values in slab.items():
                width = widths.setdefault(layer, values.shape[2:])
                if width != values.shape[2:]:
                    raise InvalidArgument(
                        f"layer {layer!r} has {values.shape[2]} units on probe {probe!r} at epoch {epoch}, "
                        f"but had {width[0]} before; want the same shape in every snapshot"
                    )
            yield slab

    def _activations(self, probe: str, x: Tensor, epoch: int) -> dict[str, Array]:
        """Layer -> (seeds, n, d)."""
        parts: dict[str, list[Tensor]] = {layer: [] for layer in self._header.layers}
        size = samples_at_once(x, LARGEST_BATCH) if self._batch_size is None else self._batch_size
        for start in range(0, len(x), size):
            batch = _batch(self._capture.model, x, start, start + size)
            for layer, values in self._capture(batch).items():
                parts[layer].append(self._shaped(layer, values, batch))
        whole = {}
        for layer, pieces in parts.items():
            try:
                values = torch.cat(pieces, dim=1)
            except RuntimeError as error:
                raise InvalidArgument(f"layer {layer!r} changes its shape between batches: {error}") from None
            # A sum first: NaN and infinity poison it, and it needs no mask.
            if not bool(torch.isfinite(values.sum())) and not bool(torch.isfinite(values).all()):
                bad = int((~torch.isfinite(values)).sum())
                raise InvalidArgument(
                    f"layer {layer!r} has {bad} NaN or infinite activation{'s' * (bad > 1)} on probe {probe!r} "
                    f"at epoch {epoch}; nothing was stored for this epoch (has training diverged?)"
                )
            whole[layer] = values.numpy()
        return whole

    def _shaped(self, layer: str, values: Tensor, batch: Tensor) -> Tensor:
        """(seeds, n, d), its maps and tokens flattened or pooled."""
        n = len(batch)
        if not self._header.stacked:
            values = values.unsqueeze(0)
        wanted = (len(self._header.seeds), n)
        if values.ndim < 2 or tuple(values.shape[:2]) != wanted:
            got = tuple(values.shape if self._header.stacked else values.shape[1:])
            want = (
                f"({wanted[0]}, {n}, ...) from a model of {wanted[0]} seeds" if self._header.stacked else f"({n}, ...)"
            )
            raise InvalidArgument(f"layer {layer!r} returns shape {got} for a batch of {n} samples; want {want}")
        return self._pooling(values, batch)

    def _metric(self, name: str, value: Any) -> list[float]:
        seeds = len(self._header.seeds)
        try:
            array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value, dtype=np.float64)
        except (TypeError, ValueError):
            raise InvalidArgument(f"metric {name!r} is {value!r}; want a number, or one for each seed") from None
        if array.shape == ():
            return [float(array)] * seeds
        if array.shape != (seeds,):
            raise InvalidArgument(
                f"metric {name!r} has shape {array.shape}; want a number, or one for each of {seeds} seeds"
            )
        return [float(number) for number in array]


def _probes(probe_x: Any, probe_y: Any) -> dict[str, tuple[Tensor, Tensor]]:
    if isinstance(probe_x, Mapping) != isinstance(probe_y, Mapping):
        raise InvalidArgument("one of probe_x and probe_y is a mapping; want both or none")
    xs = dict(probe_x) if isinstance(probe_x, Mapping) else {"probe": probe_x}
    ys = dict(probe_y) if isinstance(probe_y, Mapping) else {"probe": probe_y}
    if not xs or set(xs) != set(ys):
        raise InvalidArgument(
            f"probe_x names the probes {list(xs)} but probe_y {list(ys)}; want the same, at least one"
        )
    probes = {}
    for key, x in xs.items():
        if not isinstance(key, str) or not key:
            raise InvalidArgument(f"a probe is named {key!r}; want a non-empty string")
        x_name, y_name = (f"probe_x[{key!r}]", f"probe_y[{key!r}]") if len(xs) > 1 else ("probe_x", "probe_y")
        checked = samples(x, x_name)
        classes(ys[key], y_name)
        labels = torch.as_tensor(np.asarray(ys[key]) if not isinstance(ys[key], Tensor) else ys[key]).detach()
        labels = labels.reshape(-1).to("cpu", torch.int64)
        paired(checked, labels, x_name, y_name)
        inputs = x.detach() if isinstance(x, Tensor) else torch.tensor(np.asarray(x))
        probes[key] = (inputs.float() if inputs.dtype in (torch.float16, torch.bfloat16) else inputs, labels)
    return probes


def _seeds(seeds: int | Sequence[int] | None) -> list[int]:
    if seeds is None or isinstance(seeds, int | np.integer):
        return [integer(seeds or 0, "seeds", minimum=0)]
    members = [integer(seed, "a seed", minimum=0) for seed in seeds]
    if not members or len(set(members)) < len(members):
        raise InvalidArgument(f"seeds is {members}; want at least one, each once")
    return members


def _device(model: nn.Module) -> torch.device:
    for tensor in [*model.parameters(), *model.buffers()]:
        return tensor.device
    return torch.device("cpu")


def _batch(model: nn.Module, x: Tensor, start: int, stop: int) -> Tensor:
    """Part of the probe on the model's device, in the model's precision; integers (tokens) stay what they are."""
    batch = x[start:stop].to(_device(model))
    if batch.is_floating_point():
        for parameter in model.parameters():
            if parameter.is_floating_point():
                return batch.to(parameter.dtype)
        return batch.to(torch.get_default_dtype())
    return batch


def _begin(
    archive: RecordingStore,
    header: Header,
    probes: Mapping[str, tuple[Array, Array]],
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    state = archive.state()
    if state == "foreign":
        raise InvalidArgument(f"store {archive.name!r} holds something that is no recording; want a new folder")
    if state == "whole" and resume:
        _same(archive, header)
        archive.tidy(header)
    elif state == "absent" or overwrite or (state == "half" and resume):
        archive.create(header, probes)
    else:
        raise InvalidArgument(
            f"store {archive.name!r} holds a recording{' that was interrupted' * (state == 'half')}; "
            "want resume=True to go on, overwrite=True to delete it, or another folder"
        )


def _same(archive: RecordingStore, header: Header) -> None:
    before = archive.header()
    for what in ("layers", "seeds", "probes", "maps", "stacked"):
        was, now = getattr(before, what), getattr(header, what)
        if was == now:
            continue
        if what == "probes" and set(was) == set(now):
            changed = [key for key in now if was[key] != now[key]]
            raise InvalidArgument(
                f"store {archive.name!r} was recorded on other samples of probe {', '.join(map(repr, changed))}"
            )
        told = [list(was), list(now)] if what == "probes" else [was, now]
        raise InvalidArgument(f"store {archive.name!r} was recorded with {what} {told[0]}, now {told[1]}")
