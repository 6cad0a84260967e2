"""What a recorder stores: the activations of a probe set, shaped, checked and rounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from infoflow.core.capture import Capture, samples_at_once
from infoflow.core.errors import InvalidArgument
from infoflow.plane.array_files import Array
from infoflow.plane.readout import Readout
from infoflow.plane.store import Header

Precision: TypeAlias = Literal["model", "float16", "bfloat16"]
"""Numbers in which activations are stored: see `infoflow.plane.record`."""

LARGEST_BATCH = 1024

MEMORY = 32 * 2**20
"""Bytes of activations that a recorder holds at once; a larger probe runs through the model in slabs."""


class ProbeActivations:
    """Activations of a model on probes, in the form in which they are stored.

    Parameters
    ----------
    capture
        Runs the model and returns the activations of its layers.
    header
        Layers and seeds of the recording.
    readout
        How the probe runs and what is stored of maps and tokens.
    precision
        As in `infoflow.plane.record`.
    """

    def __init__(self, capture: Capture, header: Header, readout: Readout, precision: Precision) -> None:
        self._capture = capture
        self._header = header
        self._readout = readout
        self._precision = precision

    def slabs(
        self, probe: str, x: Tensor, epoch: int, widths: dict[str, tuple[int, ...]]
    ) -> Iterator[dict[str, Array]]:
        """Run a probe through the model, as many samples at a time as fit into `MEMORY`.

        Parameters
        ----------
        probe
            Name of the probe.
        x : Tensor of shape (n, ...)
            Inputs of the probe.
        epoch
            Epoch, for errors.
        widths
            Units by layer, which are enforced, and noted where a layer has none yet.

        Yields
        ------
        dict of Array
            Activations (seeds, samples, units) by layer.

        Raises
        ------
        InvalidArgument
            If a layer changes its shape or has activations that are not finite.
        """
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
            batch = batch_of(self._capture.model, x, start, start + size)
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


def device_of(model: nn.Module) -> torch.device:
    """The device of a model's first parameter or buffer.

    >>> device_of(nn.Linear(1, 1))
    device(type='cpu')
    """
    for tensor in [*model.parameters(), *model.buffers()]:
        return tensor.device
    return torch.device("cpu")


def batch_of(model: nn.Module, x: Tensor, start: int, stop: int) -> Tensor:
    """Part of the probe on the model's device and in its precision; integers (tokens) stay integers.

    >>> batch_of(nn.Linear(1, 1), torch.eye(3, dtype=torch.float64), 0, 1)
    tensor([[1., 0., 0.]])
    """
    batch = x[start:stop].to(device_of(model))
    if not batch.is_floating_point():
        return batch
    kinds = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
    return batch.to(next(kinds, torch.get_default_dtype()))


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
