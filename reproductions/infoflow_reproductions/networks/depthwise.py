"""Depthwise convolutions of maps of a few pixels as weighted sums, which are faster on processors."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn, stack

# Largest map, in pixels, for which the sums are faster; they take the square of it in memory.
_PIXELS = 4


class Depthwise(nn.Module):
    """A depthwise convolution without bias, computed on small maps as a weighted sum over all pixels.

    Parameters
    ----------
    convolution
        The convolution, of one filter per channel, whose parameters are used under their names. Its kernel is of odd
        sides and padded by half of them.

    Examples
    --------
    >>> import torch
    >>> convolution, x = nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=False), torch.randn(2, 3, 2, 2)
    >>> torch.allclose(Depthwise(convolution)(x), convolution(x), atol=1e-6)
    True
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight = convolution.weight
        self.stride = convolution.stride
        self._half = (self.weight.shape[2] // 2, self.weight.shape[3] // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps.

        Parameters
        ----------
        x : Tensor of shape (n, C, H, W)
            Maps; without a copy where their layout is channels-last.

        Returns
        -------
        Tensor of shape (n, C, ceil(H / stride), ceil(W / stride))
            Maps, in channels-last layout where they have at most 4 pixels.
        """
        n, channels, height, width = x.shape
        if height * width > _PIXELS:
            return F.conv2d(x, self.weight, None, self.stride, self._half, groups=channels)
        rows, columns = -(-height // self.stride[0]), -(-width // self.stride[1])
        weights = self._weights(height, width).view(1, rows * columns, height * width, channels)
        pixels = x.permute(0, 2, 3, 1).reshape(n, 1, height * width, channels)
        found = (pixels * weights).sum(2)
        return found.view(n, rows, columns, channels).permute(0, 3, 1, 2)

    def _weights(self, height: int, width: int) -> Tensor:
        """Return the weight of each input pixel in each output pixel: (outputs, inputs, channels)."""
        tall, wide = self._half
        # Where the kernel ends before the pixel, the weight is 0.
        padded = F.pad(self.weight[:, 0], (width, width, height, height)).permute(1, 2, 0)
        starts = [
            (height + tall - i, width + wide - j)
            for i in range(0, height, self.stride[0])
            for j in range(0, width, self.stride[1])
        ]
        return stack([padded[top : top + height, left : left + width].flatten(0, 1) for top, left in starts])
