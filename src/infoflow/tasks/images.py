"""Images whose mutual information is known: an injective rendering of a few coordinates keeps their information.

X and Y are images of shape (n, size, size).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from infoflow.core.settings import Integer, Settings
from infoflow.tasks.gaussian import Array, gaussian_with
from infoflow.tasks.transforms import NormalCDF, Transformed


@dataclass(frozen=True)
class Rectangles(Settings):
    """Map of four numbers in [0, 1] (left, right, top, bottom edge) to an image of a bright rectangle.

    Parameters
    ----------
    size
        Side of the images in pixels, at least 8.

    Notes
    -----
    The brightness of a pixel is the share of it that is covered, so that edges are exact real numbers. The map takes
    shape (n, 4) to (n, size, size).

    Examples
    --------
    >>> Rectangles(8)(np.full((1, 4), 0.5))[0, 4].round(1)
    array([0. , 0.4, 1. , 1. , 1. , 1. , 0.4, 0. ])
    """

    size: Annotated[int, Integer(8)] = 16

    def __call__(self, values: Array) -> Array:
        # The lower edge lies in 5-35 % of the image, the upper in 65-95 %, so that the middle pixel is always covered.
        low, high = self.size * (0.05 + 0.3 * values[:, 0::2]), self.size * (0.65 + 0.3 * values[:, 1::2])
        pixel = np.arange(self.size)
        cover = np.clip(
            np.minimum(high[..., None], pixel + 1) - np.maximum(low[..., None], pixel), 0.0, 1.0
        )  # (n, 2, size)
        return np.asarray(cover[:, 1, :, None] * cover[:, 0, None, :])

    def inverse(self, values: Array) -> Array:
        """Recover the four numbers from the covered lengths on either side of the middle.

        Parameters
        ----------
        values : ndarray of shape (n, size, size)
            Images.

        Returns
        -------
        ndarray of shape (n, 4)
            The numbers.

        Examples
        --------
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
class Bumps(Settings):
    """Map of two numbers in [0, 1] (across, down) to an image of a Gaussian bump there, of standard deviation size / 8.

    Parameters
    ----------
    size
        Side of the images in pixels, at least 8.

    Notes
    -----
    The map takes shape (n, 2) to (n, size, size).

    Examples
    --------
    >>> float(Bumps(8)(np.array([[0.5, 0.5]])).max())  # the four middle pixels are half a pixel off
    0.7788
    """

    size: Annotated[int, Integer(8)] = 16

    def __call__(self, values: Array) -> Array:
        center = self.size * (0.2 + 0.6 * values)
        offset = np.arange(self.size) + 0.5 - center[..., None]  # (n, 2, size)
        bump = np.exp(-0.5 * np.square(offset * 8 / self.size))
        return np.asarray(bump[:, 1, :, None] * bump[:, 0, None, :])

    def inverse(self, values: Array) -> Array:
        """Recover the two numbers from the neighbors of the brightest pixel.

        Parameters
        ----------
        values : ndarray of shape (n, size, size)
            Images.

        Returns
        -------
        ndarray of shape (n, 2)
            The numbers.

        Notes
        -----
        c = p + w²/2 log b(p + 1) / b(p - 1).

        Examples
        --------
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
    """Create pairs of rectangle images with a given information.

    Parameters
    ----------
    mutual_information
        I(X;Y) in nats.
    size
        Side of the images in pixels, at least 8.

    Returns
    -------
    Transformed
        The task; X and Y have shape (n, size, size).

    Notes
    -----
    The coordinates are `gaussian_with(mutual_information, dim=4)` through Φ, so that all four edges of a
    pair are dependent.

    References
    ----------
    Butakov et al.: Information bottleneck analysis of deep neural networks via lossy compression, ICLR 2024, section 5.

    Examples
    --------
    >>> task = rectangle_images(2.0)
    >>> task.sample(3, seed=0)[0].shape, task.mutual_information
    ((3, 16, 16), 2.0)
    """
    return _images("rectangles", mutual_information, 4, Rectangles(size))


def bump_images(mutual_information: float, size: int = 16) -> Transformed:
    """Create pairs of images of a bump with a given information.

    Parameters
    ----------
    mutual_information
        I(X;Y) in nats.
    size
        Side of the images in pixels, at least 8.

    Returns
    -------
    Transformed
        The task; X and Y have shape (n, size, size).

    Notes
    -----
    The coordinates are `gaussian_with(mutual_information, dim=2)` through Φ, so that both coordinates of a
    pair are dependent.

    References
    ----------
    Butakov et al.: Information bottleneck analysis of deep neural networks via lossy compression, ICLR 2024, section 5.

    Examples
    --------
    >>> bump_images(1.0).mutual_information
    1.0
    """
    return _images("bumps", mutual_information, 2, Bumps(size))


def _images(what: str, nats: float, dim: int, render: Rectangles | Bumps) -> Transformed:
    latent = gaussian_with(nats, dim)
    uniform = Transformed(f"normal_cdf-{latent.name}", latent, NormalCDF(), NormalCDF())
    return Transformed(f"{what}-{render.size}x{render.size}-{nats:g}nats", uniform, render, render)
