"""Symbols or numbers: what a variable holds is decided by its values, not by their type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.pairwise.equal_rows import equal_rows

# A variable is symbolic if each of its values occurs at least so often on average, or if both sides have few values.
_OCCURRENCES, _FEW, _SHARE = 20, 8, 0.1

# Samples per pair of values that occurs from which on counts are accurate, so that an order need not be assumed.
PER_PAIR = 5

# A nearest neighbor of every sample, and one more to compare with.
_LEAST = 3


@dataclass(frozen=True)
class Variable:
    """One side: its samples as numbers (n, d), its codes (n,) where it is a symbol, and what was decided."""

    numbers: Tensor
    codes: Tensor | None
    distinct: int
    note: str

    @property
    def symbolic(self) -> bool:
        """Whether the values are symbols."""
        return self.codes is not None

    @property
    def samples(self) -> NDArray[Any]:
        """Codes (n,) as integers, or numbers (n, d) as floats: the types by which estimators tell them apart."""
        return np.asarray(self.numbers if self.codes is None else self.codes)


def variables(
    x: Any, y: Any, discrete_x: bool | None = None, discrete_y: bool | None = None
) -> tuple[Variable, Variable]:
    """Decide for both sides whether they hold symbols or numbers.

    A side of K different values (rows) among n samples is a symbol if K ≤ n/20; both are if each has at most 8 values
    and at most n/10, or if at most n/5 different pairs occur. One value for nearly every sample is a number, also
    where it is an integer. `discrete_x` and `discrete_y` decide otherwise.

    >>> ages = np.random.default_rng(0).integers(18, 90, 300)
    >>> [side.note for side in variables(ages, ages % 2)]
    ['x: numbers', 'y: 2 symbols']
    """
    sides = {name: _numbers(value, name) for name, value in (("x", x), ("y", y))}
    paired(sides["x"], sides["y"])
    rows = {name: equal_rows(side) for name, side in sides.items()}
    n = len(sides["x"])
    both_few = all(count <= min(_FEW, _SHARE * n) for _, count in rows.values())
    counted = pairs_of(rows["x"], rows["y"], n // PER_PAIR) * PER_PAIR <= n
    decided = []
    for name, asked in (("x", discrete_x), ("y", discrete_y)):
        codes, count = rows[name]
        symbolic = asked if asked is not None else both_few or counted or count * _OCCURRENCES <= n
        note = f"{name}: {count} symbols" if symbolic else f"{name}: numbers"
        decided.append(Variable(sides[name], codes if symbolic else None, count, note))
    return decided[0], decided[1]


def pairs_of(x: tuple[Tensor, int], y: tuple[Tensor, int], most: int) -> int:
    """Number of different pairs of codes (n,), given with their numbers; a lower bound where one side has over `most`.

    >>> pairs_of((torch.tensor([0, 1, 1]), 2), (torch.tensor([0, 0, 0]), 1), 3)
    2
    """
    least = max(x[1], y[1])
    return least if least > most else len(torch.unique(x[0] * y[1] + y[0]))


def as_type(value: Any, name: str, discrete: bool | None) -> Any:
    """Codes (n,) of the rows where `discrete`, floats where not, and the value as it is for None.

    >>> as_type([0.5, 2.5, 0.5], "x", True).tolist(), as_type([1, 2, 3], "x", False).dtype
    ([0, 1, 0], torch.float64)
    """
    if discrete is None:
        return value
    numbers = _numbers(value, name)
    return equal_rows(numbers)[0] if discrete else numbers


def _numbers(value: Any, name: str) -> Tensor:
    tensor = samples(value, name, minimum=_LEAST, dtype=torch.float64).cpu()
    if not isinstance(value, Tensor) and np.asarray(value).dtype.kind in "iu" and tensor.abs().max() >= 2**53:
        raise InvalidArgument(name, "integers below 2^53, which float64 holds exactly", float(tensor.abs().max()))
    return tensor
