"""Which estimators a plane can be drawn with: those of both axes, and those of I(T;Y) alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, Protocol, runtime_checkable

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, LayerInformation
from infoflow.estimators.registry import Ability, can, names, resolve


@runtime_checkable
class LayerEstimator(Protocol):
    """Estimates I(X;T) and I(T;Y) of activations t (n, d) with classes y (n,) and inputs x (n, ...)."""

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation: ...


def placed(estimator: Any) -> Any:
    """The estimator object, once it is clear that it has a place in a plane.

    Parameters
    ----------
    estimator
        Text such as "ksg:k=5", an object with `measure(t, y, x=None)`, or one of I(T;Y) alone.

    Returns
    -------
    object
        The estimator.

    Raises
    ------
    InvalidArgument
        If the estimator has no place; the message lists those that have one.

    Examples
    --------
    >>> placed("ksg:k=5")
    KSG(k=5...)
    >>> placed("cca")
    Traceback (most recent call last):
    infoflow.core.errors.InvalidArgument: estimators must be able to measure layers, ...
    """
    found = resolve(estimator) if isinstance(estimator, str | type) else estimator  # type: ignore[arg-type]
    if measures_both(found) or can(found, Ability.LABEL) or _foreign(found):
        return found
    raise InvalidArgument(
        "estimators",
        "able to measure layers",
        estimator,
        remedy=f"I(X;T) and I(T;Y): {', '.join(names(Ability.PLANE))}, or an object with measure(t, y, x=None). "
        f"I(T;Y) alone: {', '.join(names(Ability.LABEL))}, or an object of your own with estimate(t, y).",
    )


def all_placed(estimators: Any, argument: str = "estimators") -> list[Any]:
    """The estimator objects of one text or object, or of several.

    Raises
    ------
    InvalidArgument
        If there is none, or one has no place in a plane.

    Examples
    --------
    >>> all_placed("ksg:k=5") == all_placed(["ksg:k=5"])
    True
    """
    found = [placed(each) for each in listed(estimators)]
    if not found:
        raise InvalidArgument(argument, "at least one estimator", got_text="none")
    return found


def listed(estimators: Any) -> list[Any]:
    """One text or object, or several, as a list.

    Examples
    --------
    >>> listed("ksg:k=5"), listed(("ksg", "binning"))
    (['ksg:k=5'], ['ksg', 'binning'])
    """
    return list(estimators) if isinstance(estimators, Iterable) and not isinstance(estimators, str) else [estimators]


def measures_both(estimator: Any) -> bool:
    """Whether the estimator object has both axes."""
    return can(estimator, Ability.PLANE) or isinstance(estimator, LayerEstimator)


def _foreign(estimator: Any) -> bool:
    """Whether this is an estimator of the user's, whose `estimate` decides what it takes."""
    outside = not type(estimator).__module__.startswith("infoflow.")
    return outside and callable(getattr(estimator, "estimate", None))


def measured(estimator: Any, t: Any, y: Any, x: Any) -> list[tuple[str, Estimate]]:
    """The estimates of one layer by axis: "input" and "label", or "label" alone."""
    if measures_both(estimator):
        return by_axis(estimator.measure(t, y, x))
    found = estimator.estimate(t, y)
    names_of_layer = {name: getattr(found, name).replace("(X", "(T") for name in ("quantity", "ceiling_name")}
    return [("label", dataclasses.replace(found, **names_of_layer))]


def by_axis(information: Iterable[Estimate]) -> list[tuple[str, Estimate]]:
    """The two estimates with their axes."""
    return list(zip(("input", "label"), information, strict=True))
