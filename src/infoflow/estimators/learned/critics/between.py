"""What a representation keeps of its input, by critics that see pictures as pictures."""

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
    """Mutual information between inputs x and their representation z, in nats, by `Neural`.

        I(X;Z) ≥ bound(T),   T(x, z) = f(x)·g(z) + a(x) + b(z)

    Either side may be pictures (n, C, H, W), for which f (or g) is convolutional and every pixel is standardized; other
    shapes (n, ...) are flattened, and a one-dimensional integer array means classes. With no pictures this is `Neural`
    as it is. `settings` are `Neural`'s: `bound="mine"` is the figure that Deep InfoMax reports as MINE,
    `bound="infonce"` (the default) varies less and has the ceiling log m.

    z = f(x) without noise shares infinitely much, or all of the entropy of x: the estimate can then only say how far a
    critic can tell the samples apart, and warns when it comes near its ceiling. Raises as `Neural` does.

    Belghazi et al. (2018), section 3; Hjelm et al. (2019), section 4.

    >>> import torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> noise, shade = torch.randn(400, 1, 8, 8, generator=generator), torch.randn(400, 1, generator=generator)
    >>> pictures = 0.1 * noise + shade[:, :, None, None]
    >>> found = information_between(pictures, shade + torch.randn(400, 1, generator=generator), max_epochs=10)
    >>> 0.2 < found.nats < 0.5  # ½ log 2 = .347
    True
    """
    sides = [_shape(x, "x"), _shape(z, "z")]
    estimator = Neural(**settings)
    if all(isinstance(side, int) for side in sides):
        return estimator.estimate(x, z)
    if "critic" in settings or "head_start" in settings:
        raise InvalidArgument(
            "pictures get a critic of their own, without head start; want neither critic nor head_start"
        )
    chosen = {"preprocessing": "standardize", "hidden": (64, 64), "learning_rate": 2e-3, **settings}
    critic = Convolutional(sides[0], sides[1], **{k: chosen[k] for k in ("hidden", "embedding") if k in chosen})
    estimator = replace(Neural(**chosen), critic=critic)
    return estimator.estimate(x, z)


@dataclass(frozen=True)
class Convolutional:
    """Makes `SeparablePictures` for `Neural`; it shows in an estimate's parameters what the critic was."""

    x_shape: Shape | int
    z_shape: Shape | int
    hidden: tuple[int, ...] = (64, 64)
    embedding: int = 32

    def __call__(self, x_features: int, z_features: int, seed: int) -> nn.Module:
        x = x_features if isinstance(self.x_shape, int) else self.x_shape  # classes are one-hot coded by now
        z = z_features if isinstance(self.z_shape, int) else self.z_shape
        return SeparablePictures(x, z, self.embedding, self.hidden, seed=seed)


def _shape(values: Any, name: str) -> Shape | int:
    """(C, H, W) of pictures; the number of features of anything else."""
    if is_classes(values):
        return 1
    try:
        shape = tuple(values.shape) if isinstance(values, Tensor | np.ndarray) else np.shape(values)
    except ValueError as error:
        raise InvalidArgument(f"{name} is not a rectangular array: {error}") from None
    if len(shape) == 4:
        return shape[1], shape[2], shape[3]
    return int(np.prod(shape[1:], dtype=int))
