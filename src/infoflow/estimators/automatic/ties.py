"""Repeated values spread over their cells, which keeps mutual information and gives nearest neighbors a density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import paired
from infoflow.core.estimate import Estimate
from infoflow.core.settings import PositiveInt, Seed
from infoflow.estimators.neighbors.preparation import noise_generator
from infoflow.estimators.wrappers.family import Wrapper, gathered, samples_or_classes

Array = NDArray[np.float64]


def spread(values: Tensor, generator: np.random.Generator) -> Tensor:
    """Move each repeated value of a column to a uniform place in its cell, up to the midpoints to its neighbors.

    The cells are disjoint, so that the original value can be read off, and the information is unchanged.

    >>> spread(torch.tensor([[0.0], [0.0], [1.0]]).double(), np.random.default_rng(0)).T.round(decimals=2)
    tensor([[ 0.1400, -0.2300,  1.0000]], dtype=torch.float64)
    """
    return Cells(values).draw(generator)


class Cells:
    """The cells of the repeated values of each column (n, d), from which places can be drawn several times.

    >>> Cells(torch.tensor([[0.0], [0.0], [1.0]]).double()).draw(np.random.default_rng(0)).shape
    torch.Size([3, 1])
    """

    def __init__(self, values: Tensor) -> None:
        self._columns = values.numpy()
        self._cells = [_cells(column) for column in self._columns.T]

    def draw(self, generator: np.random.Generator) -> Tensor:
        """The columns with each repeated value at a uniform place in its cell."""
        drawn = self._columns.copy()
        for at, cells in enumerate(self._cells):
            if cells is not None:
                places, low, width = cells
                place = generator.uniform(size=len(drawn))
                drawn[places, at] = low + place[places] * width
        return torch.from_numpy(drawn)


def _cells(column: Array) -> tuple[NDArray[np.int64], Array, Array] | None:
    """Positions of repeated values, the lower ends of their cells and the widths; None where no value repeats."""
    different, position, count = np.unique(column, return_inverse=True, return_counts=True)
    places = np.flatnonzero(count[position] > 1)
    if len(different) < 2 or not len(places):
        return None
    half = np.diff(different) / 2
    below = np.concatenate([half[:1], half])[position[places]]
    above = np.concatenate([half, half[-1:]])[position[places]]
    return places, column[places] - below, below + above


def tied_share(values: Tensor) -> float:
    """The largest share of repeated values among the columns (n, d) that vary.

    >>> tied_share(torch.tensor([[0.0], [0.0], [1.0]]))
    0.5
    """
    ordered = np.sort(values.cpu().numpy(), axis=0)
    varying = ordered[:, ordered[0] < ordered[-1]]
    if varying.shape[1] == 0:
        return 0.0
    return float((varying[1:] == varying[:-1]).mean(axis=0).max())


@dataclass(frozen=True)
class SpreadTies(Wrapper):
    """An estimator of continuous variables, applied after repeated values were spread over their cells.

    Parameters
    ----------
    estimator
        Name or object of the estimator inside.
    draws
        Number of random draws, whose estimates are averaged.
    seed
        Seed of the draws.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown estimator.

    Notes
    -----
    A value that occurs more than once moves to a uniform place between the midpoints to the next lower and the next
    higher value of its column. The original value is a function of the new one, so that I(X;Y) is unchanged. Values
    that differ by rounding errors only are not ties.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> y = 0.8 * x + 0.6 * rng.normal(size=2000)
    >>> SpreadTies("ksg").estimate(x.round(1), y.round(1)).nats  # 0.5108 before rounding
    0.5
    """

    draws: PositiveInt = 3
    seed: Seed = 0

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; one-dimensional integers are classes, which have no ties.

        Returns
        -------
        Estimate
            The mean over the draws, of the kind of the estimator inside.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ, and as the estimator inside raises.
        """
        sides = [samples_or_classes(x, "x").cpu(), samples_or_classes(y, "y").cpu()]
        paired(sides[0], sides[1])
        generator = noise_generator(self.seed)

        def drawn() -> list[Tensor]:
            return [spread(side, generator) if side.is_floating_point() else side for side in sides]

        found = [self.inner.estimate(*drawn()) for _ in range(self.draws)]
        ceiling = min(each.ceiling for each in found)
        return Estimate(
            min(float(np.mean([each.nats for each in found])), ceiling),
            quantity=found[0].quantity,
            kind=found[0].kind,
            estimator=type(self).__name__,
            n=found[0].n,
            parameters=self._parameters(),
            ceiling=ceiling,
            ceiling_name=found[0].ceiling_name,
            warnings=gathered(found, "draws"),
        )
