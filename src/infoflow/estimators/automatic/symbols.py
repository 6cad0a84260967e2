"""Candidates where at least one side is a symbol."""

from __future__ import annotations

import math

import torch

from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.estimators.automatic.variables import PER_PAIR, Variable
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.wrappers.shuffle_corrected import ShuffleCorrected
from infoflow.estimators.wrappers.significance import shuffled_null
from infoflow.pairwise.equal_rows import equal_rows, joint_counts

# Symbols up to which a table is small.
_SMALL = 8

# Values that repeat so often, and are so few, are as likely symbols as numbers in an order.
_FEW, _REPEATED = 16, 0.25

# Samples per pair from which on counts can contradict an estimate that rests on an order of the values.
_PER_PAIR_TO_DOUBT = 1.5

# Standard deviations over shuffles above which there is dependence beyond doubt.
_DEPENDENT = 4.0


def is_sparse(x: Variable, y: Variable) -> bool:
    """Whether the table of two symbols has fewer than 5 samples per pair that occurs and over 8 symbols on a side."""
    return len(x.numbers) < PER_PAIR * occurring(x, y) and max(x.distinct, y.distinct) > _SMALL


def occurring(x: Variable, y: Variable) -> int:
    """Number of different pairs of values of two variables."""
    n = len(x.numbers)
    if max(x.distinct, y.distinct) == n:
        return n
    return equal_rows(torch.cat([x.numbers.flatten(1), y.numbers.flatten(1)], dim=1))[1]


def doubtful_order(x: Variable, y: Variable, found: Estimate) -> tuple[str, ...]:
    """The warning that values which may be symbols were taken as numbers in their order, or nothing.

    Values may be symbols where they are few or repeat. Then counts of the pairs decide: the warning is left out only
    where there are enough of them and the interval reaches what they give.
    """
    n = len(x.numbers)
    few = all(side.symbolic or side.distinct <= min(_FEW, _REPEATED * n) for side in (x, y))
    if few:
        cause = f"there are only {n} samples for {x.distinct * y.distinct} pairs of values"
        effect = "may be off"
    elif found.interval is not None and _repeats(x, y):
        codes = (equal_rows(each.numbers)[0] for each in (x, y))
        counted = Discrete("grassberger").estimate(*codes).nats
        if counted <= found.interval.high:
            return ()
        cause, effect = f"most values repeat, and counts of their pairs give {counted:.2g} nats", "is too low"
    else:
        return ()
    return (
        f"{cause}, but the values were taken as numbers in their order, so that the estimate {effect} if they are "
        "symbols without order; merge rare values or use more samples, or pass discrete_x=True and discrete_y=True to "
        "count",
    )


def _repeats(x: Variable, y: Variable) -> bool:
    """Whether pairs repeat so often that counts can contradict an order; there are no fewer than values of a side."""
    n = len(x.numbers)
    return all(n >= _PER_PAIR_TO_DOUBT * side.distinct for side in (x, y)) and (
        n >= _PER_PAIR_TO_DOUBT * occurring(x, y)
    )


def counting(x: Variable, y: Variable) -> tuple[Estimator, str, tuple[str, ...]]:
    """An estimator for two symbols, the reason, and warnings."""
    n, cells = len(x.numbers), occurring(x, y)
    enough = n >= PER_PAIR * cells
    amount = f"symbols on both sides, {'' if enough else 'only '}{n} samples for {cells} pairs"
    # Of independent symbols with rare values many pairs do not occur, but each adds to the bias of counts.
    if n >= PER_PAIR * x.distinct * y.distinct:
        return Discrete("grassberger"), f"{amount}: counting", ()
    null = shuffled_null(Discrete(), x.samples, y.samples, permutations=20)
    excess = (Discrete().estimate(x.samples, y.samples).nats - null.mean) / max(null.spread, 1e-12)
    if excess <= _DEPENDENT:
        return ShuffleCorrected("discrete"), f"{amount}: counting, less the mean over shuffled samples", ()
    warning = f"there are only {n} samples for {cells} pairs, so the estimate may be off; merge rare symbols"
    why = f"{amount}, dependence beyond doubt: counting with a bias correction"
    return Discrete("grassberger"), why, () if enough else (warning,)


def table_error(x: torch.Tensor, y: torch.Tensor) -> float:
    """Standard error of a plug-in estimate from codes (n,): the spread of log p(x,y)/p(x)p(y), and its second order.

    >>> round(table_error(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])), 3)  # independent: 1/(n √2)
    0.177
    """
    n, labels = len(x), int(y.max()) + 1
    joint = joint_counts(x, y, labels).double()
    pairs = torch.unique(x * labels + y)
    left, right = torch.bincount(x).double(), torch.bincount(y).double()
    terms = torch.log(joint * n / (left[pairs // labels] * right[pairs % labels]))
    mean = float((joint * terms).sum() / n)
    first = float((joint * (terms - mean).square()).sum() / n)
    freedom = (len(left) - 1) * (len(right) - 1)
    return math.sqrt(first / n + freedom / (2 * n**2))
