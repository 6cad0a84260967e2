"""Random views of images for the methods that compare views: crop, mirror, color."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def view(images: Tensor, generator: torch.Generator, *, flip: bool = True) -> Tensor:
    """Return one random view of each image.

    Parameters
    ----------
    images
        Images (n, C, H, W) in [0, 1].
    generator
        Source of the random draws.
    flip
        Whether half of the views are mirrored.

    Returns
    -------
    Tensor
        Views (n, C, H, W) in [0, 1].

    Notes
    -----
    A view is a crop of 20 to 100 % of the area, with brightness, contrast and saturation × 0.6 to 1.4 (four times of
    five) and gray (one time of five).

    Examples
    --------
    >>> view(torch.rand(4, 3, 32, 32), torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 32, 32])
    """
    n, device = len(images), images.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, generator=generator, device=device)

    area, ratio = uniform(0.2, 1.0), uniform(math.log(3 / 4), math.log(4 / 3)).exp()
    width, height = (area * ratio).sqrt().clamp_max(1), (area / ratio).sqrt().clamp_max(1)
    mirrored = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0) if flip else torch.ones(n, device=device)
    theta = torch.zeros(n, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 1, 1] = width * mirrored, height
    theta[:, 0, 2], theta[:, 1, 2] = uniform(-1, 1) * (1 - width), uniform(-1, 1) * (1 - height)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    seen = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    changed = (uniform(0, 1) < 0.8).reshape(n, 1, 1, 1)
    brightness, contrast, saturation = (uniform(0.6, 1.4).reshape(n, 1, 1, 1) for _ in range(3))
    colored = seen * brightness
    mean = colored.mean((1, 2, 3), keepdim=True)
    colored = mean + contrast * (colored - mean)
    gray = colored.mean(1, keepdim=True)
    colored = gray + saturation * (colored - gray)
    seen = torch.where(changed, colored, seen)
    seen = torch.where((uniform(0, 1) < 0.2).reshape(n, 1, 1, 1), seen.mean(1, keepdim=True).expand_as(seen), seen)
    return seen.clamp(0, 1)
