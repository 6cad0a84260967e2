"""A linear regression with Gaussian noise, whose residuals a density network takes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.estimators.gaussian.canonical_pairs import correlation

# With fewer samples per column, a regression on all columns does not generalize.
_SAMPLES_PER_COLUMN = 2

# Ranks of the regression that are tried, besides the full one.
_RANKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)

# Ridge penalties that are tried, per sample.
_RIDGE = (0.03, 0.3, 3.0)

# Variances are at least this share of the marginal ones, so that a float32 network resolves the residuals.
FLOOR = 1e-9


@dataclass(frozen=True)
class LinearGaussian:
    """q(y|x) = N(y; b + xB, LLᵀ), with the standardized residual r = L⁻¹(y − b − xB)."""

    weights: Tensor  # B (p, d)
    offset: Tensor  # b (d,)
    whitening: Tensor  # L⁻¹ (d, d)

    @property
    def log_volume(self) -> float:
        """log |L⁻¹|, the difference between log densities of y and of residuals."""
        return float(self.whitening.diagonal().log().sum())

    def residual(self, x: Tensor, y: Tensor) -> Tensor:
        """Residuals (n, d) of x (n, p) and y (n, d); standard normal if the model holds."""
        return (y - self.offset - x @ self.weights) @ self.whitening.mT

    def log_density(self, x: Tensor, y: Tensor) -> Tensor:
        """log q(y|x), (n,)."""
        r = self.residual(x, y)
        return self.log_volume - (r.square().sum(1) + r.shape[1] * math.log(2 * math.pi)) / 2


def fit_linear_gaussian(x: Tensor, y: Tensor, x_held_out: Tensor, y_held_out: Tensor) -> LinearGaussian:
    """The linear Gaussian model, fitted on x (n, p) and y (n, d), under which the held-out samples are likeliest.

    Regressions of every rank (Izenman 1975), ridge regressions, one without its insignificant coefficients, and none
    compete; and for each, a full, a shrunk (OAS, Chen et al. 2010) and a diagonal covariance. With p = 0 only the
    covariances do.
    """
    mean_x, mean_y = x.mean(0), y.mean(0)
    centered_x, centered_y = x - mean_x, y - mean_y
    best, most = None, -math.inf
    floor = FLOOR * centered_y.square().mean(0)
    for weights in _regressions(centered_x, centered_y):
        residual = centered_y - centered_x @ weights
        for covariance in _covariances(residual):
            factor, failed = torch.linalg.cholesky_ex(covariance + floor.diag())
            if failed:
                continue
            whitening = torch.linalg.solve_triangular(factor, torch.eye(len(factor)).to(factor), upper=False)
            tried = LinearGaussian(weights, mean_y - mean_x @ weights, whitening)
            likelihood = float(tried.log_density(x_held_out, y_held_out).mean())
            if likelihood > most:
                best, most = tried, likelihood
    assert best is not None  # a diagonal covariance always has a factor
    return best


def _regressions(x: Tensor, y: Tensor) -> Iterator[Tensor]:
    n, p, d = *x.shape, y.shape[1]
    yield x.new_zeros(p, d)
    if p == 0:
        return
    wide = p > n  # then ridge regressions follow from products of rows, which are fewer
    gram = (x @ x.mT if wide else x.mT @ x) / n
    cross = y / n if wide else x.mT @ y / n
    scale = x.square().sum() / (n * p)
    identity = torch.eye(len(gram)).to(gram)
    for penalty in _RIDGE:
        solution, failed = torch.linalg.solve_ex(gram + penalty * scale * identity, cross)
        weights = x.mT @ solution if wide else solution
        if not failed and bool(torch.isfinite(weights).all()):  # a penalty below the rounding of gram changes nothing
            yield weights
    if n < _SAMPLES_PER_COLUMN * (p + d):
        return
    inverse = torch.linalg.pinv(gram, hermitian=True)
    full = inverse @ cross
    yield full
    noise = (y - x @ full).square().mean(0)
    errors = (inverse.diagonal().clamp(min=0)[:, None] * noise / n).sqrt()
    yield torch.where(full.abs() > math.sqrt(2 * math.log(p * d + 1)) * errors, full, 0.0)
    # Reduced rank: the leading canonical pairs of the fitted values.
    values, vectors = torch.linalg.eigh(y.mT @ y / n)
    values = values.clamp(min=FLOOR * values[-1])
    root = vectors * values.sqrt() @ vectors.mT
    inverse_root = vectors * values.rsqrt() @ vectors.mT
    fitted = full.mT @ cross
    _, directions = torch.linalg.eigh(inverse_root @ fitted @ inverse_root)
    for rank in (r for r in _RANKS if r < min(p, d)):
        leading = directions[:, -rank:]
        yield full @ inverse_root @ leading @ leading.mT @ root


def _covariances(residual: Tensor) -> Iterator[Tensor]:
    n, d = residual.shape
    full = residual.mT @ residual / n
    yield full.diagonal().diag()
    if d > 1:
        if n > d + 2:
            yield full
        yield correlation(residual, "oas")
