"""DIME: mutual information as the mean log density ratio that an f-divergence trains."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor

from infoflow.bounds._scores import Readout, expectation_gap, prepare, read, soft_ceiling, soft_floor
from infoflow.core.agreement import comparing_settings
from infoflow.core.checks import choice
from infoflow.core.distributed import Group

Divergence = Literal["gan", "kl", "hellinger"]


@comparing_settings
def dime(
    positive: Tensor,
    negative: Tensor,
    divergence: Divergence = "gan",
    *,
    readout: Readout = "estimate",
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """Mean log density ratio of a critic that an f-divergence trains (f-DIME).

    Parameters
    ----------
    positive : Tensor of shape (..., n)
        Scores of the positives, T_i = T(x_i, y_i); leading axes are separate problems.
    negative : Tensor of shape (..., n, m)
        Scores of m negatives for each positive; a leading axis that all problems share may have size 1.
    divergence
        The f-divergence that trains the critic.
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
    UnknownName
        If there is no such `divergence` or `readout`.

    Notes
    -----
        value E_joint[T],   T → log p(y|x)/p(y) at the optimum of the objective
        objective  kl: 1 + E_joint[T] − E_product[e^T]
                   gan: 2 log 2 − E_joint[softplus(−T)] − E_product[softplus(T)]
                   hellinger: 2 − E_joint[e^{−T/2}] − E_product[e^{T/2}]

    An estimate, neither lower nor upper bound, of low variance because it has no partition function; its gradient is
    that of the objective. The negatives must come from a derangement (`critics.derangement`, or in-batch pairs
    without the diagonal): a permutation that may leave an item with its own partner limits the estimate to about log
    n.

    References
    ----------
    Letizia, Novello and Tonello (2024), "Mutual information estimation via f-divergence and data derangements",
    NeurIPS.

    Examples
    --------
    >>> import torch
    >>> dime(torch.tensor([1.0, 3.0]), torch.zeros(2, 1))
    tensor(2.)
    """
    scores = prepare(positive, negative, mask, group)
    if choice(divergence, "divergence", get_args(Divergence)) == "kl":
        soft = scores.map(soft_ceiling)
        objective = 1.0 + expectation_gap(soft, soft.positive, soft.negative.exp())
    elif divergence == "gan":
        soft = scores.filled()
        gap = expectation_gap(soft, -F.softplus(-soft.positive), F.softplus(soft.negative))
        objective = gap + 2 * math.log(2)
    else:
        soft = scores.map(lambda t: soft_floor(soft_ceiling(t / 2)))
        objective = 2.0 + expectation_gap(soft, -(-soft.positive).exp(), soft.negative.exp())
    return read(objective, readout, lambda: scores.mean(scores.positive))
