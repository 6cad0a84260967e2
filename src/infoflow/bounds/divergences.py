"""Lower bounds of other divergences between p(x,y) and p(x)p(y), in Deep InfoMax's parametrization of the
critic.

They train a critic as the mutual information's own bounds do, but their values are values of *their*
divergence.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.bounds._scores import expectation_gap, prepare, soft_ceiling, soft_floor
from infoflow.core.distributed import Group


def jensen_shannon(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound of twice the Jensen–Shannon divergence between the joint and the product of the marginals.

        2·JSD ≥ E_joint[log 2 − softplus(−T)] − E_product[softplus(T) − log 2],   2·JSD ≤ 2 log 2

    Tight at T = log p(y|x)/p(y). No mutual information by its value (`jensen_shannon_mi` reads that off);
    minus 2 log 2 it is the objective of a binary classifier of pairs. Its gradient is bounded by 1 per score,
    whatever the scores. Shapes, `mask`, `group`, result and errors as in `donsker_varadhan`. Hjelm et al.
    (2019), Eq. 4; Nowozin et al. (2016).

    >>> jensen_shannon(torch.zeros(2), torch.zeros(2, 5))
    tensor(0.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    gap = expectation_gap(scores, -F.softplus(-scores.positive), F.softplus(scores.negative))
    return gap + 2 * math.log(2)


def squared_hellinger(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound of the squared Hellinger distance ∫(√p(x,y) − √(p(x)p(y)))².

        H² ≥ E_joint[1 − e^{−T}] − E_product[e^T − 1],   H² ≤ 2

    Tight at T = ½ log p(y|x)/p(y). Scores beyond ±60 are compressed logarithmically (another critic's bound).
    Shapes, `mask`, `group`, result and errors as in `donsker_varadhan`. Nowozin et al. (2016), tables 1 and
    2; Hjelm et al. (2019).

    >>> squared_hellinger(torch.zeros(2), torch.zeros(2, 5))
    tensor(0.)
    """
    scores = prepare(positive, negative, mask, group).map(lambda t: soft_floor(soft_ceiling(t)))
    return expectation_gap(scores, -torch.expm1(-scores.positive), torch.expm1(scores.negative))


def chi_squared(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound of Pearson's χ² divergence ∫(p(x,y) − p(x)p(y))² / (p(x)p(y)).

        χ² ≥ E_joint[T] − E_product[T²/4 + T]

    Tight at T = 2(p(y|x)/p(y) − 1). Without exponentials: the mildest for scores, the harshest for
    heavy-tailed ratios. Shapes, `mask`, `group`, result and errors as in `donsker_varadhan`. Nowozin et al.
    (2016), tables 1 and 2.

    >>> chi_squared(torch.full((2,), 3.0), torch.zeros(2, 5))
    tensor(3.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    return expectation_gap(scores, scores.positive, scores.negative * (scores.negative / 4 + 1))


def reverse_kl(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound of the reverse Kullback–Leibler divergence KL(p(x)p(y) ‖ p(x,y)), the "lautum" information.

        KL ≥ E_joint[−e^{−T}] − E_product[T − 1]

    Tight at T = log p(y|x)/p(y). Scores below −60 are compressed logarithmically (another critic's bound).
    Shapes, `mask`, `group`, result and errors as in `donsker_varadhan`. Nowozin et al. (2016), tables 1 and
    2.

    >>> reverse_kl(torch.zeros(2), torch.zeros(2, 5))
    tensor(0.)
    """
    scores = prepare(positive, negative, mask, group).map(soft_floor)
    return expectation_gap(scores, -torch.exp(-scores.positive), scores.negative - 1)


def wasserstein(positive: Tensor, negative: Tensor, *, mask: Tensor | None = None, group: Group = None) -> Tensor:
    """Lower bound of the Wasserstein-1 distance, *if the critic is 1-Lipschitz in (x, y)*.

        W₁ ≥ E_joint[T] − E_product[T]   for |T(x,y) − T(x',y')| ≤ ‖(x,y) − (x',y')‖

    Nothing here enforces the constraint (`critics` with `spectral_norm=True` do); without it the value is
    unbounded and means nothing. In the units of the data, not nats. Shapes, `mask`, `group`, result and
    errors as in `donsker_varadhan`. Arjovsky et al. (2017), Eq. 2; Ozair et al. (2019).

    >>> wasserstein(torch.ones(2), torch.zeros(2, 5))
    tensor(1.)
    """
    scores = prepare(positive, negative, mask, group).filled()
    return expectation_gap(scores, scores.positive, scores.negative)
