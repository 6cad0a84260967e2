"""Canonical correlations, of which the mutual information of Gaussian variables is a sum.

An invertible linear map of each side turns Gaussian X and Y into independent pairs with correlations ρ_i, so that
I(X;Y) = -½ Σ log(1 - ρ_i²). `Gaussian` and `CCA` both compute their estimates from the `Spectrum` of this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from scipy import special
from torch import Tensor

from infoflow.core.arrays import real
from infoflow.core.checks import constant_columns, is_classes, samples
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.estimators.gaussian.agreement import Agreement, agreement
from infoflow.estimators.gaussian.smoothed_scores import smoothed_scores
from infoflow.estimators.neighbors.preparation import normal_scores

Shrinkage = Literal["none", "ledoit-wolf", "oas"]
Copula = bool | Literal["smoothed"]

# A component whose share of the variance is below this many roundings is a linear function of the others.
_ROUNDINGS = 10

# A component must vary by more than this many roundings of the values to be a component of its own.
_RESOLVED = 100

# Whitening is repeated where weights are above this, and drops directions whose variance of 1 turns out to be rounding.
_AMPLIFIED, _UNSTABLE = 1e3, 0.1

# A pair of columns is its own canonical pair without further checks below this correlation and from so many samples on.
_LOOSE, _FEW = 0.99, 6

# Components are judged at this level when only significant ones are kept.
_SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Columns:
    """Samples of one side: float64, varying columns only, each of mean 0 and variance 1."""

    values: Tensor
    warnings: tuple[str, ...] = ()
    rounding: float = torch.finfo(torch.float64).eps
    """The largest rounding error of a value, in standard deviations of its column."""
    ranks: bool = False
    """Whether the values are normal scores of ranks."""


def refuse_classes(value: Any, name: str) -> None:
    """Raise InvalidArgument for integers, which stand for classes, whose codes have no covariance.

    >>> refuse_classes([0.0, 1.0], "x")
    """
    if is_classes(value):
        raise InvalidArgument(
            name,
            "quantities",
            got_text="integers, which stand for classes",
            remedy="Use an estimator for classes ('mixed', 'discrete'), or convert integer quantities to floats.",
        )


def columns(value: Any, name: str, *, copula: Copula = False, like: Tensor | None = None) -> Columns:
    """Standardized columns (n, d) of samples; `copula` replaces each by its normal scores, exact or smoothed.

    Constant columns carry no information and are dropped with a warning. Raises InvalidArgument for classes, whose
    codes have no covariance.

    >>> columns([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], "x").values.T
    tensor([[-1.2247,  0.0000,  1.2247]], dtype=torch.float64)
    """
    refuse_classes(value, name)
    dtype = real(value, name).dtype
    precision = torch.finfo(dtype if dtype.is_floating_point else torch.float64).eps
    tensor = samples(value, name, dtype=torch.float64)
    if like is not None:
        tensor = tensor.to(like.device)
    return standardized(tensor, name, copula=copula, precision=precision)


def standardized(
    tensor: Tensor, name: str, *, copula: Copula = False, precision: float = torch.finfo(torch.float64).eps
) -> Columns:
    """The same of finite float64 samples (n, d), whose values had this relative precision.

    >>> standardized(torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64), "x").values.T
    tensor([[-1.2247,  0.0000,  1.2247]], dtype=torch.float64)
    """
    warnings = []
    varies = tensor.amax(dim=0) > tensor.amin(dim=0)
    if not bool(varies.all()):
        constant = int((~varies).sum())
        warnings.append(constant_columns(name, constant))
        tensor = tensor[:, varies]
    if tensor.shape[1] == 0:
        return Columns(tensor, tuple(warnings))
    if copula:
        scores = smoothed_scores(tensor) if copula == "smoothed" else normal_scores(tensor)
        tied = _tied(tensor)
        if tied > 0.05:
            warnings.append(
                f"{tied:.0%} of the values in {name} are ties, but a copula is defined for continuous variables only; "
                "use an estimator for mixed variables"
            )
        tensor = scores
    largest = tensor.abs().amax(dim=0)
    tensor = tensor - tensor.mean(dim=0)
    reach = tensor.abs().amax(dim=0)
    tensor = tensor / reach  # first to [-1, 1], so that no square overflows
    deviation = tensor.square().mean(dim=0).sqrt()
    rounding = (torch.finfo(tensor.dtype).eps if copula else precision) * float((largest / reach / deviation).max())
    return Columns(tensor / deviation, tuple(warnings), rounding, bool(copula))


def _tied(values: Tensor) -> float:
    """The largest share of neighbors in order, over the columns (n, d), that are equal."""
    ordered = np.sort(values.cpu().numpy(), axis=0)
    return float((ordered[1:] == ordered[:-1]).mean(axis=0).max())


@dataclass(frozen=True)
class Spectrum:
    """Canonical correlations ρ (descending) of x and y, given z where there is one, with the canonical variates."""

    correlations: Tensor
    x: Tensor
    """Canonical variates of x, (n, r)."""
    y: Tensor
    """Canonical variates of y, (n, r)."""
    ranks: tuple[int, int, int]
    """Independent directions in x, y and z."""
    n: int
    warnings: tuple[str, ...]
    unexplained: Tensor
    """1 − ρ² of each pair, accurate where ρ is near 1."""
    equal: bool = False
    """Whether the first pair is equal to the rounding of the values, so that the information is infinite."""
    resolution: float = 0.0
    """The smallest 1 − ρ² that normal scores of n ranks can show; 0 where the values themselves are used."""

    @property
    def ceiling(self) -> float:
        """The largest information that the ranks can show, in nats; infinite where the values are used."""
        if self.resolution == 0:
            return math.inf
        return -0.5 * len(self.correlations) * math.log(self.resolution)

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the covariance: the mean and z use up the rest."""
        return self.n - 1 - self.ranks[2]

    def information(self, components: int | None = None) -> float:
        """-½ Σ log(1 - ρ²) over the first components, in nats; infinite where a pair is equal."""
        if self.equal:
            return math.inf
        unexplained = self.unexplained[:components].clamp_min(max(self.resolution, 1e-300))
        return float(-0.5 * unexplained.log().sum())

    def bias(self, components: int | None = None) -> float:
        """Mean excess of `information` for Gaussian samples, from the Wishart distribution.

        E log |S| = log |Σ| + Σ_{i<=d} ψ((ν + 1 - i) / 2) + d log(2/ν), ν degrees of freedom. With only k components,
        the part of the other (dx - k, dy - k) directions, whose true correlation is 0, is subtracted.
        """
        dim_x, dim_y, _ = self.ranks
        whole = _wishart_bias(dim_x, dim_y, self.freedom)
        if components is None or components >= min(dim_x, dim_y):
            return whole
        return whole - _wishart_bias(dim_x - components, dim_y - components, self.freedom - components)

    def variance(self, components: int | None = None, *, gaussian: bool = False) -> float:
        """Variance of `information` in large samples: pointwise information's over n, and a second-order term.

        The pointwise information of Gaussian data has variance Σ ρ²; unless `gaussian`, the variance over the samples
        is used. At ρ = 0 both vanish, and the variance of χ²(dx dy) / 2n remains.
        """
        dim_x, dim_y, _ = self.ranks
        rho = self.correlations[:components]
        if gaussian:
            first = float(rho.square().sum())
        else:
            x, y = self.x[:, : len(rho)], self.y[:, : len(rho)]
            share = rho / self.unexplained[: len(rho)].clamp_min(max(self.resolution, 1e-300))
            pointwise = (share * (x * y - 0.5 * rho * (x.square() + y.square()))).sum(dim=1)
            first = float(pointwise.var(correction=0))
        return first / self.n + dim_x * dim_y / (2 * self.n**2)

    def p_value(self, components: int = 0) -> float:
        """Bartlett's test that all correlations after the first `components` are zero (1938), for Gaussian samples."""
        dim_x, dim_y, _ = self.ranks
        freedom = (dim_x - components) * (dim_y - components)
        rest = self.correlations[components:]
        if freedom == 0 or rest.numel() == 0:
            return 1.0
        scale = self.freedom - 0.5 * (dim_x + dim_y + 1)
        statistic = -scale * float(torch.log1p(-rest.square().clamp(max=1.0)).sum())
        return float(special.chdtrc(freedom, max(statistic, 0.0)))

    def significant(self) -> int:
        """How many leading components Bartlett's sequential test retains at the 5 % level."""
        for components in range(len(self.correlations)):
            if self.p_value(components) > _SIGNIFICANCE:
                return components
        return len(self.correlations)


