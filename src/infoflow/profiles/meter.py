"""What is measured at one point of a network: its accumulators, which its hook feeds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.estimators.streaming.accumulator import (
    Accumulator,
    RowAccumulator,
    SequenceAccumulator,
    ViewAccumulator,
)
from infoflow.estimators.streaming.reading import ReadingKind
from infoflow.estimators.streaming.rows import checked_rows
from infoflow.profiles.batches import Batch
from infoflow.profiles.points import Point, activation
from infoflow.profiles.quantities import Make
from infoflow.profiles.rows import Rows, pooled, rows, sequences


class Meter:
    """The accumulators of one point, which are made at its first activations.

    Parameters
    ----------
    point
        Where activations are measured.
    quantities
        Makes each accumulator by name.
    """

    def __init__(self, point: Point, quantities: Mapping[str, Make]) -> None:
        self.point = point
        self.accumulators: dict[str, Accumulator] = {}
        self.width = 0
        """Dimensions of the activations; 0 before the first."""
        self.broken: list[tuple[int, int]] = []
        """Number of each batch with values that are not finite, and of its rows that hold some."""
        self._quantities = quantities
        self._listens = False
        self._seen: Tensor | None = None

    def hook(self) -> torch.utils.hooks.RemovableHandle:
        """Have the module hand its activations over; the handle removes this."""
        if self.point.before:
            return self.point.module.register_forward_pre_hook(self._before, with_kwargs=True)
        return self.point.module.register_forward_hook(self._after)

    def listen(self) -> None:
        """Take the activations of the next forward pass; others, such as those of an unembedding, are ignored."""
        self._listens, self._seen = True, None

    def hear(self) -> Tensor:
        """Return the activations of the forward pass that just ran.

        Raises
        ------
        InvalidArgument
            If there are none.
        """
        values, self._seen, self._listens = self._seen, None, False
        if values is None:
            raise InvalidArgument(
                f"layer {self.point.name!r}",
                "a module that runs once in every forward pass and returns a tensor",
                got_text="none of its activations",
                remedy="Choose another layer.",
            )
        return values

    def make(self, width: int) -> None:
        """Make the accumulators for activations of so many dimensions."""
        if self.width == width:
            return
        if self.width:
            wanted = f"of {self.width} dimensions, as in the first batch"
            raise InvalidArgument(f"activations of {self.point.name!r}", wanted, width)
        made = {name: make(width) for name, make in self._quantities.items()}
        self.accumulators = {name: each for name, each in made.items() if each is not None}
        self.width = width

    def prepare(self, values: Tensor, batch: Batch, labels: dict[str, Tensor], first: int) -> Rows:
        """Check the activations of a batch against it, before anything is accumulated at any point."""
        found = rows(self.point.name, values, batch, labels, first)
        self.make(found.values.shape[1])
        return found

    def take(self, taken: Rows, values: Tensor, batch: Batch, number: int) -> None:
        """Accumulate the rows that `prepare` returned, and the activations that they are from."""
        shared = checked_rows(taken.values, self.width, taken.labels, None, taken.documents)
        if shared.not_finite:
            self.broken.append((number, shared.not_finite))
            shared = dataclasses.replace(shared, not_finite=0)  # reported once for the layer, with its batch
        held = None
        for accumulator in self.accumulators.values():
            if isinstance(accumulator, RowAccumulator):
                accumulator.update_checked(shared)
            elif isinstance(accumulator, SequenceAccumulator):
                held = held or sequences(values, batch)
                if held is not None:
                    finite = held[0].isfinite().all(2)
                    accumulator.update(held[0], held[1] & finite)

    def view(self, views: list[tuple[Tensor, Batch]]) -> None:
        """Accumulate augmented views of the prompts of a batch."""
        means = [pooled(values, batch) for values, batch in views]
        found = [mean for mean in means if mean is not None]
        if len(found) < 2:
            return
        stacked = torch.stack(found, 1)
        stacked = stacked[stacked.isfinite().flatten(1).all(1)]
        for accumulator in self.accumulators.values():
            if isinstance(accumulator, ViewAccumulator):
                accumulator.update(stacked)

    def table(self) -> Iterator[tuple[Any, ...]]:
        """Rows of a profile's table, without the columns layer and depth."""
        lost = sum(count for _, count in self.broken)
        broken: tuple[str, ...] = ()
        if lost:
            broken = (
                f"{lost} rows of layer {self.point.name!r} hold NaN or infinite activations, the first in batch "
                f"{min(self.broken)[0]}, and were left out, so the numbers are about the others. Look at this batch.",
            )
        readings = [found for accumulator in self.accumulators.values() for found in accumulator.estimates()]
        if not readings and lost:  # the layer stays in the table, so that nobody misses it by accident
            yield ("finite rows", "", 0.0, "", math.nan, math.nan, math.nan, str(ReadingKind.GEOMETRIC), 0, broken)
        for found in readings:
            limits = (found.null, found.ceiling, found.standard_error)
            yield (
                found.quantity,
                found.label,
                found.value,
                found.unit,
                *(math.nan if value is None else value for value in limits),
                str(found.kind),
                found.n,
                (*found.warnings, *broken),
            )

    def _before(self, module: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._keep(arguments[0] if arguments else next(iter(named.values()), None))

    def _after(self, module: nn.Module, arguments: tuple[Any, ...], value: Any) -> None:
        self._keep(value)

    def _keep(self, value: Any) -> None:
        if not self._listens:
            return
        if self._seen is not None:
            raise InvalidArgument(
                f"layer {self.point.name!r}",
                "a module that runs once in a forward pass",
                got_text="one that runs several times",
            )
        self._seen = activation(value)
