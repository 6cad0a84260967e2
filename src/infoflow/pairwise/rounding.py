"""How far rounding moves distances, so that it does not decide which samples are nearer than others."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPHERE = 1e-10
"""A distance within this (relative) of the radius is on the sphere."""

ROUNDINGS = 4.0 * float(np.finfo(np.float64).eps)
"""Rounding of a distance, relative to the magnitude of the samples."""


def rounding_slack(radius: Array, magnitude: Array) -> Array:
    """Find by how much a distance may differ from a radius and still be on the sphere.

    Parameters
    ----------
    radius : ndarray of shape (..., n)
        Radii >= 0.
    magnitude : ndarray of shape (n,)
        Norms of the samples, to which their rounding is relative.

    Returns
    -------
    ndarray of shape (..., n)
        Distances; 0 where the radius is 0.

    Examples
    --------
    >>> rounding_slack(np.array([0.0, 1.0]), np.array([1.0, 1.0])).tolist()
    [0.0, 1e-10]
    """
    slack = np.maximum(SPHERE * radius, ROUNDINGS * (magnitude + radius))
    return np.where(radius > 0, slack, 0.0)


def single_is_exact() -> bool:
    """Return whether float32 products are exact to float32, and not in TF32 or bfloat16 by the user's global setting.

    Returns
    -------
    bool
        False also where the setting cannot be read.

    Examples
    --------
    >>> single_is_exact()
    True
    """
    try:
        return torch.get_float32_matmul_precision() == "highest"
    except RuntimeError:  # settings mixed from torch's older and newer interfaces
        return False
