"""The default for variables of numbers and symbols side by side: nearest neighbors, with an interval."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from infoflow.core.estimate import Estimate, Interval
from infoflow.core.variable import Variable
from infoflow.estimators.automatic.description import LINE, WIDTH_OF_NEIGHBORS
from infoflow.estimators.automatic.limits import dependent, inflation
from infoflow.estimators.neighbors.mixed import MixedKSG

# Neighbors, and fewer where less than so many samples share a combination of symbols: distances end at its border.
_NEIGHBORS, _FEWER, _PER_COMBINATION = 5, 3, 60


def neighbors_of(x: Variable, y: Variable) -> MixedKSG:
    """The estimator for these variables; `k` is smaller where few samples share all symbols.

    >>> from infoflow.core.columns import read
    >>> neighbors_of(read({"a": ["u", "v"] * 100, "b": [0.5, 1.5] * 100}, "x"), read([1.0, 2.0] * 100, "y")).k
    5
    """
    combinations = max(_combinations(x), _combinations(y))
    return MixedKSG(k=_FEWER if len(x) < _PER_COMBINATION * combinations else _NEIGHBORS, rescale="none")


def described(found: Estimate, estimator: MixedKSG, x: Variable, y: Variable) -> Estimate:
    """The estimate with an interval from the spread of its terms, its reason, and warnings.

    The interval is higher by what a line through the means for k and 1 neighbors adds, which more neighbors hide.
    """
    sides = [side.codes if side.symbolic else side.spaced for side in (x, y)]
    terms = estimator.pointwise(*sides)
    few = float(replace(estimator, k=1).pointwise(*sides).mean())
    wide = [torch.from_numpy(side.indicators) for side in (x, y)]
    n, tau = len(x), inflation(*wide)
    freedom = wide[0].shape[1] * wide[1].shape[1]
    error = math.sqrt(tau) * math.sqrt(float(terms.var()) / n + freedom / (2 * n**2))
    half, hidden = WIDTH_OF_NEIGHBORS * error, 1.5 * max(0.0, few - float(terms.mean()))
    low = found.nats - half
    warnings = [*found.warnings, *dependent(tau, n)]
    if low <= 0:
        warnings.append(
            f"no dependence coarser than {n} samples resolve was found, so that 0 is not excluded; finer dependence "
            "would need more samples"
        )
    numbers = max(2, x.columns.shape[1] + y.columns.shape[1])
    if numbers > LINE:
        warnings.append(
            f"nearest neighbors underestimate in {numbers} dimensions, so that the estimate is rather too low; use "
            "more samples, or fewer dimensions"
        )
    names = " and ".join(side.name for side in (x, y) if side.mixed)
    return replace(
        found,
        interval=Interval(low, found.nats + half + hidden, spans="samples (spread of the terms)"),
        warnings=tuple(warnings),
        why=f"{names}: numbers and symbols side by side; {estimator.k} nearest neighbors among equal symbols",
    )


def _combinations(side: Variable) -> int:
    return len(np.unique(side.symbols, axis=0)) if side.symbols.shape[1] else 1
