"""Names of estimators in the plane's table: the class with those settings that differ from the default."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from infoflow.core.errors import InfoflowError, InvalidArgument
from infoflow.estimators.registry import parse


def display_name(estimator: Any) -> str:
    """The estimator's class with those settings that differ from the default, inner estimators included.

    Parameters
    ----------
    estimator
        An estimator; settings are shown for dataclasses.

    Returns
    -------
    str
        Name such as "Binning(width=0.07)".

    Examples
    --------
    >>> from infoflow.estimators import create
    >>> display_name(create("binning", width=0.07)), display_name(create("kernel-density"))
    ('Binning(width=0.07)', 'KernelDensity')
    """
    kind = type(estimator).__name__
    settings = [f"{name}={_text(value)}" for name, value, default in _settings(estimator) if value != default]
    return f"{kind}({', '.join(settings)})" if settings else kind


def display_names(estimators: Sequence[Any]) -> list[str]:
    """The name of each estimator.

    Parameters
    ----------
    estimators
        Estimators that differ in class or settings.

    Returns
    -------
    list of str
        Their names, in the same order.

    Raises
    ------
    InvalidArgument
        If two names are equal.

    Examples
    --------
    >>> display_names([1.5, "text"])
    ['float', 'str']
    """
    found = [display_name(estimator) for estimator in estimators]
    for name in found:
        if found.count(name) > 1:
            raise InvalidArgument("estimators", "different from each other", got_text=f"{name} twice")
    return found


def find(estimator: str, names: Sequence[str]) -> str | None:
    """The display name among `names` that a text means: that name itself, or the text from which it was made.

    Parameters
    ----------
    estimator
        Display name, or text such as "ksg:k=5".
    names
        Display names.

    Returns
    -------
    str
        The display name; None if there is none.

    Examples
    --------
    >>> find("binning:width=0.5", ["KSG", "Binning(width=0.5)"]), find("KSG", ["KSG"]), find("ksg:k=5", ["KSG"])
    ('Binning(width=0.5)', 'KSG', None)
    """
    if estimator in names:
        return estimator
    try:
        name = display_name(parse(estimator))
    except InfoflowError:
        return None
    if name in names:
        return name
    # A name without settings means the one estimator of that class.
    same = [each for each in names if each.partition("(")[0] == name]
    return same[0] if len(same) == 1 and ":" not in estimator else None


def description(estimator: Any) -> str:
    """Everything that determines what the estimator returns: its class by its full name, and all its settings."""
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    if not dataclasses.is_dataclass(estimator):
        return f"{kind}: {estimator!r}"
    return f"{kind}({', '.join(f'{name}={value!r}' for name, value, _ in _settings(estimator))})"


def _text(value: Any) -> str:
    return display_name(value) if dataclasses.is_dataclass(value) else repr(value)


def _settings(estimator: Any) -> list[tuple[str, Any, Any]]:
    """Name, value and default of a dataclass's fields."""
    if not dataclasses.is_dataclass(estimator):
        return []
    return [
        (part.name, getattr(estimator, part.name), _default(part))
        for part in dataclasses.fields(estimator)
        if part.init
    ]


def _default(part: dataclasses.Field[Any]) -> Any:
    return part.default if part.default_factory is dataclasses.MISSING else part.default_factory()