def _wishart_bias(dim_x: int, dim_y: int, freedom: int) -> float:
    def log_det(dimension: int) -> float:
        return float(special.digamma((freedom - np.arange(dimension)) / 2).sum())

    return 0.5 * (log_det(dim_x) + log_det(dim_y) - log_det(dim_x + dim_y))


def correlation(values: Tensor, shrinkage: str) -> Tensor:
    """Correlation matrix of standardized columns (n, d), shrunk towards the identity if asked.

    (Ledoit and Wolf 2004, J. Multivariate Analysis 88; oracle approximating shrinkage: Chen et al. 2010.)

    >>> correlation(torch.tensor([[1.0, 1.0], [-1.0, -1.0]]), "none")
    tensor([[1., 1.], [1., 1.]])
    """
    if shrinkage == "none":
        return values.mT @ values / len(values)
    from sklearn import covariance as shrunk  # takes a second, and shrinkage is rare

    fit = shrunk.LedoitWolf if shrinkage == "ledoit-wolf" else shrunk.OAS
    # The inverse, which would take most of the time, is not needed.
    fitted = fit(store_precision=False, assume_centered=True).fit(values.cpu().numpy())
    return torch.from_numpy(fitted.covariance_).to(values)


def whitening(matrix: Tensor, tolerance: float) -> Tensor:
    """A map (d, r) to r uncorrelated variables of variance 1, without the directions that (almost) don't vary."""
    values, vectors = torch.linalg.eigh(matrix)
    kept = values > tolerance
    scaled: Tensor = vectors[:, kept] / values[kept].sqrt()
    return scaled


