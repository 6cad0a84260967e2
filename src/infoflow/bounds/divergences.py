"""Lower bounds on other divergences between p(x,y) and p(x)p(y), in Deep InfoMax's parametrization of the critic.

They train a critic as bounds on the mutual information do, but their values are those of another divergence.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.bounds._scores import expectation_gap, prepare, soft_ceiling, soft_floor
from infoflow.core.agreement import comparing_settings
from infoflow.core.distributed import Group


@comparing_settings
def jensen_shannon(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound on twice the Jensen–Shannon divergence between the joint and the product of the marginals.

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
    2·JSD ≥ E_joint[log 2 − softplus(−T)] − E_product[softplus(T) − log 2], 2·JSD ≤ 2 log 2, tight at T = log
    p(y|x)/p(y).

    The value is not mutual information (`jensen_shannon_mi` gives that). Minus 2 log 2, it is the objective of a
    binary classifier of pairs. Its gradient is at most 1 per score.

    References
    ----------
    Hjelm et al. (2019), "Learning deep representations by mutual information estimation and maximization", ICLR, Eq.
    4. Nowozin et al. (2016), "f-GAN: Training generative neural samplers using variational divergence minimization",
    NeurIPS.

    Examples
    --------
    >>> jensen_shannon(torch.zeros(2), torch.zeros(2, 5))
    tensor(0.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    gap = expectation_gap(scores, -F.softplus(-scores.positive), F.softplus(scores.negative))
    return gap + 2 * math.log(2)


@comparing_settings
def squared_hellinger(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound on the squared Hellinger distance ∫(√p(x,y) − √(p(x)p(y)))².

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
        The value, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    H² ≥ E_joint[1 − e^{−T}] − E_product[e^T − 1], H² ≤ 2, tight at T = ½ log p(y|x)/p(y).

    Scores beyond ±60 are compressed logarithmically, which is the bound of another critic.

    References
    ----------
    Nowozin et al. (2016), "f-GAN: Training generative neural samplers using variational divergence minimization",
    NeurIPS, tables 1 and 2. Hjelm et al. (2019), "Learning deep representations by mutual information estimation and
    maximization", ICLR.

    Examples
    --------
    >>> squared_hellinger(torch.zeros(2), torch.zeros(2, 5))
    tensor(0.)
    """
    scores = prepare(positive, negative, mask, group).map(lambda t: soft_floor(soft_ceiling(t)))
    return expectation_gap(scores, -torch.expm1(-scores.positive), torch.expm1(scores.negative))


@comparing_settings
def chi_squared(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound on Pearson's χ² divergence ∫(p(x,y) − p(x)p(y))² / (p(x)p(y)).

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
        The value, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    χ² ≥ E_joint[T] − E_product[T²/4 + T], tight at T = 2(p(y|x)/p(y) − 1).

    There are no exponentials of scores, but a heavy-tailed density ratio has a very large divergence.

    References
    ----------
    Nowozin et al. (2016), "f-GAN: Training generative neural samplers using variational divergence minimization",
    NeurIPS, tables 1 and 2.

    Examples
    --------
    >>> chi_squared(torch.full((2,), 3.0), torch.zeros(2, 5))
    tensor(3.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    return expectation_gap(scores, scores.positive, scores.negative * (scores.negative / 4 + 1))


@comparing_settings
def reverse_kl(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound on the reverse Kullback–Leibler divergence KL(p(x)p(y) ‖ p(x,y)), the lautum information.

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
    KL ≥ E_joint[−e^{−T}] − E_product[T − 1], tight at T = log p(y|x)/p(y).

    Scores below −60 are compressed logarithmically, which is the bound of another critic.

    References
    ----------
    Nowozin et al. (2016), "f-GAN: Training generative neural samplers using variational divergence minimization",
    NeurIPS, tables 1 and 2.

    Examples
    --------
    >>> reverse_kl(torch.zeros(2), torch.zeros(2, 5))
    tensor(0.)
    """
    scores = prepare(positive, negative, mask, group).map(soft_floor)
    return expectation_gap(scores, -torch.exp(-scores.positive), scores.negative - 1)


@comparing_settings
def wasserstein(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound on the Wasserstein-1 distance, if the critic is 1-Lipschitz in (x, y).

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
        The value in units of the data, not nats, of the leading shape (0-d without leading axes).

    Raises
    ------
    InvalidArgument
        If the shapes do not match, there are no negatives, or a row has all of its negatives masked.

    Notes
    -----
    W₁ ≥ E_joint[T] − E_product[T] for |T(x,y) − T(x',y')| ≤ ‖(x,y) − (x',y')‖.

    The constraint is not enforced here (critics with `spectral_norm=True` enforce it); without it the value is
    unbounded and has no meaning.

    References
    ----------
    Arjovsky et al. (2017), "Wasserstein generative adversarial networks", ICML, Eq. 2. Ozair et al. (2019),
    "Wasserstein dependency measure for representation learning", NeurIPS.

    Examples
    --------
    >>> wasserstein(torch.ones(2), torch.zeros(2, 5))
    tensor(1.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    return expectation_gap(scores, scores.positive, scores.negative)
