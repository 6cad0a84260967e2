"""AdaptiveBinning against the rule applied by hand."""

from __future__ import annotations

import bisect
import math
from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from infoflow.core.checks import samples
from infoflow.core.errors import InvalidArgument
from infoflow.estimators.histogram.adaptive_binning import AdaptiveBinning


def symbols_by_hand(t: np.ndarray, bins: int) -> list[tuple[int, ...]]:
    levels = sorted(set(t.ravel().tolist()))
    bins = min(bins, len(levels))
    edges = [levels[k * len(levels) // bins] for k in range(1, bins)]
    return [tuple(bisect.bisect_right(edges, v) for v in row) for row in t.tolist()]


@settings(max_examples=60)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(2, 15), st.integers(1, 6)), elements=st.floats(-1e6, 1e6)),
    st.integers(1, 12),
)
def test_edges_at_even_steps_through_the_different_levels(t: np.ndarray, bins: int) -> None:
    counts = Counter(symbols_by_hand(t, bins)).values()
    expected = -sum(c / len(t) * math.log(c / len(t)) for c in counts)
    assert AdaptiveBinning(bins).entropy(t).nats == pytest.approx(expected, abs=1e-12)


def test_a_monotone_change_of_the_units_changes_nothing() -> None:
    t = np.random.default_rng(0).standard_normal((300, 2))
    y = (t[:, 0] > 0).astype(int)
    plain, warped = AdaptiveBinning(5).measure(t, y), AdaptiveBinning(5).measure(np.sinh(3 * t), y)
    assert plain.input.nats == pytest.approx(warped.input.nats)
    assert plain.label.nats == pytest.approx(warped.label.nats)
    assert 0 < plain.label.nats <= math.log(2)
    assert plain.label.nats == pytest.approx(AdaptiveBinning(5).estimate(t, y).nats)


def test_repeated_levels_count_once() -> None:
    """Half of a ReLU layer is 0: the zeros are one level of many and do not fill half of the bins."""
    t = np.concatenate([np.zeros(500), np.linspace(1, 2, 99)])
    e = AdaptiveBinning(10).entropy(t)
    assert AdaptiveBinning(10).quantize(samples(t, "t")).number == 10
    assert e.parameters == {"bins": 10}


def test_continuous_labels_constants_and_errors() -> None:
    x = np.arange(40.0)
    assert AdaptiveBinning(4).estimate(x, x**3).bits == pytest.approx(2.0)
    constant = AdaptiveBinning().measure(np.ones((4, 2)), [0, 1, 0, 1])
    assert constant.input.nats == 0.0
    assert "constant" in constant.input.warnings[0]
    with pytest.raises(InvalidArgument, match=r"^bins must be"):
        AdaptiveBinning(0)
