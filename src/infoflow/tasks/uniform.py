"""A uniform variable and its noisy copy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, Settings, validated
from infoflow.tasks.gaussian import Array


@dataclass(frozen=True)
class AdditiveUniform(Settings):
    """X uniform on [0, 1] and Y = X + N with N uniform on [-ε, ε].

    Parameters
    ----------
    epsilon
        Half-width ε of the noise.

    Notes
    -----
    I(X;Y) is h(Y) of a trapezium minus h(N) = log 2ε: ε - log 2ε for ε <= ½, otherwise 1 / 4ε.

    References
    ----------
    Czyż et al.: Beyond normal, NeurIPS 2023, appendix B.

    Examples
    --------
    >>> AdditiveUniform(0.1).mutual_information
    1.709438
    """

    epsilon: PositiveFloat

    @property
    def name(self) -> str:
        """Name in the benchmark."""
        return f"1v1-additive-{self.epsilon:g}"

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        width = self.epsilon
        return width - math.log(2 * width) if width <= 0.5 else 0.25 / width

    @validated
    def sample(self, n: PositiveInt, seed: Seed) -> tuple[Array, Array]:
        """Draw pairs; the same seed gives the same pairs.

        Parameters
        ----------
        n
            Number of pairs.
        seed
            Seed of the draw.

        Returns
        -------
        x, y : ndarray of shape (n, ...)
            The sides of the pairs.

        Examples
        --------
        >>> AdditiveUniform(0.1).sample(2, seed=0)[0].shape
        (2, 1)
        """
        rng = np.random.default_rng(seed)
        x = rng.random((n, 1))
        return x, x + rng.uniform(-self.epsilon, self.epsilon, size=(n, 1))

    def pointwise(self, x: Array, y: Array) -> Array:
        """Return the pointwise information log p(x, y) / p(x) p(y).

        Parameters
        ----------
        x, y : ndarray of shape (n, ...)
            Points in the form of `sample`.

        Returns
        -------
        ndarray of shape (n,)
            Pointwise information in nats; its mean under the joint distribution is I(X;Y).

        Notes
        -----
        It is minus the log of the length of [0, 1] within ε of y.

        Examples
        --------
        >>> AdditiveUniform(0.25).pointwise(np.array([[0.5]]), np.array([[0.5]]))  # log 2
        array([0.6931])
        """
        reach = np.minimum(y + self.epsilon, 1.0) - np.maximum(y - self.epsilon, 0.0)
        return np.asarray(-np.log(reach[:, 0]))
