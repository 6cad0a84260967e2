"""Conditional mutual information I(X;Y|Z) around any estimator: the mean over classes of z, and the chain rule."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch
from torch import Tensor

from infoflow.core.arrays import real
from infoflow.core.checks import classes, is_classes, paired, samples
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.wrappers.family import gathered

_QUANTITY = "I(X;Y|Z)"


def over_classes(estimator: Estimator, x: Any, y: Any, z: Any) -> Estimate:
    """I(X;Y|Z) = Σ_c p(c) I(X;Y|Z=c) for classes z; classes too small for the estimator are left out, with a warning.

    Raises as the estimator does, and TooFewSamples if every class is too small.

    >>> from infoflow.estimators.histogram.discrete import Discrete
    >>> over_classes(Discrete(), [0, 1, 0, 1], [0, 1, 1, 0], [0, 0, 1, 1]).bits
    1.0
    """
    codes, count = classes(z, "z")
    parts: list[Estimate] = []
    left_out = 0
    small: TooFewSamples | None = None
    left, right = _rows(x, "x"), _rows(y, "y")
    paired(left, codes, "x", "z")
    paired(right, codes, "y", "z")
    for code in range(count):
        own = codes == code
        try:
            parts.append(estimator.estimate(left[own.to(left.device)], right[own.to(right.device)]))
        except TooFewSamples as error:
            small = error
            left_out += int(own.sum())
    if not parts:
        raise TooFewSamples(f"No class of z holds enough samples. {small}")
    n = sum(part.n for part in parts)
    shares = [part.n / n for part in parts]
    warnings = gathered(parts, "classes of z")
    if left_out:
        warnings += (
            f"{left_out} of {n + left_out} samples are in classes of z that are too small for an estimate; "
            "they were left out",
        )
    return dataclasses.replace(
        parts[0],
        nats=sum(share * part.nats for share, part in zip(shares, parts, strict=True)),
        quantity=_QUANTITY,
        n=n,
        ceiling=sum(share * part.ceiling for share, part in zip(shares, parts, strict=True)),
        ceiling_name=f"mean {parts[0].ceiling_name} over classes" if parts[0].ceiling_name else "",
        interval=None,
        p_value=None,
        warnings=warnings,
    )


def _rows(value: Any, name: str) -> Tensor:
    """Samples as a tensor that can be indexed; integers remain integers, so that they count as symbols or classes."""
    values = real(value, name)
    if values.is_floating_point() or values.ndim == 0:
        return samples(values, name)
    return values.reshape(-1) if is_classes(values) else values


def chain_rule(estimator: Estimator, x: Any, y: Any, z: Any) -> Estimate:
    """I(X;Y|Z) = I(X,Z;Y) − I(Z;Y), whose two errors add up: kind, warnings and interval reflect that.

    >>> from infoflow.estimators.gaussian.canonical_correlation import CCA
    >>> x, y = torch.randn(2, 500, generator=torch.Generator().manual_seed(0))
    >>> chain_rule(CCA(), x, y, x + y).nats > 1
    True
    """
    if is_classes(x) and not is_classes(y):
        x, y = y, x
    left, given = samples(x, "x", dtype=torch.float64), samples(z, "z", dtype=torch.float64)
    right = _rows(y, "y")
    paired(left, given, "x", "z")
    paired(left, right)
    # I(X;Y|Z) = I(X,Z;Y) − I(Z;Y), with classes, if any, as y.
    both = estimator.estimate(torch.cat([left, given.to(left.device)], 1), right)
    alone = estimator.estimate(given, right)
    if not math.isfinite(alone.nats):
        raise InvalidArgument(
            f"I(Z;Y) is {alone.nats} nats, from which I(X;Y|Z) = I(X,Z;Y) − I(Z;Y) does not follow. "
            "Use estimator='ksg', or leave out the columns of z that determine y."
        )
    ceiling, name = both.ceiling, both.ceiling_name
    if is_classes(right):
        entropy = float(plug_in(torch.bincount(classes(right, "y")[0])))
        ceiling, name = (entropy, "H(Y)") if entropy < ceiling else (ceiling, name)
    bounds = {Kind.LOWER_BOUND, Kind.UPPER_BOUND, Kind.DIFFERENCE_OF_BOUNDS} & {both.kind, alone.kind}
    return dataclasses.replace(
        both,
        nats=min(both.nats - alone.nats, ceiling),
        quantity=_QUANTITY,
        kind=Kind.DIFFERENCE_OF_BOUNDS if bounds else both.kind,
        ceiling=ceiling,
        ceiling_name=name,
        interval=_difference(both.interval, alone.interval, ceiling),
        p_value=None,
        warnings=(
            "a difference of two estimates, I(X,Z;Y) − I(Z;Y), whose errors add up; estimator='ksg' has a direct form",
            *gathered([both, alone], "estimates"),
        ),
    )


def _difference(both: Interval | None, alone: Interval | None, ceiling: float) -> Interval | None:
    """From the lowest to the highest difference: each is missed with 1 − level, so both hold with 2·level − 1."""
    if both is None or alone is None:
        return None
    level = both.level + alone.level - 1
    return (
        Interval(both.low - alone.high, min(both.high - alone.low, ceiling), both.spans, level) if level > 0 else None
    )
