"""Conditional mutual information I(X;Y|Z) around any estimator of mutual information."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, is_classes, paired, samples
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.registry import Ability, can, resolve
from infoflow.estimators.wrappers.warnings import gathered

_QUANTITY = "I(X;Y|Z)"


def conditional_mutual_information(
    x: Any, y: Any, z: Any, estimator: str | Estimator = "ksg", **parameters: Any
) -> Estimate:
    """Estimates I(X;Y|Z) in nats from samples x, y and z of shape (n, ...); integer one-dimensional ones are classes.

    - z are classes: Σ_c p(c) I(X;Y|Z=c), the estimator's answers class by class. So I(X;T|Y), what a layer keeps of the
      input beyond the label, is `conditional_mutual_information(x, t, y)`.
    - z is continuous: the estimator's own `conditional(x, y, z)` where it has one (`KSG`, `Gaussian`), else the chain
      rule I(X,Z;Y) − I(Z;Y), whose two errors add up: the estimate's kind and warnings say so, and its interval runs
      from the least to the greatest difference of the two, at the level 1 − 2α of two at 1 − α. A critic's
      (`conditional_mutual_information(x, y, z, "neural")`) is a difference of two lower bounds and bounds nothing.

    `estimator` is a name (its parameters follow as keywords) or an estimator object.

    Raises InvalidArgument for what isn't samples and for unequal lengths, UnknownName, and TooFewSamples where no class
    holds enough for the estimator.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(2, 3000))
    >>> z = x + y  # independent x and y become dependent once their sum is known
    >>> conditional_mutual_information(x, y, z + rng.normal(size=3000)).nats  # -½ log(1 - 1/4) = 0.1438
    0.2
    >>> conditional_mutual_information(x, x + y, np.arange(3000) % 2).nats  # the class says nothing: ½ log 2
    0.3
    """
    chosen = resolve(estimator, **parameters)
    if is_classes(z):
        return over_classes(chosen, x, y, z)
    if can(chosen, Ability.CONDITIONAL):
        answer: Estimate = chosen.conditional(x, y, z)
        return answer
    return _chain(chosen, x, y, z)


def over_classes(estimator: Estimator, x: Any, y: Any, z: Any) -> Estimate:
    """I(X;Y|Z) = Σ_c p(c) I(X;Y|Z=c) for classes z; classes too small for the estimator are left out, with a warning.

    Raises as the estimator does, and TooFewSamples when every class is too small.

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
        raise TooFewSamples(f"no class of z holds enough samples: {small}")
    n = sum(part.n for part in parts)
    shares = [part.n / n for part in parts]
    warnings = gathered(parts, "classes of z")
    if left_out:
        warnings += (f"{left_out} of {n + left_out} samples are in classes of z too small to estimate in: left out",)
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
    """Samples as a tensor that can be indexed, classes left as they are."""
    if is_classes(value):
        return torch.as_tensor(value).reshape(-1)
    return samples(value, name)


def _chain(estimator: Estimator, x: Any, y: Any, z: Any) -> Estimate:
    if is_classes(x) and not is_classes(y):
        x, y = y, x
    left, given = samples(x, "x", dtype=torch.float64), samples(z, "z", dtype=torch.float64)
    right = _rows(y, "y")
    paired(left, given, "x", "z")
    paired(left, right)
    # I(X;Y|Z) = I(X,Z;Y) − I(Z;Y): the classes, if any, stay on their side.
    both = estimator.estimate(torch.cat([left, given.to(left.device)], 1), right)
    alone = estimator.estimate(given, right)
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
            "a difference of two estimates, I(X,Z;Y) − I(Z;Y), whose errors add up; 'ksg' has a form of its own",
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
