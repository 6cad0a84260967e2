"""Convolutions of 1×1 as matrix products, which are faster on processors where the maps are small."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Pointwise(nn.Module):
    """A convolution of 1×1 with stride 1, computed as one matrix product over all pixels.

    Parameters
    ----------
    convolution
        The convolution, whose parameters are used under their names.

    Examples
    --------
    >>> import torch
    >>> convolution, x = nn.Conv2d(3, 5, 1), torch.randn(2, 3, 4, 4)
    >>> torch.allclose(Pointwise(convolution)(x), convolution(x), atol=1e-6)
    True
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps.

        Parameters
        ----------
        x : Tensor of shape (n, C, H, W)
            Maps; without a copy where their layout is channels-last.

        Returns
        -------
        Tensor of shape (n, D, H, W)
            Maps in channels-last layout.
        """
        return F.linear(x.permute(0, 2, 3, 1), self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)
