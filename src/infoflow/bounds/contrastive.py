"""Bounds that compare each positive with its own row of negatives."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from infoflow.bounds._scores import Readout, Scores, prepare, prepare_rows, read, soft_ceiling
from infoflow.bounds.kullback_leibler import tuba
from infoflow.core.agreement import comparing_settings
from infoflow.core.checks import positive as positive_number
from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument


@comparing_settings
def infonce(
    positive: Tensor,
    negative: Tensor,
    *,
    include_positive: bool = True,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """InfoNCE, which classifies each positive among its m negatives.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    include_positive
        Whether the positive is among the candidates; False gives the decoupled contrastive loss.
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
    I ≥ E[T_i − log((e^{T_i} + Σ_j e^{T_ij}) / (m + 1))] ≤ log(m + 1).

    With the positive among the m + 1 candidates, the value never exceeds log(m + 1), row by row; with `mask`, m is
    each row's own count. `include_positive=False` gives E[T_i − log mean_j e^{T_ij}], without ceiling and no lower
    bound for finite m. Adding a function of x to T changes neither.

    References
    ----------
    van den Oord et al. (2018), "Representation learning with contrastive predictive coding", Eq. 4. Poole et al.
    (2019), "On variational bounds of mutual information", ICML. Decoupled: Yeh et al. (2022), "Decoupled contrastive
    learning", ECCV.

    Examples
    --------
    >>> infonce(torch.full((2,), 100.0), torch.zeros(2, 7))  # log 8
    tensor(2.0794)
    """
    scores = prepare(positive, negative, mask, group)
    if not include_positive:
        return scores.mean(scores.positive - scores.row_log_mean())
    # log((e^p + Σe^n)/(m+1)) − p = softplus(lse(n) − p) − log(m+1): exact also where p dwarfs the rest.
    others = torch.logsumexp(scores.log_negative, -1) - scores.positive
    return scores.mean(scores.log_count(1) - torch.nn.functional.softplus(others))


@comparing_settings
def anchored_infonce(
    positive: Tensor,
    negative: Tensor,
    anchor: float | None = None,
    *,
    readout: Readout = "estimate",
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """InfoNCE with an anchor class, "no candidate is the partner", whose optimum is the density ratio.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    anchor
        Weight ν > 0 of the anchor class; None takes the number of candidates (for one candidate,
        noise-contrastive estimation). A small ν determines the free function of x only weakly.
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
        Also if `anchor` is not positive.

    Notes
    -----
        objective  K/(K+ν)·E log(r_i / (ν + r_i + Σ_{j<K} r_ij)) + ν/(K+ν)·E log(ν / (ν + Σ_j r_ij)) + H
        value      E_joint[T],   r = e^T = p(y|x)/p(y) at the optimum,   K = m candidates,   ν = `anchor`

    InfoNCE determines T only up to a function of x. The anchor determines that as well, so that the value E_joint[T]
    estimates I without the ceiling log K. It is not a bound. Its gradient is that of the objective: a lower bound on
    the information of K candidates about which is the partner, at most H, the entropy of the prior (1/(K+ν) each,
    ν/(K+ν) for none).

    Both terms have K candidates, so that the first one leaves out one of the negatives; the average over which one is
    exact. With `mask`, K is each row's own count.

    References
    ----------
    Ryu et al. (2025), "InfoNCE-anchor", arXiv 2510.25983.

    Examples
    --------
    >>> anchored_infonce(torch.full((2,), 1.5), torch.zeros(2, 7))
    tensor(1.5000)
    """
    scores = prepare(positive, negative, mask, group)
    log_count = torch.as_tensor(scores.log_count(), dtype=scores.positive.dtype, device=scores.positive.device)
    log_nu = log_count if anchor is None else torch.full_like(log_count, math.log(positive_number(anchor, "anchor")))
    count, nu = log_count.exp(), log_nu.exp()
    own = torch.logaddexp(scores.positive, log_nu)
    partner = scores.positive - scores.row_mean(_leaving_one_out(scores, own))
    no_partner = log_nu - torch.logaddexp(torch.logsumexp(scores.log_negative, -1), log_nu)
    share = count / (count + nu)
    entropy = (count + nu).log() - (1 - share) * log_nu
    objective = scores.mean(share * partner + (1 - share) * no_partner + entropy)
    return read(objective, readout, lambda: scores.mean(scores.positive))


@comparing_settings
def interpolated(
    positive: Tensor,
    negative: Tensor,
    alpha: float = 0.5,
    log_baseline: Tensor | float = 0.0,
    *,
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Poole et al.'s bound between TUBA (α = 0: low bias) and InfoNCE (α = 1: low variance).

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    alpha
        Weight α of the batch mean in the baseline, from 0 to 1.
    log_baseline : float or Tensor broadcastable to (..., n)
        Logarithm b of the baseline; it must not depend on the negatives.
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
        Also if `alpha` is not between 0 and 1.

    Notes
    -----
        I ≥ 1 + E_joint[log e^{T_1}/a(x, y_{1:m})] − E_product[e^{T_1}/a(x, y_{1:m})]
        a = α·(1/m) Σ_k e^{T_k} + (1 − α)·e^{b(x)},   value ≤ 1 + log(m/α)

    y_1 is the partner in the first term and a negative in the second. Both have m candidates, so that the first one
    leaves out one of the m negatives; the average over which one is exact. α = 1 is InfoNCE with m candidates,
    averaged in this way.

    References
    ----------
    Poole et al. (2019), "On variational bounds of mutual information", ICML.

    Examples
    --------
    >>> interpolated(torch.ones(2), torch.zeros(2, 5), alpha=0.0)
    tensor(1.)
    """
    if not 0.0 <= positive_number(alpha, "alpha", zero=True) <= 1.0:
        raise InvalidArgument("alpha", "between 0 and 1", alpha)
    if alpha == 0:
        return tuba(positive, negative, log_baseline, mask=mask, group=group)
    scores = prepare(positive, negative, mask, group)
    baseline = torch.as_tensor(log_baseline, dtype=scores.positive.dtype, device=scores.positive.device)
    log_mean = scores.row_log_mean()
    if alpha < 1:
        rest = prepare_rows(baseline, "log_baseline", scores.positive) + math.log1p(-alpha)
        own = torch.logaddexp(scores.positive, rest - math.log(alpha) + scores.log_count())
        unpaired = (log_mean - torch.logaddexp(log_mean + math.log(alpha), rest)).exp()
    else:
        own, unpaired = scores.positive, torch.ones_like(log_mean)
    denominator = scores.row_mean(_leaving_one_out(scores, own)) + math.log(alpha) - scores.log_count()
    return scores.mean(1.0 + scores.positive - denominator - unpaired)


