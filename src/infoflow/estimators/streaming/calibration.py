"""The temperature at which one soft assignment to m references carries log m nats on the sphere."""

from __future__ import annotations

import functools
import math

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, validated

RELIABLE_DIMENSIONS = 64
"""Dimensions below which the bound that is solved is far from the divergence."""


@functools.cache
def _solved(references: int, dimensions: int) -> float:
    half, order, target = dimensions / 2, dimensions / 2 - 1, math.log(references)

    def divergence(kappa: float) -> float:
        root = math.hypot(kappa, order)
        log_normalizer = root - order + order * math.log(2 * order / (order + root))
        return kappa * kappa / (half + math.hypot(kappa, half)) - log_normalizer

    low, high = 0.0, 1.0
    while divergence(high) < target:
        low, high = high, 2 * high
        if high > 1e12:
            raise InvalidArgument(
                "references",
                f"few enough to be distinguished in {dimensions} dimensions",
                references,
                remedy="Set the temperature.",
            )
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if divergence(middle) < target else (low, middle)
        if middle in (low, high) and math.nextafter(low, high) >= high:
            break
    return 2 / (low + high)


@validated
def calibrated_temperature(references: PositiveInt, dimensions: PositiveInt) -> float:
    """Solve for ε at which a von Mises–Fisher density of concentration 1/ε diverges by log m from the uniform one.

    Parameters
    ----------
    references
        m ≥ 2.
    dimensions
        d ≥ 3.

    Returns
    -------
    float
        ε.

    Raises
    ------
    InvalidArgument
        If d < 3 or m < 2.

    Notes
    -----
    With κ = 1/ε, ν = d/2 − 1 and r = √(κ² + ν²), the equation is κ²/(d/2 + √(κ² + d²/4)) − [r − ν + ν ln(2ν/(ν + r))]
    = ln m: a lower bound of the divergence, which is loose in fewer than about 64 dimensions.

    References
    ----------
    Conklin (2025), Learning is Forgetting, ICLR 2026.

    Examples
    --------
    >>> round(calibrated_temperature(100, 128), 8)
    0.02734796
    """
    if dimensions < 3:
        raise InvalidArgument("dimensions", "at least 3 for a calibrated temperature", dimensions, remedy="Set it.")
    if references < 2:
        raise InvalidArgument("references", "at least 2", references)
    return _solved(references, dimensions)
