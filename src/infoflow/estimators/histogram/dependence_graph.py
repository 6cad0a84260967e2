"""EDGE: mutual information from a dependence graph between hashed samples, in linear time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from infoflow.core.checks import classes, is_classes, paired, samples, squarable
from infoflow.core.estimate import Estimate, Interval, Kind, LayerInformation
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, Settings
from infoflow.estimators.wrappers.family import required_inputs

_Array = npt.NDArray[Any]

# Numbers in one pass, so that they stay in cache.
_CACHED = 1 << 16
# Numbers that are converted to float64 at a time.
_CONVERTED = 1 << 22
# From so many coordinates of x and y together on, the estimate is too high for weak dependence and too low for strong.
_DIMENSIONS = 5
# Part of the buckets' entropy beyond which they are too wide for the dependence.
_WIDE = 0.5
# Samples times shifts that are hashed together: many, so that calls cost little, but few enough for the cache.
_HASHED = 1 << 15


class _Variable(NamedTuple):
    """Standardized coordinates (shifts or 1, k, n) to hash; or bucket numbers (n,) that need no hashing."""

    coordinates: _Array | None
    buckets: _Array | None
    constant: bool

    @property
    def entropy(self) -> float:
        """H of the bucket numbers in nats; infinite for coordinates."""
        if self.buckets is None:
            return math.inf
        n, counts = len(self.buckets), np.bincount(self.buckets)
        return max(0.0, math.log(n) - float((counts * np.log(counts)).sum()) / n)


@dataclass(frozen=True)
class DependenceGraph(Settings):
    """I(X;Y) by EDGE: hash both variables, and weight the edges of the bipartite graph between their buckets.

    Parameters
    ----------
    width
        Bucket width ε in standard deviations; None for 3.5·N^(−1/(2 + D)), Scott's rule for a histogram of the D
        coordinates of x and y together.
    shifts
        Number L of random shifts, the size of the ensemble.
    clip
        Upper end U of every g(ω), in nats; None for no clipping, which biases strong dependence downward.
    seed
        Seed of the shifts and projections; x and y have the same ones, so that the estimate is symmetric.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    I = 1/L Σ_l Σ_ij n_i m_j/N² · g(n_ij N/(n_i m_j)) with g(ω) = ω log ω, where n_i and m_j count the samples of x and
    y in a bucket, n_ij those in both, and l runs over the shifts b of the hash ⌊(x + b)/ε⌋. Each coordinate is first
    scaled to standard deviation 1; x or y wider than ⌊log2(N/10)⌋ is projected to that many coordinates, by new random
    directions for every shift. Integers of shape (n,) are buckets as they are. O(N·L) time.

    The estimate is that of a histogram: biased downward by wide buckets, and upward by about (#edges − #buckets)/2N by
    few samples in each, which causes a warning. The interval (95 %) is that of the mean over the shifts: it covers
    neither this bias nor what other samples would give. From 5 coordinates of x and y together on, the estimate says
    little about the dependence.

    References
    ----------
    Noshad, Zeng, Hero (2019), Scalable Mutual Information Estimation Using Dependence Graphs, eq. 7.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(2000, 1))
    >>> DependenceGraph().estimate(x, (x[:, 0] > 0).astype(int)).nats   # log 2 = 0.69
    0.6
    """

    width: PositiveFloat | None = None
    shifts: PositiveInt = 10
    clip: PositiveFloat | None = None
    seed: Seed = 0

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; integers of shape (n,) are classes.

        Returns
        -------
        Estimate
            A plug-in, with an interval over the shifts.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples` for n < 2.
        """
        return self._estimate(x, y, "x", "y")

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate a layer's I(X;T) and I(T;Y) in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Classes.
        x : array-like of shape (n, ...)
            The network's inputs; required.

        Returns
        -------
        LayerInformation
            Both estimates.

        Raises
        ------
        InvalidArgument
            Without x, if y is no classes, and as `estimate` raises.
        """
        required_inputs(x, "I(X;T)")
        classes(y, "y")
        return LayerInformation(self._estimate(x, t, "x", "t"), self._estimate(t, y, "t", "y"))

    def _estimate(self, x: Any, y: Any, *names: str) -> Estimate:
        left, right = (_checked(value, name) for value, name in zip((x, y), names, strict=True))
        paired(left, right, *names)
        n = len(left)
        variables = [_variable(value, self.shifts, self.seed) for value in (left, right)]
        dimensions = sum(v.coordinates.shape[1] for v in variables if v.coordinates is not None)
        width = self.width if self.width is not None else 3.5 * n ** (-1 / (2 + dimensions))
        groups = np.array_split(np.arange(self.shifts), min(self.shifts, math.ceil(self.shifts * n / _HASHED)))
        first, second = ([_buckets(v, width, group, self.seed) for group in groups] for v in variables)
        graphs = [_graph(a, b, self.clip) for a, b in zip(first, second, strict=True)]
        found, biases, singles = np.concatenate(graphs, axis=1)
        mean = float(found.mean())
        varies = self.shifts > 1 and np.ptp(found) > 0
        half = 1.96 * float(found.std(ddof=1)) / math.sqrt(self.shifts) if varies else 0.0
        ceiling, ceiling_name = math.log(n), "log n"
        for variable, name in zip(variables, names, strict=True):
            if variable.entropy <= ceiling:
                ceiling, ceiling_name = variable.entropy, f"H({name.upper()})"
        limits = [
            float(np.mean([_entropy(group) for group in buckets]))
            for variable, buckets in zip(variables, (first, second), strict=True)
            if variable.coordinates is not None
        ]
        constant = [name for variable, name in zip(variables, names, strict=True) if variable.constant]
        warnings = [f"{name} is constant, so the mutual information is 0" for name in constant]
        return Estimate(
            mean,
            quantity=f"I({names[0].upper()};{names[1].upper()})",
            kind=Kind.PLUG_IN,
            estimator=type(self).__name__,
            n=n,
            parameters={"width": width, "shifts": self.shifts, "clip": self.clip, "seed": self.seed},
            ceiling=ceiling,
            ceiling_name=ceiling_name,
            # Classes are buckets as they are, which no shift changes.
            interval=_interval(mean, half, ceiling) if half > 0 else None,
            warnings=(
                *warnings,
                *self._warnings(mean, float(biases.mean()), singles.mean()),
                *_coarse(mean, min(limits, default=math.inf), dimensions),
            ),
        )

    def _warnings(self, mean: float, bias: float, singles: float) -> tuple[str, ...]:
        warnings = []
        remedy = "use more samples, a larger width or fewer dimensions"
        if bias > max(0.02, 0.1 * mean):
            warnings.append(f"few samples share a bucket, so the bias is about {bias:.2g} nats upward; {remedy}")
        if singles > 0.5:
            warnings.append(
                f"{singles:.0%} of the samples share no edge with another, so the estimate depends more on their "
                f"number than on x and y; {remedy}"
            )
        if self.clip is not None:
            warnings.append(f"edges are clipped at {self.clip:g} nats, which lowers strong dependence; omit clip")
        return tuple(warnings)


def _interval(mean: float, half: float, ceiling: float) -> Interval:
    return Interval(mean - half, min(mean + half, ceiling), "random shifts, not samples")


def _coarse(mean: float, limit: float, dimensions: int) -> tuple[str, ...]:
    """Warnings about buckets in many dimensions, and about dependence finer than buckets of entropy `limit`."""
    if dimensions >= _DIMENSIONS:
        return (
            f"buckets of {dimensions} coordinates hold few samples or hide dependence, so the estimate is too high for "
            "weak and too low for strong dependence; use fewer dimensions or another estimator",
        )
    if limit > 0 and mean > _WIDE * limit:
        return (
            f"the estimate is close to the entropy of the buckets ({limit:.3g} nats), so it is likely too low; use a "
            "smaller width, more samples, or an estimator by neighbors",
        )
    return ()


def _entropy(buckets: _Array) -> float:
    """Mean entropy of the buckets (shifts, n) over the shifts, in nats."""
    counts = np.bincount(buckets.ravel())
    counts = counts[counts > 0]
    return float(math.log(buckets.shape[1]) - (counts * np.log(counts)).sum() / buckets.size)


def _checked(value: Any, name: str) -> Tensor:
    """Class codes (n,), or samples (n, d)."""
    return classes(value, name, minimum=2)[0] if is_classes(value) else squarable(samples(value, name), name)


def _variable(value: Tensor, shifts: int, seed: int) -> _Variable:
    n = len(value)
    if value.ndim == 1:
        return _Variable(None, value.cpu().numpy(), bool((value == value[0]).all()))
    total = torch.zeros_like(value[0], dtype=torch.float64)
    squares = torch.zeros_like(total)
    # Relative to the first sample: one pass computes both moments, and a constant column has exactly 0.
    for chunk in value.split(max(1, _CACHED // value.shape[1])):  # type: ignore[no-untyped-call]
        difference = chunk.double() - value[0]
        total += difference.sum(0)
        squares += difference.square_().sum(0)
    moving = squares > 0
    if not bool(moving.any()):
        return _Variable(None, np.zeros(n, dtype=np.int64), True)
    mean, deviation = value[0] + total / n, (squares / n - (total / n).square()).sqrt()
    d, widest = int(moving.sum()), max(1, int(math.log2(max(n / 10, 2))))
    if d <= widest:
        x = (value[:, moving].double() - mean[moving]) / deviation[moving]
        return _Variable(x.mT.contiguous()[None].cpu().numpy(), None, False)
    # One product computes the projections of all shifts and standardizes: the samples are read once.
    # Variables of the same width have the same directions, so the order of x and y does not matter.
    directions = torch.from_numpy(np.random.default_rng(seed).standard_normal((shifts * widest, d)))
    # Constant columns have weight 0, which saves a copy of the others.
    scaled = torch.zeros((len(directions), value.shape[1]), dtype=torch.float64, device=value.device)
    scaled[:, moving] = directions.to(value.device) / deviation[moving]
    parts = value.split(max(1, _CONVERTED // value.shape[1]))  # type: ignore[no-untyped-call]
    projected = torch.cat([scaled @ part.double().mT for part in parts], dim=1)
    projected -= (scaled @ mean)[:, None]
    projected *= math.sqrt(n) / projected.norm(dim=1, keepdim=True).clamp_min(1e-300)
    return _Variable(projected.reshape(shifts, widest, n).cpu().numpy(), None, False)


def _buckets(variable: _Variable, width: float, shifts: _Array, seed: int) -> _Array:
    """The number of every sample's bucket in each of these shifts (len(shifts), n), from 0; no two shifts share one."""
    if variable.buckets is not None:
        return variable.buckets + np.arange(len(shifts))[:, None] * (int(variable.buckets.max()) + 1)
    assert variable.coordinates is not None
    # Another stream than that of the projections, so that the two are independent; x and y have the same offsets.
    rng = np.random.default_rng((seed, 1))
    offsets = rng.random((int(shifts[-1]) + 1, variable.coordinates.shape[1]))[shifts].T
    # A 64-bit linear hash in place of the paper's table of F entries: collisions are negligible.
    factors = rng.integers(1, 1 << 62, size=len(offsets) + 1) | 1
    n = variable.coordinates.shape[2]
    keys = np.repeat(shifts * factors[-1], n).reshape(len(shifts), n)
    for k, (offset, factor) in enumerate(zip(offsets, factors[:-1], strict=True)):
        x = variable.coordinates[:, k]
        grid = (x if len(x) == 1 else x[shifts]) / width + offset[:, None]
        keys += np.floor(grid, out=grid).astype(np.int64) * factor
    import pandas as pd  # takes a second, which no other estimator needs

    return np.asarray(pd.factorize(keys.ravel())[0]).reshape(keys.shape)


