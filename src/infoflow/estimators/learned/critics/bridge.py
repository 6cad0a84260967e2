"""The mean of e^T under a product of marginals where few samples carry it: bridge sampling from both sides."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_HALVINGS = 60  # of the bracket: beyond float64's digits


def bridged(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """KL(p ‖ q) from scores T of p's samples (..., n) and of q's (..., n, m), and each row's share of it.

        Σ_p σ(−(T − c − log m)) = Σ_q σ(T − c − log m),   KL = E_p[T] − c

    Where T is log p/q up to a constant, c is log E_q[e^T], which is what Donsker and Varadhan's bound takes off. Its
    sample mean under q alone can have infinite variance; the root c uses both samples and is the maximum-likelihood
    estimate. For another T the result is no bound, but still 0 where T says nothing.

    Returns (...) and (..., n), nats; the shares' mean is the value and their spread its standard error's. Bennett
    (1976), "Efficient estimation of free energy differences"; Meng and Wong (1996).

    >>> value, shares = bridged(torch.tensor([1.0, 1.0]), torch.ones(2, 3))
    >>> value.item(), shares.shape
    (0.0, torch.Size([2]))
    """
    more = math.log(negative.shape[-1])
    flat = negative.flatten(-2)
    low = torch.minimum(positive.amin(-1), flat.amin(-1)) - more
    high = torch.maximum(positive.amax(-1), flat.amax(-1)) + more
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        shift = middle[..., None] + more  # m times as many samples of q
        excess = torch.sigmoid(shift - positive).sum(-1) - torch.sigmoid(flat - shift).sum(-1)
        low, high = torch.where(excess < 0, middle, low), torch.where(excess < 0, high, middle)
    c = (low + high) / 2
    of_p = torch.sigmoid(c[..., None] + more - positive)
    of_q = torch.sigmoid(negative - (c[..., None, None] + more))
    slope = (of_p * (1 - of_p) + (of_q * (1 - of_q)).sum(-1)).mean(-1, keepdim=True)
    # The influence of each row on the root; where no score is near it, the root hardly moves.
    influence = (of_p - of_q.sum(-1)) / slope.clamp(min=1e-12)
    return positive.mean(-1) - c, positive - c[..., None] + influence - influence.mean(-1, keepdim=True)
