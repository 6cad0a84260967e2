"""What an accumulator returns: one number with its null, ceiling, standard error, kind and warnings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ReadingKind(StrEnum):
    """Relation of a streamed number to the quantity that it is named after.

    Examples
    --------
    >>> ReadingKind("geometric") is ReadingKind.GEOMETRIC
    True
    """

    HELD_OUT = "held-out lower bound"
    """Lower bound of I from samples on which nothing was fitted."""
    POPULATION_BOUND = "lower bound in population, plug-in in sample"
    """Of a processed variable: its exact value is a lower bound of I, its estimate from few samples is too large."""
    PLUG_IN = "plug-in"
    """The formula of I or H on observed frequencies."""
    MODEL = "point estimate under a model"
    """I if the samples follow the stated family of distributions."""
    GEOMETRIC = "geometric"
    """A property of the arrangement of activations; it is not I of anything, whatever its unit."""


@dataclass(frozen=True)
class Reading:
    """One number of an accumulator.

    Parameters
    ----------
    quantity
        What was estimated, such as "I(token;W)".
    label
        Name of the label set; empty where none is involved.
    value
        The number, after correction of its bias where there is one.
    kind
        Relation of the number to the quantity.
    n
        Number of rows, sequences or prompts.
    unit
        "nats", "radians" or "" for counts and ratios.
    null
        The same from labels shuffled within each batch.
    ceiling
        Largest value that these samples and settings allow.
    standard_error
        By jackknife over documents, or over sequences or prompts.
    warnings
        Sentences with cause, consequence and remedy.

    Examples
    --------
    >>> float(Reading("effective rank", "", 3.5, ReadingKind.GEOMETRIC, n=100))
    3.5
    """

    quantity: str
    label: str
    value: float
    kind: ReadingKind
    n: int
    unit: str = "nats"
    null: float | None = None
    ceiling: float | None = None
    standard_error: float | None = None
    warnings: tuple[str, ...] = ()

    def __float__(self) -> float:
        return self.value

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, the kind as text."""
        return {**dataclasses.asdict(self), "kind": str(self.kind)}
