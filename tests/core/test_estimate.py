"""An estimate: its guarantees, its forms as text, number and plain values."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoflow import Estimate, Interval, Kind
from infoflow.core.errors import InvalidArgument

FINITE = st.floats(-1e6, 1e6)


def made(nats: float = 0.5, **more: Any) -> Estimate:
    return Estimate(nats, "I(X;Y)", Kind.POINT, "KSG", n=100, **more)


@given(nats=FINITE, ceiling=FINITE)
def test_an_estimate_never_exceeds_its_ceiling(nats: float, ceiling: float) -> None:
    if nats > ceiling + 1e-6 * max(1.0, abs(ceiling)):
        with pytest.raises(ValueError, match="above its ceiling"):
            made(nats, ceiling=ceiling)
    else:
        assert float(made(nats, ceiling=ceiling)) == min(nats, ceiling)


def test_nan_is_a_fault_of_the_estimator() -> None:
    with pytest.raises(ValueError, match="KSG produced NaN"):
        made(math.nan)


@given(nats=FINITE)
def test_bits_are_nats_over_log_2(nats: float) -> None:
    assert made(nats).bits == pytest.approx(nats / math.log(2))


def test_saturation_begins_one_percent_below_the_ceiling() -> None:
    assert made(0.991, ceiling=1.0).saturated
    assert not made(0.989, ceiling=1.0).saturated
    assert not made(1e9).saturated


def test_equal_estimates_have_equal_hashes() -> None:
    first, second = made(parameters={"k": 3}), made(parameters={"k": 3})
    assert first == second
    assert len({first, second, made(0.25)}) == 2


def test_the_dictionary_is_json() -> None:
    content = made(interval=Interval(0.4, 0.6, "folds"), warnings=("too few",), parameters={"k": 3}).to_dict()
    assert json.loads(json.dumps(content)) == content
    assert content["ceiling"] is None
    assert content["interval"] == {"low": 0.4, "high": 0.6, "spans": "folds", "level": 0.95}


def test_the_text_states_everything() -> None:
    text = str(
        made(
            0.995,
            parameters={"k": 3},
            interval=Interval(0.4, 1.2, "folds"),
            p_value=0.01,
            ceiling=1.0,
            ceiling_name="log N",
            warnings=("one", "two"),
        )
    )
    for part in ("KSG(k=3)", "95% interval [0.4000, 1.0000] over folds", "p = 0.01", "(saturated)", "warning: two"):
        assert part in text


def test_an_estimate_survives_pickling() -> None:
    estimate = made(parameters={"k": 3}, interval=Interval(0.4, 0.6, "folds"))
    assert pickle.loads(pickle.dumps(estimate)) == estimate  # noqa: S301 - its own bytes


def test_an_interval_ends_at_the_ceiling_and_has_a_width() -> None:
    assert made(0.9, interval=Interval(0.4, 1.2, "folds"), ceiling=1.0, ceiling_name="H").interval == Interval(
        0.4, 1.0, "folds"
    )
    assert made(0.5, interval=Interval(0.5 + 1e-12, 0.7, "folds")).interval == Interval(0.5, 0.7, "folds")
    assert made(0.5, interval=Interval(0.5, 0.5, "folds")).interval is None


@pytest.mark.parametrize("nats", [-0.0, -1e-9, -4.9e-5])
def test_no_sign_is_printed_with_zero(nats: float) -> None:
    found = Estimate(nats, "I(X;Y)", Kind.POINT, "KSG", n=10, interval=Interval(-1e-9, 1e-9, "folds"))
    assert "-0.0000" not in str(found)
    assert math.copysign(1.0, Estimate(-0.0, "I", Kind.POINT, "KSG", n=10).nats) == 1.0


def test_a_plot_shows_number_interval_and_history() -> None:
    history = [
        Estimate(0.3 + n / 1e4, "I(X;Y)", Kind.POINT, "KSG", n=n, interval=Interval(0.2, 0.6, "subsampling"))
        for n in (400, 100)
    ]
    last = Estimate(0.4, "I(X;Y)", Kind.POINT, "KSG", n=1600, ceiling=0.5, ceiling_name="log 2")
    axes = last.plot(history=history)
    assert axes.lines[0].get_xdata().tolist() == [100, 400, 1600]
    assert axes.lines[0].get_ydata().tolist() == pytest.approx([0.31, 0.34, 0.4])
    ends = [segment[:, 1].tolist() for bars in axes.collections for segment in bars.get_segments()]
    assert ends == [pytest.approx([0.2, 0.6])] * 2
    assert axes.get_legend().get_texts()[0].get_text() == "ceiling log 2"
    assert last.plot(axes) is axes
    assert Estimate(math.inf, "I(X;Y)", Kind.POINT, "CCA", n=9).plot().lines[0].get_xdata().tolist() == []
    with pytest.raises(InvalidArgument, match="history must be estimates of"):
        last.plot(history=[Estimate(0.3, "H(X)", Kind.POINT, "KSG", n=9)])


def test_the_representation_is_one_line_that_counts_warnings() -> None:
    found = Estimate(0.5, "I(X;Y)", Kind.POINT, "KSG", n=100, warnings=("first", "second"))
    assert repr(found) == "<I(X;Y) = 0.5000 nats (0.7213 bits), point estimate, KSG, n = 100, 2 warnings>"
