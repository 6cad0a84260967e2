"""Exact mutual information of a linear layer with Gaussian input and Gaussian noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.arrays import real
from infoflow.core.checks import samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import PositiveFloat, Settings


@dataclass(frozen=True, eq=False)
class LinearGaussianChannel(Settings):
    """I(X;T) = ½ log det(I + W Σ Wᵀ/σ²) of T = WX + ε with X ~ N(0, Σ) and ε ~ N(0, σ²I).

    Parameters
    ----------
    weight : array-like of shape (out, in)
        Matrix W, as in `torch.nn.Linear`; a bias has no effect. For consecutive linear layers, pass their product.
    noise_variance
        Variance σ² of the noise.
    covariance : array-like of shape (in, in)
        Covariance Σ of the input; None for the identity.

    Raises
    ------
    InvalidArgument
        If the weight is no finite matrix, or the covariance does not fit it or is not symmetric and positive
        semidefinite.

    Notes
    -----
    It is the value that the replica formula has for linear layers, and a true value for estimators from samples.

    References
    ----------
    Telatar (1999), Capacity of Multi-antenna Gaussian Channels, theorem 1.
    Gabrié et al. (2018), Entropy and mutual information in models of deep neural networks.

    Examples
    --------
    >>> LinearGaussianChannel([[1.0, 0.0]], noise_variance=1.0).mutual_information().bits   # ½ log2(1 + 1)
    0.5
    """

    weight: Any
    noise_variance: PositiveFloat
    covariance: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._gain()

    def mutual_information(self) -> Estimate:
        """Compute the exact value in nats.

        Returns
        -------
        Estimate
            Exact; it has no samples (n = 0).
        """
        gain = self._gain()
        squares = torch.linalg.svdvals(gain).square() / float(self.noise_variance)
        return Estimate(
            float(squares.log1p().sum()) / 2,
            quantity="I(X;T)",
            kind=Kind.EXACT,
            estimator=type(self).__name__,
            n=0,
            parameters={"shape": tuple(gain.shape), "noise_variance": self.noise_variance},
        )

    def _gain(self) -> Tensor:
        """W R with R Rᵀ = Σ."""
        weight = matrix(self.weight, "weight")
        if self.covariance is None:
            return weight
        return weight @ _root(matrix(self.covariance, "covariance"), weight.shape[1]).to(weight.device)


def matrix(value: Any, name: str) -> Tensor:
    """A finite matrix in float64."""
    checked = samples(value, name, minimum=1, dtype=torch.float64)
    shape = tuple(real(value, name).shape)
    if len(shape) != 2:
        raise InvalidArgument(name, "a matrix", got_text=f"shape {shape}")
    return checked


def _root(covariance: Tensor, size: int) -> Tensor:
    """A matrix R with RRᵀ = Σ; Σ may be singular."""
    if covariance.shape != (size, size):
        wanted = f"a matrix of shape ({size}, {size}), the inputs of the weight"
        raise InvalidArgument("covariance", wanted, covariance)
    if not torch.allclose(covariance, covariance.mT, rtol=1e-6, atol=1e-12):
        raise InvalidArgument("covariance", "symmetric")
    values, vectors = torch.linalg.eigh(covariance)
    if float(values[0]) < -1e-9 * max(1.0, float(values[-1])):
        got = f"an eigenvalue of {float(values[0]):.3g}"
        raise InvalidArgument("covariance", "positive semidefinite", got_text=got)
    root: Tensor = vectors * values.clamp_min(0).sqrt()
    return root
