"""Bounds on the Kullback–Leibler divergence KL(p(x,y) ‖ p(x)p(y)) = I(X;Y)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from infoflow.bounds._scores import (
    Readout,
    expectation_gap,
    prepare,
    prepare_rows,
    read,
    soft_ceiling,
    with_gradient_of,
)
from infoflow.bounds.divergences import jensen_shannon
from infoflow.core.agreement import comparing_settings
from infoflow.core.checks import positive as positive_number
from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument


@comparing_settings
def donsker_varadhan(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Donsker and Varadhan's lower bound on the mutual information.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    I ≥ E_joint[T] − log E_product[e^T], tight at T = log p(y|x)/p(y) + constant.

    The logarithm of a batch mean makes the value too high by about the variance of e^T over 2n, and biases its
    gradient, which `mine` corrects.

    References
    ----------
    Donsker and Varadhan (1983), "Asymptotic evaluation of certain Markov process expectations for large time, IV".
    Belghazi et al. (2018), "MINE: Mutual information neural estimation", ICML, section 2.2.

    Examples
    --------
    >>> donsker_varadhan(torch.tensor([1.0, 3.0]), torch.zeros(2, 5))
    tensor(2.)
    """
    scores = prepare(positive, negative, mask, group)
    return scores.mean(scores.positive) - scores.log_mean(scores.row_log_mean())


