"""A penalty on the correlations between features."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import validated
from infoflow.objectives import Objective


class Decorrelation(Objective):
    """Mean square of the correlations between different features of a batch.

    Parameters
    ----------
    normalize
        Whether to penalize correlations; otherwise covariances as published, whose size depends on the features'.

    Raises
    ------
    InvalidArgument
        From `forward`, if the features are no floating-point tensor (n, d).
    TooFewSamples
        From `forward`, if there are fewer than two samples.

    Notes
    -----
    (1/d) Σ_{i≠j} C_ij² with the correlation matrix C, or ½ Σ_{i≠j} C_ij² with the covariance matrix. Axes beyond the
    second count as features. A feature that is constant in the batch has no correlation with others.

    References
    ----------
    Cogswell et al.: Reducing overfitting in deep networks by decorrelating representations, ICLR 2016, eq. 2.

    Examples
    --------
    >>> x = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    >>> Decorrelation()(x), Decorrelation()(torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]))
    (tensor(1.0000), tensor(0.))
    """

    @validated
    def __init__(self, *, normalize: bool = True) -> None:
        super().__init__()
        self.normalize = normalize

    def forward(self, features: Tensor) -> Tensor:
        """Return the penalty of features (n, ...), a scalar."""
        if not isinstance(features, Tensor) or not features.is_floating_point() or features.ndim < 2:
            raise InvalidArgument(
                "features", "a floating-point tensor of shape (n, d)", got_text=type(features).__name__
            )
        if len(features) < 2:
            raise TooFewSamples("features", "of at least 2 samples", got_text=f"{len(features)}")
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
