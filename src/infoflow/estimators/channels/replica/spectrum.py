"""The singular values of a weight matrix, as the replica formula needs them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spectrum(NamedTuple):
    """Of W with shape (outputs, inputs): the eigenvalues λ of WᵀW that aren't zero."""

    inputs: int
    outputs: int
    values: NDArray[np.float64]

    @classmethod
    def of(cls, weight: NDArray[np.float64]) -> Spectrum:
        """By singular values."""
        squares = np.linalg.svd(weight, compute_uv=False) ** 2
        top = squares.max(initial=0.0)
        return cls(weight.shape[1], weight.shape[0], squares[squares > 1e-24 * top])

    @property
    def ratio(self) -> float:
        """α = outputs / inputs."""
        return self.outputs / self.inputs

    @property
    def mean(self) -> float:
        """Of λ over all inputs."""
        return float(self.values.sum()) / self.inputs

    def _shares(self, below: float, seen: float) -> tuple[float, float]:
        """Σ λ/(λ + rτ) and Σ rτ/(λ + rτ) of the λ that aren't zero."""
        noise = below * seen
        return float((self.values / (self.values + noise)).sum()), float((noise / (self.values + noise)).sum())

    def forward(self, below: float, seen: float) -> float:
        """Variance that x of precision r = `below` leaves a unit of Wx; Wx is seen with variance τ = `seen` beside."""
        told, lost = self._shares(below, seen)
        return told * seen / (self.outputs - len(self.values) + lost)

    def backward(self, below: float, seen: float) -> float:
        """Precision that seeing Wx with variance τ = `seen` gives on x, beside its own r = `below`."""
        told, lost = self._shares(below, seen)
        return below * told / (self.inputs - len(self.values) + lost)

    def energy(self, below: float, seen: float, gain: float) -> float:
        """F_W at A V = `gain`: 2αθ + (α−1) log(1−θ) + E log[AVλ + (1−θ)(1−αθ)], αθ the mean of λ/(λ + rτ)."""
        told, lost = self._shares(below, seen)
        left = (self.outputs - len(self.values) + lost) / self.outputs
        floor = left * (self.inputs - len(self.values) + lost) / self.inputs
        logs = float(np.log(gain * self.values + floor).sum()) + (self.inputs - len(self.values)) * math.log(floor)
        return 2 * told / self.inputs + (self.ratio - 1) * math.log(left) + logs / self.inputs
