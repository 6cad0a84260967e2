"""Nearest-neighbor mutual information where variables are continuous, discrete, or partly each (Gao et al. 2017)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import choice, integer, is_classes, paired, positive
from infoflow.core.estimate import Estimate, Kind
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.neighbors.rescaling import RESCALINGS, Rescaled, class_column, noise_generator, rescaled
from infoflow.estimators.neighbors.settings import balanced, crowded, digamma, digammas, norm
from infoflow.pairwise.equal_rows import counts, equal_rows
from infoflow.pairwise.neighbors import METRICS, neighborhoods, open_ball_sizes


@dataclass(frozen=True)
class MixedKSG:
    """I(X;Y) for any mixture: continuous, discrete, or continuous with atoms (zero-inflated, clipped, ReLU).

    I = ⟨ψ(k̃) + ψ(N) − ψ(n_x) − ψ(n_y)⟩, where k̃, n_x and n_y count the samples, itself included, strictly nearer than
    the k-th neighbor, in the joint space, in x and in y; where that neighbor is at distance 0, the duplicates: what
    counting would say of a symbol (Gao, Kannan, Oh and Viswanath 2017, Algorithm 1, with ψ(N) for log N and with k̃
    counted on lattices of tied distances too). Without ties k̃ = k, and this is `KSG`. Integer one-dimensional x or y
    means classes.

    The ceiling is min(H(X), H(Y)) of the observed values, which is log N where nothing repeats.

    `metric`, `rescale`, `noise` and `seed` as in `KSG`.

    Raises InvalidArgument or UnknownName for unknown settings. (Advances in Neural Information Processing Systems 30.)

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.integers(5, size=4000)
    >>> y = x + 2 * rng.uniform(size=4000)
    >>> MixedKSG(k=5).estimate(x, y).nats  # log 5 - (4/5) log 2 = 1.0549
    1.06
    """

    k: int = 3
    metric: str = "auto"
    rescale: str = "standard"
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        integer(self.k, "k")
        choice(self.metric, "metric", ("auto", *METRICS))
        choice(self.rescale, "rescale", RESCALINGS)
        positive(self.noise, "noise", zero=True)
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X;Y) in nats from samples x and y of shape (n, ...), or classes (n,).

        Raises InvalidArgument for what isn't samples and for unequal lengths, TooFewSamples for n < k + 2.

        >>> MixedKSG(k=1).estimate([0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 7.0, 7.0]).saturated  # I = H(X) = log 2
        True
        """
        left, right, entropies = self._samples(x, y)
        warnings = (*left.warnings, *right.warnings)
        n, dimensions = left.values.shape[0], left.values.shape[1] + right.values.shape[1]
        nats = 0.0
        if left.constant or right.constant:
            warnings += (f"{'x' if left.constant else 'y'} is constant, so the mutual information is 0",)
        else:
            nats = float(self._terms(left.values, right.values).mean())
            warnings += crowded(dimensions, n)
        ceiling = min(entropies)
        return Estimate(
            min(nats, ceiling),
            quantity="I(X;Y)",
            kind=Kind.POINT,
            estimator="MixedKSG",
            n=n,
            parameters=asdict(self) | {"metric": norm(self.metric, dimensions)},
            ceiling=ceiling,
            ceiling_name="H(X)" if entropies[0] < entropies[1] else "H(Y)",
            warnings=warnings,
        )

    def pointwise(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Pointwise information (n,) in nats, whose mean is the estimate before that is cut at its ceiling.

        Takes what `estimate` takes, and raises as it does.

        >>> MixedKSG(k=1).pointwise([0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 7.0, 7.0]).tolist()  # ψ(4) - ψ(2) = 1/2 + 1/3
        [0.8333, 0.8333, 0.8333, 0.8333]
        """
        left, right, _ = self._samples(x, y)
        if left.constant or right.constant:
            return np.zeros(left.values.shape[0])
        terms: NDArray[np.float64] = self._terms(left.values, right.values).cpu().numpy()
        return terms

    def _samples(self, x: Any, y: Any) -> tuple[Rescaled, Rescaled, tuple[float, float]]:
        rng = noise_generator(self.seed)
        left = self._side(x, "x", rng, None)
        right = self._side(y, "y", rng, left.values.device)
        paired(left.values, right.values)
        return left, right, (_entropy(left.values), _entropy(right.values))

    def _side(self, value: Any, name: str, rng: np.random.Generator, device: torch.device | None) -> Rescaled:
        least = self.k + 2
        if is_classes(value):
            return class_column(value, name, minimum=least, device=device)
        return rescaled(value, name, how=self.rescale, minimum=least, noise=self.noise, rng=rng, device=device)

    def _terms(self, x: Tensor, y: Tensor) -> Tensor:
        metric = norm(self.metric, x.shape[1] + y.shape[1])
        spaces = balanced([x, y], metric)
        near = neighborhoods(spaces, self.k, [(0,), (1,)], metric=metric)
        joint = open_ball_sizes(spaces, near.distance)
        return digamma(x.shape[0]) + digammas(joint) - digammas(near.counts + 1).sum(1)


def _entropy(values: Tensor) -> float:
    if values.shape[1] == 0:
        return 0.0
    return float(plug_in(counts(equal_rows(values)[0])))
