"""What estimators around another estimator share: resolving it, and gathering what it warned of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infoflow.errors import InvalidArgument
from infoflow.interface import Estimate, Estimator


def resolve(estimator: str | Estimator) -> Any:
    """The estimator object, made with its defaults when it was given by name.

    >>> resolve("binning")
    Binning(...)
    """
    if isinstance(estimator, str):
        from infoflow.estimators.registry import create  # the registry knows the wrappers too

        return create(estimator)
    if isinstance(estimator, type) or not isinstance(estimator, Estimator):
        raise InvalidArgument(f"estimator is {estimator!r}; want a name or an object with estimate(x, y)")
    return estimator


def gathered(estimates: Sequence[Estimate], what: str) -> tuple[str, ...]:
    """One warning for each cause, told by its first words, with how many of the estimates had it."""
    first: dict[str, str] = {}
    count: dict[str, int] = {}
    for estimate in estimates:
        for warning in estimate.warnings:
            cause = " ".join(warning.split()[:3])
            first.setdefault(cause, warning)
            count[cause] = count.get(cause, 0) + 1
    return tuple(f"in {count[cause]} of {len(estimates)} {what}: {text}" for cause, text in first.items())
