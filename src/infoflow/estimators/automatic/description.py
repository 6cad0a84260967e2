"""What is stated of a chosen candidate: its interval, the reason, and the warnings that name what limits it."""

from __future__ import annotations

import math
from dataclasses import asdict

from torch import Tensor

from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.estimators.automatic.blocks import Blocks
from infoflow.estimators.automatic.chain import Candidate, Chosen
from infoflow.estimators.automatic.elliptical import Elliptical
from infoflow.estimators.automatic.limits import dependent, inflation
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.neighbors.family import digamma

# Dimensions of a line and a line.
LINE = 2

# Standard errors of an interval; the terms of neighbors depend on each other.
WIDTH, WIDTH_OF_NEIGHBORS = 2.0, 2.5

# Share of an estimate by which neighbors are off besides, which no spread of terms shows: up to so much at curves and
# edges, from 1000 to 5000 samples.
_SYSTEMATIC = 0.02

# An estimate of neighbors that rises by more than twice this, in nats or as a share, while they are halved twice is
# probably off by as much.
_TOLERANCE, _TOLERANCE_SHARE = 0.05, 0.1

# With fewer samples in all, or per dimension, nothing contradicts a Gaussian in more than two dimensions.
_FEWEST, _PER_DIMENSION = 100, 10


def described(chosen: Chosen, x: Tensor, y: Tensor, doubted: bool = False, *, variance: float = 0.0) -> Estimate:
    """The estimate of the chosen candidate with its interval, reason and warnings.

    `doubted` states that a test found dependence which a chosen model misses. `variance` is that of the estimate which
    the spread of the terms lacks.
    """
    taken, n, dimensions = chosen.candidate, len(x), x.shape[1] + y.shape[1]
    tau = inflation(x, y)
    low, high = _ends(chosen, math.sqrt(tau), variance + x.shape[1] * y.shape[1] / (2 * n**2))
    ceiling = math.inf if taken.neighbors is None else digamma(n) - digamma(taken.neighbors)
    compared = len(chosen.finer) + len(chosen.rejected)
    reason = f"{chosen.rejected[0]}; " if chosen.rejected else ""
    why = f"{reason}{taken.name} is the coarsest of {compared + 1} estimates that no finer one contradicts"
    if chosen.doubt:
        why = f"{reason}{chosen.doubt}, so that {taken.name} is returned"
    if chosen.finer:
        values = [each.nats for each in chosen.finer]
        why += f" (the finer ones lie between {min(values):.3g} and {max(values):.3g} nats)"
    estimator = taken.estimator
    return Estimate(
        min(taken.nats, ceiling),
        quantity="I(X;Y)",
        kind=Kind.POINT,
        estimator=type(estimator).__name__,
        n=n,
        parameters=asdict(estimator),  # type: ignore[call-overload]
        ceiling=ceiling,
        ceiling_name="ψ(N) − ψ(k)" if taken.neighbors else "",
        interval=Interval(low, high, spans="samples (spread of the terms) and finer estimates"),
        warnings=(*_warnings(taken, n, dimensions, tau, low, doubted), *_unsure(chosen, dimensions)),
        why=why,
    )


def _ends(chosen: Chosen, wider: float, variance: float) -> tuple[float, float]:
    """The ends of the interval: errors of samples are `wider` by order in time, and `variance` is what terms lack."""
    taken = chosen.candidate
    error = wider * math.sqrt(taken.error**2 + variance)
    width = WIDTH if taken.neighbors is None else WIDTH_OF_NEIGHBORS
    above = max(width * error, wider * (chosen.highest - taken.nats))
    below = width * error
    if taken.neighbors is not None:
        lowest, highest = chosen.reach
        systematic = _SYSTEMATIC * abs(taken.nats)
        above = max(above, WIDTH * error + wider * (highest - taken.nats)) + systematic
        below = max(below, error + wider * (taken.nats - lowest)) + systematic
    return taken.nats - below, taken.nats + above


