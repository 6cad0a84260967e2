"""Settings validated by declaration: a field or parameter states its range in its type.

A dataclass that derives from `Settings` checks its fields when it is constructed, a function decorated with
`validated` its arguments. Ranges are `Annotated` types such as `PositiveInt`; `bool` and `Literal` types are checked
as they stand, `X | None` accepts None. Other types are not checked.
"""

from __future__ import annotations

import functools
import inspect
import math
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np
import torch

from infoflow.core.errors import InvalidArgument, UnknownName

P = ParamSpec("P")
R = TypeVar("R")


class Rule(Protocol):
    """A range of values: `wanted` describes it, `accept` returns a plain Python value or raises ValueError."""

    @property
    def wanted(self) -> str: ...

    def accept(self, value: Any) -> Any: ...


@dataclass(frozen=True)
class Integer:
    """Integers of at least `minimum` and at most `maximum`; booleans and floats are not integers."""

    minimum: int = 1
    maximum: int | None = None

    @property
    def wanted(self) -> str:
        upper = "" if self.maximum is None else f" and <= {self.maximum}"
        return f"an integer >= {self.minimum}{upper}"

    def accept(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise ValueError
        if value < self.minimum or (self.maximum is not None and value > self.maximum):
            raise ValueError
        return int(value)


@dataclass(frozen=True)
class Number:
    """Finite numbers in an interval, whose ends `open_low` and `open_high` exclude; integers remain integers."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    @property
    def wanted(self) -> str:
        ends = []
        if math.isfinite(self.low):
            ends.append(f"{'>' if self.open_low else '>='} {self.low:g}")
        if math.isfinite(self.high):
            ends.append(f"{'<' if self.open_high else '<='} {self.high:g}")
        return " ".join(["a finite number", " and ".join(ends)]).rstrip()

    def accept(self, value: Any) -> float:
        if isinstance(value, bool | str | bytes):
            raise ValueError
        try:
            number = float(value)
        except (TypeError, OverflowError):
            raise ValueError from None
        below = number <= self.low if self.open_low else number < self.low
        above = number >= self.high if self.open_high else number > self.high
        if not math.isfinite(number) or below or above:
            raise ValueError
        # An estimator is named by its settings as they were given: "width=1" is not "width=1.0".
        return int(value) if isinstance(value, int | np.integer) else number


@dataclass(frozen=True)
class OneOf:
    """One of some names; `options` may be a function, for names that are known only later."""

    options: tuple[Any, ...] | Callable[[], Iterable[Any]]

    @property
    def known(self) -> tuple[Any, ...]:
        return tuple(self.options()) if callable(self.options) else self.options

    @property
    def wanted(self) -> str:
        return "one of " + ", ".join(map(repr, self.known))

    def accept(self, value: Any) -> Any:
        for option in self.known:
            if type(option) is type(value) and option == value:
                return option
        raise ValueError


@dataclass(frozen=True)
class Each:
    """Sequences of at least `length` members that each obey one rule; text and mappings are not sequences here."""

    rule: Rule
    length: int = 0

    @property
    def wanted(self) -> str:
        least = f" of at least {self.length}" if self.length else ""
        return f"a sequence{least}, with each member {self.rule.wanted}"

    def accept(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise ValueError
        members = tuple(self.rule.accept(member) for member in value)
        if len(members) < self.length:
            raise ValueError
        return members


@dataclass(frozen=True)
class Flag:
    """True or False, of Python or NumPy; 0, 1 and text are neither."""

    wanted: str = "True or False"

    def accept(self, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise ValueError
        return bool(value)


@dataclass(frozen=True)
class _Absent:
    wanted: str = "None"

    def accept(self, value: Any) -> None:
        if value is not None:
            raise ValueError


@dataclass(frozen=True)
class _AnyOf:
    rules: tuple[Rule, ...]

    @property
    def wanted(self) -> str:
        return " or ".join(rule.wanted for rule in self.rules)

    def accept(self, value: Any) -> Any:
        for rule in self.rules:
            try:
                return rule.accept(value)
            except ValueError:
                continue
        raise ValueError


PositiveInt = Annotated[int, Integer(1)]
NonNegativeInt = Annotated[int, Integer(0)]
Seed = Annotated[int, Integer(0)]
PositiveFloat = Annotated[float, Number(0, open_low=True)]
NonNegativeFloat = Annotated[float, Number(0)]
FiniteFloat = Annotated[float, Number()]
Fraction = Annotated[float, Number(0, 1, open_low=True, open_high=True)]
"""A number strictly between 0 and 1."""
Probability = Annotated[float, Number(0, 1)]
"""A number from 0 to 1, ends included."""


def _rule(hint: Any) -> Rule | None:
    """The rule that a type states, or None where it states none."""
    if hint is bool:
        return Flag()
    if hint is type(None):
        return _Absent()
    origin = get_origin(hint)
    if origin is Annotated:
        stated: list[Rule] = [item for item in get_args(hint)[1:] if hasattr(item, "accept")]
        return stated[0] if stated else _rule(get_args(hint)[0])
    if origin is Literal:
        return OneOf(get_args(hint))
    if origin in (Union, types.UnionType):
        rules = [_rule(part) for part in get_args(hint)]
        known = [rule for rule in rules if rule is not None]
        return _AnyOf(tuple(known)) if len(known) == len(rules) else None
    return None


def check(value: Any, name: str, rule: Rule) -> Any:
    """Return the value as a plain Python type, if the rule accepts it.

    Parameters
    ----------
    value
        The value.
    name
        Name of the setting, for messages.
    rule
        Range of values.

    Returns
    -------
    Any
        What the rule makes of the value.

    Raises
    ------
    UnknownName
        If the rule is a list of names and a string is none of them.
    InvalidArgument
        If the value is outside of the range.

    Examples
    --------
    >>> check(np.int64(3), "k", Integer(1))
    3
    >>> check(0, "k", Integer(1))
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: k must be an integer >= 1, got 0.
    """
    try:
        return rule.accept(value)
    except ValueError:
        rules = rule.rules if isinstance(rule, _AnyOf) else (rule,)
        names = [str(option) for each in rules if isinstance(each, OneOf) for option in each.known]
        if names and isinstance(value, str):
            raise UnknownName(name, value, names) from None
        raise InvalidArgument(name, rule.wanted, value) from None


@functools.cache
def _rules(owner: Any) -> dict[str, Rule]:
    hints = get_type_hints(owner, include_extras=True)
    return {name: rule for name, hint in hints.items() if (rule := _rule(hint)) is not None}


class Settings:
    """Base of frozen dataclasses whose fields are checked on construction, by the ranges that their types state.

    Raises
    ------
    InvalidArgument
        If a field is outside of its range; `UnknownName` for an unknown name, with the closest one.

    Notes
    -----
    A subclass with conditions between fields extends `__post_init__` and calls this one first.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Example(Settings):
    ...     k: PositiveInt = 3
    ...     scale: Literal["none", "ranks"] = "none"
    >>> Example(k=5)
    Example(k=5, scale='none')
    >>> Example(scale="rank")
    Traceback (most recent call last):
    ...
    infoflow.core.errors.UnknownName: unknown scale 'rank'. Did you mean 'ranks'? Known: none, ranks.
    """

    _stated: ClassVar[tuple[str, ...]] = ()  # settings that an estimate prints even at their defaults

    def __post_init__(self) -> None:
        kind: Any = type(self)
        rules = _rules(kind)
        for field in fields(self):  # type: ignore[arg-type]  # subclasses are dataclasses
            if field.init and field.name in rules:
                object.__setattr__(self, field.name, check(getattr(self, field.name), field.name, rules[field.name]))


def validated(function: Callable[P, R]) -> Callable[P, R]:
    """Check a function's arguments by the ranges that their types state, before it runs.

    Raises
    ------
    InvalidArgument
        From the decorated function, if an argument is outside of its range.

    Notes
    -----
    Nothing is checked while `torch.compile` traces a call, since a check of values would break the graph.

    Examples
    --------
    >>> @validated
    ... def repeat(text: str, times: PositiveInt = 2) -> str:
    ...     return text * times
    >>> repeat("ab", times=0)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: times must be an integer >= 1, got 0.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if torch.compiler.is_compiling():
            return function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        rules = _rules(function)
        for name, value in bound.arguments.items():
            if name in rules:
                bound.arguments[name] = check(value, name, rules[name])
        return function(*bound.args, **bound.kwargs)

    return run
