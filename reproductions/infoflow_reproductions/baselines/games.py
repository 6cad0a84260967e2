"""Two further adversarial games: the original one, in which the generator's loss saturates, and least squares."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from infoflow.objectives.prior_matching import without_gradient
from infoflow_reproductions.baselines.generators import Generative, NonSaturatingGAN


class SaturatingGAN(NonSaturatingGAN):
    """The original game, in which the generator minimizes log(1 − σ(D(G(z)))).

    Parameters
    ----------
    generator
        Network G from vectors (n, features) to images.
    judge
        Network D from images to scores (n, 1).
    features
        Length of the vectors.
    penalty
        Weight of the penalty on the judge's gradient, by default 0.
    prior
        Distribution of the vectors, or its name.

    Notes
    -----
    The judge's loss is that of `NonSaturatingGAN`; the generator's is −softplus(D(G(z))).

    References
    ----------
    Goodfellow et al.: Generative adversarial nets, 2014, eq. 1.

    Examples
    --------
    >>> SaturatingGAN.usual_penalty
    0.0
    """

    usual_penalty = 0.0

    def forward(self, inputs: Tensor) -> Tensor:
        refused = F.softplus(without_gradient(self.judge, self.sample(len(inputs), inputs))).mean()
        self.record({"refused": refused})
        return -refused


class LeastSquaresGAN(Generative):
    """The game of squared distances to the scores 1 of data and 0 of samples.

    Parameters
    ----------
    generator
        Network G from vectors (n, features) to images.
    judge
        Network D from images to scores (n, 1).
    features
        Length of the vectors.
    penalty
        Not used by this game; 0.
    prior
        Distribution of the vectors, or its name.

    Notes
    -----
    ::

        judge       ½ E (D(x) − 1)² + ½ E D(G(z))²
        generator   ½ E (D(G(z)) − 1)²

    References
    ----------
    Mao et al.: Least squares generative adversarial networks, 2017, eq. 9.

    Examples
    --------
    >>> LeastSquaresGAN.usual_penalty
    0.0
    """

    usual_penalty = 0.0

    def forward(self, inputs: Tensor) -> Tensor:
        value = (without_gradient(self.judge, self.sample(len(inputs), inputs)) - 1).square().mean() / 2
        self.record({"fooled": value})
        return value

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        of_data, of_samples = self.judge(inputs), self.judge(self.drawn(inputs))
        value: Tensor = ((of_data - 1).square().mean() + of_samples.square().mean()) / 2
        self.record({"judge": value})
        return value
