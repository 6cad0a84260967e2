"""DIME: the density ratio that an f-divergence trains, read off as mutual information."""

from __future__ import annotations

import math
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from infoflow.bounds._scores import expectation_gap, prepare, soft_ceiling, soft_floor, with_gradient_of
from infoflow.bounds.kullback_leibler import READOUTS, Readout
from infoflow.core.checks import choice
from infoflow.core.distributed import Group

Divergence = Literal["gan", "kl", "hellinger"]
DIVERGENCES = ("gan", "kl", "hellinger")


def dime(
    positive: Tensor,
    negative: Tensor,
    divergence: Divergence = "gan",
    *,
    readout: Readout = "estimate",
    mask: Tensor | None = None,
    group: Group = None,
) -> Tensor:
    """f-DIME: the mean log density ratio of a critic that an f-divergence trains.

        value E_joint[T],   T → log p(y|x)/p(y) at the objective's optimum
        objective  kl: 1 + E_joint[T] − E_product[e^T]
                   gan: 2 log 2 − E_joint[softplus(−T)] − E_product[softplus(T)]
                   hellinger: 2 − E_joint[e^{−T/2}] − E_product[e^{T/2}]

    An estimate, neither lower nor upper bound, with low variance as no partition function enters. Its
    gradient is that of the objective, which `readout="objective"` returns (to select by). The negatives must
    come from a *derangement* (`critics.derangement`, or in-batch pairs without the diagonal, as our critics
    give): a permutation that may leave an item with its own partner caps the estimate at about log n.

    Shapes, `mask`, `group`, result and errors as in `donsker_varadhan`; UnknownName for another divergence.
    Letizia, Novello and Tonello (2024), "Mutual information estimation via f-divergence and data
    derangements".

    >>> import torch
    >>> dime(torch.tensor([1.0, 3.0]), torch.zeros(2, 1))
    tensor(2.)
    """
    scores = prepare(positive, negative, mask, group)
    if choice(divergence, "divergence", DIVERGENCES) == "kl":
        soft = scores.map(soft_ceiling)
        objective = 1.0 + expectation_gap(soft, soft.positive, soft.negative.exp())
    elif divergence == "gan":
        soft = scores.filled()
        gap = expectation_gap(soft, -F.softplus(-soft.positive), F.softplus(soft.negative))
        objective = gap + 2 * math.log(2)
    else:
        soft = scores.map(lambda t: soft_floor(soft_ceiling(t / 2)))
        objective = 2.0 + expectation_gap(soft, -(-soft.positive).exp(), soft.negative.exp())
    if choice(readout, "readout", READOUTS) == "objective":
        return objective
    return with_gradient_of(objective, scores.mean(scores.positive))
