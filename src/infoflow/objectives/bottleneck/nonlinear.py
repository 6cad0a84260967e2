"""The nonlinear information bottleneck: a bound on I(X;Z) from the distances within the batch, squared."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.bottleneck.objective import BottleneckObjective, features, module
from infoflow.objectives.bottleneck.schedules import Schedule


class NonlinearBottleneck(BottleneckObjective):
    """The nonlinear information bottleneck: E[−log q(y|z)] + β Î(X;Z)², with z = f(x) + σn, n ~ N(0, I).

        Î = −mean_i log mean_j exp(−‖f(x_i) − f(x_j)‖² / 2σ²)

    Î is an upper bound on the information that z has about which sample of the batch it came from, from the KL between
    the samples' codes, and at most log n. Its square (`power` 2) finds every point of the curve also where labels are a
    function of inputs, which the plain Lagrangian (1) can't.

    `encoder` maps x to (n, `dimension`); σ is learned, from `std`; `decoder` (a linear layer unless given) maps codes
    to logits. `predict` takes the code without noise. Raises InvalidArgument.
    (Kolchinsky, Tracey and Wolpert 2019, Entropy 21(12):1181, section 3; the square: Kolchinsky, Tracey and Van Kuyk
    2019, arXiv 1808.07593, section 3.)

    >>> _ = torch.manual_seed(0)
    >>> objective = NonlinearBottleneck(nn.Identity(), dimension=1, classes=2, beta=0.1, std=1.0)
    >>> loss = objective(torch.tensor([[0.0], [90.0]]), torch.tensor([0, 1]))
    >>> objective.terms["information"]  # log 2
    tensor(0.6931)
    """

    def __init__(
        self,
        encoder: nn.Module,
        dimension: int,
        classes: int,
        beta: float | Schedule = 1e-2,
        *,
        decoder: nn.Module | None = None,
        std: float = 1.0,
        power: float = 2.0,
    ) -> None:
        super().__init__(beta)
        self.encoder = module(encoder, "encoder")
        self.dimension = integer(dimension, "dimension")
        self.classes = integer(classes, "classes", minimum=2)
        self.decoder = nn.Linear(dimension, classes) if decoder is None else module(decoder, "decoder")
        self.log_std = nn.Parameter(torch.tensor(math.log(positive(std, "std"))))
        if positive(power, "power") < 1:
            raise InvalidArgument(f"power is {power!r}; want at least 1, or small information costs the most")
        self.power = float(power)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Inputs (n, ...) and labels (n,) to the loss; terms `cross_entropy` and `information`, in nats."""
        f = features(self.encoder, x, self.dimension)
        std = self.log_std.exp()
        information = code_information(f, std)
        cross_entropy = self.cross_entropy(self.decoder(f + std * torch.randn_like(f)), labels)
        total = cross_entropy + self.next_beta() * information**self.power
        self.record({"cross_entropy": cross_entropy, "information": information})
        return total

    def predict(self, x: Tensor) -> Tensor:
        """Log probabilities (n, C) by the code without noise."""
        return self.decoder(features(self.encoder, x, self.dimension)).log_softmax(dim=1)  # type: ignore[no-any-return]


def code_information(centers: Tensor, std: Tensor) -> Tensor:
    """−mean_i log mean_j exp(−‖c_i − c_j‖²/2σ²), the upper bound from pairwise KL on I(I; c_I + σn), 0-d in nats.

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
