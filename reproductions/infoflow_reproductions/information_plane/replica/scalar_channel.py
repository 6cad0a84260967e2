"""The scalar channel of the replica formula: z ~ N(ω, V), t = φ(z), and y = t with Gaussian noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

Array = NDArray[np.float64]


class Piece(NamedTuple):
    """φ(z) = slope z + shift for low < z < high."""

    low: float
    high: float
    slope: float
    shift: float


ACTIVATIONS: Mapping[str, tuple[Piece, ...]] = {
    "linear": (Piece(-math.inf, math.inf, 1.0, 0.0),),
    "relu": (Piece(-math.inf, 0.0, 0.0, 0.0), Piece(0.0, math.inf, 1.0, 0.0)),
    "leaky_relu": (Piece(-math.inf, 0.0, 0.01, 0.0), Piece(0.0, math.inf, 1.0, 0.0)),
    "hardtanh": (Piece(-math.inf, -1.0, 0.0, -1.0), Piece(-1.0, 1.0, 1.0, 0.0), Piece(1.0, math.inf, 0.0, 1.0)),
}
"""Piecewise linear activations, whose integrals are sums of Gaussian ones."""


class Channel(NamedTuple):
    """Information and remaining variances given y = φ(z) + N(0, 1/A), averaged over ω ~ N(0, ρ − V)."""

    information: float
    """I(t; y | ω), nats."""
    unknown_output: float
    """E Var(t | y, ω)."""
    unknown_input: float
    """E Var(z | y, ω)."""


# Nodes over ω between two breakpoints, over z within a piece, and over the noise.
_OMEGA, _INSIDE, _NOISE = 10, 14, 9
# A Gaussian is negligible beyond this many standard deviations.
_WIDE = 6.0


def second_moment(activation: str, variance: float) -> float:
    """E φ(z)² of z ~ N(0, variance).

    >>> second_moment("relu", 2.0)
    1.0
    """
    if variance <= 0:
        return sum(p.shift**2 for p in ACTIVATIONS[activation] if p.low < 0 < p.high)
    root, total = math.sqrt(variance), 0.0
    for piece in ACTIVATIONS[activation]:
        a, b = piece.low / root, piece.high / root
        mass = float(ndtr(b) - ndtr(a))
        first = root * (_density(a) - _density(b))
        second = variance * (mass + _times_density(a) - _times_density(b))
        total += piece.slope**2 * second + 2 * piece.slope * piece.shift * first + piece.shift**2 * mass
    return total


def channel(activation: str, precision: float, variance: float, power: float) -> Channel:
    """The channel of A = precision, V = variance and ρ = power = E z² ≥ V, by quadrature.

    >>> found = channel("linear", 1.0, 1.0, 2.0)
    >>> round(found.information, 6), found.unknown_input       # ½ log(1 + A V), V / (1 + A V)
    (0.346574, 0.5)
    """
    if activation == "linear":
        left = variance / (1 + precision * variance)
        return Channel(0.5 * math.log1p(precision * variance), left, left)
    pieces = ACTIVATIONS[activation]
    omega, weight = _omega(pieces, precision, variance, power)
    cross_entropy = unknown_output = unknown_input = 0.0
    for piece in pieces:
        values, share = _observed(piece, omega, precision, variance)
        log_density, output, inner = _posterior(pieces, values, omega[:, None], precision, variance)
        share = share * weight[:, None]
        cross_entropy -= float((share * log_density).sum())
        unknown_output += float((share * output).sum())
        unknown_input += float((share * inner).sum())
    noise = 0.5 * math.log(2 * math.pi * math.e / precision)
    return Channel(max(cross_entropy - noise, 0.0), unknown_output, unknown_input)


def _omega(pieces: Sequence[Piece], precision: float, variance: float, power: float) -> tuple[Array, Array]:
    """Nodes and weights over ω ~ N(0, ρ − V), denser where a corner of φ is within reach of V or of the noise."""
    spread = math.sqrt(max(power - variance, 0.0))
    if spread < 1e-9 * math.sqrt(power):
        return np.zeros(1), np.ones(1)
    reach = [scale * _WIDE for scale in (math.sqrt(variance), 1 / math.sqrt(precision))]
    corners = [piece.high for piece in pieces[:-1]]
    cuts = {-_WIDE * spread, 0.0, _WIDE * spread}
    cuts |= {corner + sign * far for corner in corners for far in (0.0, *reach) for sign in (-1, 1)}
    ends = np.array(sorted(cut for cut in cuts if abs(cut) <= _WIDE * spread))
    nodes, weights = _legendre(_OMEGA)
    widths = np.diff(ends)[:, None]
    omega = (ends[:-1, None] + widths * nodes).ravel()
    weight = (widths * weights).ravel() * np.exp(-((omega / spread) ** 2) / 2)
    return omega, weight / weight.sum()


def _observed(piece: Piece, omega: Array, precision: float, variance: float) -> tuple[Array, Array]:
    """Values y of the piece for every ω, and their probability; a constant piece has its value plus noise."""
    noise, chance = _hermite(_NOISE)
    root = math.sqrt(variance)
    if piece.slope == 0:
        inside = np.full((len(omega), 1), piece.shift)
        share = (ndtr((piece.high - omega) / root) - ndtr((piece.low - omega) / root))[:, None]
    else:
        nodes, part = _legendre(_INSIDE)
        near = min(_WIDE / math.sqrt(precision), (piece.high - piece.low) / 2)
        ends = np.array([piece.low, piece.low + near, piece.high - near, piece.high])
        # Nodes are denser within reach of a corner or of the noise; values out of reach of V are omitted.
        ends = np.clip(np.sort(ends), omega[:, None] - _WIDE * root, omega[:, None] + _WIDE * root)
        widths = np.diff(ends)[:, :, None]
        z = (ends[:, :-1, None] + widths * nodes).reshape(len(omega), -1)
        density = np.exp(-(((z - omega[:, None]) / root) ** 2) / 2) / (root * math.sqrt(2 * math.pi))
        share = (widths * part).reshape(len(omega), -1) * density
        inside = piece.slope * z + piece.shift
    values = inside[:, :, None] + noise / math.sqrt(precision)
    return values.reshape(len(omega), -1), (share[:, :, None] * chance).reshape(len(omega), -1)


def _posterior(
    pieces: Sequence[Piece], y: Array, omega: Array, precision: float, variance: float
) -> tuple[Array, Array, Array]:
    """log p(y | ω), Var(t | y, ω) and Var(z | y, ω): a mixture of truncated Gaussians, one for each piece."""
    logs, means, spreads = [], [], []
    for piece in pieces:
        total = piece.slope**2 * variance + 1 / precision
        center = piece.slope * omega + piece.shift
        within = 1 / (1 / variance + piece.slope**2 * precision)
        mean = within * (omega / variance + piece.slope * precision * (y - piece.shift))
        root = math.sqrt(within)
        a, b = (piece.low - mean) / root, (piece.high - mean) / root
        log_mass = _log_between(a, b)
        at_low, at_high = np.exp(_log_density(a) - log_mass), np.exp(_log_density(b) - log_mass)
        shifted = at_low - at_high
        curved = _product(a, at_low) - _product(b, at_high)
        logs.append(log_mass - (y - center) ** 2 / (2 * total) - 0.5 * math.log(2 * math.pi * total))
        means.append(mean + root * shifted)
        spreads.append(within * np.clip(1 + curved - shifted**2, 0.0, None))
    log_pieces = np.stack(logs)
    top = log_pieces.max(0)
    chances = np.exp(log_pieces - top)
    log_density = top + np.log(chances.sum(0))
    chances /= chances.sum(0)
    means_z, spread_z = np.stack(means), np.stack(spreads)
    slopes = np.array([piece.slope for piece in pieces])[:, None, None]
    shifts = np.array([piece.shift for piece in pieces])[:, None, None]
    return (
        log_density,
        _variance(chances, slopes * means_z + shifts, slopes**2 * spread_z),
        _variance(chances, means_z, spread_z),
    )


def _variance(chances: Array, means: Array, variances: Array) -> Array:
    mean = (chances * means).sum(0)
    found: Array = (chances * (variances + (means - mean) ** 2)).sum(0)
    return found


def _log_between(a: Array, b: Array) -> Array:
    """log(Φ(b) − Φ(a)), computed in the lower tail, where it is exact."""
    a, b = np.where(a > 0, -b, a), np.where(a > 0, -a, b)
    below, until = log_ndtr(a), log_ndtr(b)
    with np.errstate(invalid="ignore"):
        found: Array = until + np.log(-np.expm1(np.minimum(below - until, -1e-300)))
    return np.maximum(found, -1e6)


def _log_density(x: Array) -> Array:
    return -(x**2) / 2 - 0.5 * math.log(2 * math.pi)


def _product(x: Array, density: Array) -> Array:
    """x · density, 0 where x is infinite."""
    found: Array = np.where(np.isfinite(x), x, 0.0) * density
    return found


def _density(x: float) -> float:
    return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) if math.isfinite(x) else 0.0


def _times_density(x: float) -> float:
    return x * _density(x) if math.isfinite(x) else 0.0


@cache
def _legendre(count: int) -> tuple[Array, Array]:
    """Gauss–Legendre nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


@cache
def _hermite(count: int) -> tuple[Array, Array]:
    """Nodes and weights for a standard Gaussian."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()
