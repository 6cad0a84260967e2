"""The singular values of a weight matrix, as the replica formula needs them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spectrum(NamedTuple):
    """The nonzero eigenvalues λ of WᵀW, for W of shape (outputs, inputs)."""

    inputs: int
    outputs: int
    values: NDArray[np.float64]

    @classmethod
    def of(cls, weight: NDArray[np.float64]) -> Spectrum:
        """The spectrum of a matrix, from its singular values."""
        squares = np.linalg.svd(weight, compute_uv=False) ** 2
        top = squares.max(initial=0.0)
        return cls(weight.shape[1], weight.shape[0], squares[squares > 1e-24 * top])

    @property
    def ratio(self) -> float:
        """α = outputs / inputs."""
        return self.outputs / self.inputs

    @property
    def mean(self) -> float:
        """Mean of λ over all inputs."""
        return float(self.values.sum()) / self.inputs

    def _shares(self, below: float, seen: float) -> tuple[float, float]:
        """Σ λ/(λ + rτ) and Σ rτ/(λ + rτ) over the nonzero λ."""
        noise = below * seen
        return float((self.values / (self.values + noise)).sum()), float((noise / (self.values + noise)).sum())

    def forward(self, below: float, seen: float) -> float:
        """Variance of a unit of Wx, for x of precision r = `below` and Wx known with variance τ = `seen`."""
        signal, rest = self._shares(below, seen)
        return signal * seen / (self.outputs - len(self.values) + rest)

    def backward(self, below: float, seen: float) -> float:
        """Precision of x from Wx known with variance τ = `seen`, in addition to its own r = `below`."""
        signal, rest = self._shares(below, seen)
        return below * signal / (self.inputs - len(self.values) + rest)

    def energy(self, below: float, seen: float, gain: float) -> float:
        """F_W at A V = `gain`: 2αθ + (α−1) log(1−θ) + E log[AVλ + (1−θ)(1−αθ)], αθ the mean of λ/(λ + rτ)."""
        signal, rest = self._shares(below, seen)
        left = (self.outputs - len(self.values) + rest) / self.outputs
        floor = left * (self.inputs - len(self.values) + rest) / self.inputs
        logs = float(np.log(gain * self.values + floor).sum()) + (self.inputs - len(self.values)) * math.log(floor)
        return 2 * signal / self.inputs + (self.ratio - 1) * math.log(left) + logs / self.inputs
