"""Spectra of the covariance of activations: entropies and effective numbers of directions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveFloat, PositiveInt, Seed, Settings, check
from infoflow.entropies.renyi import renyi_entropy
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.rows import Rows, checked_rows, thinned
from infoflow.estimators.streaming.warnings import left_out_rows

# Rows per dimension below which small eigenvalues are too small and the spectrum looks too concentrated.
_FEWEST_PER_DIMENSION = 10


@dataclass(frozen=True)
class CovarianceSpectrum(Settings):
    """Von Neumann and Rényi entropy, effective rank and participation of the covariance of activations.

    Parameters
    ----------
    every
        One of so many rows is used, at random by the content of the batch: the product of d × d is the main cost.
    center
        Whether the mean is subtracted. Without it one eigenvalue is that of the mean.
    order
        Order α of the Rényi entropy.
    seed
        Seed of the choice of rows.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    ρ = C/tr C; von Neumann entropy −Σ λ log λ; Rényi entropy log(Σ λ^α)/(1 − α); effective rank e^H; participation
    1/Σ λ². These describe the arrangement of activations and are invariant under rotation; they are not information.

    References
    ----------
    Skean, Arefin, Zhao, Patel, Naghiyev, LeCun, Shwartz-Ziv (2025), Layer by Layer, ICML.

    Examples
    --------
    >>> spectrum = CovarianceSpectrum(every=1).accumulator(dimensions=2)
    >>> spectrum.update(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    >>> round(spectrum.effective_rank().value, 6)
    2.0
    """

    every: PositiveInt = 8
    center: bool = True
    order: PositiveFloat = 2.0
    seed: Seed = 0

    def accumulator(self, dimensions: int) -> CovarianceAccumulator:
        """Create an accumulator for activations of d dimensions.

        Parameters
        ----------
        dimensions
            d; the sums take d² + d numbers.

        Returns
        -------
        CovarianceAccumulator
            An empty accumulator.
        """
        return CovarianceAccumulator(self, dimensions)


class CovarianceAccumulator(RowAccumulator):
    """Σ z zᵀ and Σ z of activations; created by `CovarianceSpectrum.accumulator`.

    Parameters
    ----------
    settings
        Which rows, centering and order.
    dimensions
        d.

    Examples
    --------
    >>> CovarianceSpectrum().accumulator(dimensions=8).estimates()
    []
    """

    def __init__(self, settings: CovarianceSpectrum, dimensions: int) -> None:
        self._dimensions = check(dimensions, "dimensions", Integer(1))
        self._chosen = settings
        super().__init__(
            {
                "dimensions": dimensions,
                "every": settings.every,
                "center": settings.center,
                "order": settings.order,
                "seed": settings.seed,
            }
        )

    @torch.no_grad()
    def update(
        self,
        t: Tensor,
        labels: Mapping[str, Tensor] | None = None,
        weights: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> None:
        """Add a batch of rows.

        Parameters
        ----------
        t : Tensor of shape (..., d)
            Activations.
        labels, documents
            Ignored, so that one call serves every accumulator of rows.
        weights : Tensor of shape (...)
            Non-negative weight of each row; 1 without.

        Raises
        ------
        InvalidArgument
            If shapes or types do not fit.
        """
        self.update_checked(checked_rows(t, self._dimensions, None, weights))

    @torch.no_grad()
    def update_checked(self, rows: Rows) -> None:
        """Add rows that `checked_rows` returned.

        Parameters
        ----------
        rows
            Finite rows of shape (n, d).
        """
        rows = thinned(rows, self._chosen.every, self._chosen.seed)
        self._add("not finite", float(rows.not_finite))
        mass = rows.weights.sum()
        if len(rows.t) == 0 or float(mass) == 0:
            return
        # In float64 as a whole: of few rows the product costs no more than a second pass over d × d sums would.
        z = rows.t.double()
        weighted = z * rows.weights[:, None] if rows.weighted else z
        self._grown("second", (self._dimensions, self._dimensions), z.device).addmm_(weighted.T, z)
        self._add("n", float(len(z)))
        self._add("mass", mass)
        self._add("first", weighted.sum(0))

    def covariance(self) -> Tensor:
        """Return the covariance (d, d), or the second moment where `center` is False.

        Raises
        ------
        InvalidArgument
            If nothing was accumulated.
        """
        if self.n == 0:
            raise InvalidArgument("No rows were accumulated. Call update(...) with activations first.")
        mean, second = self._sum("first") / self._sum("mass"), self._sum("second") / self._sum("mass")
        return second - torch.outer(mean, mean) if self._chosen.center else second

    def spectrum(self) -> Tensor:
        """Return the eigenvalues of C/tr C, descending; all zero where nothing varies.

        Raises
        ------
        InvalidArgument
            If nothing was accumulated.
        """
        values = torch.linalg.eigvalsh(self.covariance()).flip(0).clamp_min(0)
        total, size = values.sum(), self._sum("second").diagonal().sum() / self._sum("mass")
        # Rounding of a constant is no direction.
        return values / total if float(total) > 1e-12 * float(size) else torch.zeros_like(values)

    def von_neumann_entropy(self) -> Reading:
        """Return −Σ λ log λ."""
        return self._reading("von Neumann entropy", 1.0, "nats")

    def renyi_entropy(self) -> Reading:
        """Return log(Σ λ^α)/(1 − α) of the order α of the settings."""
        return self._reading(f"Rényi-{self._chosen.order:g} entropy", self._chosen.order, "nats")

    def effective_rank(self) -> Reading:
        """Return exp(−Σ λ log λ)."""
        return self._reading("effective rank", 1.0, "")

    def participation(self) -> Reading:
        """Return 1/Σ λ²."""
        return self._reading("participation", 2.0, "")

    def estimates(self) -> list[Reading]:
        """Return the entropies and effective numbers; an empty list before the first row."""
        if self.n == 0:
            return []
        spectrum = self.spectrum()
        order = self._chosen.order
        wanted = [("von Neumann entropy", 1.0, "nats"), (f"Rényi-{order:g} entropy", order, "nats")]
        wanted += [("effective rank", 1.0, ""), ("participation", 2.0, "")]
        return [self._reading(*each, spectrum) for each in wanted]

    def _reading(self, quantity: str, order: float, unit: str, spectrum: Tensor | None = None) -> Reading:
        spectrum = self.spectrum() if spectrum is None else spectrum
        varies = float(spectrum.sum()) > 0
        entropy = max(float(renyi_entropy(spectrum, order)), 0.0) if varies else 0.0
        largest = math.log(max(min(self._dimensions, self.n - int(self._chosen.center)), 1))
        value, ceiling = (entropy, largest) if unit else (math.exp(entropy), math.exp(largest))
        value = min(value, ceiling) if varies or unit else 0.0
        warnings = list(left_out_rows(self.left_out["not finite"]))
        if self.n < _FEWEST_PER_DIMENSION * self._dimensions:
            warnings.append(
                f"There are {self.n} rows for {self._dimensions} dimensions, so the spectrum looks more concentrated "
                f"than it is. Use at least {_FEWEST_PER_DIMENSION} rows per dimension, or a smaller every."
            )
        kind = ReadingKind.GEOMETRIC
        return Reading(quantity, "", value, kind, self.n, unit, ceiling=ceiling, warnings=tuple(warnings))
