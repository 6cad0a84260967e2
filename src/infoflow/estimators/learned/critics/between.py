"""Mutual information between inputs and representations, with convolutional critics of images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from infoflow.core.checks import is_classes
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate
from infoflow.critics.pictures import SeparablePictures, Shape
from infoflow.estimators.learned.critics.neural import Neural


def information_between(x: Any, z: Any, **settings: Any) -> Estimate:
    """Estimate the mutual information between inputs and their representation by `Neural`.

    Parameters
    ----------
    x : array-like of shape (n, ...)
        Inputs; images (n, C, H, W) have a convolutional critic and standardized pixels, a one-dimensional integer
        array means classes, other shapes are flattened.
    z : array-like of shape (n, ...)
        Representations; likewise.
    **settings
        Settings of `Neural`. `bound="mine"` is what Deep InfoMax reports as MINE; the default "infonce" has less
        variance and the ceiling log m.

    Returns
    -------
    Estimate
        I(X;Z) in nats.

    Raises
    ------
    InvalidArgument
        If `x` or `z` are not finite samples of one length, or images are combined with `critic` or `head_start`.
    TooFewSamples
        If there are fewer than 40 samples.
    DidNotConverge
        If no fit was finite.

    Notes
    -----
    I(X;Z) ≥ bound(T), T(x, z) = f(x)·g(z) + a(x) + b(z). Without noise, z = f(x) has infinite information about
    continuous x: the estimate then only measures how well a critic separates the samples, and warns near its ceiling.

    References
    ----------
    Belghazi et al. (2018), "MINE: Mutual information neural estimation", ICML, section 3. Hjelm et al. (2019),
    "Learning deep representations by mutual information estimation and maximization", ICLR, section 4.

    Examples
    --------
    >>> import torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> noise, shade = torch.randn(400, 1, 8, 8, generator=generator), torch.randn(400, 1, generator=generator)
    >>> pictures = 0.1 * noise + shade[:, :, None, None]
    >>> found = information_between(pictures, shade + torch.randn(400, 1, generator=generator), max_epochs=10)
    >>> 0.2 < found.nats < 0.5  # ½ log 2 = 0.347
    True
    """
    sides = [_shape(x, "x"), _shape(z, "z")]
    estimator = Neural(**settings)
    if all(isinstance(side, int) for side in sides):
        return estimator.estimate(x, z)
    if "critic" in settings or "head_start" in settings:
        raise InvalidArgument(
            "critic and head_start must not be set for images, which have a convolutional critic without head start."
        )
    chosen = {"preprocessing": "standardize", "hidden": (64, 64), "learning_rate": 2e-3, **settings}
    critic = Convolutional(sides[0], sides[1], **{k: chosen[k] for k in ("hidden", "embedding") if k in chosen})
    estimator = replace(Neural(**chosen), critic=critic)
    return estimator.estimate(x, z)


@dataclass(frozen=True)
class Convolutional:
    """Builder of `SeparablePictures` for `Neural`, with a readable `repr` for the parameters of an estimate."""

    x_shape: Shape | int
    z_shape: Shape | int
    hidden: tuple[int, ...] = (64, 64)
    embedding: int = 32

    def __call__(self, x_features: int, z_features: int, seed: int) -> nn.Module:
        x = x_features if isinstance(self.x_shape, int) else self.x_shape  # classes are one-hot coded by now
        z = z_features if isinstance(self.z_shape, int) else self.z_shape
        return SeparablePictures(x, z, self.embedding, self.hidden, seed=seed)


def _shape(values: Any, name: str) -> Shape | int:
    """(C, H, W) of images; the number of features of anything else."""
    if is_classes(values):
        return 1
    try:
        shape = tuple(values.shape) if isinstance(values, Tensor | np.ndarray) else np.shape(values)
    except ValueError as error:
        raise InvalidArgument(name, "a rectangular array", got_text=str(error)) from None
    if len(shape) == 4:
        return shape[1], shape[2], shape[3]
    return int(np.prod(shape[1:], dtype=int))
