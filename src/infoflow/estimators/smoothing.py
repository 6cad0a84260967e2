"""Regression of columns on conditions of any type: least squares with kernels, chosen by samples that are left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from infoflow.core.variable import Variable
from infoflow.estimators.neighbors.preparation import normal_scores

Array = NDArray[np.float64]

# Samples for each feature of squares and products; with fewer, these are left out.
_SAMPLES_PER_FEATURE = 20

# Centers of kernels, which bound the cost, and samples with which kernels are tried at all.
_CENTERS, _LEAST = 300, 30

# Widths of kernels, in standard deviations for each column of the condition.
_WIDTHS = (0.7, 1.5)

# Samples on which a basis and a penalty are chosen.
_LOOK = 3000

# Ridge penalties, as shares of the largest variance of a feature.
_PENALTIES = [10.0**-power for power in (5, 4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5, 0)]

# A more flexible regression is taken where it lowers the mean squared error of left-out samples by so many standard
# errors, since the best of many is better by chance.
_GAIN = 1.0

# A fit with more degrees of freedom for each sample is interpolation, and so is one with a larger leverage.
_FREEDOM, _LEVERAGE = 1 / 3, 0.95


@dataclass(frozen=True)
class Basis:
    """Features of a condition: columns (n, p) that are not penalized, and penalized ones (n, m)."""

    free: Array
    penalized: Array


@dataclass(frozen=True)
class Smoother:
    """A linear smoother: orthonormal columns (n, p), the share of each that is fitted, and the diagonal (n,).

    `flexible` where it has kernels.
    """

    columns: Array
    shares: Array
    leverage: Array
    flexible: bool

    def residuals(self, targets: Array) -> Array:
        """What the fit leaves of targets (n, t), with the variance that it takes from each sample restored."""
        restored: Array = self._left(targets) / np.sqrt(1 - np.minimum(self.leverage, _LEVERAGE))[:, None]
        return restored

    def left_out(self, targets: Array) -> Array:
        """Errors (n, t) of predictions of each sample from the others."""
        errors: Array = self._left(targets) / (1 - np.minimum(self.leverage, _LEVERAGE))[:, None]
        return errors

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the fit."""
        return float(self.shares.sum())

    def _left(self, targets: Array) -> Array:
        left: Array = targets - self.columns @ (self.shares[:, None] * (self.columns.T @ targets))
        return left


def bases(z: Variable) -> list[Basis]:
    """Bases of a condition, from a linear one to kernels of single columns and of all together.

    >>> from infoflow.core.columns import read
    >>> [each.penalized.shape[1] > 0 for each in bases(read(np.linspace(0, 1, 100), "z"))]
    [False, False, True, True, True, True]
    """
    numbers, n = z.columns, len(z)
    d = numbers.shape[1]
    indicators = z.indicators[:, d:]
    centered = numbers - numbers.mean(axis=0)
    linear = np.concatenate([np.ones((n, 1)), centered / np.maximum(centered.std(axis=0), 1e-300), indicators], axis=1)
    none = np.empty((n, 0))
    found = [Basis(linear, none)]
    if d == 0:
        return found
    scores = normal_scores(torch.from_numpy(numbers)).numpy()
    products = np.stack([scores[:, i] * scores[:, j] for i in range(d) for j in range(i, d)], axis=1)
    if (products.shape[1] + 2 * d) * _SAMPLES_PER_FEATURE <= n:
        found.append(Basis(np.concatenate([linear, scores, products], axis=1), none))
    if n < _LEAST:
        return found
    centers = np.random.default_rng(0).permutation(n)[:_CENTERS]
    symbols = np.ones((n, len(centers)))
    if z.symbols.shape[1]:
        symbols = (z.symbols[:, None] == z.symbols[centers][None]).all(axis=2).astype(float)
    for width in _WIDTHS:
        single = np.zeros((n, len(centers)))
        together = np.zeros((n, len(centers)))
        for column in scores.T:
            squared = np.square((column[:, None] - column[centers]) / width)
            single += np.exp(-0.5 * squared)
            together += squared
        found.append(Basis(linear, _features(single * (0.5 + 0.5 * symbols), centers)))
        found.append(Basis(linear, _features(np.exp(-0.5 * together / d) * (0.5 + 0.5 * symbols), centers)))
    return found


