"""The sandwich of Theorem 8, its identities, and what is no distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from infoflow.core.errors import InvalidArgument
from infoflow.theory import entropy_error


def test_bounds_hold_and_are_off_by_the_divergences() -> None:
    rng = np.random.default_rng(0)
    for size in (2, 5, 50):
        p, q = rng.dirichlet(np.ones(size), size=(2, 2000))
        lower, difference, upper = entropy_error(p, q)
        assert (lower <= difference + 1e-12).all()
        assert (difference <= upper + 1e-12).all()
        assert difference == pytest.approx(stats.entropy(p, axis=1) - stats.entropy(q, axis=1), abs=1e-12)
        assert difference - lower == pytest.approx(stats.entropy(q, p, axis=1), abs=1e-10)
        assert upper - difference == pytest.approx(stats.entropy(p, q, axis=1), abs=1e-10)


def test_a_missing_value_leaves_that_side_open() -> None:
    lower, difference, upper = entropy_error([1.0, 0.0], [0.5, 0.5])
    assert lower == -math.inf
    assert difference == pytest.approx(-math.log(2))
    assert upper == pytest.approx(0.0)
    assert entropy_error([0.5, 0.5], [1.0, 0.0]).upper == math.inf
    assert all(float(v) == 0 for v in entropy_error([0.5, 0.5, 0.0], [0.5, 0.5, 0.0]))


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.6], [0.5, 0.5], "^p must"),
        ([0.5, 0.5], [1.5, -0.5], "^q must"),
        ([0.5, math.nan], [0.5, 0.5], "^p must"),
        ([0.5, 0.5], [1.0], "^p must"),
        (["a", "b"], [0.5, 0.5], "^p must"),
        (np.full((2, 2), 0.5), np.full((3, 2), 0.5), "^p and q must"),
    ],
)
def test_bad_input_is_said_in_one_line(p: object, q: object, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        entropy_error(p, q)
    assert "\n" not in str(caught.value)
