"""What the nearest-neighbor estimators share: their settings, the order of their steps, and their warnings.

Each goes through the same steps: prepare both sides, compute one term per sample, return the mean as an `Estimate`.
A subclass states how a side is prepared, its terms and its ceiling.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import paired
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import NonNegativeFloat, PositiveInt, Seed, Settings
from infoflow.estimators.neighbors.limits import Ceiling, crowded, is_constant, unresolved
from infoflow.estimators.neighbors.preparation import Prepared, apart, noise_generator, prepare
from infoflow.pairwise.neighbors import Metric

# Up to this many joint dimensions "auto" is the maximum norm of the papers; beyond, the Euclidean norm is more
# accurate, and a matrix product finds its neighbors.
_CHEBYSHEV_DIMENSIONS = 6


@dataclass(frozen=True)
class Pair:
    """Both sides prepared, with their names in messages."""

    x: Prepared
    y: Prepared
    names: tuple[str, str] = ("x", "y")

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.x.values.shape[0]

    @property
    def dimensions(self) -> int:
        """Varying columns of both sides together."""
        return self.x.values.shape[1] + self.y.values.shape[1]

    @property
    def symbols(self) -> bool:
        """Whether a side holds classes, whose entropy limits the information rather than the neighborhoods."""
        return self.x.symbols or self.y.symbols

    @property
    def constant(self) -> str:
        """Name of a side without varying columns, or ""."""
        return next((name for name, side in zip(self.names, (self.x, self.y), strict=True) if side.constant), "")


@dataclass(frozen=True)
class Terms:
    """Pointwise information (n,) in nats, which samples count, the ceiling, and warnings about the neighborhoods."""

    values: Tensor
    ceiling: Ceiling
    warnings: tuple[str, ...] = ()
    used: Tensor | None = None
    counted: float = math.inf
    """The ceiling by counts of neighbors, near which dependence is not resolved; infinite where there is none."""

    @property
    def mean(self) -> float:
        """The mean over the samples that count; 0 where none does."""
        values = self.values if self.used is None else self.values[self.used]
        return float(values.mean()) if values.numel() else 0.0


@dataclass(frozen=True)
class NeighborInformation(Settings, abc.ABC):
    """Base of the estimators of mutual information whose estimate is the mean of one term per sample."""

    k: PositiveInt = 3
    metric: Literal["auto", "chebyshev", "euclidean"] = "auto"
    rescale: Literal["auto", "normal-scores", "standard", "none"] = "auto"
    noise: NonNegativeFloat = 0.0
    seed: Seed = 0

    _automatic_rescale: ClassVar[str] = "standard"
    _stated: ClassVar[tuple[str, ...]] = ("k",)

    @abc.abstractmethod
    def _prepare(self, x: Any, y: Any, names: tuple[str, str]) -> Pair:
        """Both sides, checked and rescaled."""

    @abc.abstractmethod
    def _terms(self, pair: Pair) -> Terms:
        """Pointwise information of sides that both vary."""

    @abc.abstractmethod
    def _ceiling(self, pair: Pair) -> Ceiling:
        """The ceiling where a side is constant."""

    @property
    def rescaling(self) -> str:
        """The rescaling that "auto" stands for."""
        return self._automatic_rescale if self.rescale == "auto" else self.rescale

    def _side(
        self, value: Any, name: str, generator: np.random.Generator, device: torch.device | None = None
    ) -> Prepared:
        return prepare(
            value,
            name,
            rescale=self.rescaling,
            minimum=self.k + 2,
            noise=self.noise,
            generator=generator,
            device=device,
        )

    def _sides(self, x: Any, y: Any, names: tuple[str, str]) -> Pair:
        generator = noise_generator(self.seed)
        left = self._side(x, names[0], generator)
        right = self._side(y, names[1], generator, left.values.device)
        paired(left.values, right.values, *names)
        left, right = apart(left, right)
        return Pair(left, right, names)

    def _information(
        self, x: Any, y: Any, quantity: str, names: tuple[str, str] = ("x", "y"), warnings: tuple[str, ...] = ()
    ) -> Estimate:
        """The steps of every estimate: prepared sides, terms, their mean with ceiling and warnings."""
        pair = self._prepare(x, y, names)
        return self._described(pair, None if pair.constant else self._terms(pair), quantity, warnings)

    def _described(
        self, pair: Pair, terms: Terms | None, quantity: str = "I(X;Y)", warnings: tuple[str, ...] = ()
    ) -> Estimate:
        """The estimate from the terms, or from none where a side is constant."""
        warnings = (*warnings, *pair.x.warnings, *pair.y.warnings)
        if terms is None:
            nats, ceiling = 0.0, self._ceiling(pair)
            warnings += (is_constant(pair.constant),)
        else:
            nats, ceiling = min(terms.mean, terms.ceiling.nats), terms.ceiling
            warnings += (*terms.warnings, *crowded(self._dimensions(pair), pair.n))
            if terms.counted < math.inf and not pair.symbols:
                warnings += unresolved(nats, terms.counted, self._dimensions(pair), pair.n, self.k)
        return Estimate(
            nats,
            quantity=quantity,
            kind=Kind.POINT,
            estimator=type(self).__name__,
            n=pair.n,
            parameters=self._parameters(pair),
            ceiling=ceiling.nats,
            ceiling_name=ceiling.name,
            warnings=warnings,
        )

    def _pointwise(self, x: Any, y: Any) -> NDArray[np.float64]:
        pair = self._prepare(x, y, ("x", "y"))
        if pair.constant:
            return np.zeros(pair.n)
        terms: NDArray[np.float64] = self._terms(pair).values.cpu().numpy()
        return terms

    def _dimensions(self, pair: Pair) -> int:
        """Dimensions of the space in which neighbors are searched."""
        return pair.dimensions

    def _parameters(self, pair: Pair) -> dict[str, Any]:
        return asdict(self) | {"metric": norm(self.metric, self._dimensions(pair)), "rescale": self.rescaling}


def norm(metric: Literal["auto"] | Metric, dimensions: int) -> Metric:
    """The metric that "auto" stands for: Chebyshev up to 6 joint dimensions, Euclidean beyond.

    >>> norm("auto", 2), norm("auto", 100), norm("chebyshev", 100)
    ('chebyshev', 'euclidean', 'chebyshev')
    """
    if metric != "auto":
        return metric
    return "chebyshev" if dimensions <= _CHEBYSHEV_DIMENSIONS else "euclidean"


def balanced(spaces: Sequence[Tensor], metric: str) -> list[Tensor]:
    """Divide Euclidean spaces (n, d_s) by √d_s, with which their distances grow.

    A joint neighbor must be near in every space; otherwise the space of most dimensions alone would choose it.

    >>> balanced([torch.ones(1, 4), torch.ones(1, 1)], "euclidean")[0].tolist()
    [[0.5, 0.5, 0.5, 0.5]]
    """
    if metric != "euclidean":
        return list(spaces)
    return [space / math.sqrt(space.shape[1]) for space in spaces]


def digamma(value: float) -> float:
    """ψ of one number, in float64.

    >>> digamma(1)  # minus Euler's constant
    -0.5772
    """
    return float(torch.digamma(torch.tensor(float(value), dtype=torch.float64)))


def digammas(counts: Tensor) -> Tensor:
    """ψ of whole numbers, in float64 (torch would compute integers in float32).

    >>> digammas(torch.tensor([1, 2])).tolist()
    [-0.5772, 0.4228]
    """
    return torch.digamma(counts.to(torch.float64))


@lru_cache(maxsize=4)
def digamma_table(n: int) -> NDArray[np.float64]:
    """ψ of 1, ..., n, of which every count of samples takes one.

    >>> digamma_table(2).round(4).tolist()
    [-0.5772, 0.4228]
    """
    table: NDArray[np.float64] = digammas(torch.arange(1, n + 1)).numpy()
    return table
