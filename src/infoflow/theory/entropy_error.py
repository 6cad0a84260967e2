"""How wrong an entropy is when one distribution stands for another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

from infoflow.core.errors import InvalidArgument

Array = NDArray[np.float64]

_ROUNDING = 1e-6


class EntropyError(NamedTuple):
    """Nats, each of the distributions' leading shape: `lower` <= `difference` <= `upper`, and the divergences.

    >>> found = entropy_error([0.5, 0.5], [0.75, 0.25])
    >>> bool(found.lower <= found.difference <= found.upper)
    True
    """

    lower: Array
    """⟨q − p, log p⟩, which is `difference` − KL(Q‖P)."""
    difference: Array
    """H(P) − H(Q)."""
    upper: Array
    """⟨q − p, log q⟩, which is `difference` + KL(P‖Q)."""


def entropy_error(p: Any, q: Any) -> EntropyError:
    """The error H(P) − H(Q) of an entropy that was computed from Q for P, between two sums of one expectation:

        ⟨q − p, log p⟩  <=  H(P) − H(Q)  <=  ⟨q − p, log q⟩,

    off by KL(Q‖P) and KL(P‖Q). `p` and `q` of shape (..., K) are probabilities over K values; nats (...). A bound is
    infinite where the distribution it takes the logarithm of lacks a value that the other has.

    Raises InvalidArgument for what is no distribution, and shapes that don't fit. (Yi et al., arXiv 2210.01000.)

    >>> lower, difference, upper = entropy_error([0.5, 0.5], [0.75, 0.25])
    >>> lower, difference, upper
    (array(0.), array(0.1308), array(0.2747))
    """
    left, right = _distribution(p, "p"), _distribution(q, "q")
    if left.shape[-1] != right.shape[-1]:
        raise InvalidArgument(f"p is over {left.shape[-1]} values but q over {right.shape[-1]}; want the same")
    try:
        left, right = np.broadcast_arrays(left, right)
    except ValueError:
        raise InvalidArgument(f"p of shape {left.shape} and q of shape {right.shape} don't fit each other") from None

    def against(logged: Array) -> Array:
        # xlogy keeps 0 log 0 = 0, and only a value that the other has, and this one lacks, makes it infinite.
        return np.asarray((special.xlogy(right, logged) - special.xlogy(left, logged)).sum(axis=-1))

    difference = np.asarray((special.entr(left) - special.entr(right)).sum(axis=-1))
    return EntropyError(against(left), difference, against(right))


def _distribution(value: Any, name: str) -> Array:
    raw = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if raw.dtype.kind not in "biuf" or raw.ndim == 0 or raw.shape[-1] == 0:
        raise InvalidArgument(f"{name} has dtype {raw.dtype} and shape {raw.shape}; want probabilities (..., K)")
    probabilities = raw.astype(np.float64)
    if not ((probabilities >= 0).all() and (np.abs(probabilities.sum(axis=-1) - 1) <= _ROUNDING).all()):
        raise InvalidArgument(f"{name} is no distribution: its last axis is negative, NaN or doesn't add up to 1")
    return probabilities
