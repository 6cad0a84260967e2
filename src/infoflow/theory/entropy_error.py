"""Error of an entropy that is computed from another distribution."""

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
    """Difference of two entropies and its bounds in nats, `lower` <= `difference` <= `upper`.

    Parameters
    ----------
    lower : ndarray
        ⟨q − p, log p⟩, which is `difference` − KL(Q‖P).
    difference : ndarray
        H(P) − H(Q).
    upper : ndarray
        ⟨q − p, log q⟩, which is `difference` + KL(P‖Q).

    Examples
    --------
    >>> found = entropy_error([0.5, 0.5], [0.75, 0.25])
    >>> bool(found.lower <= found.difference <= found.upper)
    True
    """

    lower: Array
    difference: Array
    upper: Array


def entropy_error(p: Any, q: Any) -> EntropyError:
    """Bound the error H(P) − H(Q) of an entropy that was computed from Q in place of P.

    Parameters
    ----------
    p : array-like of shape (..., K)
        Probabilities over K values.
    q : array-like of shape (..., K)
        Probabilities over the same values.

    Returns
    -------
    EntropyError
        The difference and its bounds in nats, of the leading shape.

    Raises
    ------
    InvalidArgument
        If p or q is no distribution, or their shapes do not fit.

    Notes
    -----
        ⟨q − p, log p⟩  <=  H(P) − H(Q)  <=  ⟨q − p, log q⟩,

    with gaps KL(Q‖P) and KL(P‖Q). A bound is infinite where the distribution in its logarithm lacks a value that the
    other has.

    References
    ----------
    Yi et al. (2022), arXiv 2210.01000.

    Examples
    --------
    >>> lower, difference, upper = entropy_error([0.5, 0.5], [0.75, 0.25])
    >>> lower, difference, upper
    (array(0.), array(0.1308), array(0.2747))
    """
    left, right = _distribution(p, "p"), _distribution(q, "q")
    if left.shape[-1] != right.shape[-1]:
        raise InvalidArgument("p", f"over as many values as q ({right.shape[-1]})", left.shape[-1])
    try:
        left, right = np.broadcast_arrays(left, right)
    except ValueError:
        raise InvalidArgument(f"p and q must have shapes that broadcast, got {left.shape} and {right.shape}.") from None

    def against(logged: Array) -> Array:
        # 0 log 0 = 0, so only a value that the other distribution has and this one lacks makes it infinite.
        return np.asarray((special.xlogy(right, logged) - special.xlogy(left, logged)).sum(axis=-1))

    difference = np.asarray((special.entr(left) - special.entr(right)).sum(axis=-1))
    return EntropyError(against(left), difference, against(right))


def _distribution(value: Any, name: str) -> Array:
    raw = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
    if raw.dtype.kind not in "biuf" or raw.ndim == 0 or raw.shape[-1] == 0:
        raise InvalidArgument(name, "probabilities of shape (..., K)", raw)
    probabilities = raw.astype(np.float64)
    if not ((probabilities >= 0).all() and (np.abs(probabilities.sum(axis=-1) - 1) <= _ROUNDING).all()):
        got = "values that are negative or NaN, or do not add up to 1 over the last axis"
        raise InvalidArgument(name, "a distribution", got_text=got)
    return probabilities
