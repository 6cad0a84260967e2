"""The published critic of information flow: a perceptron with batch norm on two joined feature vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoflow.core.checks import flag, integer, positive
from infoflow.critics import Concatenated


class FlowCritic(Concatenated):
    """V(x, y): a perceptron on [x, y] with batch norm and leaky ReLU after each hidden layer, 256-128-64-1.

        h = LeakyReLU(BN(W_x x + W_y y)), ...,   V = w·h + b

    All pairs of a call, positives and negatives, go through batch norm together: in batches of their own the
    statistics of a batch would say which it is, and the critic could tell pairs apart without looking at one.
    `normalize=False` leaves batch norm out, `slope` is the leaky ReLU's; `scores`, `negatives` and `seed` as in
    `critics.Concatenated`, and so are the errors. Shen, Li, Liu (2019), arXiv:1907.00348, section 4.1.

    >>> positive, negative = FlowCritic(3, 2, negatives=4).scores(torch.ones(5, 3), torch.ones(5, 2))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 4]))
    """

    def __init__(
        self,
        x_features: int,
        y_features: int,
        hidden: Sequence[int] = (256, 128, 64),
        *,
        negatives: int | None = None,
        slope: float = 0.2,
        normalize: bool = True,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(x_features, y_features, hidden, n_negatives=negatives, seed=seed)
        positive(slope, "slope", zero=True)
        linears = [layer for layer in self.rest.children() if isinstance(layer, nn.Linear)]
        layers: list[nn.Module] = []
        for width, linear in zip((integer(width, "hidden") for width in hidden), linears, strict=True):
            layers += [PairNorm(width)] if flag(normalize, "normalize") else []
            layers += [nn.LeakyReLU(slope), linear]
        self.rest = nn.Sequential(*layers)


class PairNorm(nn.BatchNorm1d):
    """Batch norm over all axes but the last: every pair counts as a sample, partner or stranger.

    >>> PairNorm(4)(torch.randn(5, 3, 4)).mean((0, 1)).abs().max().item() < 1e-6
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.reshape(-1, input.shape[-1])).reshape(input.shape)
