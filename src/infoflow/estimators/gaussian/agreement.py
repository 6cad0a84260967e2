"""How closely two canonical variates agree: 1 − ρ² where ρ rounds to 1, and equality to the rounding of the values."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

# From here on 1 − ρ² is computed from differences, in which fewer digits cancel.
_CLOSE = 1e-6

# Roundings that a sum of products accumulates.
_ACCUMULATED = 16

# Variates are equal where this share of the samples is; others may be outliers or were rounded elsewhere.
_SHARE = 0.99


@dataclass(frozen=True)
class Agreement:
    """1 − ρ² of every pair of variates, and whether the first pair is equal to the rounding of the values."""

    unexplained: Tensor
    equal: bool


def agreement(rho: Tensor, x: Tensor, y: Tensor, rounding: Tensor) -> Agreement:
    """Compare canonical variates x and y (n, r) of correlations ρ (r,), each value with this rounding error (r,).

    1 − ρ² is ½ E(u − v)² (1 + ρ) for variates of mean 0 and variance 1, which is accurate where ρ is near 1.

    >>> import torch
    >>> line = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    >>> agreement(torch.ones(1, dtype=torch.float64), line, line, torch.full((1,), 1e-16)).equal
    True
    """
    unexplained = 1 - rho.square()
    close = int((unexplained < _CLOSE).sum())  # the first ones, since correlations descend
    if close == 0:
        return Agreement(unexplained, False)
    u, v, bound = x[:, :close], y[:, :close], _ACCUMULATED * rounding[:close]
    apart = (u - v).abs()
    unexplained = unexplained.clone()
    unexplained[:close] = 0.5 * apart.square().mean(0) * (1 + rho[:close])
    near = (apart <= bound).double().mean(0) >= _SHARE
    # Variates that are rounding themselves agree in nothing.
    meaningful = (u.abs() > 1000 * bound).double().mean(0) >= 0.5
    return Agreement(unexplained, bool((near & meaningful).any()))
