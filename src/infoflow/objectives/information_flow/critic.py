"""The published critic of information flow: a perceptron with batch norm on two joined feature vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoflow.core.settings import NonNegativeFloat, validated
from infoflow.critics import Concatenated


class FlowCritic(Concatenated):
    """V(x, y): a perceptron on [x, y] with batch norm and leaky ReLU after each hidden layer.

    Parameters
    ----------
    x_features
        Features of x.
    y_features
        Features of y.
    hidden
        Widths of the hidden layers.
    n_negatives
        Number of negatives of each pair in `scores`; None takes all others of the batch.
    slope
        Slope of the leaky ReLU below 0.
    normalize
        Whether batch norm is applied.
    seed
        Seed or generator of the initial weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    Notes
    -----
        h = LeakyReLU(BN(W_x x + W_y y)), ...,   V = w·h + b

    All pairs of a call, positives and negatives, go through batch norm together. In separate batches their statistics
    would reveal which is which without a look at any pair.

    References
    ----------
    Shen, Li and Liu (2019), Information flow maximization, arXiv 1907.00348, section 4.2, Table 2.

    Examples
    --------
    >>> positive, negative = FlowCritic(3, 2, n_negatives=4).scores(torch.ones(5, 3), torch.ones(5, 2))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 4]))
    """

    @validated
    def __init__(
        self,
        x_features: int,
        y_features: int,
        hidden: Sequence[int] = (256, 128, 64),
        *,
        n_negatives: int | None = None,
        slope: NonNegativeFloat = 0.2,
        normalize: bool = True,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(x_features, y_features, hidden, n_negatives=n_negatives, seed=seed)
        linears = [layer for layer in self.rest.children() if isinstance(layer, nn.Linear)]
        layers: list[nn.Module] = []
        for width, linear in zip(hidden, linears, strict=True):
            layers += [PairNorm(width)] if normalize else []
            layers += [nn.LeakyReLU(slope), linear]
        self.rest = nn.Sequential(*layers)


class PairNorm(nn.BatchNorm1d):
    """Batch norm over all axes but the last: every pair counts as a sample, positive or negative.

    >>> PairNorm(4)(torch.randn(5, 3, 4)).mean((0, 1)).abs().max().item() < 1e-6
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.reshape(-1, input.shape[-1])).reshape(input.shape)
