"""JSON that comes from a file: parsed, and compared with the dataclass that describes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

_SEAL = "sealed"

_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "an integer", float: "a number"}


def parse_json(content: bytes) -> dict[str, Any]:
    """Parse a JSON object in UTF-8.

    Parameters
    ----------
    content
        The bytes of the file.

    Returns
    -------
    dict
        The object.

    Raises
    ------
    ValueError
        For anything else, such as damaged text, nesting without end or numbers of thousands of digits.

    Examples
    --------
    >>> parse_json(b'{"width": 0.5}')
    {'width': 0.5}
    """
    try:
        value = json.loads(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"it must be an object, got {type(value).__name__}")
    return value


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Add a digest to a JSON object, which `unsealed` compares.

    Parameters
    ----------
    content
        Values that JSON can hold.

    Returns
    -------
    dict
        The same as JSON returns it, and the digest under "sealed".

    Examples
    --------
    >>> unsealed(sealed({"width": 0.5}))
    {'width': 0.5}
    """
    plain: dict[str, Any] = json.loads(json.dumps(dict(content)))
    return {**plain, _SEAL: _digest(plain)}


def unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without the digest that `sealed` added.

    Parameters
    ----------
    content
        A value from `parse_json`.

    Returns
    -------
    dict
        The rest.

    Raises
    ------
    ValueError
        If the digest is missing or of something else.

    Examples
    --------
    >>> unsealed({**sealed({"width": 0.5}), "width": 0.25})
    Traceback (most recent call last):
    ...
    ValueError: it differs from what was recorded
    """
    plain = {name: value for name, value in content.items() if name != _SEAL}
    try:
        found = _digest(plain)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if content.get(_SEAL) != found:
        raise ValueError("it differs from what was recorded")
    return plain


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def decoded(kind: type[T], value: Any, where: str = "it") -> T:
    """Convert a JSON value to a type, once it has the structure that the type describes.

    Parameters
    ----------
    kind
        A dataclass, or `str`, `int`, `float`, `bool`, `list[...]`, `dict[str, ...]`, `X | None` or `Any`. A float may
        be stored as the text "nan", "inf" or "-inf".
    value
        A value from `parse_json`.
    where
        Name of the value, for messages.

    Returns
    -------
    T
        The value as `kind`; keys that a dataclass does not have are ignored.

    Raises
    ------
    ValueError
        If something is missing or of another type.

    Examples
    --------
    >>> decoded(list[int], [1, "2"], "epochs")
    Traceback (most recent call last):
    ...
    ValueError: epochs[1] must be an integer, got '2'
    """
    found: Any = _decoded(kind, value, where)
    result: T = found
    return result


def _decoded(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if isinstance(kind, UnionType):
        others = [each for each in get_args(kind) if each is not NoneType]
        return None if value is None else _decoded(others[0], value, where)
    origin = get_origin(kind) or kind
    if is_dataclass(origin):
        return _dataclass(origin, _of(dict, value, where), where)
    if origin is list:
        (inner,) = get_args(kind)
        return [_decoded(inner, each, f"{where}[{i}]") for i, each in enumerate(_of(list, value, where))]
    if origin is dict:
        inner = get_args(kind)[1]
        return {name: _decoded(inner, each, f"{where}[{name!r}]") for name, each in _of(dict, value, where).items()}
    if origin is float:
        if value in ("nan", "inf", "-inf"):
            return float(value)
        number = value if isinstance(value, float) else _of(int, value, where, "a number")
        if abs(number) >= 2**1023:
            raise ValueError(f"{where} must be a number, got one that is too large")
        return float(number)
    return _of(origin, value, where)


def _of(kind: type, value: Any, where: str, name: str | None = None) -> Any:
    # A bool is an int to Python, and no number in a file.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        shown = repr(value)
        raise ValueError(f"{where} must be {name or _NAMES[kind]}, got {shown[:60]}{'...' * (len(shown) > 60)}")
    return value


def _dataclass(kind: Any, value: Mapping[str, Any], where: str) -> Any:
    hints = get_type_hints(kind)
    found = {}
    for part in fields(kind):
        if part.name in value:
            found[part.name] = _decoded(hints[part.name], value[part.name], part.name)
        elif part.default is MISSING and part.default_factory is MISSING:
            raise ValueError(f"{where} lacks {part.name!r}")
    return kind(**found)
