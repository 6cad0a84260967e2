"""Differential entropy and mutual information by the nearest-neighbor estimator of Kozachenko and Leonenko."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import choice, classes, flag, integer, is_classes, paired, positive
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Kind
from infoflow.entropies.discrete import plug_in
from infoflow.entropies.nearest_neighbor import kozachenko_leonenko
from infoflow.estimators.neighbors.rescaling import Rescaled, noise_generator, rescaled
from infoflow.estimators.neighbors.settings import crowded
from infoflow.pairwise.neighbors import METRICS


@dataclass(frozen=True)
class KozachenkoLeonenko:
    """h(X) = ψ(N) − ψ(k) + log c_d + d ⟨log ρ_k⟩, and I(X;Y) as h(X) + h(Y) − h(X,Y) or, for classes, h(X) − h(X|Y).

    ρ_k is the distance to the k-th neighbor, c_d the volume of the unit ball. `weighted` mixes the 1st to k-th
    neighbor so that the bias cancels in four and more dimensions (Berrett, Samworth and Yuan 2019); it wants k of at
    least the number of dimensions, better several times that. The errors of the three entropies don't cancel as in
    `KSG`, so prefer that for one- or two-dimensional variables.

    - `metric`: "euclidean" or "chebyshev".
    - `standardize`: columns to unit variance first; an entropy accounts for the scale that this takes off.
    - `noise`: Gaussian noise, in standard deviations of each column, drawn with `seed`, against tied values.

    Raises InvalidArgument or UnknownName for unknown settings. (Kozachenko and Leonenko 1987; Kraskov et al. 2004, eq.
    20.)

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=5000)
    >>> KozachenkoLeonenko().entropy(x).nats  # ½ log 2πe = 1.4189
    1.4
    """

    k: int = 3
    weighted: bool = False
    metric: str = "euclidean"
    standardize: bool = True
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        integer(self.k, "k")
        flag(self.weighted, "weighted")
        flag(self.standardize, "standardize")
        choice(self.metric, "metric", METRICS)
        positive(self.noise, "noise", zero=True)
        integer(self.seed, "seed", minimum=0)

    def entropy(self, t: Any) -> Estimate:
        """Differential entropy h(T) in nats of samples t (n, ...); it can be negative.

        Constant columns and repeated samples have no density: the entropy is −∞ then, with a warning. Raises
        InvalidArgument for what isn't samples, TooFewSamples for n < k + 2.

        >>> KozachenkoLeonenko(k=1).entropy([0.0, 1.0, 2.0, 3.0]).nats  # ψ(4) - ψ(1) + log 2 = 2.5265
        2.5265
        """
        side = self._side(t, "t", noise_generator(self.seed))
        warnings = side.warnings
        nats = -math.inf
        if flat(side.values):
            warnings += ("t has linearly dependent columns (duplicates?), so h(T) is −∞; drop them for the rest's",)
        elif side.warnings:
            warnings += ("constant columns have no density, so h(T) is −∞; leave them out for the entropy of the rest",)
        else:
            terms = kozachenko_leonenko(side.values, self.k, metric=self.metric, weighted=self.weighted)
            nats = float(terms.mean()) + side.log_scale
            if math.isinf(nats):
                warnings += (
                    "some samples have exact duplicates among their k neighbors, so T has atoms and h(T) is −∞; "
                    "use a larger k or noise, or a discrete entropy",
                )
            warnings += crowded(side.values.shape[1], side.values.shape[0])
        return Estimate(
            nats,
            quantity="h(T)",
            kind=Kind.POINT,
            estimator=type(self).__name__,
            n=side.values.shape[0],
            parameters=asdict(self),
            warnings=warnings,
        )

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X;Y) in nats from continuous samples x and y of shape (n, ...), or x and classes y (n,).

        Raises InvalidArgument for what isn't samples, for unequal lengths, and for samples with exact duplicates among
        their k neighbors (they have no density); TooFewSamples for n, or a class, of fewer than k + 2 samples.

        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(2000, 2))
        >>> KozachenkoLeonenko().estimate(x[:, 0], x[:, 0] + x[:, 1]).nats  # ½ log 2 = 0.3466
        0.3
        """
        if is_classes(y):
            return self._with_classes(x, y)
        if is_classes(x):
            return self._with_classes(y, x)
        rng = noise_generator(self.seed)
        left = self._side(x, "x", rng)
        right = self._side(y, "y", rng, left.values.device)
        paired(left.values, right.values)
        nats, warnings = 0.0, (*left.warnings, *right.warnings)
        if not (left.constant or right.constant):
            joint = torch.cat([left.values, right.values], 1)
            nats = self._density(left.values, "x") + self._density(right.values, "y") - self._entropy(joint, "x, y")
            if flat(joint):
                warnings += ("a linear combination of x equals one of y, so I is infinite; the number grows with n",)
        dimensions = left.values.shape[1] + right.values.shape[1]
        return self._information(nats, left, dimensions, math.inf, warnings, right.constant)

    def _with_classes(self, x: Any, y: Any) -> Estimate:
        left = self._side(x, "x", noise_generator(self.seed))
        codes, count = classes(y, "y")
        paired(left.values, codes)
        codes = codes.to(left.values.device)
        sizes = torch.bincount(codes, minlength=count)
        ceiling = float(plug_in(sizes))
        nats = 0.0
        if not (left.constant or count == 1):
            if int(sizes.min()) < self.k + 2:
                raise TooFewSamples(
                    f"the smallest class of y holds {int(sizes.min())} samples; want at least k + 2 = {self.k + 2}"
                )
            within = sum(
                float(sizes[label]) * self._density(left.values[codes == label], f"class {label} of x")
                for label in range(count)
            )
            nats = self._density(left.values, "x") - within / codes.shape[0]
        return self._information(nats, left, left.values.shape[1], ceiling, left.warnings, count == 1)

    def _side(self, value: Any, name: str, rng: np.random.Generator, device: torch.device | None = None) -> Rescaled:
        how = "standard" if self.standardize else "none"
        return rescaled(value, name, how=how, minimum=self.k + 2, noise=self.noise, rng=rng, device=device)

    def _density(self, values: Tensor, name: str) -> float:
        if flat(values):
            raise InvalidArgument(
                f"{name} has constant or linearly dependent columns, so it has no density; drop them, or use KSG"
            )
        return self._entropy(values, name)

    def _entropy(self, values: Tensor, name: str) -> float:
        nats = float(kozachenko_leonenko(values, self.k, metric=self.metric, weighted=self.weighted).mean())
        if math.isinf(nats):
            raise InvalidArgument(
                f"{name} has exact duplicates among its k neighbors, so it has no density; "
                "use MixedKSG, a larger k, or noise"
            )
        return nats

    def _information(
        self, nats: float, x: Rescaled, dimensions: int, ceiling: float, warnings: tuple[str, ...], y_constant: bool
    ) -> Estimate:
        n = x.values.shape[0]
        if x.constant or y_constant:
            warnings += (f"{'x' if x.constant else 'y'} is constant, so the mutual information is 0",)
        else:
            warnings += crowded(dimensions, n)
        return Estimate(
            min(nats, ceiling),
            quantity="I(X;Y)",
            kind=Kind.POINT,
            estimator=type(self).__name__,
            n=n,
            parameters=asdict(self),
            ceiling=ceiling,
            ceiling_name="H(Y)" if math.isfinite(ceiling) else "",
            warnings=warnings,
        )


def flat(values: Tensor) -> bool:
    """Whether the rows of (n, d), d < n, lie on a plane of fewer than d dimensions, where there is no density.

    >>> line, triangle = torch.tensor([[1.0, 1], [2, 2], [5, 5]]), torch.tensor([[1.0, 1], [2, 2], [5, 4]])
    >>> flat(line), flat(triangle)
    (True, False)
    """
    n, d = values.shape
    if not 1 < d < n:
        return False
    centered = values.double() - values.double().mean(0)
    scale = centered.square().mean(0).sqrt()
    if not bool((scale > 0).all()):
        return True
    spread = torch.linalg.eigvalsh((centered / scale).mT @ (centered / scale) / n)
    return bool(spread[0] <= 10 * d * torch.finfo(torch.float64).eps)