@dataclass(frozen=True)
class ExponentialAverage:
    """Running mean of E_product[e^T] that corrects the gradient of `mine`; an update returns a new object.

    Parameters
    ----------
    rate
        Weight of a new batch, in (0, 1].
    log_mean : Tensor, optional
        Logarithm of the mean; the first update takes that of the batch.

    Raises
    ------
    InvalidArgument
        If `rate` is not in (0, 1].

    Notes
    -----
    log a ← log((1 − rate)·a + rate·E_product[e^T]).

    Examples
    --------
    >>> average = ExponentialAverage(rate=0.1).updated(torch.zeros(2, 3))
    >>> average.log_mean
    tensor(0.)
    """

    rate: float = 0.01
    log_mean: Tensor | None = None

    def __post_init__(self) -> None:
        if positive_number(self.rate, "rate") > 1:
            raise InvalidArgument("rate", "> 0 and <= 1", self.rate)

    def updated(self, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> ExponentialAverage:
        """Return the average after one more batch.

        Parameters
        ----------
        negative : Tensor of shape (..., n, m)
            Scores of the negatives.
        mask : Tensor of shape (..., n, m), optional
            Boolean, True where a negative counts.
        group : optional
            Process group over whose processes the mean runs.

        Returns
        -------
        ExponentialAverage
            The updated average.
        """
        scores = prepare(negative.detach()[..., 0], negative.detach(), mask, group)
        batch = scores.log_mean(scores.row_log_mean())
        if self.log_mean is None or self.rate == 1:
            return replace(self, log_mean=batch)
        mixed = torch.logaddexp(self.log_mean + math.log1p(-self.rate), batch + math.log(self.rate))
        return replace(self, log_mean=mixed)


@comparing_settings
def mine(
    positive: Tensor,
    negative: Tensor,
    average: ExponentialAverage | None = None,
    *,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Donsker and Varadhan's value with the gradient of MINE, whose denominator is a running average.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    average
        Running average of E_product[e^T], updated by the caller before each call; without it the gradient is that of
        `donsker_varadhan`.
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    Value E_joint[T] − log E_product[e^T], gradient E_joint[∇T] − E_product[e^T ∇T] / a with a the running average.

    References
    ----------
    Belghazi et al. (2018), "MINE: Mutual information neural estimation", ICML, section 3.2.

    Examples
    --------
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


@comparing_settings
def nwj(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Nguyen, Wainwright and Jordan's lower bound on the mutual information.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    I ≥ E_joint[T] − E_product[e^{T−1}], tight at T = 1 + log p(y|x)/p(y).

    The value is unbiased in the batch, but its variance grows like e^I. Scores whose exponential would overflow
    (above 61) are compressed to 61 + log(1 + T − 61), which is the bound of another critic. Also known as f-GAN's KL
    or MINE-f.

    References
    ----------
    Nguyen et al. (2010), "Estimating divergence functionals and the likelihood ratio by convex risk minimization".
    Poole et al. (2019), "On variational bounds of mutual information", ICML.

    Examples
    --------
    >>> nwj(torch.tensor([2.0, 2.0]), torch.ones(2, 5))
    tensor(1.)
    """
    return tuba(positive, negative, 1.0, mask=mask, group=group)


@comparing_settings
def tuba(
    positive: Tensor,
    negative: Tensor,
    log_baseline: Tensor | float = 0.0,
    *,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Tractable unnormalized lower bound, with a baseline a > 0 for each row.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    log_baseline : float or Tensor broadcastable to (..., n)
        Logarithm of a; it must not depend on the negatives. A value of 1 gives `nwj`.
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    I ≥ 1 + E_joint[T − log a(x)] − E_product[e^T / a(x)], tight at T = log p(y|x)/p(y) + log a(x).

    Large values of T − log a are compressed: above 60 they become 60 + log(1 + T − log a − 60).

    References
    ----------
    Poole et al. (2019), "On variational bounds of mutual information", ICML.

    Examples
    --------
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


@comparing_settings
def smile(
    positive: Tensor,
    negative: Tensor,
    tau: float = 5.0,
    *,
    readout: Readout = "estimate",
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Donsker and Varadhan's value with a clipped partition function, trained by Jensen–Shannon.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    tau
        Clipping threshold of the scores; `math.inf` clips nothing.
    readout
        "estimate" returns the value, "objective" the training objective, by which to select on held-out scores.
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.
        Also if `tau` is not positive.

    Notes
    -----
    Value E_joint[T] − log E_product[clip(e^T, e^{−τ}, e^τ)], gradient that of `jensen_shannon`.

    An estimate, not a bound: with T = log p(y|x)/p(y) it exceeds I by what the clipping takes from log E[e^T] = 0.

    References
    ----------
    Song and Ermon (2020), "Understanding the limitations of variational mutual information estimators", ICLR.

    Examples
    --------
    >>> smile(torch.tensor([1.0, 3.0]), torch.zeros(2, 5))
    tensor(2.)
    """
    objective = jensen_shannon(positive, negative, mask=mask, group=group)
    limit = math.inf if tau == math.inf else positive_number(tau, "tau")
    scores = prepare(positive, negative, mask, group)

    def estimate() -> Tensor:
        clipped = scores.map(lambda t: t.clamp(-limit, limit))
        return scores.mean(scores.positive) - scores.log_mean(clipped.row_log_mean())

    return read(objective, readout, estimate)


@comparing_settings
def jensen_shannon_mi(
    positive: Tensor,
    negative: Tensor,
    *,
    readout: Readout = "estimate",
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Lower bound on the mutual information by a critic that the Jensen–Shannon objective trains.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    readout
        "estimate" returns the value, "objective" the training objective, by which to select on held-out scores.
    mask : Tensor of shape (..., n, m), optional
        Boolean, True where a negative counts.
    group : optional
        Process group over whose processes the means run.

    Returns
    -------
    Tensor
        Nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    Value 1 + E_joint[T] − E_product[e^T] (`nwj` of T + 1), gradient that of `jensen_shannon`.

    A lower bound on I for every critic, tight at T = log p(y|x)/p(y), which is the optimum of the objective. The
    gradient has less variance than that of `nwj`.

    References
    ----------
    Poole et al. (2019), "On variational bounds of mutual information", ICML.

    Examples
    --------
    >>> jensen_shannon_mi(torch.tensor([1.0, 1.0]), torch.zeros(2, 5))
    tensor(1.)
    """
    objective = jensen_shannon(positive, negative, mask=mask, group=group)
    return read(objective, readout, lambda: tuba(positive, negative, mask=mask, group=group))
