"""Pictures whose mutual information is known: a few coordinates carry it, and the picture shows them without loss.

X and Y are n × size × size pictures; a rendering that can be undone leaves the information of the coordinates as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infoflow.core.checks import integer
from infoflow.tasks.gaussian import Array, gaussian_with
from infoflow.tasks.transforms import NormalCDF, Transformed


@dataclass(frozen=True)
class Rectangles:
    """Four numbers in [0, 1] (left, right, top, bottom edge) to a bright rectangle whose edges fall between pixels.

    A pixel is as bright as the share of it that is covered, so edges are exact real numbers. (n, 4) to (n, size, size).
    Raises InvalidArgument for pictures below 8 pixels.

    >>> Rectangles(8)(np.full((1, 4), 0.5))[0, 4].round(1)
    array([0. , 0.4, 1. , 1. , 1. , 1. , 0.4, 0. ])
    """

    size: int = 16

    def __post_init__(self) -> None:
        integer(self.size, "size", minimum=8)

    def __call__(self, values: Array) -> Array:
        # The lower edge lies in 5-35 % of the picture, the upper in 65-95 %: the middle pixel is always covered.
        low, high = self.size * (0.05 + 0.3 * values[:, 0::2]), self.size * (0.65 + 0.3 * values[:, 1::2])
        pixel = np.arange(self.size)
        cover = np.clip(
            np.minimum(high[..., None], pixel + 1) - np.maximum(low[..., None], pixel), 0.0, 1.0
        )  # (n, 2, size)
        return np.asarray(cover[:, 1, :, None] * cover[:, 0, None, :])

    def inverse(self, values: Array) -> Array:
        """The four numbers, from how much is covered on either side of the middle.

        >>> Rectangles(8).inverse(Rectangles(8)(np.array([[0.1, 0.2, 0.3, 0.4]])))
        array([[0.1, 0.2, 0.3, 0.4]])
        """
        middle = self.size // 2
        edges = []
        for cover in (values[:, middle, :], values[:, :, middle]):
            low, high = middle - cover[:, :middle].sum(axis=1), middle + cover[:, middle:].sum(axis=1)
            edges += [(low / self.size - 0.05) / 0.3, (high / self.size - 0.65) / 0.3]
        return np.stack(edges, axis=1)


@dataclass(frozen=True)
class Bumps:
    """Two numbers in [0, 1] (across, down) to a picture of a Gaussian bump there, of width size / 8.

    (n, 2) to (n, size, size). Raises InvalidArgument for pictures below 8 pixels.

    >>> float(Bumps(8)(np.array([[0.5, 0.5]])).max())  # the four middle pixels are half a pixel off
    0.7788
    """

    size: int = 16

    def __post_init__(self) -> None:
        integer(self.size, "size", minimum=8)

    def __call__(self, values: Array) -> Array:
        center = self.size * (0.2 + 0.6 * values)
        offset = np.arange(self.size) + 0.5 - center[..., None]  # (n, 2, size)
        bump = np.exp(-0.5 * np.square(offset * 8 / self.size))
        return np.asarray(bump[:, 1, :, None] * bump[:, 0, None, :])

    def inverse(self, values: Array) -> Array:
        """The two numbers, from the brightest pixel's neighbors: c = p + w²/2 log b(p + 1) / b(p - 1).

        >>> Bumps(8).inverse(Bumps(8)(np.array([[0.3, 0.7]])))
        array([[0.3, 0.7]])
        """
        peak = values.reshape(len(values), -1).argmax(axis=1)
        row, column = np.divmod(peak, self.size)
        n, half_square = np.arange(len(values)), (self.size / 8) ** 2 / 2
        across = half_square * np.log(values[n, row, column + 1] / values[n, row, column - 1])
        down = half_square * np.log(values[n, row + 1, column] / values[n, row - 1, column])
        center = np.stack([column + 0.5 + across, row + 0.5 + down], axis=1)
        return np.asarray((center / self.size - 0.2) / 0.6)


def rectangle_images(mutual_information: float, size: int = 16) -> Transformed:
    """Pairs of rectangle pictures, (n, size, size) each, with that information in nats: all four edges are tied.

    Coordinates are `gaussian_with(mutual_information, dim=4)` through Φ. Raises InvalidArgument for negative
    information and pictures below 8 pixels. (After Butakov et al., ICLR 2024, section 5.)

    >>> task = rectangle_images(2.0)
    >>> task.sample(3, seed=0)[0].shape, task.mutual_information
    ((3, 16, 16), 2.0)
    """
    return _images("rectangles", mutual_information, 4, Rectangles(size))


def bump_images(mutual_information: float, size: int = 16) -> Transformed:
    """Pairs of pictures of a bump, (n, size, size) each, with that information in nats: both coordinates are tied.

    Coordinates are `gaussian_with(mutual_information, dim=2)` through Φ. Raises InvalidArgument for negative
    information and pictures below 8 pixels. (After Butakov et al., ICLR 2024, section 5.)

    >>> bump_images(1.0).mutual_information
    1.0
    """
    return _images("bumps", mutual_information, 2, Bumps(size))


def _images(what: str, nats: float, dim: int, render: Rectangles | Bumps) -> Transformed:
    latent = gaussian_with(nats, dim)
    uniform = Transformed(f"normal_cdf-{latent.name}", latent, NormalCDF(), NormalCDF())
    return Transformed(f"{what}-{render.size}x{render.size}-{nats:g}nats", uniform, render, render)
