"""Closed forms of the Gaussian, in nats, as functions of covariances of shape (..., d, d)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from infoflow.core.arrays import real
from infoflow.core.checks import finite
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, validated


def _covariance(value: Any, name: str) -> Tensor:
    tensor = real(value, name)
    if tensor.dtype == torch.bool:
        raise InvalidArgument(name, "real numbers", got_text=f"dtype {tensor.dtype}")
    if tensor.ndim < 2 or tensor.shape[-1] != tensor.shape[-2] or tensor.shape[-1] == 0:
        raise InvalidArgument(name, "square matrices (..., d, d)", tensor)
    matrix = tensor.to(torch.float64)
    finite(matrix, name)
    if not torch.allclose(matrix, matrix.mT, rtol=1e-6, atol=1e-10 * float(matrix.abs().max())):
        raise InvalidArgument(name, "a symmetric covariance")
    return matrix


def _cholesky(matrix: Tensor, name: str) -> Tensor:
    factor: Tensor
    factor, info = torch.linalg.cholesky_ex(matrix)
    if bool((info != 0).any()):
        raise InvalidArgument(name, "positive definite", remedy="Drop linearly dependent variables.")
    return factor


def _log_det(matrix: Tensor, name: str) -> Tensor:
    value: Tensor = 2 * _cholesky(matrix, name).diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
    return value


def entropy(covariance: Any) -> Tensor:
    """Differential entropy of a Gaussian, h(X) = ½ log det(2πe Σ).

    Parameters
    ----------
    covariance : array-like of shape (..., d, d)
        Σ.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the covariance is not symmetric and positive definite.

    References
    ----------
    Cover, Thomas, Elements of Information Theory, Theorem 8.4.1.

    Examples
    --------
    >>> entropy([[1.0]]).item()  # ½ log 2πe
    1.4189
    """
    matrix = _covariance(covariance, "covariance")
    return 0.5 * (matrix.shape[-1] * math.log(2 * math.pi * math.e) + _log_det(matrix, "covariance"))


@validated
def mutual_information(covariance: Any, dim_x: PositiveInt) -> Tensor:
    """Mutual information of the first `dim_x` and the other variables, ½ log |Σx||Σy| / |Σ|.

    Parameters
    ----------
    covariance : array-like of shape (..., d, d)
        Σ of all variables.
    dim_x
        Number of variables of x, from 1 to d - 1.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the covariance is not symmetric and positive definite, or the dimensions don't fit.

    References
    ----------
    Cover, Thomas, Elements of Information Theory, eq. 8.56.

    Examples
    --------
    >>> mutual_information([[1.0, 0.8], [0.8, 1.0]], 1).item()  # -½ log(1 - 0.64)
    0.5108
    """
    return conditional_mutual_information(covariance, dim_x, _covariance(covariance, "covariance").shape[-1] - dim_x)


@validated
def conditional_mutual_information(covariance: Any, dim_x: PositiveInt, dim_y: PositiveInt) -> Tensor:
    """I(X;Y|Z) = ½ log |Σxz| |Σyz| / (|Σz| |Σxyz|) of Gaussian variables in the order x, y, z.

    Parameters
    ----------
    covariance : array-like of shape (..., d, d)
        Σ of all variables.
    dim_x, dim_y
        Numbers of variables of x and y; the others are z. Without z it is I(X;Y).

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the covariance is not symmetric and positive definite, or the dimensions don't fit.

    References
    ----------
    Cover, Thomas, Elements of Information Theory, eq. 2.61 with Theorem 8.4.1.

    Examples
    --------
    In a chain x - z - y, of variance 1 and with neighbors correlated 0.5, z explains all:

    >>> conditional_mutual_information([[1, 0.25, 0.5], [0.25, 1, 0.5], [0.5, 0.5, 1]], 1, 1).abs().item()
    0.0000
    """
    matrix = _covariance(covariance, "covariance")
    total = matrix.shape[-1]
    if dim_x + dim_y > total:
        raise InvalidArgument("dim_x + dim_y", f"at most the number of variables ({total})", dim_x + dim_y)
    z = list(range(dim_x + dim_y, total))
    with_x = [*range(dim_x), *z]
    with_y = list(range(dim_x, total))

    def log_det(index: list[int]) -> Tensor:
        if not index:
            return matrix.new_zeros(matrix.shape[:-2])
        rows = torch.tensor(index, device=matrix.device)
        return _log_det(matrix[..., rows[:, None], rows], "covariance")

    value: Tensor = 0.5 * (log_det(with_x) + log_det(with_y) - log_det(z) - log_det(list(range(total))))
    return value


def divergence(mean_p: Any, covariance_p: Any, mean_q: Any, covariance_q: Any) -> Tensor:
    """Kullback-Leibler divergence KL(P‖Q) of two Gaussians.

    Parameters
    ----------
    mean_p : array-like of shape (..., d)
        Mean of P.
    covariance_p : array-like of shape (..., d, d)
        Covariance of P.
    mean_q : array-like of shape (..., d)
        Mean of Q.
    covariance_q : array-like of shape (..., d, d)
        Covariance of Q.

    Returns
    -------
    torch.Tensor of shape (...)
        ½ [tr(Σq⁻¹ Σp) + δᵀ Σq⁻¹ δ - d + log |Σq| / |Σp|] with δ = μq - μp, in nats.

    Raises
    ------
    InvalidArgument
        If a covariance is not symmetric and positive definite, or the shapes don't fit.

    References
    ----------
    Kullback (1959), Information Theory and Statistics, chapter 9, eq. 1.2.

    Examples
    --------
    >>> divergence([0.0], [[1.0]], [1.0], [[1.0]]).item()
    0.5
    """
    p, q = _covariance(covariance_p, "covariance_p"), _covariance(covariance_q, "covariance_q")
    difference = _mean(mean_q, "mean_q", q) - _mean(mean_p, "mean_p", p)
    dimension = q.shape[-1]
    if p.shape[-1] != dimension:
        raise InvalidArgument("covariance_p", f"of {dimension} variables, as covariance_q is", p.shape[-1])
    factor = _cholesky(q, "covariance_q")
    # tr(Σq⁻¹ Σp) = ‖Lq⁻¹ Lp‖² and δᵀ Σq⁻¹ δ = ‖Lq⁻¹ δ‖² cannot become negative by rounding.
    factor_p = _cholesky(p, "covariance_p")
    ratio = torch.linalg.solve_triangular(factor, factor_p, upper=False).square().sum(dim=(-2, -1))
    shift = torch.linalg.solve_triangular(factor, difference.unsqueeze(-1), upper=False).square().sum(dim=(-2, -1))
    log_ratio = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1) - factor_p.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    value: Tensor = 0.5 * (ratio + shift - dimension) + log_ratio
    return value.clamp_min(0.0)


def _mean(value: Any, name: str, covariance: Tensor) -> Tensor:
    mean = real(value, name).to(device=covariance.device, dtype=torch.float64)
    if mean.ndim == 0 or mean.shape[-1] != covariance.shape[-1]:
        raise InvalidArgument(name, f"of shape (..., {covariance.shape[-1]})", mean)
    finite(mean, name)
    return mean


def log_density(points: Any, mean: Any, covariance: Any) -> Tensor:
    """Log density of a Gaussian, -½ [d log 2π + log |Σ| + (x - μ)ᵀ Σ⁻¹ (x - μ)].

    Parameters
    ----------
    points : array-like of shape (n, d)
        Points x.
    mean : array-like of shape (d,)
        μ.
    covariance : array-like of shape (d, d)
        Σ.

    Returns
    -------
    torch.Tensor of shape (n,)
        Nats.

    Raises
    ------
    InvalidArgument
        If the shapes don't fit, or the covariance is not positive definite.

    Examples
    --------
    >>> log_density([[0.0]], [0.0], [[1.0]]).item()  # -½ log 2π
    -0.9189
    """
    matrix = _covariance(covariance, "covariance")
    rows = _mean(points, "points", matrix)
    if rows.ndim != 2 or matrix.ndim != 2:
        raise InvalidArgument(
            "points", "of shape (n, d) with a covariance (d, d)", got_text=f"shape {tuple(rows.shape)}"
        )
    center = _mean(mean, "mean", matrix)
    if center.ndim != 1:
        raise InvalidArgument("mean", f"of shape ({matrix.shape[-1]},)", got_text=f"shape {tuple(center.shape)}")
    difference = rows - center
    factor = _cholesky(matrix, "covariance")
    whitened = torch.linalg.solve_triangular(factor, difference.mT, upper=False)
    constant = matrix.shape[-1] * math.log(2 * math.pi) + _log_det(matrix, "covariance")
    value: Tensor = -0.5 * (constant + whitened.square().sum(dim=0))
    return value