def _graph(a: _Array, b: _Array, clip: float | None) -> _Array:
    """Per shift: the weighted sum over edges, its expected bias (Miller–Madow), the share of samples alone on an edge.

    Of shape (3, shifts). No two shifts share a bucket, and buckets are numbered in the order of shifts.
    """
    shifts, n = a.shape
    stride = int(b.max()) + 1
    import pandas as pd

    codes, keys = pd.factorize((a.astype(np.int64) * stride + b).ravel())
    joint, left, right = np.bincount(codes), np.bincount(a.ravel()), np.bincount(b.ravel())
    product = left[keys // stride].astype(np.float64) * right[keys % stride]
    ratio = joint * n / product
    terms = joint * np.log(ratio) / n if clip is None else product * np.minimum(ratio * np.log(ratio), clip) / n**2
    # Edges are numbered in the order in which they appear, so those of a shift follow one another.
    edges, of_x, of_y = (np.ptp(v, axis=1) + 1 for v in (codes.reshape(shifts, n), a, b))
    starts = np.concatenate([[0], edges.cumsum()[:-1]])
    values = np.add.reduceat(terms, starts)
    return np.stack(
        [
            np.maximum(values, 0.0) if clip is None else values,
            (edges - of_x - of_y + 1) / (2 * n),
            np.add.reduceat(joint == 1, starts, dtype=np.int64) / n,
        ]
    )
