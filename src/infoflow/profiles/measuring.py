"""One pass over batches: activations go to accumulators batch by batch, so that none is stored."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Self

import torch
import torch.distributed as dist
from torch import Tensor, nn

from infoflow.core import distributed
from infoflow.core.capture import untouched, unwrapped
from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.core.module_inputs import explanation
from infoflow.estimators.streaming.accumulator import ViewAccumulator
from infoflow.profiles.augmented import views
from infoflow.profiles.batches import Batch
from infoflow.profiles.labels import Labeling
from infoflow.profiles.meter import Meter
from infoflow.profiles.points import Point
from infoflow.profiles.quantities import Make
from infoflow.profiles.rows import count
from infoflow.profiles.saved_pass import Progress, SavedPass
from infoflow.profiles.survey import add_to


def measure(
    model: nn.Module,
    batches: Iterable[Batch],
    points: Sequence[Point],
    quantities: Mapping[str, Make],
    labeling: Labeling,
    *,
    group: distributed.Group = None,
    checkpoint: str | os.PathLike[str] | None = None,
    save_every: int = 100,
    settings: Mapping[str, object] | None = None,
) -> list[Meter]:
    """Run the model on batches without gradients, and accumulate at all points.

    Parameters
    ----------
    model
        The network; its mode, buffers and all random states are as before afterwards.
    batches
        The batches, the same on every process.
    points
        Where activations are measured.
    quantities
        Makes each accumulator by name.
    labeling
        What labels the rows.
    group : torch.distributed.ProcessGroup or None
        Processes that share the batches in turns; each holds what all accumulated afterwards.
    checkpoint
        File to which what was accumulated is saved, and from which an interrupted pass continues.
    save_every
        Batches between two savings.
    settings
        What must be equal for a pass to continue.

    Returns
    -------
    list of Meter
        One for each point.

    Raises
    ------
    InvalidArgument
        If there is no batch, or the model cannot run on one; what was accumulated before is saved where there is a
        checkpoint.
    BrokenStore
        If the checkpoint is damaged.
    """
    inner = unwrapped(model)
    meters = [Meter(point, quantities) for point in points]
    turns, turn = distributed.world_size(group), 0 if group is None else dist.get_rank(group)
    saved = None if checkpoint is None else SavedPass(checkpoint, turn, turns, settings or {})
    progress = Progress() if saved is None else saved.load(meters)
    with _Runner(inner, meters) as runner:
        number, documents, digest = -1, 0, hashlib.sha256()
        for number, batch in enumerate(batches):
            if saved is not None:
                if number == progress.batches and number:
                    saved.compare(progress, digest.hexdigest())
                add_to(digest, batch)
            try:
                labels = labeling.of(batch)
                if number == 0 and turns > 1:
                    _fix(runner, quantities, batch, labels, group)
                mine = number >= progress.batches and number % turns == turn
                if mine:
                    heard = runner.heard(batch, number)
                    taken = [
                        meter.prepare(values, batch, labels, documents)
                        for meter, values in zip(meters, heard, strict=True)
                    ]
                    augmented = runner.augmented(batch, number)
            except InfoflowError:
                if saved is not None and progress.batches:
                    saved.save(meters, progress)
                raise
            if mine:
                for place, meter in enumerate(meters):
                    meter.take(taken[place], heard[place], batch, number)
                    meter.view([(values[place], view) for view, values in augmented])
                progress = Progress(number + 1, digest.hexdigest())
                if saved is not None and (number // turns + 1) % save_every == 0:
                    saved.save(meters, progress)
            documents += count(batch, labels)
        if number < 0:
            raise InvalidArgument("batches", "at least one batch", got_text="none")
    if group is not None:
        _reduce(meters, group)
    if saved is not None:
        saved.delete()
    return meters


class _Runner:
    """Runs a network on batches while its points are hooked."""

    def __init__(self, model: nn.Module, meters: Sequence[Meter]) -> None:
        self.meters = meters
        self._model = model
        self._device = next((parameter.device for parameter in model.parameters()), None)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(untouched(self._model))
        for meter in self.meters:
            self._stack.callback(meter.hook().remove)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def heard(self, batch: Batch, number: int) -> list[Tensor]:
        """The activations of all points on a batch."""
        for meter in self.meters:
            meter.listen()
        try:
            batch.run(self._model, self._device)
        except InfoflowError:
            raise
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            inputs = batch.moved(self._device)
            named = {"inputs": inputs} if isinstance(inputs, Tensor) else inputs
            reason = explanation(error, self._model, named) or error
            raise InvalidArgument(f"model cannot run on batch {number}: {reason}") from error
        return [meter.hear() for meter in self.meters]

    def augmented(self, batch: Batch, number: int) -> list[tuple[Batch, list[Tensor]]]:
        """Views of a batch with their activations, where an accumulator takes them."""
        if not any(isinstance(each, ViewAccumulator) for meter in self.meters for each in meter.accumulators.values()):
            return []
        return [(view, self.heard(view, number)) for view in views(batch)]


def _fix(
    runner: _Runner, quantities: Mapping[str, Make], batch: Batch, labels: dict[str, Tensor], group: distributed.Group
) -> None:
    """Let all processes have the centers that the first process computes from the first batch."""
    held = []
    for meter, values in zip(runner.meters, runner.heard(batch, 0), strict=True):
        first = Meter(meter.point, quantities)
        first.take(first.prepare(values, batch, labels, 0), values, batch, 0)
        meter.make(first.width)
        held.append({name: _listed(each.fixed) for name, each in first.accumulators.items()})
    shared = distributed.exchange(held, group)[0]
    for meter, by_name in zip(runner.meters, shared, strict=True):
        for name, fixed in by_name.items():
            tensors = {key: torch.tensor(value, dtype=torch.float64) for key, value in fixed.items()}
            meter.accumulators[name].fix(tensors)


def _listed(fixed: Mapping[str, Tensor]) -> dict[str, list[float]]:
    return {name: tensor.double().cpu().tolist() for name, tensor in fixed.items()}


def _reduce(meters: Sequence[Meter], group: distributed.Group) -> None:
    for meter, found in zip(
        meters, zip(*distributed.exchange([m.broken for m in meters], group), strict=True), strict=True
    ):
        meter.broken = sorted((int(number), int(count)) for part in found for number, count in part)
        for accumulator in meter.accumulators.values():
            accumulator.all_reduce(group)
