"""Two ways to prepare the images of the classifiers, plain and augmented, and the scale of their pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


def plain(x: Tensor, y: Tensor, *, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Return images of bytes as numbers in [0, 1].

    Parameters
    ----------
    x
        Images of type uint8.
    y
        Labels, which are returned as they are.
    generator
        Not used.

    Returns
    -------
    tuple of Tensor
        Images and labels.

    Examples
    --------
    >>> plain(torch.tensor([[[[255, 0]]]], dtype=torch.uint8), torch.tensor([3]))[0].tolist()
    [[[[1.0, 0.0]]]]
    """
    return x.float().mul_(1 / 255), y  # in place, since memory for a second tensor dominates the time


class Standardized(nn.Module):
    """Standardization of images in [0, 1] by the mean and standard deviation of each channel.

    Parameters
    ----------
    images
        Images of type uint8 from which mean and standard deviation are computed.

    Examples
    --------
    >>> bytes_ = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1)
    >>> Standardized(bytes_)(plain(bytes_, bytes_)[0]).flatten().tolist()
    [-1.0, 1.0]
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, images: Tensor) -> None:
        super().__init__()
        pixels = images.double() / 255
        deviation, mean = torch.std_mean(pixels, (0, 2, 3), correction=0, keepdim=True)
        self.register_buffer("mean", mean[0].float())
        self.register_buffer("deviation", deviation[0].float())

    def forward(self, x: Tensor) -> Tensor:
        """Return the standardized images.

        Parameters
        ----------
        x : Tensor of shape (n, C, S, S)
            Images.

        Returns
        -------
        Tensor
            Images of the same shape.
        """
        return (x - self.mean) / self.deviation


def augmented(*, flip: bool) -> Callable[..., Sequence[Tensor]]:
    """Return a function that does what `plain` does and shifts each image by up to an eighth of its side.

    Parameters
    ----------
    flip
        Whether half of the images are mirrored.

    Returns
    -------
    callable
        Function of images, labels and a generator.

    Examples
    --------
    >>> image = torch.full((1, 1, 8, 8), 255, dtype=torch.uint8)
    >>> moved, _ = augmented(flip=False)(image, torch.tensor([0]), generator=torch.Generator().manual_seed(1))
    >>> moved.shape, moved.sum() < 64
    (torch.Size([1, 1, 8, 8]), tensor(True))
    """

    def prepare(x: Tensor, y: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        n, channels, side, _ = x.shape
        reach = max(1, side // 8)
        padded = torch.nn.functional.pad(x, (reach,) * 4)
        places = torch.arange(side, device=x.device)
        down, right = torch.randint(2 * reach + 1, (2, n, 1), generator=generator, device=x.device)
        rows, columns = down + places, right + places
        if flip:
            mirrored = torch.rand(n, 1, generator=generator, device=x.device) < 0.5
            columns = torch.where(mirrored, columns.flip(1), columns)
        samples = torch.arange(n, device=x.device)[:, None, None, None]
        channel = torch.arange(channels, device=x.device)[None, :, None, None]
        return plain(padded[samples, channel, rows[:, None, :, None], columns[:, None, None, :]], y)

    return prepare


def scale_of_pixels(standardized: bool) -> str:
    """Return a sentence on the scale of the pixels, without its full stop.

    Parameters
    ----------
    standardized
        Whether images are standardized.

    Returns
    -------
    str
        The sentence.
    """
    here = "standardized by the channels of the training images" if standardized else "in [0, 1]"
    return f"The paper does not state the scale of the pixels; here they are {here}"
