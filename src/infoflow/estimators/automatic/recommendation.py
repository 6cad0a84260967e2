"""The default's choice without training: name and settings of an estimator, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from infoflow.core.protocols import Estimator
from infoflow.estimators.automatic import numbers
from infoflow.estimators.automatic.policy import Auto, Choice
from infoflow.estimators.automatic.ties import SpreadTies
from infoflow.estimators.registry import ESTIMATORS, create


@dataclass(frozen=True)
class Recommendation:
    """An estimator's name and settings, the reason, and alternatives.

    Parameters
    ----------
    estimator
        Name of the estimator.
    why
        Reason for the choice, as text.
    parameters
        Settings of the estimator.
    alternatives
        Names of other estimators to compare with.

    Examples
    --------
    >>> print(Recommendation("ksg", "few dimensions", {"k": 5}).why)
    few dimensions
    """

    estimator: str
    why: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()

    def create(self) -> Estimator:
        """Create the estimator.

        Returns
        -------
        Estimator
            An object with `estimate(x, y)`.

        Examples
        --------
        >>> Recommendation("ksg", "few dimensions", {"k": 5}).create()
        KSG(k=5...)
        """
        chosen: Estimator = create(self.estimator, **self.parameters)
        return chosen


def recommend(x: Any, y: Any) -> Recommendation:
    """Recommend an estimator of I(X;Y) for given samples, as `Auto` chooses it.

    Parameters
    ----------
    x, y : array-like of shape (n, ...)
        Paired samples of numbers, of which at most 10000 are used.

    Returns
    -------
    Recommendation
        Name and settings of the estimator, the reason, and alternatives.

    Raises
    ------
    InvalidArgument
        If the samples are not finite numbers or their lengths differ.

    Notes
    -----
    The rules are those of `Auto`, but nothing is trained: where `Auto` would train critics, "neural" is recommended.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> recommend(x, np.exp(x + rng.normal(size=2000))).estimator
    'gaussian'
    >>> print(recommend(x, x**2 + rng.normal(size=2000)).why)
    x: numbers, y: numbers; KSG (k = ..., ...) exceeds a Gaussian by ... nats (... standard errors); KSG ...
    """
    auto = Auto()
    prepared = auto.prepared(x, y)
    if isinstance(prepared, Choice):
        found, why, learn = prepared.estimator, prepared.estimate.why, False
    else:
        decision = numbers.decide(prepared.x, prepared.y)
        found, why, learn = decision.estimator, f"{prepared.note}; {decision.estimate.why}", decision.learn
    if learn:
        inside = "spread-ties" if isinstance(found, SpreadTies) else "ksg"
        return Recommendation(
            "neural", f"{why}; in many dimensions neighbors are too low", {}, (inside, "smile", "doe")
        )
    name = next(each for each, entry in ESTIMATORS.items() if not entry.preset and entry.load() is type(found))
    default = create(name)
    parameters = {
        each.name: getattr(found, each.name)
        for each in fields(found)  # type: ignore[arg-type]
        if getattr(found, each.name) != getattr(default, each.name)
    }
    others = {"gaussian": ("ksg", "cca"), "ksg": ("mixed", "neural"), "discrete": ("discrete:correction=nsb",)}
    return Recommendation(name, why, parameters, others.get(name, ("ksg",)))
