"""Sample propagation: mutual information in networks with Gaussian noise of known variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import Tensor

from infoflow.core.settings import Integer, PositiveFloat, Seed
from infoflow.entropies.gaussian_mixture import MixtureInformation, noisy_information
from infoflow.estimators.channels.family import NoisyLayer


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
