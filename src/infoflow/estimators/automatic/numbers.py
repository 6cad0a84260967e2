"""The default for numbers on both sides: from a Gaussian to few neighbors, and to critics where samples suffice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np
from torch import Tensor

from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.estimators.automatic.blocks import Blocks
from infoflow.estimators.automatic.candidates import gaussian, is_any, missed, neighbors
from infoflow.estimators.automatic.chain import Candidate, Chosen, first_adequate
from infoflow.estimators.automatic.elliptical import Elliptical
from infoflow.estimators.automatic.limits import dependent, inflation, is_manifold
from infoflow.estimators.automatic.ties import Cells, SpreadTies, tied_share
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.neighbors.family import digamma
from infoflow.estimators.neighbors.preparation import noise_generator
from infoflow.estimators.registry import create

# Samples on which the choice is made, on a line and a line and in more dimensions, where a search costs more.
_LOOK, _LOOK_IN_SPACE = 10_000, 2_500

# Above this share of ties one random spread of them is averaged with two more.
TIED, _DRAWS = 0.02, 3

# From so many samples on, critics are trained where neighbors were chosen in more than so many dimensions.
_ENOUGH, LINE = 1000, 2

# A lower bound is capped near the log of the samples in a fold; from this share of the cap on, it is too low.
_CAP, _FOLDS = 0.55, 4

# Epochs without progress after which a critic stops; 5 would find about 0.003 nats more in a third more time.
_PATIENCE = 3

# Standard errors of an interval; the terms of neighbors depend on each other.
WIDTH, WIDTH_OF_NEIGHBORS = 2.0, 2.5

# With fewer samples per dimension the form of a Gaussian is not tested.
_PER_DIMENSION = 5


@dataclass(frozen=True)
class Decision:
    """The estimator that was taken, its estimate, and why; `learn` where critics should be trained as well.

    Where the choice was made on a part of the samples, the estimate is of these, and `whole` estimates from all.
    """

    estimator: Estimator
    estimate: Estimate
    learn: bool
    whole: Callable[[], Estimate] | None = None

    def of_all(self) -> Estimate:
        """The estimate from all samples."""
        return self.estimate if self.whole is None else self.whole()


def decide(x: Tensor, y: Tensor) -> Decision:
    """Choose among the candidates of (n, d) columns that vary, and make the estimate.

    >>> import torch
    >>> generator = torch.Generator().manual_seed(0)
    >>> x, noise = torch.randn(2, 400, 1, generator=generator, dtype=torch.float64)
    >>> decide(x, x + noise).estimate.estimator
    'Gaussian'
    """
    many = x.shape[1] + y.shape[1] > LINE
    look = _LOOK_IN_SPACE if many else _LOOK
    rows = slice(None, None, -(-len(x) // look))
    chosen = _chosen(x[rows], y[rows])
    taken = chosen.candidate
    estimator, draws = taken.estimator, _draws(x, y)
    if draws:
        estimator = SpreadTies(estimator, draws=draws)
    doubted, learn = many, many and len(x) >= _ENOUGH
    if many and isinstance(taken.estimator, Gaussian):
        tested = slice(None, None, -(-len(x) // _LOOK))
        beyond = missed(x[tested], y[tested])
        doubted, learn = beyond.significant, learn and (beyond.significant or is_any(beyond))
    estimate = described(chosen, x[rows], y[rows], doubted)
    if len(x) <= look:
        return Decision(estimator, estimate, learn)
    return Decision(estimator, estimate, learn, lambda: _of_all(estimate, estimator.estimate(x, y), len(taken.terms)))


def _draws(x: Tensor, y: Tensor) -> int:
    share = max(tied_share(x), tied_share(y))
    return 0 if share == 0 else _DRAWS if share > TIED else 1


def _chosen(x: Tensor, y: Tensor) -> Chosen:
    """The chosen candidate, its terms averaged over draws of spread ties."""
    folded = is_manifold(x) or is_manifold(y)
    draws, generator = _draws(x, y), noise_generator(0)
    made = []
    cells = [Cells(side) for side in (x, y)] if draws else []
    for _ in range(max(1, draws)):
        left, right = [each.draw(generator) for each in cells] if draws else (x, y)
        made.append(_candidates(left, right, folded))
    shared = [each for each in made[0] if all(each.name in {other.name for other in draw} for draw in made)]
    averaged = [
        replace(
            each, terms=np.mean([other.terms for draw in made for other in draw if other.name == each.name], axis=0)
        )
        for each in shared
    ]
    chosen = first_adequate(averaged)
    line = x.shape[1] + y.shape[1] <= LINE
    if line and isinstance(chosen.candidate.estimator, Gaussian) and len(averaged) > 1 and missed(x, y).significant:
        # On a line and a line neighbors are accurate enough to replace a model that its moments contradict.
        without = first_adequate(averaged[1:])
        return replace(without, rejected=("the moments contradict a Gaussian", *without.rejected))
    return chosen


def _candidates(x: Tensor, y: Tensor, folded: bool) -> list[Candidate]:
    if folded:
        return neighbors(x, y, scales=("standard",))
    model = gaussian(x, y)
    if x.shape[1] + y.shape[1] <= LINE:
        return [*([model] if model else []), *neighbors(x, y)]
    found = [model] if model else []
    if model and missed(x, y).significant:
        found.append(Elliptical(model.estimator.copula).candidate(x, y, model))  # type: ignore[attr-defined]
    found.append(replace(Blocks().candidate(x, y), name="a sum over blocks of columns"))
    return [*found, *neighbors(x, y)]


def described(chosen: Chosen, x: Tensor, y: Tensor, doubted: bool = False, *, variance: float = 0.0) -> Estimate:
    """The estimate of the chosen candidate with its interval, reason and warnings.

    `doubted` states that a test found dependence which a chosen model misses. `variance` is that of the estimate which
    the spread of the terms lacks.
    """
    taken, n, dimensions = chosen.candidate, len(x), x.shape[1] + y.shape[1]
    tau = inflation(x, y)
    error = math.sqrt(tau) * math.sqrt(taken.error**2 + variance + x.shape[1] * y.shape[1] / (2 * n**2))
    width = WIDTH if taken.neighbors is None else WIDTH_OF_NEIGHBORS
    above = max(width * error, math.sqrt(tau) * (chosen.highest - taken.nats))
    below = width * error
    if taken.neighbors is not None:
        lowest, highest = chosen.reach
        above = max(above, WIDTH * error + math.sqrt(tau) * (highest - taken.nats))
        below = max(below, error + math.sqrt(tau) * (taken.nats - lowest))
    low, high = taken.nats - below, taken.nats + above
    ceiling = math.inf if taken.neighbors is None else digamma(n) - digamma(taken.neighbors)
    compared = len(chosen.finer) + len(chosen.rejected)
    reason = f"{chosen.rejected[0]}; " if chosen.rejected else ""
    why = f"{reason}{taken.name} is the coarsest of {compared + 1} estimates that no finer one contradicts"
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
        warnings=tuple(_warnings(taken, n, dimensions, tau, low, doubted)),
        why=why,
    )


def _warnings(taken: Candidate, n: int, dimensions: int, tau: float, low: float, doubted: bool) -> list[str]:
    found = dependent(tau, n)
    if low <= 0:
        found.append(
            f"no dependence coarser than {n} samples resolve was found, so that 0 is not excluded; finer dependence "
            "would need more samples"
        )
    if isinstance(taken.estimator, Gaussian | Elliptical) and dimensions > LINE and n < _PER_DIMENSION * dimensions:
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


def _of_all(looked: Estimate, every: Estimate, n: int) -> Estimate:
    """The estimate of all samples, with the reason of the choice and an interval as wide as more samples leave it."""
    assert looked.interval is not None
    shrink = math.sqrt(n / every.n)
    above = looked.interval.high - looked.nats
    # An interval that was cut at 0 no longer states its width below the number.
    below = looked.nats - looked.interval.low if looked.interval.low != 0 else above
    low, high = every.nats - shrink * below, every.nats + shrink * above
    return replace(
        looked,
        nats=every.nats,
        n=every.n,
        ceiling=every.ceiling if looked.ceiling < math.inf else math.inf,
        interval=replace(looked.interval, low=low, high=high),
        why=f"{looked.why} (chosen on {n} samples)",
    )


def learned(decision: Decision, n: int, run: Callable[[Estimator], Estimate]) -> tuple[Estimator, Estimate]:
    """Train critics, and densities where critics reach their cap, and return the largest of the estimates.

    A held-out lower bound is a floor: an estimate below it is wrong, whatever it rests on. The critics of the first
    fold decide whether the others are trained: where they find less than the estimate so far, so would the others.
    """
    base = decision.estimate
    critics = create("neural", economical=True, required=max(0.0, base.nats), patience=_PATIENCE)
    best, estimator = run(critics), critics
    compared = [f"critics found at least {best.nats:.2f}"]
    if best.nats > _CAP * math.log(n / _FOLDS):
        densities = create("doe")
        other = run(densities)
        compared.append(f"densities {other.nats:.2f}, since critics are capped near log {n // _FOLDS}")
        if other.nats > best.nats:
            best, estimator = other, densities
    # Beyond the interval of the part on which the choice was made, all samples would not make the estimate the largest.
    if base.interval is None or best.nats < base.interval.high:
        base = decision.of_all()
    compared.append(f"{base.estimator} {base.nats:.2f}")
    if base.nats > best.nats:
        best, estimator = base, decision.estimator
    kept = [text for text in base.warnings if text not in best.warnings and "neighbors" not in text]
    why = f"{base.why}; in many dimensions neighbors are too low: {', '.join(compared)}; the largest is returned"
    return estimator, replace(best, warnings=(*best.warnings, *kept), why=why)
