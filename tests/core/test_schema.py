from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoflow.core.schema import decoded, parse_json, sealed, unsealed


@dataclass(frozen=True)
class Inner:
    values: list[float]


@dataclass(frozen=True)
class Outer:
    name: str
    parts: dict[str, Inner]
    count: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "parts", "values"]), inner),
    max_leaves=12,
)


def test_a_document_becomes_its_dataclass() -> None:
    document = {"name": "a", "parts": {"x": {"values": [1, 0.5, "nan", "-inf"]}}, "unknown": 1}
    found = decoded(Outer, parse_json(json.dumps(document).encode()))
    assert found.parts["x"].values[:2] == [1.0, 0.5]
    assert math.isnan(found.parts["x"].values[2])
    assert found.parts["x"].values[3] == -math.inf
    assert found.count is None


@given(JSON)
def test_any_other_json_is_a_value_error(value: Any) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(decoded(Outer, value), Outer)


@given(st.binary(max_size=40))
def test_any_other_bytes_are_a_value_error(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(parse_json(content), dict)


@pytest.mark.parametrize("content", [b"[" * 10**6, b"9" * 10**5, b"\xff\xfe", b"[]", b"", b"null"])
def test_hostile_json_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="."):
        parse_json(content)


@pytest.mark.parametrize(
    ("kind", "value"), [(int, True), (int, 1.5), (float, True), (float, 10**400), (str, 1), (list[int], {}), (bool, 1)]
)
def test_other_types_are_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValueError, match="epoch must be"):
        decoded(kind, value, "epoch")


@given(content=st.dictionaries(st.text(max_size=4), st.integers() | st.floats(allow_nan=False) | st.text(), max_size=4))
def test_a_sealed_object_is_read_back_and_any_other_is_refused(content: dict[str, Any]) -> None:
    content.pop("sealed", None)
    assert unsealed(sealed(content)) == content
    for other in (content, {**sealed(content), "more": 1}, {**sealed(content), "sealed": None}):
        with pytest.raises(ValueError, match="differs from what was recorded"):
            unsealed(other)


def test_deep_nesting_is_a_value_error() -> None:
    for depth in range(400, 1100, 3):
        with contextlib.suppress(ValueError):
            unsealed(parse_json(b'{"a":' + b"[" * depth + b"]" * depth + b"}"))
