"""Which layers support a verdict on compression."""

from __future__ import annotations

import pytest
from infoflow_reproductions.information_plane.rows.gabrie import step_claim
from infoflow_reproductions.information_plane.soundness import CONTRADICT, Expected, contradicting, judged

from infoflow.plane.compression import COMPRESSES, DOES_NOT, SATURATED, VARIES


@pytest.mark.parametrize(
    ("expected", "verdicts", "broken", "holds"),
    [
        ("none", {"a": SATURATED, "b": DOES_NOT}, {}, True),  # the unsaturated layer is judged by itself
        ("none", {"a": SATURATED, "b": COMPRESSES}, {}, False),
        ("none", {"a": SATURATED}, {}, None),
        ("some", {"a": SATURATED, "b": DOES_NOT}, {}, None),  # the saturated layer may compress
        ("some", {"a": DOES_NOT, "b": DOES_NOT}, {}, False),
        ("some", {"a": COMPRESSES}, {"a": "why"}, None),
        ("some", {"a": COMPRESSES, "b": COMPRESSES}, {"a": "why"}, True),
        ("all", {"a": COMPRESSES, "b": VARIES}, {}, None),
        ("all", {"a": COMPRESSES, "b": DOES_NOT}, {}, False),
        ("all", {"a": COMPRESSES, "b": SATURATED}, {}, True),
    ],
)
def test_layers_that_support_no_verdict_are_left_out(
    expected: Expected, verdicts: dict[str, str], broken: dict[str, str], holds: bool | None
) -> None:
    found, remark = judged(expected, verdicts, broken)
    assert found is holds
    for layer, verdict in verdicts.items():
        assert (layer in broken or verdict == SATURATED) == (f"{layer} (" in remark)
    assert (CONTRADICT in remark) == (set(verdicts) == set(broken))


def test_data_processing_in_bits() -> None:
    nat = 0.6931471805599453
    assert contradicting({"a": (nat, 1.04 * nat)}) == {}
    assert contradicting({"a": (nat, 1.06 * nat)}) == {"a": "I(T;Y) = 1.06 bits exceeds I(X;T) = 1 bits"}


def test_correlations_of_either_sign_are_in_step() -> None:
    assert step_claim({"a": ([-0.9, -0.8, -0.85, -0.95], True)}).holds is False
    assert step_claim({"a": ([0.9, 0.8, 0.85, 0.95], True)}).holds is False
    assert step_claim({"a": ([-0.1, 0.1, 0.05, 0.0], True)}).holds is True
    assert step_claim({"a": ([-0.9, -0.8, -0.85, -0.95], False)}).holds is None
