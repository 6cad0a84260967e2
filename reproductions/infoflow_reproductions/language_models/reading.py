"""Numbers of claims from the tables of trials: the step or layer that counts is chosen on the other seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def curves(found: Sequence[Mapping[str, Any]], quantity: str) -> Array:
    """Return a quantity's mean over the layers, of shape (seeds, steps).

    Parameters
    ----------
    found
        Results of trials.
    quantity
        Name of the quantity.

    Returns
    -------
    array
        Means over depth.

    Examples
    --------
    >>> curves([{"H": [[1.0, 3.0], [2.0, 4.0]]}], "H")
    array([[2., 3.]])
    """
    return np.array([np.mean(result[quantity], axis=1) for result in found])


def peaks(values: Array) -> list[int]:
    """Return, for each seed, the inner place at which the mean of the other seeds is largest.

    Parameters
    ----------
    values : array of shape (seeds, places)
        Values, of which the first and the last place are left out.

    Returns
    -------
    list of int
        Places. A place that is chosen on the same seed would make its value too large; a single seed has no others,
        and chooses the middle.

    Examples
    --------
    >>> peaks(np.array([[0.0, 5.0, 1.0, 0.0], [0.0, 1.0, 2.0, 0.0]]))
    [2, 1]
    """
    seeds, places = values.shape
    if seeds < 2 or places < 4:
        return [places // 2] * seeds
    inner = values[:, 1:-1]
    return [1 + int(np.argmax(np.delete(inner, seed, axis=0).mean(0))) for seed in range(seeds)]
