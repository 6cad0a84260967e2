"""The default for numbers on both sides: from a Gaussian to few neighbors, and to critics where samples suffice."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.estimators.automatic.blocks import Blocks
from infoflow.estimators.automatic.candidates import gaussian, is_any, missed, neighbors, of_lines
from infoflow.estimators.automatic.chain import Candidate, Chosen, first_adequate, standard_error
from infoflow.estimators.automatic.description import LINE, described, without_noise
from infoflow.estimators.automatic.elliptical import Elliptical
from infoflow.estimators.automatic.limits import is_manifold
from infoflow.estimators.automatic.ties import Cells, SpreadTies, tied_share
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.neighbors.preparation import noise_generator
from infoflow.estimators.registry import create

# Samples on which the choice is made, on a line and a line and in more dimensions, where a search costs more.
_LOOK, _LOOK_IN_SPACE = 10_000, 2_500

# Above this share of ties one random spread of them is averaged with two more.
TIED, _DRAWS = 0.02, 3

# From so many samples on, critics are trained where neighbors were chosen in more than two dimensions.
_ENOUGH = 1000

# A lower bound is capped near the log of the samples in a fold; from this share of the cap on, it is too low.
_CAP, _FOLDS = 0.55, 4

# Epochs without progress after which a critic stops; 5 would find about 0.003 nats more in a third more time.
_PATIENCE = 3

# Level of the moments at which a Gaussian is left where so many neighbors together find more, by a standard error.
_WEAK, _SEVERAL = 0.05, (3, 12)


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
    chosen = chosen if many else without_noise(chosen, x[rows], y[rows])
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
    line = x.shape[1] + y.shape[1] <= LINE
    drawn = _drawn(x, y)
    made = of_lines(drawn) if line else _in_space(drawn, is_manifold(x) or is_manifold(y))
    shared = [each for each in made[0] if all(each.name in {other.name for other in draw} for draw in made)]
    averaged = [
        replace(
            each, terms=np.mean([other.terms for draw in made for other in draw if other.name == each.name], axis=0)
        )
        for each in shared
    ]
    chosen = first_adequate(averaged)
    if not line or not isinstance(chosen.candidate.estimator, Gaussian) or len(averaged) == 1:
        return chosen
    # On a line and a line neighbors are accurate enough to replace a model that its moments contradict.
    beyond = missed(x, y)
    if not beyond.significant and not (beyond.at_level(_WEAK) and _find_more(averaged)):
        return chosen
    without = first_adequate(averaged[1:])
    coarser = without.coarser if beyond.significant else (averaged[0], *without.coarser)
    rejected = ("the moments contradict a Gaussian", *without.rejected)
    return replace(without, rejected=rejected, coarser=coarser)


def _find_more(candidates: list[Candidate]) -> bool:
    """Whether several neighbors together find more than the first candidate, a model, by a standard error."""
    several = [each.terms for each in candidates if each.neighbors and _SEVERAL[0] <= each.neighbors <= _SEVERAL[1]]
    if not several:
        return False
    more = np.mean(several, axis=0) - candidates[0].terms
    return float(more.mean()) > standard_error(more, float(more.mean()))


def _drawn(x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The samples, several times with ties spread at random where there are any."""
    draws = _draws(x, y)
    if not draws:
        return [(x, y)]
    left, right, generator = Cells(x), Cells(y), noise_generator(0)
    return [(left.draw(generator), right.draw(generator)) for _ in range(draws)]


def _in_space(drawn: list[tuple[Tensor, Tensor]], folded: bool) -> list[list[Candidate]]:
    """The candidates of each draw in more dimensions than two."""
    return [neighbors(x, y, scales=("standard",)) if folded else _candidates(x, y) for x, y in drawn]


def _candidates(x: Tensor, y: Tensor) -> list[Candidate]:
    model = gaussian(x, y)
    found = [model] if model else []
    if model and missed(x, y).significant:
        found.append(Elliptical(model.estimator.copula).candidate(x, y, model))  # type: ignore[attr-defined]
    found.append(replace(Blocks().candidate(x, y), name="a sum over blocks of columns"))
    return [*found, *neighbors(x, y)]


def _of_all(looked: Estimate, every: Estimate, n: int) -> Estimate:
    """The estimate of all samples, with the reason of the choice and an interval as wide as more samples leave it."""
    assert looked.interval is not None
    shrink = math.sqrt(n / every.n)
    above = looked.interval.high - looked.nats
    # An interval that was cut, at 0 or at a negative number, no longer states its width below the number.
    cut = looked.interval.low >= min(0.0, looked.nats)
    below = above if cut else looked.nats - looked.interval.low
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
