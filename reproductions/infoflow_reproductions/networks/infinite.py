"""Infinitely wide networks: their kernels in closed form, and ensembles of them trained by gradient descent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.checks import paired, positive, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, PositiveFloat, PositiveInt, Settings

Kernel = Literal["erf", "relu"]


class Kernels(NamedTuple):
    """Kernels between two sets of inputs.

    Parameters
    ----------
    covariance : Tensor of shape (n, m)
        Covariance of the outputs at initialization.
    tangent : Tensor of shape (n, m)
        Neural tangent kernel.

    Examples
    --------
    >>> x = torch.ones(1, 2)
    >>> InfiniteEnsemble("relu", depth=1, bias_variance=0.0).kernels(x, x).tangent.item()
    4.0
    """

    covariance: Tensor
    tangent: Tensor


@dataclass(frozen=True)
class InfiniteEnsemble(Settings):
    """Ensemble of fully connected networks with hidden layers of infinite width and one output, in float64.

    Parameters
    ----------
    activation
        "erf" or "relu".
    depth
        Number of hidden layers.
    weight_variance
        Variance of the weights, times fan_in.
    bias_variance
        Variance of the biases.

    Notes
    -----
    Layer by layer, with K⁰ = x·x'/d, covariance K and tangent kernel Θ are ::

        K ← σ_w² F(K) + σ_b²,   Θ ← K + σ_w² Ḟ(K) Θ,

        erf: F = 2/π asin(2K₁₂/√((1+2K₁₁)(1+2K₂₂))),   ReLU: F = √(K₁₁K₂₂)/2π (sin θ + (π−θ) cos θ),

    where F is the arc-sine or the arc-cosine kernel, and Ḟ that of the derivative. Trained by gradient flow of the
    squared error, an ensemble remains Gaussian at every input (`trained`).

    References
    ----------
    Williams (1997); Cho & Saul (2009); Jacot et al. (2018); Lee et al. (2019), eq. 16 and 17.

    Examples
    --------
    >>> x = torch.eye(3, dtype=torch.float64)
    >>> InfiniteEnsemble("relu", depth=1, bias_variance=0.0).kernels(x, x).covariance[0, 0].item()  # 2 · ½ · 1/3 · 2
    0.6667
    """

    activation: Kernel = "erf"
    depth: PositiveInt = 2
    weight_variance: PositiveFloat = 2.0
    bias_variance: NonNegativeFloat = 0.01

    def kernels(self, first: Tensor, second: Tensor) -> Kernels:
        """Return the kernels between two sets of inputs.

        Parameters
        ----------
        first : Tensor of shape (n, d)
            Inputs.
        second : Tensor of shape (m, d)
            Inputs.

        Returns
        -------
        Kernels
            Of shape (n, m).

        Raises
        ------
        InvalidArgument
            If the inputs are invalid.
        """
        a, b = (samples(part, "inputs", minimum=1, dtype=torch.float64) for part in (first, second))
        width = a.shape[1]

        def start(products: Tensor) -> Tensor:
            return self.weight_variance * products / width + self.bias_variance

        cross, of_a, of_b = start(a @ b.T), start(a.square().sum(1)), start(b.square().sum(1))
        tangent = cross.clone()
        for _ in range(self.depth):
            value, slope = self._step(cross, of_a[:, None], of_b[None, :])
            of_a, of_b = (self._mixed(self._step(k, k, k)[0]) for k in (of_a, of_b))
            cross = self._mixed(value)
            tangent = cross + self.weight_variance * slope * tangent
        return Kernels(cross, tangent)

    def trained(self, x: Tensor, y: Tensor, asked: Tensor, times: Sequence[float]) -> tuple[Tensor, Tensor]:
        """Return the ensemble's outputs after gradient flow.

        Parameters
        ----------
        x : Tensor of shape (n, d)
            Training inputs.
        y : Tensor of shape (n,)
            Training targets.
        asked : Tensor of shape (m, d)
            Inputs of the outputs.
        times
            Training times, 0 for the ensemble at initialization.

        Returns
        -------
        tuple of Tensor
            Mean and variance, each of shape (len(times), m).

        Raises
        ------
        InvalidArgument
            If the inputs or the times are invalid.

        Notes
        -----
        For the mean squared error over the n samples, mean and covariance at z are ::

            μ = A Y,   Σ = K(z,z) + A K(X,X) Aᵀ − 2 A K(X,z),   A = Θ(z,X) Θ(X,X)⁻¹ (1 − e^(−Θ(X,X) t / n)).

        Examples
        --------
        >>> x, y = torch.eye(3, dtype=torch.float64), torch.tensor([1.0, -1.0, 0.5])
        >>> mean, variance = InfiniteEnsemble().trained(x, y, x, [0.0, 1e9])
        >>> mean[0].abs().max().item(), torch.allclose(mean[1], y.double()), variance[1].max().item() < 1e-6
        (0.0, True, True)
        """
        inputs, targets = (samples(part, name, dtype=torch.float64) for part, name in ((x, "x"), (y, "y")))
        paired(inputs, targets)
        points = samples(asked, "asked", minimum=1, dtype=torch.float64)
        own, between = self.kernels(inputs, inputs), self.kernels(points, inputs)
        alone = self._alone(points)
        values, vectors = torch.linalg.eigh(own.tangent)
        values = values.clamp_min(1e-12 * float(values[-1]))
        projected = between.tangent @ vectors
        means, variances = [], []
        for time in times:
            # (1 − e^(−λt/n))/λ, without cancellation where little time has passed.
            gain = -torch.expm1(-values * positive(time, "times", zero=True) / len(inputs)) / values
            solved = (projected * gain) @ vectors.T
            means.append(solved @ targets[:, 0])
            spread = alone + ((solved @ own.covariance) * solved).sum(1) - 2 * (solved * between.covariance).sum(1)
            variances.append(spread.clamp_min(0.0))
        return torch.stack(means), torch.stack(variances)

    def _alone(self, points: Tensor) -> Tensor:
        """Return K(z, z) of each point with itself."""
        k = self.weight_variance * points.square().sum(1) / points.shape[1] + self.bias_variance
        for _ in range(self.depth):
            k = self._mixed(self._step(k, k, k)[0])
        return k

    def _mixed(self, value: Tensor) -> Tensor:
        return self.weight_variance * value + self.bias_variance

    def _step(self, cross: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Return E[φ(u)φ(v)] and E[φ'(u)φ'(v)] of Gaussian u, v with these covariances."""
        if self.activation == "erf":
            norm = (1 + 2 * a) * (1 + 2 * b)
            value = 2 / math.pi * torch.asin((2 * cross / norm.sqrt()).clamp(-1, 1))
            return value, 4 / math.pi / (norm - 4 * cross.square()).clamp_min(1e-300).sqrt()
        scale = (a * b).sqrt()
        cosine = (cross / scale.clamp_min(1e-300)).clamp(-1, 1)
        angle = torch.acos(cosine)
        value = scale / (2 * math.pi) * (angle.sin() + (math.pi - angle) * cosine)
        return value, (math.pi - angle) / (2 * math.pi)


