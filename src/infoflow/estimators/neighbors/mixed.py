"""Nearest-neighbor mutual information where variables are continuous, discrete, or partly each (Gao et al. 2017)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import is_classes
from infoflow.core.estimate import Estimate
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.neighbors.family import (
    NeighborInformation,
    Pair,
    Terms,
    balanced,
    digamma,
    digammas,
    norm,
)
from infoflow.estimators.neighbors.limits import Ceiling, small_classes
from infoflow.estimators.neighbors.preparation import Prepared, class_column
from infoflow.pairwise.equal_rows import counts, equal_rows
from infoflow.pairwise.neighbors import neighborhoods, open_ball_sizes


@dataclass(frozen=True)
class MixedKSG(NeighborInformation):
    """Mutual information of any mixture: continuous, discrete, or continuous with atoms (zero-inflated, clipped, ReLU).

    Parameters
    ----------
    k
        Neighbors that set the size of a neighborhood.
    metric
        Norm within x and within y: "chebyshev", "euclidean" (divided by √d), or "auto": Chebyshev up to 6 dimensions of
        both together, Euclidean beyond, where it is more accurate.
    rescale
        "standard" (unit variance, which "auto" stands for), "normal-scores" (ranks to a standard normal) or "none".
    noise
        Scale of added Gaussian noise, in standard deviations of each column.
    seed
        Seed of that noise.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    I = ⟨ψ(k̃) + ψ(N) − ψ(n_x) − ψ(n_y)⟩, where k̃, n_x and n_y count the samples, itself included, strictly nearer than
    the k-th neighbor, in the joint space, in x and in y. Where that neighbor is at distance 0 they count the
    duplicates, as for a symbol (Algorithm 1, with ψ(N) for log N, and with k̃ also on lattices of tied distances).
    Without ties k̃ = k, and this is `KSG`. A one-dimensional integer array means classes.

    The ceiling is the least of ψ(N) − ⟨ψ(k̃)⟩ and the plug-in entropies H(X) and H(Y) of the observed values.

    References
    ----------
    Gao, Kannan, Oh, Viswanath (2017), Estimating Mutual Information for Discrete-Continuous Mixtures, NeurIPS 30.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.integers(5, size=4000)
    >>> y = x + 2 * rng.uniform(size=4000)
    >>> MixedKSG(k=5).estimate(x, y).nats  # log 5 - (4/5) log 2 = 1.0549
    1.06
    """

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; one-dimensional integers are classes.

        Returns
        -------
        Estimate
            A point estimate.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples` for n < k + 2.

        Examples
        --------
        >>> MixedKSG(k=1).estimate([0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 7.0, 7.0]).saturated  # I = H(X) = log 2
        True
        """
        return self._information(x, y, "I(X;Y)")

    def pointwise(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Pointwise information (n,) in nats, whose mean is the estimate before it is cut at its ceiling.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; one-dimensional integers are classes.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Nats per sample.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples` for n < k + 2.

        Examples
        --------
        >>> MixedKSG(k=1).pointwise([0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 7.0, 7.0]).tolist()  # ψ(4) - ψ(2) = 1/2 + 1/3
        [0.8333, 0.8333, 0.8333, 0.8333]
        """
        return self._pointwise(x, y)

    def _side(
        self, value: Any, name: str, generator: np.random.Generator, device: torch.device | None = None
    ) -> Prepared:
        if is_classes(value):
            return class_column(value, name, minimum=self.k + 2, device=device)
        return super()._side(value, name, generator, device)

    def _prepare(self, x: Any, y: Any, names: tuple[str, str]) -> Pair:
        return self._sides(x, y, names)

    def _terms(self, pair: Pair) -> Terms:
        metric = norm(self.metric, pair.dimensions)
        spaces = balanced([pair.x.values, pair.y.values], metric)
        near = neighborhoods(spaces, self.k, [(0,), (1,)], metric=metric)
        joint = open_ball_sizes(spaces, near.distance)
        inside = digammas(joint)
        terms = digamma(pair.n) + inside - digammas(near.counts + 1).sum(1)
        counted = digamma(pair.n) - float(inside.mean())
        ceiling, warnings = self._ceiling(pair), self._rare(pair)
        if counted < ceiling.nats:
            ceiling = Ceiling(counted, "ψ(N) − ψ(k)")
        return Terms(terms, ceiling, warnings, counted=counted if counted <= ceiling.nats else math.inf)

    def _rare(self, pair: Pair) -> tuple[str, ...]:
        """Warnings about classes too small to hold k neighbors."""
        columns = [(side.values, name) for side, name in zip((pair.x, pair.y), pair.names, strict=True) if side.symbols]
        # Codes may be multiples of a common distance.
        rare = [
            small_classes(torch.unique(values, return_inverse=True)[1][:, 0], self.k, name) for values, name in columns
        ]
        return tuple(warning for warnings in rare for warning in warnings)

    def _ceiling(self, pair: Pair) -> Ceiling:
        entropies = _entropy(pair.x.values), _entropy(pair.y.values)
        return Ceiling(min(entropies), "H(X)" if entropies[0] < entropies[1] else "H(Y)")


def _entropy(values: Tensor) -> float:
    """Plug-in entropy of the rows."""
    if values.shape[1] == 0:
        return 0.0
    return float(plug_in(counts(equal_rows(values)[0])))
