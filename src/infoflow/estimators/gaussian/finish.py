"""The estimate of a spectrum of canonical correlations."""

from __future__ import annotations

import math
from typing import Any

from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.estimators.gaussian.canonical_pairs import Spectrum


def finish(
    found: Spectrum,
    *,
    quantity: str,
    estimator: str,
    parameters: dict[str, Any],
    bias_correction: bool,
    gaussian: bool,
    components: int | None = None,
    doubts: tuple[str, ...] = (),
) -> Estimate:
    """The estimate of a spectrum: bias subtracted, interval and p-value from large-sample theory."""
    nats = found.information(components)
    exact_bias = bias_correction and parameters["shrinkage"] == "none" and found.freedom > 0
    interval = p_value = None
    ceiling = found.ceiling
    if math.isfinite(nats):
        nats = min(nats - (found.bias(components) if exact_bias else 0.0), ceiling)
        # Conditioning leaves no variates, so their spread is taken from Gaussian theory.
        half = 1.96 * math.sqrt(found.variance(components, gaussian=gaussian or found.ranks[2] > 0))
        interval = Interval(nats - half, min(nats + half, ceiling), spans="samples (large-sample theory)")
    if parameters["shrinkage"] == "none":
        p_value = found.p_value()
    return Estimate(
        nats,
        quantity=quantity,
        kind=Kind.POINT,
        estimator=estimator,
        n=found.n,
        parameters=parameters,
        ceiling=ceiling,
        ceiling_name="" if math.isinf(ceiling) else "closest ranks",
        interval=interval,
        p_value=p_value,
        warnings=(*found.warnings, *doubts),
    )