_BLOCK = 20_000_000
"""Largest number of values of an array of kernels at every pixel."""


@dataclass(frozen=True)
class InfiniteConvolution(InfiniteEnsemble):
    """Ensemble of networks of 3×3 convolutions with infinitely many channels, read out at every pixel.

    Parameters
    ----------
    activation
        "erf" or "relu".
    depth
        Number of convolutions.
    weight_variance
        Variance of the weights, times fan_in.
    bias_variance
        Variance of the biases.

    Notes
    -----
    Inputs are square images of one channel, flattened. Convolutions are padded with zeros and have no stride. As the
    output reads every pixel with a weight of its own, only covariances K_p of equal pixels p matter. With A the average
    over 3×3 pixels and F, Ḟ of `InfiniteEnsemble`, each convolution takes ::

        K_p ← σ_w² A F(K)_p + σ_b²,   Θ_p ← K_p + σ_w² A(Ḟ(K) Θ)_p,

    where the first one has x x' in place of F(K), and the output the average over all pixels in place of A.

    References
    ----------
    Novak et al., Bayesian deep convolutional networks with many channels are Gaussian processes (2019); Arora et al.,
    On exact computation with an infinitely wide neural net (2019).

    Examples
    --------
    >>> x = torch.ones(1, 9, dtype=torch.float64)
    >>> InfiniteConvolution("relu", depth=1, bias_variance=0.0).kernels(x, x).covariance.item()  # 2 · (16 + 24 + 9)/81
    1.2099
    """

    def kernels(self, first: Tensor, second: Tensor) -> Kernels:
        """Return the kernels between two sets of images.

        Parameters
        ----------
        first : Tensor of shape (n, side²)
            Images.
        second : Tensor of shape (m, side²)
            Images.

        Returns
        -------
        Kernels
            Of shape (n, m).

        Raises
        ------
        InvalidArgument
            If the inputs are invalid.
        """
        a, b = _images(first), _images(second)
        of_b = self._variances(b)
        size = max(1, _BLOCK // (len(b) * b[0].numel()))
        parts = [self._block(a[i : i + size], b, of_b) for i in range(0, len(a), size)]
        return Kernels(*(torch.cat(kernel) for kernel in zip(*parts, strict=True)))

    def _block(self, a: Tensor, b: Tensor, of_b: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return both kernels between images of shape (n, side, side) and (m, side, side)."""
        cross = self._mixed(_averaged(a[:, None] * b[None]))
        tangent = cross
        for layer, (left, right) in enumerate(zip(self._variances(a), of_b, strict=True)):
            value, slope = self._step(cross, left[:, None], right[None])
            if layer == self.depth - 1:
                break
            cross = self._mixed(_averaged(value))
            tangent = cross + self.weight_variance * _averaged(slope * tangent)
        covariance = self._mixed(value.mean((-1, -2)))
        return covariance, covariance + self.weight_variance * (slope * tangent).mean((-1, -2))

    def _variances(self, images: Tensor) -> list[Tensor]:
        """Return the variance of every pixel before each activation."""
        found = [self._mixed(_averaged(images.square()))]
        for _ in range(self.depth - 1):
            k = found[-1]
            found.append(self._mixed(_averaged(self._step(k, k, k)[0])))
        return found

    def _alone(self, points: Tensor) -> Tensor:
        k = self._variances(_images(points))[-1]
        return self._mixed(self._step(k, k, k)[0].mean((-1, -2)))


def _images(inputs: Tensor) -> Tensor:
    """Return flattened square images as (n, side, side)."""
    flat = samples(inputs, "inputs", minimum=1, dtype=torch.float64)
    side = math.isqrt(flat.shape[1])
    if side * side != flat.shape[1]:
        raise InvalidArgument("inputs", "square images, flattened", got_text=f"{flat.shape[1]} values each")
    return flat.reshape(-1, side, side)


def _averaged(maps: Tensor) -> Tensor:
    """Return the average over the 3×3 pixels around each pixel, with zeros outside."""
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    return F.avg_pool2d(flat, 3, stride=1, padding=1).reshape(maps.shape)
