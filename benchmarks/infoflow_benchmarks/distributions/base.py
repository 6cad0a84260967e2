"""A joint distribution whose mutual information is known, with the interface of a task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator, int], tuple[Any, Any]]


@dataclass(frozen=True)
class Distribution:
    """A joint distribution: its family, how to draw from it, and how to compute its mutual information.

    Parameters
    ----------
    name
        Name of the distribution.
    family
        Name of its family.
    draw
        Function of a random generator and n that returns n samples of X and of Y.
    truth
        I(X;Y) in nats, or a function that computes it when it is first read.
    """

    name: str
    family: str
    draw: Draw
    truth: float | Callable[[], float]

    @cached_property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return float(self.truth() if callable(self.truth) else self.truth)

    def sample(self, n: int, seed: int) -> tuple[Any, Any]:
        """Draw n pairs; the same seed gives the same pairs."""
        return self.draw(np.random.default_rng(1000 * seed + 7), n)


def gaussian_nats(r: float) -> float:
    """Return −½ log(1 − r²), the mutual information of two Gaussians with correlation r."""
    return float(-0.5 * np.log1p(-r * r))


def correlated(rng: np.random.Generator, n: int, r: float, d: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Draw standard Gaussians of shape (n, d), or (n,) for d = 1, with correlation r between equal columns."""
    x, noise = rng.standard_normal((2, n, d))
    y = r * x + np.sqrt(1 - r * r) * noise
    return (x[:, 0], y[:, 0]) if d == 1 else (x, y)
