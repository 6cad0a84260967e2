"""The warning for a learned estimate below what correlations of held-out samples show."""

from __future__ import annotations

from torch import Tensor

from infoflow.estimators.gaussian.column_correlations import excess
from infoflow.estimators.gaussian.held_out import correlation_bound

# Standard deviations above which correlations of columns are beyond chance.
_BEYOND_CHANCE = 6.0


def below_correlations(x: Tensor, y: Tensor, nats: float, half: float) -> tuple[str, ...]:
    """The warning that `nats` ± `half` of columns (n, d) are too low, or nothing.

    A lower bound by held-out correlations, less two standard errors, is a floor; and where 0 is not excluded,
    correlations of columns beyond chance exclude it.

    >>> import torch
    >>> x, e = torch.randn(2, 500, 3, generator=torch.Generator().manual_seed(0))
    >>> below_correlations(x, x + e, 1.0, 0.1), len(below_correlations(x, x + e, 0.0, 0.1))
    ((), 1)
    """
    bound, error = correlation_bound(x.flatten(1), y.flatten(1))
    nats = max(nats, 0.0)
    if bound - 2 * error > 0.1 + 1.1 * nats:
        cause = f"correlations of held-out samples alone show at least {bound:.2g} nats"
    elif nats - half <= 0 and (beyond := excess(x.flatten(1), y.flatten(1))) > _BEYOND_CHANCE:
        cause = f"the columns of x and y correlate beyond chance (by {beyond:.0f} standard deviations)"
    else:
        return ()
    return (
        f"{cause}, so {nats:.2g} nats are too low; use estimator='cca' with shrinkage='oas', estimator='blocks', fewer "
        "dimensions, more samples or another learning_rate",
    )
