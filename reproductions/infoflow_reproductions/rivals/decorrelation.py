"""A penalty on the correlations between features, so that no two say the same."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.core.checks import flag
from infoflow.core.errors import InvalidArgument
from infoflow.objectives import Objective


class Decorrelation(Objective):
    """Mean square of the correlations between different features of a batch: (1/d) Σ_{i≠j} C_ij², features (n, d).

    C is the correlation matrix; with `normalize=False` the covariance, and with the factor ½ in place of 1/d the
    published DeCov, whose value grows with the features' size. Axes beyond the second count as features. A feature
    that is constant in the batch correlates with none.

    Raises InvalidArgument for fewer than two samples or no floating-point features. Cogswell et al.: Reducing
    overfitting in deep networks by decorrelating representations, ICLR 2016, eq. 2.

    >>> x = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    >>> Decorrelation()(x), Decorrelation()(torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]))
    (tensor(1.0000), tensor(0.))
    """

    def __init__(self, *, normalize: bool = True) -> None:
        super().__init__()
        self.normalize = flag(normalize, "normalize")

    def forward(self, features: Tensor) -> Tensor:
        """The penalty, a 0-d tensor."""
        if not isinstance(features, Tensor) or not features.is_floating_point() or features.ndim < 2:
            raise InvalidArgument("features are no floating-point tensor of shape (n, d)")
        if len(features) < 2:
            raise InvalidArgument(f"features hold {len(features)} samples; want at least two for correlations")
        rows = features.flatten(1)
        rows = rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows
        centered = rows - rows.mean(0)
        if self.normalize:
            centered = centered / (centered.square().mean(0) + torch.finfo(rows.dtype).eps).sqrt()
        matrix = centered.T @ centered / len(rows)
        off = matrix.square().sum() - matrix.diagonal().square().sum()
        penalty: Tensor = off / rows.shape[1] if self.normalize else off / 2
        self.record({"decorrelation": penalty})
        return penalty
