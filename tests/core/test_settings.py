"""Rules for settings, declared in types and checked in dataclasses and functions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from infoflow.core.settings import (
    Each,
    Integer,
    NonNegativeFloat,
    Number,
    OneOf,
    PositiveFloat,
    PositiveInt,
    Seed,
    Settings,
    check,
    validated,
)
from infoflow.errors import InvalidArgument, UnknownName

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.integers()),
    st.complex_numbers(),
)


@dataclass(frozen=True)
class Example(Settings):
    k: PositiveInt = 3
    width: PositiveFloat | Literal["auto"] = "auto"
    scale: Literal["none", "ranks"] = "none"
    copula: bool = False
    noise: NonNegativeFloat | None = None
    free: Any = None


@given(value=ANYTHING, low=st.integers(-5, 5), span=st.one_of(st.none(), st.integers(0, 9)))
def test_integer_accepts_exactly_the_integers_of_its_range(value: Any, low: int, span: int | None) -> None:
    high = None if span is None else low + span
    fits = type(value) is int and value >= low and (high is None or value <= high)
    if fits:
        assert check(value, "k", Integer(low, high)) == value
    else:
        with pytest.raises(InvalidArgument) as raised:
            check(value, "k", Integer(low, high))
        assert raised.value.argument == "k"


@given(value=ANYTHING, low=st.floats(-5, 5), span=st.floats(0, 9), opens=st.tuples(st.booleans(), st.booleans()))
def test_number_accepts_exactly_the_finite_numbers_of_its_interval(
    value: Any, low: float, span: float, opens: tuple[bool, bool]
) -> None:
    rule = Number(low, low + span, *opens)
    fits = type(value) in (int, float) and abs(value) < 1e300 and math.isfinite(value) and low <= value <= low + span
    fits = fits and not (opens[0] and value == low) and not (opens[1] and value == low + span)
    if fits:
        assert check(value, "width", rule) == value
    else:
        with pytest.raises(InvalidArgument, match=r"^width must be a finite number"):
            check(value, "width", rule)


@given(value=ANYTHING)
def test_a_flag_is_a_boolean_only(value: Any) -> None:
    if isinstance(value, bool):
        assert Example(copula=value).copula is value
    else:
        with pytest.raises(InvalidArgument, match=r"^copula must be True or False"):
            Example(copula=value)


def test_values_of_numpy_become_plain() -> None:
    made = Example(k=np.int64(5), width=np.float32(0.5), copula=np.True_)  # type: ignore[arg-type]
    assert (type(made.k), type(made.width), type(made.copula)) == (int, float, bool)


@pytest.mark.parametrize(
    "change", [{"k": 0}, {"k": True}, {"k": 2.0}, {"width": 0}, {"width": math.nan}, {"noise": -1}]
)
def test_a_field_outside_of_its_range_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument) as raised:
        Example(**change)
    assert raised.value.argument == next(iter(change))


def test_an_unknown_name_has_a_suggestion_but_a_number_has_none() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'ranks'"):
        Example(scale="rank")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"^scale must be one of"):
        Example(scale=3)  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="Known: auto"):
        Example(width="wide")  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"^width must be a finite number > 0 or one of 'auto'"):
        Example(width=-1.0)


def test_none_and_unchecked_types_pass() -> None:
    assert Example(noise=None, free=[1]) == Example(free=[1])


def test_names_may_be_known_late() -> None:
    names = ["first"]
    rule = OneOf(lambda: names)
    names.append("second")
    assert check("second", "layer", rule) == "second"


def test_each_member_of_a_sequence_obeys_the_rule() -> None:
    assert check([np.int64(3), 1], "widths", Each(Integer(1), length=1)) == (3, 1)
    for value in ([], [0], "34", 3):
        with pytest.raises(InvalidArgument, match=r"^widths must be a sequence of at least 1"):
            check(value, "widths", Each(Integer(1), length=1))


def test_settings_stay_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Example().k = 5  # type: ignore[misc]


@validated
def drawn(
    n: Annotated[int, Integer(2)], *more: int, seed: Seed = 0, form: Literal["a", "b"] = "a"
) -> tuple[int, int, str]:
    """Return the arguments."""
    return n, seed, form


def test_a_validated_function_checks_what_it_is_given() -> None:
    assert drawn(np.int64(2), form="b") == (2, 0, "b")  # type: ignore[arg-type]
    assert drawn.__doc__ == "Return the arguments."
    calls: tuple[tuple[Callable[[], object], str], ...] = (
        (lambda: drawn(1), "n"),
        (lambda: drawn(n=2, seed=-1), "seed"),
        (lambda: drawn(2, form="c"), "form"),  # type: ignore[arg-type]
    )
    for call, name in calls:
        with pytest.raises(InvalidArgument) as raised:
            call()
        assert raised.value.argument == name
    with pytest.raises(TypeError):
        drawn()  # type: ignore[call-arg]


def test_a_validated_function_compiles_into_one_graph() -> None:
    @validated
    def scaled(x: torch.Tensor, times: PositiveInt = 2) -> torch.Tensor:
        return x * times

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = torch.compile(lambda x: scaled(x, 3) + 1, backend="eager", fullgraph=True)
        assert compiled(torch.ones(2)).tolist() == [4.0, 4.0]