def _features(kernel: Array, centers: NDArray[np.intp]) -> Array:
    """Features (n, m) whose products are the kernel (n, m) between samples and centers."""
    values, vectors = np.linalg.eigh(kernel[centers])
    kept = values > 1e-8 * values[-1]
    features: Array = kernel @ (vectors[:, kept] / np.sqrt(values[kept]))
    return features


def smoother(basis: Basis, penalty: float) -> Smoother:
    """The least-squares fit by a basis, with a ridge penalty that is a share of the largest variance of a feature.

    >>> rows = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(smoother(Basis(rows, np.empty((50, 0))), 0.1).freedom, 6)
    3.0
    """
    return next(_smoothers(basis, [penalty]))


def _smoothers(basis: Basis, penalties: Sequence[float]) -> Iterator[Smoother]:
    free, _ = _orthonormal(basis.free)
    leverage = np.square(free).sum(axis=1)
    if basis.penalized.shape[1] == 0:
        yield Smoother(free, np.ones(free.shape[1]), leverage, flexible=False)
        return
    columns, variances = _orthonormal(basis.penalized - free @ (free.T @ basis.penalized))
    both, squared = np.concatenate([free, columns], axis=1), np.square(columns)
    for penalty in penalties:
        shares = variances / (variances + penalty * variances.max(initial=1e-300))
        every = np.concatenate([np.ones(free.shape[1]), shares])
        yield Smoother(both, every, leverage + squared @ shares, flexible=True)


def _orthonormal(columns: Array) -> tuple[Array, Array]:
    """An orthonormal basis of the columns, and the squared singular values."""
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > 1e-10 * max(values[-1], 1e-300)
    return columns @ (vectors[:, kept] / np.sqrt(values[kept])), values[kept]


def best(targets: Array, available: Sequence[Basis]) -> Smoother:
    """The smoother of which all targets (n, t) together are predicted best where samples are left out.

    The criterion is the sum of the logs of the mean squared errors. Between bases the simpler remains where the gain is
    below a standard error.

    >>> from infoflow.core.columns import read
    >>> z = np.linspace(-2, 2, 200)
    >>> wave = np.sin(3 * z)[:, None] + 0.1 * np.random.default_rng(0).normal(size=(200, 1))
    >>> float(best(wave, bases(read(z, "z"))).residuals(wave).std()) < 0.11
    True
    """
    rows = slice(None, None, -(-len(targets) // _LOOK))
    chosen, errors = (available[0], 0.0), np.empty((0, 1))
    for basis in available:
        part = Basis(basis.free[rows], basis.penalized[rows])
        limited = [
            (penalty, np.square(each.left_out(targets[rows])))
            for penalty, each in zip(_PENALTIES, _smoothers(part, _PENALTIES), strict=False)
            if not len(errors) or _limited(each)
        ]
        if not limited:
            continue
        penalty, squares = min(limited, key=lambda each: float(np.log(each[1].mean(axis=0) + 1e-300).sum()))
        if not len(errors) or _better(squares, errors):
            chosen, errors = (basis, penalty), squares
    return smoother(*chosen)


def predictable(targets: Array, available: Sequence[Basis], standard_errors: float) -> NDArray[np.bool_]:
    """Which targets (n, t) the condition predicts where samples are left out, by so many standard errors.

    >>> from infoflow.core.columns import read
    >>> z, noise = np.random.default_rng(0).normal(size=(2, 300))
    >>> predictable(np.stack([noise, z**2 + noise], axis=1), bases(read(z, "z")), 3.0).tolist()
    [False, True]
    """
    plain = np.square((targets - targets.mean(axis=0)) * len(targets) / (len(targets) - 1))
    found = []
    for at in range(targets.shape[1]):
        column = targets[:, at : at + 1]
        gains = plain[:, at] - np.square(best(column, available).left_out(column))[:, 0]
        found.append(gains.mean() > standard_errors * gains.std() / math.sqrt(len(gains)) > 0)
    return np.array(found)


def _limited(each: Smoother) -> bool:
    return each.freedom <= _FREEDOM * len(each.leverage) and bool(each.leverage.max() <= _LEVERAGE)


def _better(new: Array, old: Array) -> bool:
    relative = ((old - new) / np.maximum(old.mean(axis=0), 1e-300)).sum(axis=1)
    return bool(relative.mean() > _GAIN * relative.std() / math.sqrt(len(relative)))
