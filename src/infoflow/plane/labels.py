"""What an estimator is called in the plane's table."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from infoflow.core.errors import InvalidArgument


def label(estimator: Any) -> str:
    """The estimator's class and those of its settings that aren't the default; so too of an estimator within it.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Binning:
    ...     width: float | None = None
    ...     bins: int = 30
    >>> label(Binning(width=0.07)), label(Binning())
    ('Binning(width=0.07)', 'Binning')
    >>> @dataclass(frozen=True)
    ... class Noisy:
    ...     estimator: Binning = Binning()
    >>> label(Noisy(Binning(bins=10)))
    'Noisy(estimator=Binning(bins=10))'
    """
    kind = type(estimator).__name__
    settings = [f"{name}={_short(value)}" for name, value, default in _settings(estimator) if value != default]
    return f"{kind}({', '.join(settings)})" if settings else kind


def _short(value: Any) -> str:
    return label(value) if dataclasses.is_dataclass(value) else repr(value)


def labels(estimators: Sequence[Any]) -> list[str]:
    """Each estimator's label. Raises InvalidArgument when one is given twice.

    >>> labels([1.5, "text"])
    ['float', 'str']
    """
    found = [label(estimator) for estimator in estimators]
    for name in found:
        if found.count(name) > 1:
            raise InvalidArgument(f"estimator {name} is given {found.count(name)} times; want each once")
    return found


def description(estimator: Any) -> str:
    """Everything that determines what the estimator returns: its class, by its full name, and all its settings."""
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    if not dataclasses.is_dataclass(estimator):
        return f"{kind}: {estimator!r}"
    return f"{kind}({', '.join(f'{name}={value!r}' for name, value, _ in _settings(estimator))})"


def _settings(estimator: Any) -> list[tuple[str, Any, Any]]:
    """(name, value, default) of a dataclass's fields."""
    if not dataclasses.is_dataclass(estimator):
        return []
    return [
        (part.name, getattr(estimator, part.name), _default(part))
        for part in dataclasses.fields(estimator)
        if part.init
    ]


def _default(part: dataclasses.Field[Any]) -> Any:
    if part.default_factory is not dataclasses.MISSING:
        return part.default_factory()
    return part.default
