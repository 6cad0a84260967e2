"""The mean of e^T under the product of the marginals by bridge sampling, where few samples dominate it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_HALVINGS = 60  # of the bracket: beyond float64's digits


def bridged(positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor]:
    """KL(p ‖ q), (...), and the share of each row, (..., n), from scores T of p's samples (..., n) and q's (..., n, m).

    Notes
    -----
    Σ_p σ(−(T − c − log m)) = Σ_q σ(T − c − log m), KL = E_p[T] − c.

    If T is log p/q up to a constant, c is log E_q[e^T], the second term of Donsker and Varadhan's bound. Its sample
    mean under q can have infinite variance; the root c uses both samples and is the maximum-likelihood estimate. For
    another T the result is not a bound, but still 0 for a constant T. The mean of the shares is the value, and their
    spread gives its standard error.

    References
    ----------
    Bennett (1976), "Efficient estimation of free energy differences from Monte Carlo data". Meng and Wong (1996),
    "Simulating ratios of normalizing constants via a simple identity".

    Examples
    --------
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
    # The influence of each row on the root; it is small where no score is near the root.
    influence = (of_p - of_q.sum(-1)) / slope.clamp(min=1e-12)
    return positive.mean(-1) - c, positive - c[..., None] + influence - influence.mean(-1, keepdim=True)
