"""Bounds of the Kullback–Leibler divergence KL(p(x,y) ‖ p(x)p(y)) = I(X;Y) itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from infoflow.bounds._scores import expectation_gap, prepare, prepare_rows, soft_ceiling, with_gradient_of
from infoflow.bounds.divergences import jensen_shannon
from infoflow.core.checks import choice
from infoflow.core.checks import positive as positive_number
from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument

Readout = Literal["estimate", "objective"]
READOUTS = ("estimate", "objective")


def donsker_varadhan(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Donsker and Varadhan's lower bound of the mutual information.

        I ≥ E_joint[T] − log E_product[e^T]

    Tight at T = log p(y|x)/p(y) + constant. The logarithm of a batch mean makes the value high by about the
    variance of e^T over 2n, and its gradient biased (`mine` mends the gradient).

    `positive` (..., n), `negative` (..., n, m), `mask` boolean, True where a negative counts. With `group`,
    means run over the rows of all its processes. Returns nats of the leading shape (0-d without leading
    axes). Raises InvalidArgument for shapes that don't match, no negatives, or a row whose negatives are all
    masked. Donsker and Varadhan (1983); Belghazi et al. (2018), "MINE", section 2.2.

    >>> donsker_varadhan(torch.tensor([1.0, 3.0]), torch.zeros(2, 5))
    tensor(2.)
    """
    scores = prepare(positive, negative, mask, group)
    return scores.mean(scores.positive) - scores.log_mean(scores.row_log_mean())