@comparing_settings
def flo(positive: Tensor, negative: Tensor, u: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Fenchel–Legendre bound (FLO): InfoNCE without ceiling, by a second score for each positive.

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    u : Tensor broadcastable to (..., n)
        Second score of each positive, from a network of its own; it must not depend on the negatives.
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
    I ≥ 1 − E[u + e^{−u}·mean_j e^{T_ij − T_i}], tight at u = −log p(y|x)/p(y) for every T, and for fixed T at u = log
    E_j e^{T_ij − T_i}.

    Where e^{−u}·mean would overflow (its logarithm above 60), u is raised so that it remains finite.

    References
    ----------
    Guo et al. (2022), "Tight mutual information estimation with contrastive Fenchel–Legendre optimization", NeurIPS.

    Examples
    --------
    >>> flo(torch.ones(2), torch.zeros(2, 5), u=-torch.ones(2))
    tensor(1.)
    """
    scores = prepare(positive, negative, mask, group)
    row = prepare_rows(u, "u", scores.positive)
    log_odds = scores.row_log_mean() - scores.positive
    excess = soft_ceiling(log_odds - row)
    return scores.mean(1.0 + excess - log_odds - excess.exp())


def _leaving_one_out(scores: Scores, own: Tensor) -> Tensor:
    """log(e^own + Σ_{j≠k} e^{T_ij}) for each left-out negative k, shape (..., n, m).

    Subtraction from the whole sum is accurate for all but the largest term, whose absence is summed separately.
    """
    own = own.unsqueeze(-1)
    negative = scores.log_negative.expand(*own.shape[:-1], -1)
    top, place = negative.detach().max(-1, keepdim=True)
    largest = torch.arange(negative.shape[-1], device=negative.device) == place
    terms = (negative - top).exp()
    rest = torch.where(largest, 1.0, terms.sum(-1, keepdim=True) - terms).log() + top
    again = torch.logsumexp(torch.cat([negative.masked_fill(largest, -torch.inf), own], -1), -1, keepdim=True)
    return torch.where(largest, again, torch.logaddexp(rest, own))
