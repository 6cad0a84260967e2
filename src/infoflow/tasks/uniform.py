"""A uniform variable and its noisy copy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from infoflow.core.checks import integer, positive
from infoflow.tasks.gaussian import Array


@dataclass(frozen=True)
class AdditiveUniform:
    """X uniform on [0, 1], Y = X + N with N uniform on [-ε, ε].

    I(X;Y) = ε - log 2ε for ε <= ½, else 1 / 4ε: h(Y) of a trapezium, less h(N) = log 2ε. Raises InvalidArgument for
    ε <= 0. (Czyż et al. 2023, appendix B.)

    >>> AdditiveUniform(0.1).mutual_information
    1.709438
    """

    epsilon: float

    def __post_init__(self) -> None:
        positive(self.epsilon, "epsilon")

    @property
    def name(self) -> str:
        """What the benchmark calls it."""
        return f"1v1-additive-{self.epsilon:g}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        width = self.epsilon
        return width - math.log(2 * width) if width <= 0.5 else 0.25 / width

    def sample(self, n: int, seed: int) -> tuple[Array, Array]:
        """n pairs, x (n, 1) and y (n, 1), the same for the same seed.

        >>> AdditiveUniform(0.1).sample(2, seed=0)[0].shape
        (2, 1)
        """
        rng = np.random.default_rng(integer(seed, "seed", minimum=0))
        x = rng.random((integer(n, "n"), 1))
        return x, x + rng.uniform(-self.epsilon, self.epsilon, size=(n, 1))

    def pointwise(self, x: Array, y: Array) -> Array:
        """Pointwise information log p(y|x) / p(y) in nats, (n,): minus the log of how much of [0, 1] is within ε of y.

        >>> AdditiveUniform(0.25).pointwise(np.array([[0.5]]), np.array([[0.5]]))  # log 2
        array([0.6931])
        """
        reach = np.minimum(y + self.epsilon, 1.0) - np.maximum(y - self.epsilon, 0.0)
        return np.asarray(-np.log(reach[:, 0]))