@dataclass(frozen=True)
class ExponentialAverage:
    """The running mean of E_product[e^T] that corrects MINE's gradient, kept as a logarithm; a new one per
    update.

        log a ← log((1 − rate)·a + rate·E_product[e^T]),   rate in (0, 1]

    The first update takes the batch's own mean. Raises InvalidArgument for a rate outside (0, 1].

    >>> average = ExponentialAverage(rate=0.1).updated(torch.zeros(2, 3))
    >>> average.log_mean
    tensor(0.)
    """

    rate: float = 0.01
    log_mean: Tensor | None = None

    def __post_init__(self) -> None:
        if positive_number(self.rate, "rate") > 1:
            raise InvalidArgument(f"rate is {self.rate!r}; want 0 < rate <= 1")

    def updated(self, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> ExponentialAverage:
        """The average after one more batch of negatives (..., n, m)."""
        scores = prepare(negative.detach()[..., 0], negative.detach(), mask, group)
        batch = scores.log_mean(scores.row_log_mean())
        if self.log_mean is None or self.rate == 1:
            return replace(self, log_mean=batch)
        mixed = torch.logaddexp(self.log_mean + math.log1p(-self.rate), batch + math.log(self.rate))
        return replace(self, log_mean=mixed)


def mine(
    positive: Tensor,
    negative: Tensor,
    average: ExponentialAverage | None = None,
    *,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """MINE: Donsker and Varadhan's value with the gradient whose denominator is a running average.

        value E_joint[T] − log E_product[e^T],   gradient E_joint[∇T] − E_product[e^T ∇T] / a

    `average` is the state, updated by the caller: `average = average.updated(negative); mine(positive,
    negative, average)`. Without it the gradient is Donsker and Varadhan's own. Shapes, `mask`, `group`,
    result and errors as in `donsker_varadhan`. Belghazi et al. (2018), section 3.2.

    >>> negative = torch.zeros(2, 5)
    >>> mine(torch.tensor([1.0, 3.0]), negative, ExponentialAverage().updated(negative))
    tensor(2.)
    """
    scores = prepare(positive, negative, mask, group)
    joint, log_mean = scores.mean(scores.positive), scores.log_mean(scores.row_log_mean())
    if average is None or average.log_mean is None:
        return joint - log_mean
    # d/dθ exp(log_mean − log a) = E[e^T ∇T]/a; with a ≥ rate·E[e^T] the exponent stays below −log rate.
    return with_gradient_of(joint - (log_mean - average.log_mean.detach()).exp(), joint - log_mean)


def nwj(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Nguyen, Wainwright and Jordan's lower bound of the mutual information (f-GAN's KL, "MINE-f").

        I ≥ E_joint[T] − E_product[e^{T−1}]

    Tight at T = 1 + log p(y|x)/p(y). Unbiased in the batch, but its variance grows like e^I. Scores whose
    exponential would overflow (above 61) are compressed to 61 + log(1 + T − 61): the bound of another critic,
    hence still a bound. Shapes, `mask`, `group`, result and errors as in `donsker_varadhan`. Nguyen et al.
    (2010); Poole et al. (2019).

    >>> nwj(torch.tensor([2.0, 2.0]), torch.ones(2, 5))
    tensor(1.)
    """
    return tuba(positive, negative, 1.0, mask=mask, group=group)


def tuba(
    positive: Tensor,
    negative: Tensor,
    log_baseline: Tensor | float = 0.0,
    *,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """The tractable unnormalized lower bound with a baseline a > 0 for each row.

        I ≥ 1 + E_joint[T − log a(x)] − E_product[e^T / a(x)]

    Tight at T = log p(y|x)/p(y) + log a(x). `log_baseline` is log a, a number or a tensor that broadcasts to
    (..., n); it must not depend on the negatives. log a = 1 is `nwj`. Large T − log a are compressed as in
    `nwj`. Shapes, `mask`, `group`, result and errors as in `donsker_varadhan`. Poole et al. (2019).

    >>> tuba(torch.tensor([1.0, 1.0]), torch.zeros(2, 5))
    tensor(1.)
    """
    scores = prepare(positive, negative, mask, group)
    if isinstance(log_baseline, Tensor):
        row = prepare_rows(log_baseline, "log_baseline", scores.positive)
        relative = replace(scores, positive=scores.positive - row, negative=scores.negative - row.unsqueeze(-1))
    else:
        relative = scores.map(lambda t: t - float(log_baseline))
    relative = relative.map(soft_ceiling)
    return 1.0 + expectation_gap(relative, relative.positive, relative.negative.exp())


def smile(
    positive: Tensor,
    negative: Tensor,
    tau: float = 5.0,
    *,
    readout: Readout = "estimate",
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """SMILE: Donsker and Varadhan's value with a clipped partition function, trained by Jensen–Shannon.

        value E_joint[T] − log E_product[clip(e^T, e^{−τ}, e^τ)],   gradient that of `jensen_shannon`

    An estimate, not a bound: with T = log p(y|x)/p(y) it lies above I by what the clipping takes from log
    E[e^T] = 0. `readout="objective"` returns Jensen–Shannon's value instead (to select by, on held-out
    scores). `tau=math.inf` clips nothing. Shapes, `mask`, `group`, result and errors as in
    `donsker_varadhan`, and InvalidArgument for tau <= 0. Song and Ermon (2020).

    >>> smile(torch.tensor([1.0, 3.0]), torch.zeros(2, 5))
    tensor(2.)
    """
    objective = jensen_shannon(positive, negative, mask=mask, group=group)
    if choice(readout, "readout", READOUTS) == "objective":
        return objective
    limit = math.inf if tau == math.inf else positive_number(tau, "tau")
    scores = prepare(positive, negative, mask, group)
    clipped = scores.map(lambda t: t.clamp(-limit, limit))
    return with_gradient_of(objective, scores.mean(scores.positive) - scores.log_mean(clipped.row_log_mean()))


def jensen_shannon_mi(
    positive: Tensor,
    negative: Tensor,
    *,
    readout: Readout = "estimate",
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Mutual information read from a critic that Jensen–Shannon trains: a low-variance way to NWJ's bound.

        value 1 + E_joint[T] − E_product[e^T]  (`nwj` of T + 1),   gradient that of `jensen_shannon`

    A lower bound of I for every critic, tight at T = log p(y|x)/p(y), which is where Jensen–Shannon's optimum
    lies. `readout="objective"` returns Jensen–Shannon's value. Shapes, `mask`, `group`, result and errors as
    in `donsker_varadhan`. Poole et al. (2019).

    >>> jensen_shannon_mi(torch.tensor([1.0, 1.0]), torch.zeros(2, 5))
    tensor(1.)
    """
    objective = jensen_shannon(positive, negative, mask=mask, group=group)
    if choice(readout, "readout", READOUTS) == "objective":
        return objective
    return with_gradient_of(objective, tuba(positive, negative, mask=mask, group=group))
