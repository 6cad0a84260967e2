"""The nonlinear information bottleneck: a bound on I(X;Z) from the distances within the batch, squared."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from infoflow.core.blocks import Module
from infoflow.core.checks import tensors
from infoflow.core.settings import Integer, Number, PositiveFloat, PositiveInt, validated
from infoflow.objectives.bottleneck.objective import BottleneckObjective, features
from infoflow.objectives.bottleneck.schedules import Schedule


class NonlinearBottleneck(BottleneckObjective):
    """The nonlinear information bottleneck: E[−log q(y|z)] + β Î(X;Z)², with z = f(x) + σn, n ~ N(0, I).

    Parameters
    ----------
    encoder
        Network f from x to (n, `dimension`).
    dimension
        Dimension of the code.
    classes
        Number of classes.
    beta
        Weight of the compression term, or its schedule.
    decoder
        Network from codes to logits; a linear layer by default.
    scale
        Initial value of the learned σ.
    power
        Exponent of Î, at least 1. The square finds every point of the curve even where labels are a function of
        inputs, which the plain Lagrangian (1) cannot.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call if the encoder's output or the labels do not fit.

    Notes
    -----
    With Î = −mean_i log mean_j exp(−‖f(x_i) − f(x_j)‖² / 2σ²), from the KL between the codes of the samples. It is an
    upper bound on the information that z contains about which sample of the batch it came from, and at most log n. The
    terms, in nats, are `cross_entropy` and `information`.

    References
    ----------
    Kolchinsky, Tracey and Wolpert (2019), Nonlinear information bottleneck, Entropy 21(12):1181, section 3.
    The square: Kolchinsky, Tracey and Van Kuyk (2019), arXiv 1808.07593, section 3.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> objective = NonlinearBottleneck(nn.Identity(), dimension=1, classes=2, beta=0.1, scale=1.0)
    >>> loss = objective(torch.tensor([[0.0], [90.0]]), torch.tensor([0, 1]))
    >>> objective.terms["information"]  # log 2
    tensor(0.6931)
    """

    @validated
    def __init__(
        self,
        encoder: Module,
        dimension: PositiveInt,
        classes: Annotated[int, Integer(2)],
        beta: float | Schedule = 1e-2,
        *,
        decoder: Module | None = None,
        scale: PositiveFloat = 1.0,
        power: Annotated[float, Number(1)] = 2.0,
    ) -> None:
        super().__init__(beta)
        self.encoder, self.dimension, self.classes, self.power = encoder, dimension, classes, power
        self.decoder = nn.Linear(dimension, classes) if decoder is None else decoder
        self.log_std = nn.Parameter(torch.tensor(math.log(scale)))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of inputs (n, ...) and labels (n,).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.
        """
        tensors(x=x, labels=labels)
        f = features(self.encoder, x, self.dimension)
        std = self.log_std.exp()
        information = code_information(f, std)
        cross_entropy = self.cross_entropy(self.decoder(f + std * torch.randn_like(f)), labels)
        self.record({"cross_entropy": cross_entropy, "information": information})
        return cross_entropy + self.next_beta() * information**self.power

    def predict(self, x: Tensor) -> Tensor:
        """Compute log probabilities (n, C) from the code without noise.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        """
        logits: Tensor = self.decoder(features(self.encoder, x, self.dimension))
        return logits.log_softmax(dim=1)


def code_information(centers: Tensor, std: Tensor) -> Tensor:
    """Bound I(I; c_I + σn) from above by −mean_i log mean_j exp(−‖c_i − c_j‖²/2σ²), in nats.

    Centers (n, d) and σ (0-d or (d,)), with gradients. (Kolchinsky and Tracey 2017, Entropy 19(7):361, eq. 10.)

    >>> code_information(torch.tensor([[0.0], [90.0]]), torch.tensor(1.0))  # log 2
    tensor(0.6931)
    """
    # Squared distances, since a distance has no gradient at 0; centered, since rounding grows with the norms.
    scaled = centers / std
    scaled = scaled - scaled.mean(dim=0).detach()
    norms = scaled.square().sum(dim=1)
    squares = (norms[:, None] + norms[None, :] - 2 * scaled @ scaled.mT).clamp_min(0)
    squares = squares - torch.diag_embed(squares.diagonal())  # exactly 0, whatever the rounding
    return math.log(len(centers)) - (-0.5 * squares).logsumexp(dim=1).mean()
