"""Measures of augmented views: LiDAR, DiME and InfoNCE."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, Settings
from infoflow.entropies.renyi import renyi_entropy
from infoflow.estimators.streaming.accumulator import ViewAccumulator
from infoflow.estimators.streaming.means import mean_and_error, moments
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.rows import content_generator, directions, floating
from infoflow.estimators.streaming.warnings import left_out_rows, near_ceiling


@dataclass(frozen=True)
class ViewMeasures(Settings):
    """LiDAR, DiME and an InfoNCE bound from representations of augmented prompts or pictures.

    Parameters
    ----------
    temperature
        Divisor of the cosines in InfoNCE.
    regularization
        Multiple of the identity that is added to the covariance within objects in LiDAR.
    shuffles
        Number of random pairings in DiME.
    seed
        Seed of the pairings.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    LiDAR is the effective rank of Σ_w^{−1/2} Σ_b Σ_w^{−1/2}, with Σ_b the covariance of the means of objects and Σ_w
    that within objects plus the regularization. DiME is S₁(A ∘ ΠBΠᵀ) − S₁(A ∘ B), averaged over pairings Π, with A and
    B the squared cosines of the centered first and second views, which are positive definite. InfoNCE is log B − the
    cross-entropy of finding the second view of each object among the B of its batch; nothing is fitted, so its
    expectation is a lower bound of I between two views, at most log B. DiME and InfoNCE are averaged over batches, and
    depend on B.

    References
    ----------
    Thilak et al. (2024), LiDAR, ICLR. Skean, Hoyos Osorio, Brockmeier, Sanchez Giraldo (2023), DiME. van den Oord, Li,
    Vinyals (2018), Representation learning with contrastive predictive coding.

    Examples
    --------
    >>> views = ViewMeasures().accumulator(dimensions=16)
    >>> z = torch.eye(16)
    >>> views.update(torch.stack([z, z], dim=1))
    >>> [reading.quantity for reading in views.estimates()]
    ['LiDAR', 'DiME', 'InfoNCE']
    """

    temperature: PositiveFloat = 0.1
    regularization: PositiveFloat = 1e-4
    shuffles: PositiveInt = 4
    seed: Seed = 0

    def accumulator(self, dimensions: int) -> ViewMeasuresAccumulator:
        """Create an accumulator for representations of d dimensions.

        Parameters
        ----------
        dimensions
            d; the sums take 2 d² numbers.

        Returns
        -------
        ViewMeasuresAccumulator
            An empty accumulator.
        """
        return ViewMeasuresAccumulator(self, dimensions)


class ViewMeasuresAccumulator(ViewAccumulator):
    """Scatter between and within objects, and sums over batches; created by `ViewMeasures.accumulator`.

    Parameters
    ----------
    settings
        Temperature, regularization and pairings.
    dimensions
        d.

    Examples
    --------
    >>> ViewMeasures().accumulator(dimensions=8).estimates()
    []
    """

    def __init__(self, settings: ViewMeasures, dimensions: int) -> None:
        self._dimensions, self._chosen = dimensions, settings
        super().__init__(
            {
                "dimensions": dimensions,
                "temperature": settings.temperature,
                "regularization": settings.regularization,
                "shuffles": settings.shuffles,
                "seed": settings.seed,
            }
        )

    @torch.no_grad()
    def update(self, views: Tensor) -> None:
        """Add a batch of objects in several views.

        Parameters
        ----------
        views : Tensor of shape (B, V, d)
            Representations; V ≥ 2 views of each object, of which InfoNCE and DiME use the first two.

        Raises
        ------
        InvalidArgument
            If the shape does not fit.
        """
        z = floating(views, "views")
        if z.ndim != 3 or z.shape[1] < 2 or z.shape[2] != self._dimensions:
            raise InvalidArgument("views", f"of shape (B, V, {self._dimensions}) with V >= 2", views)
        good = z.isfinite().flatten(1).all(1)
        self._add("not finite", float((~good).sum()))
        z = z[good]
        if len(z) == 0:
            return
        mean = z.double().mean(1)
        within = (z.double() - mean[:, None]).flatten(0, 1)
        self._add("n", float(len(z)))
        self._add("within", within.T @ within / (z.shape[1] - 1))
        self._add("first", mean.sum(0))
        self._add("between", mean.T @ mean)
        if len(z) > 1:
            self._add("log candidates", moments(torch.full((1,), math.log(len(z)))))
            self._add("dime", moments(self._dime(z)[None]))
            self._add("infonce", moments(self._infonce(z)[None]))

    def _infonce(self, z: Tensor) -> Tensor:
        first, second = directions(z[:, 0])[0], directions(z[:, 1])[0]
        scores = (first @ second.T / self._chosen.temperature).double()
        return math.log(len(z)) + scores.log_softmax(1).diagonal().mean()

    def _dime(self, z: Tensor) -> Tensor:
        left, right = (_gram(z[:, view].double()) for view in (0, 1))
        joint = _joint_entropy(left, right)
        generator = content_generator(z[:, 0], self._chosen.seed)
        paired = []
        for _ in range(self._chosen.shuffles):
            order = torch.randperm(len(z), generator=generator).to(z.device)
            paired.append(_joint_entropy(left, right[order][:, order]))
        return torch.stack(paired).mean() - joint

    def lidar(self) -> Reading:
        """Return LiDAR, the effective number of directions that distinguish objects.

        Raises
        ------
        InvalidArgument
            If fewer than two objects were accumulated.
        """
        if self.n < 2:
            raise InvalidArgument("views", "of at least two objects", self.n)
        mean = self._sum("first") / self.n
        between = (self._sum("between") - self.n * torch.outer(mean, mean)) / (self.n - 1)
        within = self._sum("within") / self.n
        within = within + self._chosen.regularization * torch.eye(self._dimensions).to(within)
        factor = torch.linalg.cholesky(within)
        half = torch.linalg.solve_triangular(factor, between, upper=False)
        # L⁻¹ Σ_b L⁻ᵀ has the eigenvalues of Σ_w^{−1/2} Σ_b Σ_w^{−1/2}.
        values = torch.linalg.eigvalsh(torch.linalg.solve_triangular(factor, half.T, upper=False)).clamp_min(0)
        total = float(values.sum())
        value = math.exp(float(renyi_entropy(values / total, 1.0))) if total > 0 else 0.0
        ceiling = float(min(self._dimensions, self.n - 1))
        warnings = list(left_out_rows(self.left_out["not finite"]))
        if self.n < 2 * self._dimensions:
            warnings.append(
                f"There are {self.n} objects for {self._dimensions} dimensions, so LiDAR is limited by their number. "
                "Use at least two objects per dimension."
            )
        kind = ReadingKind.GEOMETRIC
        return Reading("LiDAR", "", min(value, ceiling), kind, self.n, "", ceiling=ceiling, warnings=tuple(warnings))

    def estimates(self) -> list[Reading]:
        """Return LiDAR, DiME and InfoNCE; an empty list before two objects."""
        if self.n < 2:
            return []
        found = [self.lidar()]
        if "dime" in self._sums:
            warnings = tuple(left_out_rows(self.left_out["not finite"]))
            ceiling = mean_and_error(self._sum("log candidates"))[0]
            mean, error = mean_and_error(self._sum("dime"))
            kind = ReadingKind.GEOMETRIC
            found.append(Reading("DiME", "", mean, kind, self.n, "nats", None, ceiling, error, warnings))
            mean, error = mean_and_error(self._sum("infonce"))
            warnings += tuple(near_ceiling(mean, ceiling))
            kind = ReadingKind.HELD_OUT
            found.append(Reading("InfoNCE", "", mean, kind, self.n, "nats", None, ceiling, error, warnings))
        return found


def _gram(z: Tensor) -> Tensor:
    unit, has = directions(z - z.mean(0))
    gram = (unit @ unit.T).square()
    gram.diagonal().copy_(torch.ones_like(has, dtype=gram.dtype))  # a row at the mean resembles itself alone
    return gram


def _joint_entropy(left: Tensor, right: Tensor) -> Tensor:
    """S₁ of the Hadamard product, normalized to trace one."""
    product = left * right
    return renyi_entropy(torch.linalg.eigvalsh(product / product.diagonal().sum()), 1.0)
