"""Candidates for numbers on both sides: a Gaussian, and nearest neighbors from many to few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

from infoflow.estimators.automatic.chain import Candidate, first_adequate
from infoflow.estimators.gaussian.canonical_pairs import Columns, Copula, Spectrum, spectrum, standardized
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.gaussian.gaussianity import Missed, missed_by
from infoflow.estimators.neighbors.columns import pair_terms, rescaled
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.neighbors.preparation import prepare
from infoflow.estimators.neighbors.several import terms_by_neighbors
from infoflow.pairwise.column_pairs import Column

Scale = Literal["standard", "normal-scores"]

SCALES: tuple[Scale, ...] = ("normal-scores", "standard")

# Numbers of neighbors on a line and a line, and in more dimensions, where a search costs more and few are biased less.
_LINE, _SPACE = (80, 40, 20, 12, 8, 5, 3, 2, 1), (12, 5, 3)

# Level of the test of normal columns, over all columns.
_NORMAL = 0.01

# A correlation nearer to 1 is that of equal values, of which a Gaussian is no model.
_EXACT = 1e-13

# Level of the test that has critics trained.
_DOUBT = 1e-4

# A covariance of d columns needs so many samples more than its bias correction would amplify.
_PER_COLUMN, _MORE = 1.25, 8


def gaussian(x: Tensor, y: Tensor, copula: Copula | None = None) -> Candidate | None:
    """The Gaussian candidate of (n, d) columns, or None where samples are too few for a covariance.

    Columns whose skewness and kurtosis allow it are taken as they are, otherwise by smoothed normal scores; `copula`
    decides otherwise.

    >>> line = torch.linspace(-1, 1, 50, dtype=torch.float64)[:, None]
    >>> gaussian(line, line.flip(0) + line.sin().cos()).estimator
    Gaussian(...)
    """
    n, dimensions = len(x), x.shape[1] + y.shape[1]
    if n <= _PER_COLUMN * dimensions + _MORE:
        return None
    if copula is None:
        copula = False if bool(_normal(torch.cat([x, y], dim=1))) else "smoothed"
    return _model(standardized(x, "x", copula=copula), standardized(y, "y", copula=copula), copula)


def _model(x: Columns, y: Columns, copula: Copula) -> Candidate | None:
    found = spectrum(x, y)
    exact = found.correlations.numel() and float(1 - found.correlations[0]) < _EXACT
    if exact or math.isinf(found.information()) or found.freedom <= sum(found.ranks):
        return None
    return Candidate("a Gaussian", _gaussian(copula), _gaussian_terms(found))


@cache
def _gaussian(copula: Copula) -> Gaussian:
    return Gaussian(copula=copula)


def of_lines(draws: Sequence[tuple[Tensor, Tensor]]) -> list[list[Candidate]]:
    """The Gaussian, if there is one, and the nearest-neighbor candidates of each of several pairs of columns (n, 1).

    The pairs share their steps, as the same samples with ties spread at random do, which takes a fraction of the time.

    >>> x, y = torch.randn(2, 60, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> [len(each) for each in of_lines([(x, y), (x, x + y)])]
    [11, 11]
    """
    found = _on_lines(draws, SCALES, _numbers(len(draws[0][0]), True))
    return [[*([model] if model else []), *others] for model, others in zip(_gaussians(draws), found, strict=True)]


def _gaussians(draws: Sequence[tuple[Tensor, Tensor]]) -> list[Candidate | None]:
    """The Gaussian candidate of each pair of columns (n, 1), standardized together where they are taken alike."""
    models: list[Candidate | None] = [None] * len(draws)
    if len(draws[0][0]) <= _PER_COLUMN * 2 + _MORE:
        return models
    normal = _normal(torch.stack([torch.cat(pair, dim=1) for pair in draws]))
    copulas: tuple[Copula, Copula] = (False, "smoothed")
    for copula in copulas:
        taken = [at for at, each in enumerate(normal.tolist()) if each != bool(copula)]
        if taken:
            columns = _together([side for at in taken for side in draws[at]], copula)
            for at, x, y in zip(taken, columns[::2], columns[1::2], strict=True):
                models[at] = _model(x, y, copula)
    return models


def _together(sides: Sequence[Tensor], copula: Copula) -> list[Columns]:
    """Columns (n, 1) that vary, each standardized, in a fraction of the time of one by one."""
    # Columns in sequence in memory are added up as one by one.
    found = standardized(torch.stack([side[:, 0] for side in sides]).T, "x", copula=copula)
    return [replace(found, values=found.values[:, [at]]) for at in range(len(sides))]


def missed(x: Tensor, y: Tensor) -> Missed:
    """What a Gaussian copula misses of x and y (n, d), by a test of moments.

    >>> line = torch.linspace(-1, 1, 100, dtype=torch.float64)[:, None]
    >>> missed(line, line.square()).significant
    True
    """
    if x.shape[1] == y.shape[1] == 1:
        return missed_by(spectrum(*_together([x, y], copula=True)))
    return missed_by(spectrum(standardized(x, "x", copula=True), standardized(y, "y", copula=True)))


def is_any(found: Missed) -> bool:
    """Whether there is any dependence beyond a Gaussian copula, also below 1 % of the Gaussian information.

    >>> is_any(Missed(0.001, 0.0001, 1e-9, 2.0))
    True
    """
    return found.p_value < _DOUBT and found.nats > 0


def neighbors(
    x: Tensor, y: Tensor, *, scales: Sequence[Scale] = SCALES, numbers: Sequence[int] | None = None
) -> list[Candidate]:
    """Nearest-neighbor candidates of (n, d) columns, from many neighbors to few, on ranks and on the values.

    `numbers` of neighbors depend on n by default.

    >>> x = torch.randn(60, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> [each.name for each in neighbors(x, x.square())][:2]
    ['KSG (k = 8, normal scores)', 'KSG (k = 8, standard)']
    """
    line = x.shape[1] == y.shape[1] == 1
    if numbers is None:
        numbers = _numbers(len(x), line)
    if line:
        return _on_lines([(x, y)], scales, numbers)[0]
    terms = {}
    for scale in scales:
        left, right = (prepare(side, "x", rescale=scale).values for side in (x, y))
        terms[scale] = terms_by_neighbors(left, right, numbers)
    return [Candidate(*_named(k, scale), terms[scale][k], k) for k in numbers for scale in scales]


def _numbers(n: int, line: bool) -> list[int]:
    most = min(max(3.0, n / 6), n / 25 + 8, n - 2)
    return [k for k in (_LINE if line else _SPACE) if k <= most] or [max(1, int(most))]


def _on_lines(
    draws: Sequence[tuple[Tensor, Tensor]], scales: Sequence[Scale], numbers: Sequence[int]
) -> list[list[Candidate]]:
    """The nearest-neighbor candidates of each pair of columns (n, 1); the scales share the sorts of the columns."""
    wanted = [SCALES.index(scale) for scale in scales]
    scaled = [[rescaled(side) for side in draw] for draw in draws]
    left, right = (Column.stacked([draw[side][at] for draw in scaled for at in wanted]) for side in (0, 1))
    found = pair_terms(left, right, numbers).values.reshape(len(draws), len(scales), len(numbers), -1)
    return [
        [
            Candidate(*_named(k, scale), terms[at, row], k)
            for row, k in enumerate(numbers)
            for at, scale in enumerate(scales)
        ]
        for terms in found
    ]


@cache
def _named(k: int, scale: Scale) -> tuple[str, KSG]:
    return f"KSG (k = {k}, {scale.replace('-', ' ')})", KSG(k=k, rescale=scale)


def adequate_terms(x: Tensor, y: Tensor) -> NDArray[np.float64]:
    """The terms (n,) of the first of these candidates that no finer one contradicts, for few columns (n, d).

    >>> x = torch.randn(60, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> adequate_terms(x, x.square()).shape
    (60,)
    """
    model = gaussian(x, y)
    return first_adequate([*([model] if model else []), *neighbors(x, y)]).candidate.terms


def _normal(values: Tensor) -> Tensor:
    """Whether no column's skewness or kurtosis (..., n, d) differs from a normal variable's, at 1 % over d columns."""
    centered = values - values.mean(dim=-2, keepdim=True)
    standard = centered / centered.square().mean(dim=-2, keepdim=True).sqrt()
    n, tests = values.shape[-2], 2 * values.shape[-1]
    limit = -float(special.ndtri(_NORMAL / tests / 2))
    skewness = standard.pow(3).mean(dim=-2).abs() * math.sqrt(n / 6)
    kurtosis = (standard.pow(4).mean(dim=-2) - 3).abs() * math.sqrt(n / 24)
    return (skewness.amax(dim=-1) < limit) & (kurtosis.amax(dim=-1) < limit)


def _gaussian_terms(found: Spectrum) -> NDArray[np.float64]:
    """Pointwise information (n,) of Gaussian variables, less the bias, so that the mean is the estimate."""
    rho = found.correlations
    u, v = found.x[:, : len(rho)], found.y[:, : len(rho)]
    share = rho / (1 - rho.square())
    terms = (share * (u * v - 0.5 * rho * (u.square() + v.square()))).sum(dim=1)
    array: NDArray[np.float64] = (terms - terms.mean() + found.information() - found.bias()).numpy()
    return array
