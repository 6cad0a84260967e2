"""Exact mutual information of a linear layer with Gaussian input and Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import positive, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind


@dataclass(frozen=True, eq=False)
class LinearGaussianChannel:
    """I(X;T) = ½ log det(I + W Σ Wᵀ/σ²) of T = WX + ε with X ~ N(0, Σ) and ε ~ N(0, σ²I).

    `weight` W has shape (out, in), as in torch.nn.Linear (a bias changes nothing); of linear layers in a row, give the
    product. `noise_variance` σ² > 0; `covariance` Σ has shape (in, in), None for the identity. It is the truth that a
    replica (ML-VAMP) computation gives for linear layers, and that sample estimators can be held against. Nats.

    Raises InvalidArgument unless W is a finite matrix and Σ fits it, symmetric and positive semidefinite.

    Telatar (1999), theorem 1; Gabrié et al. (2018), "Entropy and mutual information in models of deep neural networks".

    >>> LinearGaussianChannel([[1.0, 0.0]], noise_variance=1.0).mutual_information().bits   # ½ log2(1 + 1)
    0.5
    """

    weight: Any
    noise_variance: float
    covariance: Any = None

    def __post_init__(self) -> None:
        positive(self.noise_variance, "noise_variance")
        weight = _matrix(self.weight, "weight")
        if self.covariance is not None:
            _root(_matrix(self.covariance, "covariance"), weight.shape[1])

    def mutual_information(self) -> Estimate:
        """The exact value; it has no samples (n = 0)."""
        weight = _matrix(self.weight, "weight")
        if self.covariance is not None:
            weight = weight @ _root(_matrix(self.covariance, "covariance"), weight.shape[1]).to(weight.device)
        gains = torch.linalg.svdvals(weight).square() / float(self.noise_variance)
        return Estimate(
            float(gains.log1p().sum()) / 2,
            quantity="I(X;T)",
            kind=Kind.EXACT,
            estimator="LinearGaussianChannel",
            n=0,
            parameters={"shape": tuple(weight.shape), "noise_variance": self.noise_variance},
        )


def _matrix(value: Any, name: str) -> Tensor:
    matrix = samples(value, name, minimum=1, dtype=torch.float64)
    dimensions = value.ndim if isinstance(value, Tensor) else torch.as_tensor(value).ndim
    if dimensions != 2:
        raise InvalidArgument(f"{name} has {dimensions} axes; want a matrix")
    return matrix


def _root(covariance: Tensor, size: int) -> Tensor:
    """A matrix R with RRᵀ = Σ; Σ may be singular."""
    if covariance.shape != (size, size):
        raise InvalidArgument(
            f"covariance has shape {tuple(covariance.shape)}; want ({size}, {size}), the weight's inputs"
        )
    if not torch.allclose(covariance, covariance.mT, rtol=1e-6, atol=1e-12):
        raise InvalidArgument("covariance is not symmetric")
    values, vectors = torch.linalg.eigh(covariance)
    if float(values[0]) < -1e-9 * max(1.0, float(values[-1])):
        raise InvalidArgument(f"covariance has a negative eigenvalue, {float(values[0]):.3g}")
    root: Tensor = vectors * values.clamp_min(0).sqrt()
    return root
