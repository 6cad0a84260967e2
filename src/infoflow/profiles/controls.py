"""Controls that show what of soft entropy is geometry: the same accumulator on transformed activations.

A rotation and whitening are invertible linear maps, so that I(T;Y) is the same before and after; what changes in
I(W;Y) is a property of the assignment to references. Gaussian activations of the same mean and covariance, drawn
independently of the labels, give what the covariance alone does to H(W) and to the ceiling.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor

from infoflow.core import distributed
from infoflow.core.errors import UnknownName
from infoflow.estimators.streaming.accumulator import Accumulator, RowAccumulator
from infoflow.estimators.streaming.reading import Reading
from infoflow.estimators.streaming.soft_entropy import SoftEntropy
from infoflow.profiles.quantities import Make

Fit = Callable[[Tensor, int], Callable[[Tensor], Tensor]]
"""From the first rows (n, d) in float64 and a seed, the map of all rows."""

# Share of the mean variance that is added to every direction, so that directions without variance stay finite.
_RIDGE = 1e-4


def _unchanged(first: Tensor, seed: int) -> Callable[[Tensor], Tensor]:
    return lambda t: t


def _rotated(first: Tensor, seed: int) -> Callable[[Tensor], Tensor]:
    drawn = torch.randn(first.shape[1], first.shape[1], dtype=torch.float64, generator=_generator(seed))
    rotation = torch.linalg.qr(drawn)[0].to(first.device)
    return lambda t: t @ rotation


def _whitened(first: Tensor, seed: int) -> Callable[[Tensor], Tensor]:
    mean, values, vectors = _spectrum(first)
    scaled = vectors * values.rsqrt()
    return lambda t: (t - mean) @ scaled


def _gaussian(first: Tensor, seed: int) -> Callable[[Tensor], Tensor]:
    mean, values, vectors = _spectrum(first)
    scaled, generator = (vectors * values.sqrt()).T, _generator(seed)
    return lambda t: mean + torch.randn(t.shape, dtype=torch.float64, generator=generator).to(t.device) @ scaled


_FITS: dict[str, tuple[Fit, bool]] = {
    "not centered": (_unchanged, False),
    "rotated": (_rotated, True),
    "whitened": (_whitened, True),
    "matched Gaussian": (_gaussian, True),
}

CONTROLS = tuple(_FITS)
"""Names of the controls."""


def control(name: str, seed: int = 0) -> Make:
    """Return the quantity of a profile that measures soft entropy under a control.

    Parameters
    ----------
    name
        One of `CONTROLS`.
    seed
        Seed of the references, as in the profile, and of the control's own draws.

    Returns
    -------
    function
        Makes an accumulator whose quantities have the control's name behind theirs.

    Raises
    ------
    UnknownName
        If there is no such control.

    Examples
    --------
    >>> import torch
    >>> accumulator = control("rotated")(64)
    >>> accumulator.update(torch.randn(500, 64), {"class": torch.arange(500) % 2})
    >>> [reading.quantity for reading in accumulator.estimates()]
    ['H(W), rotated', 'I(T;W), rotated', 'I(class;W), rotated']
    """
    if name not in _FITS:
        raise UnknownName("control", name, CONTROLS)
    fit, center = _FITS[name]

    def make(dimensions: int) -> RowAccumulator:
        return Transformed(name, SoftEntropy(seed=seed, center=center).accumulator(dimensions=dimensions), fit, seed)

    return make


class Transformed(RowAccumulator):
    """An accumulator of transformed activations; `control` makes it.

    Parameters
    ----------
    name
        Stands behind the name of each quantity.
    accumulator
        Receives the transformed rows.
    fit
        Makes the map from the first batch.
    seed
        Seed of the map.
    """

    def __init__(self, name: str, accumulator: RowAccumulator, fit: Fit, seed: int) -> None:
        super().__init__({"control": name, "seed": seed})
        self._name, self._inner, self._fit, self._seed = name, accumulator, fit, seed
        self._map: Callable[[Tensor], Tensor] | None = None

    @torch.no_grad()
    def update(
        self,
        t: Tensor,
        labels: Mapping[str, Tensor] | None = None,
        weights: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> None:
        """Add a batch of rows; the first one determines the map.

        Parameters
        ----------
        t : Tensor of shape (..., d)
            Activations.
        labels, weights, documents
            As the accumulator takes them.
        """
        rows = t.double()
        if self._map is None:
            flat = rows.reshape(-1, rows.shape[-1])
            self._map = self._fit(flat[flat.isfinite().all(1)], self._seed)
        self._inner.update(self._map(rows).to(torch.float32), labels, weights, documents)

    def merge(self, other: Accumulator) -> Self:
        """Add what another accumulator of the same control saw.

        Parameters
        ----------
        other
            The other accumulator.
        """
        self._compare(other._settings)
        if isinstance(other, Transformed):
            self._inner.merge(other._inner)
        return self

    def all_reduce(self, group: distributed.Group = None) -> Self:
        """Let every process hold the sum over all.

        Parameters
        ----------
        group : torch.distributed.ProcessGroup or None
            The processes; None is this process alone.
        """
        self._inner.all_reduce(group)
        return self

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the accumulator; the map is fitted again after it is loaded."""
        return self._inner.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> Self:
        """Replace what was accumulated.

        Parameters
        ----------
        state
            What `state_dict` returned.
        """
        self._inner.load_state_dict(state)
        return self

    @property
    def n(self) -> int:
        """Number of rows."""
        return self._inner.n

    @property
    def left_out(self) -> dict[str, int]:
        """Number of rows left out by reason."""
        return self._inner.left_out

    def estimates(self) -> list[Reading]:
        """Return the readings of the accumulator under the control's name."""
        return [
            dataclasses.replace(reading, quantity=f"{reading.quantity}, {self._name}")
            for reading in self._inner.estimates()
        ]


def _spectrum(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, eigenvalues with the ridge, and eigenvectors of the covariance."""
    mean = rows.mean(0)
    centered = rows - mean
    values, vectors = torch.linalg.eigh(centered.T @ centered / max(1, len(rows) - 1))
    values = values.clamp_min(0)
    return mean, values + _RIDGE * values.mean() + torch.finfo(torch.float64).tiny, vectors


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed + 1)
