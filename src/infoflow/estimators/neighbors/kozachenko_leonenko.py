"""Differential entropy and mutual information by the nearest-neighbor estimator of Kozachenko and Leonenko."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import classes, is_classes, paired
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import NonNegativeFloat, PositiveInt, Seed, Settings
from infoflow.entropies.discrete import plug_in
from infoflow.entropies.nearest_neighbor import kozachenko_leonenko
from infoflow.estimators.neighbors.limits import crowded, is_constant
from infoflow.estimators.neighbors.preparation import Prepared, noise_generator, prepare


@dataclass(frozen=True)
class KozachenkoLeonenko(Settings):
    """Differential entropy from distances to the k-th neighbor, and mutual information as a sum of entropies.

    Parameters
    ----------
    k
        Which neighbor's distance counts.
    weighted
        Mix the first to k-th neighbor so that the bias cancels in four and more dimensions (Berrett, Samworth and Yuan
        2019). k must then be at least the number of dimensions; several times that is better.
    metric
        Norm of the distances.
    standardize
        Scale columns to unit variance first; an entropy adds their scales back.
    noise
        Scale of added Gaussian noise, in standard deviations of each column, against tied values.
    seed
        Seed of that noise.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    h(X) = ψ(N) − ψ(k) + log c_d + d ⟨log ρ_k⟩, with ρ_k the distance to the k-th neighbor and c_d the volume of the
    unit ball. I(X;Y) is h(X) + h(Y) − h(X,Y) or, for classes, h(X) − h(X|Y). The errors of the entropies don't cancel
    as in `KSG`, which is better for one- and two-dimensional variables.

    References
    ----------
    Kozachenko, Leonenko (1987), Sample estimate of the entropy of a random vector.
    Kraskov, Stögbauer, Grassberger (2004), Physical Review E 69, 066138, eq. 20.
    Berrett, Samworth, Yuan (2019), Efficient multivariate entropy estimation via k-nearest neighbour distances.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=5000)
    >>> KozachenkoLeonenko().entropy(x).nats  # ½ log 2πe = 1.4189
    1.4
    """

    k: PositiveInt = 3
    weighted: bool = False
    metric: Literal["euclidean", "chebyshev"] = "euclidean"
    standardize: bool = True
    noise: NonNegativeFloat = 0.0
    seed: Seed = 0

    def entropy(self, t: Any) -> Estimate:
        """Estimate the differential entropy h(T) in nats, which can be negative.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Continuous samples. Constant columns and repeated samples have no density: the entropy is then −∞, with a
            warning.

        Returns
        -------
        Estimate
            A point estimate.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers; `TooFewSamples` for n < k + 2.

        Examples
        --------
        >>> KozachenkoLeonenko(k=1).entropy([0.0, 1.0, 2.0, 3.0]).nats  # ψ(4) - ψ(1) + log 2 = 2.5265
        2.5265
        """
        side = self._side(t, "t", noise_generator(self.seed))
        warnings = side.warnings
        nats = -math.inf
        if flat(side.values):
            warnings += ("t has linearly dependent columns (duplicates?), so h(T) is −∞; drop them",)
        elif side.warnings:
            warnings += ("constant columns have no density, so h(T) is −∞; drop them",)
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
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired continuous samples; one of them may be one-dimensional integers, which are classes.

        Returns
        -------
        Estimate
            A point estimate.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers, their lengths differ, or samples have exact duplicates among their k
            neighbors, so that there is no density; `TooFewSamples` if n, or a class, is smaller than k + 2.

        Examples
        --------
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(2000, 2))
        >>> KozachenkoLeonenko().estimate(x[:, 0], x[:, 0] + x[:, 1]).nats  # ½ log 2 = 0.3466
        0.3
        """
        if is_classes(y):
            return self._with_classes(x, y)
        if is_classes(x):
            return self._with_classes(y, x)
        generator = noise_generator(self.seed)
        left = self._side(x, "x", generator)
        right = self._side(y, "y", generator, left.values.device)
        paired(left.values, right.values)
        nats, warnings = 0.0, (*left.warnings, *right.warnings)
        if not (left.constant or right.constant):
            joint = torch.cat([left.values, right.values], 1)
            nats = self._density(left.values, "x") + self._density(right.values, "y") - self._entropy(joint, "x, y")
            if flat(joint):
                warnings += (
                    "a linear combination of x equals one of y, so I(X;Y) is infinite and the estimate grows with n; "
                    "add noise or drop the columns",
                )
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
                    f"Each class of y must hold at least k + 2 = {self.k + 2} samples, got {int(sizes.min())} in one."
                )
            within = sum(
                float(sizes[label]) * self._density(left.values[codes == label], f"class {label} of x")
                for label in range(count)
            )
            nats = self._density(left.values, "x") - within / codes.shape[0]
        return self._information(nats, left, left.values.shape[1], ceiling, left.warnings, count == 1)

    def _side(
        self, value: Any, name: str, generator: np.random.Generator, device: torch.device | None = None
    ) -> Prepared:
        rescale = "standard" if self.standardize else "none"
        return prepare(
            value, name, rescale=rescale, minimum=self.k + 2, noise=self.noise, generator=generator, device=device
        )

    def _density(self, values: Tensor, name: str) -> float:
        if flat(values):
            raise InvalidArgument(
                f"{name} has constant or linearly dependent columns, so it has no density. Drop them, or use KSG."
            )
        return self._entropy(values, name)

    def _entropy(self, values: Tensor, name: str) -> float:
        nats = float(kozachenko_leonenko(values, self.k, metric=self.metric, weighted=self.weighted).mean())
        if math.isinf(nats):
            raise InvalidArgument(
                f"{name} has exact duplicates among its k neighbors, so it has no density. "
                "Use MixedKSG, a larger k, or noise."
            )
        return nats

    def _information(
        self, nats: float, x: Prepared, dimensions: int, ceiling: float, warnings: tuple[str, ...], y_constant: bool
    ) -> Estimate:
        n = x.values.shape[0]
        if x.constant or y_constant:
            warnings += (is_constant("x" if x.constant else "y"),)
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
    """Whether the rows of (n, d), d < n, lie on a plane of fewer than d dimensions, so that there is no density.

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
