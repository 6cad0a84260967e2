"""The settings of an estimator as an estimate prints them: those that differ from the default."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from infoflow.core.settings import Settings


def printed(kind: str, parameters: Mapping[str, Any]) -> str:
    """Name a class with those parameters that differ from its defaults.

    Parameters
    ----------
    kind
        Name of the class.
    parameters
        Values by name. Those that the class states always, those that are none of its fields, and all of an unknown
        class are printed.

    Returns
    -------
    str
        Name such as "KSG(k=5)"; numbers have at most six significant digits.

    Examples
    --------
    >>> printed("Unknown", {"k": 3, "width": 2 / 3})
    'Unknown(k=3, width=0.666667)'
    """
    defaults = _defaults_hidden(kind)
    shown = [
        f"{name}={_text(value)}"
        for name, value in parameters.items()
        if name not in defaults or not _same(value, defaults[name])
    ]
    return f"{kind}({', '.join(shown)})" if shown else kind


def _defaults_hidden(kind: str) -> dict[str, Any]:
    """Default of each field that is not printed at its default."""
    found: Any = next((each for each in _descendants(Settings) if each.__name__ == kind), None)
    if not dataclasses.is_dataclass(found):
        return {}
    stated: tuple[str, ...] = getattr(found, "_stated", ())
    return {part.name: part.default for part in dataclasses.fields(found) if part.name not in stated}


def _descendants(kind: type[Settings]) -> Iterator[type[Settings]]:
    for each in kind.__subclasses__():
        yield each
        yield from _descendants(each)


def _same(value: Any, default: Any) -> bool:
    """Equal and of one type, since True equals 1; False for values that do not compare to one truth value."""
    return type(value) is type(default) and bool(value == default)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple) and value and all(isinstance(each, float) for each in value):
        return f"({', '.join(map(_text, value))}{',' * (len(value) == 1)})"
    if isinstance(value, Settings):
        parts: Any = dataclasses.fields(value)  # type: ignore[arg-type]  # subclasses are dataclasses
        return printed(type(value).__name__, {part.name: getattr(value, part.name) for part in parts})
    return repr(value)