def without_noise(chosen: Chosen, x: Tensor, y: Tensor) -> Chosen:
    """The Gaussian instead of neighbors whose interval includes 0; what neighbors found may then be noise.

    The finer ones still decide the upper end of the interval. Where moments contradict a Gaussian, it is not among the
    coarser ones.

    >>> from infoflow.estimators.automatic.chain import first_adequate
    >>> import numpy as np
    >>> import torch
    >>> terms = np.tile([-1.0, 1.01], 100)
    >>> made = first_adequate([Candidate("a Gaussian", Gaussian(), np.full(200, -1.0)), Candidate("k", None, terms, 3)])
    >>> x, y = torch.randn(2, 200, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    >>> made.candidate.name, without_noise(made, x, y).candidate.name
    ('k', 'a Gaussian')
    """
    if chosen.candidate.neighbors is None or not chosen.coarser or chosen.coarser[0].neighbors is not None:
        return chosen
    if _ends(chosen, math.sqrt(inflation(x, y)), 1 / (2 * len(x) ** 2))[0] > 0:
        return chosen
    model, *between = chosen.coarser
    doubt = f"{chosen.candidate.name} is {chosen.candidate.nats:.2g} nats, but its interval includes 0"
    return Chosen(model, (*between, chosen.candidate, *chosen.finer), chosen.rejected, doubt=doubt)


def _warnings(taken: Candidate, n: int, dimensions: int, tau: float, low: float, doubted: bool) -> list[str]:
    found = dependent(tau, n)
    if low <= 0:
        found.append(
            f"no dependence coarser than {n} samples resolve was found, so that 0 is not excluded; finer dependence "
            "would need more samples"
        )
    few = n < max(_FEWEST, _PER_DIMENSION * dimensions)
    if isinstance(taken.estimator, Gaussian | Elliptical) and dimensions > LINE and few:
        found.append(
            f"{n} samples are few for {dimensions} dimensions, so that the form of the dependence cannot be tested and "
            "the estimate may be off either way; use more samples or fewer dimensions"
        )
    if taken.neighbors is not None:
        found.extend(_limits_of_neighbors(taken, taken.neighbors, n, dimensions))
    elif isinstance(taken.estimator, Blocks):
        found.append(
            f"only dependence between pairs of {dimensions} columns was found in {n} samples, so that the estimate "
            "is rather too low if several columns act together; use more samples to test it"
        )
    elif doubted and isinstance(taken.estimator, Gaussian | Elliptical):
        found.append(
            "the moments show dependence beyond a Gaussian, but nearest neighbors do not find more of it, so that the "
            "estimate is probably too low; use more samples"
        )
    elif isinstance(taken.estimator, Gaussian) and taken.nats > 0.8 * (digamma(n) - digamma(3)):
        found.append(
            f"nearest neighbors cannot show {taken.nats:.2g} nats with {n} samples, so that the Gaussian form of the "
            "dependence is an assumption; use more samples to test it"
        )
    return found


def _unsure(chosen: Chosen, dimensions: int) -> list[str]:
    """The warning that fewer neighbors find noticeably more, where no other states it."""
    if chosen.doubt:
        return [f"{chosen.doubt}, so that the estimate of {chosen.candidate.name} may be too low; use more samples"]
    rise, k = chosen.rise, chosen.candidate.neighbors
    noticeable = max(_TOLERANCE, _TOLERANCE_SHARE * chosen.candidate.nats)
    if k is None or k <= 2 or dimensions > LINE or rise <= 2 * noticeable:
        return []
    return [
        f"from twice to half as many neighbors the estimate rises by {rise:.2g} nats, so that it is probably too low; "
        "use more samples"
    ]


def _limits_of_neighbors(taken: Candidate, k: int, n: int, dimensions: int) -> list[str]:
    found = []
    if k <= 2:
        found.append(
            f"the dependence is so fine that {k} neighbor{'s' * (k > 1)} found more than several, so that the estimate "
            "is probably too low; use more samples"
        )
    if taken.nats > digamma(n) - digamma(k) - 1:
        found.append(
            f"the estimate is within a nat of the ceiling of {n} samples, so that it is probably too low; use more "
            "samples"
        )
    if dimensions > LINE:
        found.append(
            f"nearest neighbors underestimate in {dimensions} dimensions, so that the estimate is rather too low; use "
            "more samples, or fewer dimensions"
        )
    return found
