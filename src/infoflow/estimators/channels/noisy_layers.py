"""Layers with noise of known size, additive (sample propagation) or multiplicative (Gaussian dropout).

The layer is a Gaussian mixture centered on the samples; a subclass states the mixture, its quantities and its warnings.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from torch import Tensor

from infoflow.core.checks import SMALLEST_SQUARABLE, samples, squarable
from infoflow.core.estimate import Estimate, Interval
from infoflow.core.settings import Integer, PositiveFloat, Seed
from infoflow.entropies.discrete import plug_in
from infoflow.entropies.gaussian_mixture import (
    MixtureInformation,
    MonteCarlo,
    multiplied_information,
    noisy_information,
)
from infoflow.estimators.layer_estimator import Ceiling, Labels, LayerEstimator, constant_labels


@dataclass(frozen=True)
class NoisyLayer(LayerEstimator):
    """Base of the estimators of a layer's information by the Monte-Carlo entropies of a mixture."""

    _quantities: ClassVar[tuple[str, str]]
    """Names of the information about the input and about the labels."""
    _noise: ClassVar[str]
    """Name of the setting that widens the noise."""
    _least: ClassVar[float] = SMALLEST_SQUARABLE

    @abc.abstractmethod
    def _mixture(self, layer: Tensor, labels: Tensor | None) -> MixtureInformation:
        """The information about the mixture's component and, with labels, about its class."""

    def _warnings(self, layer: Tensor) -> tuple[str, ...]:
        """Warnings about the values before the noise."""
        return ()

    def _samples(self, value: Any, name: str) -> Tensor:
        return squarable(samples(value, name), name, least=self._least)

    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        found = self._mixture(layer, None if labels is None else labels.codes)
        input_name, label_name = self._quantities
        estimates = [self._finished(found.component, input_name, layer, (math.log(len(layer)), "log n"))]
        if labels is not None and found.label is not None:
            ceiling = float(plug_in(labels.codes.bincount())), "H(Y)"
            estimates.append(self._finished(found.label, label_name, layer, ceiling))
        return estimates

    def _finished(self, value: MonteCarlo, quantity: str, layer: Tensor, ceiling: Ceiling) -> Estimate:
        warnings = self._warnings(layer)
        if bool((layer == layer[0]).all()):
            warnings += ("t is constant, so it carries no information",)
        elif ceiling[0] == 0:
            warnings += (constant_labels("y"),)
        elif ceiling[1] == "log n" and value.nats > 0.9 * ceiling[0]:
            warnings += (
                "close to log n: the noise leaves nearly all samples distinguishable, so the estimate is only a lower "
                f"limit; use more samples or a larger {self._noise}",
            )
        half = 1.96 * value.error
        interval = Interval(value.nats - half, value.nats + half, "Monte-Carlo draws")
        return self._made(value.nats, quantity, len(layer), ceiling, warnings, interval=interval)


@dataclass(frozen=True)
class SamplePropagation(NoisyLayer):
    """Mutual information with T = S + ε, ε ~ N(0, σ²I), from the entropies of Gaussian mixtures of known σ².

    Parameters
    ----------
    variance
        Variance σ² of the noise.
    draws
        Monte-Carlo draws from each component of the mixture.
    seed
        Seed of the draws.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Samples are the n values S of a layer before its noise is added; ĥ(·) is the Monte-Carlo entropy of the mixture
    centered on a set of them.

    - `entropy(t)` is I(X;T) for a deterministic S = f(X): ĥ(S_n) − d/2·log 2πeσ².
    - `estimate(t, y)` is I(T;Y) = ĥ(S_n) − Σ_y n_y/n·ĥ(S_y). If y is the number of the input that row i came from, with
      many rows per input, this is I(X;T) of a network whose earlier layers are noisy too:
      I = ĥ(S_n) − 1/n Σ_i ĥ(S_n(x_i)), eq. 11 of the paper.

    The interval (95 %) covers the Monte-Carlo draws, with the samples held fixed. With a finite sample ĥ(S_n) is below
    the entropy on average, so I(X;T) is a plug-in that cannot exceed log n, whatever the true value. O(draws·n²·d).

    References
    ----------
    Goldfeld et al. (2019), Estimating Information Flow in Deep Neural Networks, eq. 11 and 14.

    Examples
    --------
    >>> import torch
    >>> t = torch.tensor([[0.0], [0.0], [50.0], [50.0]])
    >>> round(SamplePropagation(variance=1.0).estimate(t, [0, 0, 1, 1]).bits, 4)
    1.0
    """

    variance: PositiveFloat = 0.1
    draws: Annotated[int, Integer(2)] = 8
    seed: Seed = 0

    _stated: ClassVar[tuple[str, ...]] = ("variance", "draws", "seed")
    _quantities: ClassVar[tuple[str, str]] = ("I(X;T+ε)", "I(T+ε;Y)")
    _noise: ClassVar[str] = "variance"
    _least: ClassVar[float] = 0.0

    def _mixture(self, layer: Tensor, labels: Tensor | None) -> MixtureInformation:
        return noisy_information(layer, self.variance, labels, draws=self.draws, seed=self.seed)


@dataclass(frozen=True)
class GaussianDropoutInformation(NoisyLayer):
    """Mutual information with Z = F∘(1 + σε), ε ~ N(0, I): a layer F under Gaussian dropout.

    Parameters
    ----------
    sigma
        Standard deviation σ of the noise.
    draws
        Monte-Carlo draws from each component of the mixture.
    seed
        Seed of the draws.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    I(X;Z) = h(Z) − h(Z|X), with h(Z|X) = Σ_i E log(|f_i|·σ·√(2πe)) and h(Z) the Monte-Carlo entropy of the mixture of
    N(f_j, σ² diag f_j²); I(Z;Y) likewise with the mixture of each class. Samples are the values F before the noise. The
    interval (95 %) covers the Monte-Carlo draws, with the samples held fixed.

    Where a value f_i is exactly 0 (ReLU) both entropies are −∞ and their difference is undefined, because dropout does
    not change the zero. The information is defined: a zero is an atom of Z's distribution that reveals which units are
    off. The estimate includes it, with a warning that states the share of zeros.

    References
    ----------
    Adilova, Geiger, Fischer (2023), Information Plane Analysis for Dropout Neural Networks, section 4.

    Examples
    --------
    >>> import torch
    >>> t = torch.tensor([[1.0], [1.0], [90.0], [90.0]])
    >>> round(GaussianDropoutInformation(sigma=0.1).estimate(t, [0, 0, 1, 1]).bits, 4)
    1.0
    """

    sigma: PositiveFloat = 0.1
    draws: Annotated[int, Integer(2)] = 8
    seed: Seed = 0

    _stated: ClassVar[tuple[str, ...]] = ("sigma", "draws", "seed")
    _quantities: ClassVar[tuple[str, str]] = ("I(X;Z)", "I(Z;Y)")
    _noise: ClassVar[str] = "sigma"

    def _mixture(self, layer: Tensor, labels: Tensor | None) -> MixtureInformation:
        return multiplied_information(layer, self.sigma, labels, draws=self.draws, seed=self.seed)

    def _warnings(self, layer: Tensor) -> tuple[str, ...]:
        zeros = float((layer == 0).double().mean())
        if not zeros:
            return ()
        return (
            f"{zeros:.1%} of the values are exactly 0 and dropout does not change them, so h(Z) − h(Z|X) is undefined "
            "and which units are off counts as information; use an activation that is never 0",
        )
