"""What Fano's inequality requires of a decision with a known error."""

from __future__ import annotations

import math


def fano(error: float, entropy: float, classes: int) -> float:
    """Return the least I(L;Y), so the least H(L), of a decision L that errs so often: H(Y) − h(e) − e log(C − 1) ≥ 0.

    >>> round(fano(0.0, math.log(10), 10), 4), fano(0.9, math.log(10), 10) < 1e-9
    (2.3026, True)
    """
    spread = -sum(p * math.log(p) for p in (error, 1 - error) if p > 0)
    return max(entropy - spread - error * math.log(classes - 1), 0.0)
