"""The information plane of networks with Gaussian dropout: multiplicative noise of known size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import Tensor

from infoflow.core.settings import Integer, PositiveFloat, Seed
from infoflow.entropies.gaussian_mixture import MixtureInformation, multiplied_information
from infoflow.estimators.channels.family import NoisyLayer


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
