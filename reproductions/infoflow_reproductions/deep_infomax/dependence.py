"""Which values of the neural dependency measure can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim

FOLDS = 2
"""Folds of the test images, each of which is reported on once."""

LIMIT = math.log(8 * 10_000 / FOLDS)
"""Logarithm of the shuffled rows: eight for each test image of a fold; no data set here has more test images."""


def supported(claim: Claim, *sides: Sequence[float]) -> Claim:
    """Return a claim on the neural dependency measure, not judged where every value is above `LIMIT`.

    Parameters
    ----------
    claim
        The claim.
    sides
        Values in nats that are compared, one sequence over seeds for each setting.

    Returns
    -------
    Claim
        The claim; without a verdict, and with the reason, where every value is above the limit: samples and shuffled
        rows hardly overlap there, and the value follows the size of the discriminator's scores.

    Examples
    --------
    >>> lower = Claim.above("A is lower", [80.0, 81.0, 79.0, 80.5])
    >>> supported(lower, [100.0, 110.0], [5.0, 6.0]).holds, supported(lower, [100.0, 110.0], [20.0, 30.0]).holds
    (True, None)
    """
    if min(min(side) for side in sides) <= LIMIT:
        return claim
    reason = f"not judged: above {LIMIT:.1f} nats NDM follows the size of the discriminator's scores"
    return replace(claim, holds=None, evidence=f"{claim.evidence}; {reason}", sample=None, steps=())
