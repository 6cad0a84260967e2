"""Discrete pairs: everything is a finite sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.tasks.gaussian import Array

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Discrete:
    """Classes X and Y with the joint probabilities `joint` (a, b).

    I(X;Y) = Σ p(x, y) log p(x, y) / p(x) p(y). Raises InvalidArgument unless `joint` is a matrix of numbers >= 0
    that add up to 1. (Cover and Thomas, eq. 2.28.)

    >>> Discrete("copy", [[0.5, 0.0], [0.0, 0.5]]).mutual_information  # log 2
    0.6931
    """

    name: str
    joint: Any

    def __post_init__(self) -> None:
        joint = np.array(self.joint, dtype=np.float64)
        if joint.ndim != 2 or not (joint >= 0).all() or not np.isclose(joint.sum(), 1):
            raise InvalidArgument(f"joint has shape {joint.shape}; want a matrix of numbers >= 0 that add up to 1")
        joint /= joint.sum()
        joint.setflags(write=False)
        object.__setattr__(self, "joint", joint)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return float(special.rel_entr(self.joint, np.outer(self.joint.sum(axis=1), self.joint.sum(axis=0))).sum())

    def sample(self, n: int, seed: int) -> tuple[Codes, Codes]:
        """n pairs of classes, x (n,) and y (n,), the same for the same seed.

        >>> symmetric_channel(0.1).sample(5, seed=0)[0].dtype
        dtype('int64')
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        flat = rng.choice(self.joint.size, size=integer(n, "n"), p=self.joint.ravel())
        x, y = np.unravel_index(flat, self.joint.shape)
        return x.astype(np.int64), y.astype(np.int64)

    def pointwise(self, x: Codes, y: Codes) -> Array:
        """Pointwise information log p(x, y) / p(x) p(y) in nats, (n,).

        >>> symmetric_channel(0.1).pointwise(np.array([0]), np.array([0]))  # log 1.8
        array([0.5878])
        """
        joint = self.joint
        return np.asarray(np.log(joint[x, y]) - np.log(joint.sum(axis=1)[x]) - np.log(joint.sum(axis=0)[y]))


def symmetric_channel(error: float, symbols: int = 2) -> Discrete:
    """Uniform symbols, each received as one of the others, evenly, with probability `error`.

    I = log m - H_b(ε) - ε log(m - 1) nats for m symbols. Raises InvalidArgument for an error outside [0, 1].

    >>> symmetric_channel(0.1).mutual_information  # log 2 - H_b(0.1)
    0.3681
    """
    if not 0 <= error <= 1:
        raise InvalidArgument(f"error is {error!r}; want a probability")
    count = integer(symbols, "symbols", minimum=2)
    joint = np.full((count, count), error / (count - 1))
    np.fill_diagonal(joint, 1 - error)
    return Discrete(f"symmetric-channel-{count}-{error:g}", joint / count)


def erasure_channel(erased: float, symbols: int = 2) -> Discrete:
    """Uniform symbols, each received as it is or, with probability `erased`, as one further symbol: I = (1 - ε) log m.

    Raises InvalidArgument for a probability outside [0, 1].

    >>> erasure_channel(0.25).mutual_information  # 0.75 log 2
    0.5199
    """
    if not 0 <= erased <= 1:
        raise InvalidArgument(f"erased is {erased!r}; want a probability")
    count = integer(symbols, "symbols", minimum=2)
    joint = np.concatenate([(1 - erased) * np.eye(count), np.full((count, 1), erased)], axis=1)
    return Discrete(f"erasure-channel-{count}-{erased:g}", joint / count)
