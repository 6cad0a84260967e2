"""Columns prepared for distances: constant columns dropped, the others rescaled, with noise against ties on request."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

from infoflow.core.checks import classes, constant_columns, samples
from infoflow.estimators.neighbors.limits import lonely
from infoflow.pairwise.column_pairs import Column


@dataclass(frozen=True)
class Prepared:
    """Varying columns (n, d) in float64, rescaled, with warnings about the others."""

    values: Tensor
    warnings: tuple[str, ...]
    log_scale: float
    """Sum of the logarithms of the columns' divisors, which a differential entropy of the values lacks."""
    symbols: bool = False
    """Whether the values are codes of classes, 0, 1, ..., which have no order."""
    column: Column | None = None
    """The values with their order, where a single column on the CPU was sorted."""

    @property
    def constant(self) -> bool:
        """Whether no column varies."""
        return self.values.shape[1] == 0


def prepare(
    value: Any,
    name: str,
    *,
    rescale: str,
    minimum: int = 2,
    noise: float = 0.0,
    generator: np.random.Generator | None = None,
    device: torch.device | None = None,
) -> Prepared:
    """Check samples and rescale each column, which leaves mutual information unchanged.

    "normal-scores" maps the ranks of each column to a standard normal, "standard" divides it by its standard deviation,
    "none" only centers it. `noise` is a scale in standard deviations of each column.

    >>> prepare([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], "x", rescale="standard").warnings
    ('x has 1 constant column, which carries no information and was dropped',)
    """
    tensor = samples(value, name, minimum=minimum, dtype=torch.float64)
    if device is not None:
        tensor = tensor.to(device)
    warnings: tuple[str, ...] = ()
    varies = tensor.amax(0) > tensor.amin(0)
    if not bool(varies.all()):
        warnings = (constant_columns(name, int((~varies).sum())),)
        tensor = tensor[:, varies]
    if tensor.shape[1] == 0:
        return Prepared(tensor, warnings, 0.0)
    tensor = tensor - tensor.mean(0)
    largest = tensor.abs().amax(0)  # first to [-1, 1], so that no square overflows
    deviation = largest * (tensor / largest).square().mean(0).sqrt()
    if noise > 0 and generator is not None:
        drawn = torch.from_numpy(generator.normal(size=tuple(tensor.shape))).to(tensor.device)
        tensor = tensor + noise * deviation * drawn
    if rescale == "none":
        return Prepared(tensor, warnings, 0.0)
    if rescale == "normal-scores" and tensor.shape[1] == 1 and tensor.device.type == "cpu":
        column = scored(Column.of(tensor[:, 0].numpy()))
        return Prepared(torch.from_numpy(column.values)[:, None], warnings, math.nan, column=column)
    if rescale == "normal-scores":
        return Prepared(normal_scores(tensor), warnings, math.nan)
    return Prepared(tensor / deviation, warnings, float(deviation.log().sum()))


def scored(column: Column) -> Column:
    """A column as normal scores of its ranks, equal values sharing their mean rank, about mean 0.

    >>> scored(Column.of(np.array([1.0, 9.0, 2.0]))).values.round(4).tolist()
    [-0.6745, 0.6745, 0.0]
    """
    n, ordered = len(column.values), column.ordered
    scores = np.empty(n)
    scores[column.order] = normal_quantiles(n)
    if bool((ordered[1:] == ordered[:-1]).any()):
        below = np.searchsorted(ordered, column.values)
        ranks = (below + np.searchsorted(ordered, column.values, side="right") + 1) / 2.0
        scores = special.ndtri(ranks / (n + 1))
        scores -= scores.mean()
    return column.mapped(scores)


@lru_cache(maxsize=4)
def normal_quantiles(n: int) -> NDArray[np.float64]:
    """Φ⁻¹(i / (n + 1)) for i = 1, ..., n.

    >>> normal_quantiles(3).round(4).tolist()
    [-0.6745, 0.0, 0.6745]
    """
    quantiles: NDArray[np.float64] = special.ndtri(np.arange(1, n + 1) / (n + 1))
    return quantiles


def noise_generator(seed: int) -> np.random.Generator:
    """The generator of added noise, whose stream differs from that of `default_rng(seed)`.

    Samples that a user drew with the same seed would otherwise be added to themselves.

    >>> noise_generator(0).normal() == np.random.default_rng(0).normal()
    False
    """
    return np.random.default_rng([seed, 6])


def class_column(value: Any, name: str, *, minimum: int = 1, device: torch.device | None = None) -> Prepared:
    """Classes as one column of codes, or none where there is one class only; see `apart`.

    >>> class_column([7, 3, 7], "y").values.T.tolist()
    [[1.0, 0.0, 1.0]]
    """
    codes, count = classes(value, name, minimum=minimum)
    lonely(codes, name)
    column = codes.to(torch.float64)[:, None]
    return Prepared(column.to(device or codes.device)[:, : min(1, count - 1)], (), 0.0, symbols=True)


def apart(*sides: Prepared) -> tuple[Prepared, ...]:
    """The sides with codes of classes so far apart that two classes are farther than any two samples of other sides.

    Codes have no order, so only "the same" and "another" may count in a joint distance.

    >>> x, y = Prepared(torch.tensor([[0.0], [3.0]]), (), 0.0), Prepared(torch.tensor([[0.0], [1.0]]), (), 0.0, True)
    >>> apart(x, y)[1].values.tolist()
    [[0.0], [12.0]]
    """
    others = [side.values for side in sides if not side.symbols and not side.constant]
    widest = max((float((values.amax(0) - values.amin(0)).max()) for values in others), default=0.0)
    step = 4 * widest if widest > 0 else 1.0
    return tuple(replace(side, values=step * side.values, column=None) if side.symbols else side for side in sides)


def normal_scores(values: Tensor) -> Tensor:
    """Φ⁻¹(rank / (n + 1)) of each column of floating values (n, d); equal values share their mean rank.

    A monotone map of single columns leaves mutual information unchanged (Ince et al. 2017, Human Brain Mapping 38,
    section 2.4).

    >>> normal_scores(torch.tensor([[1.0], [100.0], [10.0]], dtype=torch.float64)).T
    tensor([[-0.6745,  0.6745,  0.0000]], dtype=torch.float64)
    """
    columns = values.T.contiguous()
    ordered, order = _sorted(columns)
    n = columns.shape[1]
    # One table of scores for all columns: the sort is the whole cost.
    quantiles = torch.from_numpy(normal_quantiles(n)).to(columns)
    scores = torch.empty_like(columns).scatter_(1, order, quantiles.expand_as(columns))
    repeats = (ordered[:, 1:] == ordered[:, :-1]).any(1)
    if bool(repeats.any()):
        ordered, columns = ordered[repeats], columns[repeats]
        below = torch.searchsorted(ordered, columns)
        ranks = (below + torch.searchsorted(ordered, columns, right=True) + 1).to(values.dtype) / 2.0
        scores[repeats] = torch.special.ndtri(ranks / (n + 1))
    return scores.T.contiguous()


def _sorted(columns: Tensor) -> tuple[Tensor, Tensor]:
    """Rows in ascending order, and the order; NumPy sorts several times faster than torch on a CPU."""
    if columns.device.type != "cpu":
        ordered, order = columns.sort(1)
        return ordered, order
    order = torch.from_numpy(np.argsort(columns.numpy(), axis=1))
    return columns.gather(1, order), order