def _repeated(x: Tensor, y: Tensor, map_x: Tensor, map_y: Tensor, cross: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Maps and cross-correlation, whitened once more from the whitened samples where the first maps amplify rounding.

    The error of correlations falls from eps/λ to eps/√λ, λ the smallest variance of a kept direction.
    """
    if max(float(each.abs().max()) if each.numel() else 0.0 for each in (map_x, map_y)) < _AMPLIFIED:
        return map_x, map_y, cross
    white, maps = [], []
    for values, first in ((x, map_x), (y, map_y)):
        once = values @ first
        again = whitening(once.mT @ once / len(once), _UNSTABLE)
        white.append(once @ again)
        maps.append(first @ again)
    return maps[0], maps[1], white[0].mT @ white[1] / len(x)


def _of_a_pair(x: Columns, y: Columns, rho: Tensor, warnings: tuple[str, ...]) -> Spectrum:
    """The spectrum of one column on each side that are not nearly equal, which are their own canonical variates."""
    size = rho.abs()[None]
    resolution = _resolution(x, y)
    variates = x.values, y.values * torch.sign(rho)
    unexplained = 1 - size.square()
    return Spectrum(size, *variates, (1, 1, 0), len(x.values), warnings, unexplained, False, resolution)


def _resolution(x: Columns, y: Columns) -> float:
    """The smallest 1 − ρ² that normal scores on both sides can show; 0 where a side holds values."""
    n = len(x.values)
    return 4 * math.pi / n**3 if x.ranks and y.ranks and n > 2 else 0.0


def spectrum(x: Columns, y: Columns, z: Columns | None = None, *, shrinkage: str = "none") -> Spectrum:
    """Canonical correlations of x and y, after what z explains linearly has been taken out of both.

    Directions that are linear functions of others (duplicated columns) add no information and are left out with a
    warning. Raises TooFewSamples if a covariance without shrinkage would be singular.

    >>> pair = columns([1.0, 2.0, 3.0, 4.0], "x"), columns([1.0, 3.0, 2.0, 4.0], "y")
    >>> spectrum(*pair).correlations
    tensor([0.8000], dtype=torch.float64)
    """
    sides = [x.values, y.values] + ([z.values] if z is not None else [])
    n, (dim_x, dim_y) = len(x.values), (x.values.shape[1], y.values.shape[1])
    warnings = [w for side in (x, y, z) if side is not None for w in side.warnings]
    joint = torch.cat(sides, dim=1)
    empty = joint.new_zeros(n, 0)
    if dim_x == 0 or dim_y == 0:
        return Spectrum(joint.new_zeros(0), empty, empty, (0, 0, 0), n, tuple(warnings), joint.new_ones(0))
    matrix = correlation(joint, shrinkage)
    rounding = max(side.rounding for side in (x, y, z) if side is not None)
    if z is None and shrinkage == "none" and joint.shape[1] == 2 and n > _FEW and abs(float(matrix[0, 1])) < _LOOSE:
        return _of_a_pair(x, y, matrix[0, 1], tuple(warnings))
    tolerance = max(_ROUNDINGS * joint.shape[1] * torch.finfo(joint.dtype).eps, (_RESOLVED * rounding) ** 2)
    pair, rank_z = dim_x + dim_y, 0
    whitener = explained = joint.new_zeros(0, 0)
    if joint.shape[1] > pair:
        whitener = whitening(matrix[pair:, pair:], tolerance)
        explained = matrix[:pair, pair:] @ whitener
        rank_z = explained.shape[1]
        matrix = matrix[:pair, :pair] - explained @ explained.mT
        tolerance *= 10  # the difference has lost digits
    # What z explains is subtracted from the columns, too.
    rest = joint[:, :pair] if not rank_z else joint[:, :pair] - joint[:, pair:] @ (whitener @ explained.mT)
    map_x = whitening(matrix[:dim_x, :dim_x], tolerance)
    map_y = whitening(matrix[dim_x:, dim_x:], tolerance)
    cross = map_x.mT @ matrix[:dim_x, dim_x:] @ map_y
    if shrinkage == "none" and n > pair:
        map_x, map_y, cross = _repeated(rest[:, :dim_x], rest[:, dim_x:], map_x, map_y, cross)
    ranks = (map_x.shape[1], map_y.shape[1], rank_z)
    if shrinkage == "none":
        # Fewer samples than columns make a rank n - 1 and every correlation 1.
        if n < sum(ranks) + 2 or max(ranks) >= n - 1:
            raise TooFewSamples(
                "n",
                f"at least {joint.shape[1] + 2} for a covariance of {joint.shape[1]} columns",
                n,
                remedy="Set shrinkage='oas' to use fewer samples.",
            )
        for name, dimension, rank in (("x", dim_x, ranks[0]), ("y", dim_y, ranks[1])):
            if rank < dimension:
                what = "given z " if z is not None else ""
                warnings.append(
                    f"{name} has {dimension} columns but only {rank} linearly independent {what}(duplicates?): "
                    "the others add no information and were left out"
                )
        if n < 3 * sum(ranks):
            warnings.append(
                f"n = {n} is small for {sum(ranks)} dimensions, so the estimate is noisy; "
                "use shrinkage or fewer dimensions"
            )
    u, rho, vh = torch.linalg.svd(cross, full_matrices=False)
    rho = rho.clamp(max=1.0)
    weights_x, weights_y = map_x @ u, map_y @ vh.mT
    variate_x, variate_y = rest[:, :dim_x] @ weights_x, rest[:, dim_x:] @ weights_y
    found = Agreement(1 - rho.square(), False)
    if shrinkage == "none":
        errors = [rounding * weights.abs().sum(0) for weights in (weights_x, weights_y)]
        found = agreement(rho, variate_x, variate_y, errors[0] + errors[1])
    ranked, resolution = x.ranks and y.ranks, _resolution(x, y)
    if found.equal and not ranked:
        given = " given z" if rank_z else ""
        warnings.append(
            f"a linear combination of x equals one of y{given} to the rounding of the values, so the information is "
            "infinite; drop the columns, or add the noise that separates them in practice"
        )
    elif ranked and rho.numel() and float(found.unexplained[0]) <= resolution:
        warnings.append(
            f"a combination of x has the same ranks as one of y, as a monotone function has, so the estimate is the "
            f"largest that ranks of {n} samples can show and only a lower limit; use copula=False if the dependence "
            "is linear, or add the noise that separates the columns in practice"
        )
    if rank_z:
        variate_x, variate_y = empty, empty
    return Spectrum(
        rho,
        variate_x,
        variate_y,
        ranks,
        n,
        tuple(warnings),
        found.unexplained,
        found.equal and not ranked,
        resolution,
    )
