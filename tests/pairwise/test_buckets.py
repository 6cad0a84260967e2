"""Positions among sorted values against comparisons with all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from infoflow.pairwise import line_neighbors as line
from infoflow.pairwise import plane_neighbors as plane
from infoflow.pairwise.buckets import Buckets

Array = np.ndarray

PATTERNS: dict[str, Callable[[np.random.Generator], Array]] = {
    "normal": lambda rng: rng.normal(size=300),
    "heavy tails": lambda rng: rng.standard_cauchy(size=300) ** 3,
    "two scales": lambda rng: np.where(rng.random(300) < 0.5, 1e-9, 1.0) * rng.normal(size=300),
    "integers": lambda rng: rng.integers(0, 9, 300).astype(float),
    "one value": lambda rng: np.full(300, 2.5),
    "nearly one value": lambda rng: np.where(np.arange(300) < 296, 0.0, rng.normal(size=300)),
    "subnormal width": lambda rng: 5e-324 * rng.integers(0, 9, 300),
    "infinite width": lambda rng: rng.choice([-1.7e308, 1.7e308], 300),
    "single": lambda rng: rng.normal(size=1),
    "pair": lambda rng: rng.normal(size=2),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_positions_agree_with_comparisons(pattern: str) -> None:
    rng = np.random.default_rng(0)
    values = np.sort([PATTERNS[pattern](rng) for _ in range(3)], axis=1)
    numbers = []
    for column in values:
        equal = rng.choice(column, 50)
        between = rng.uniform(column[0] / 2, column[-1] / 2, 50)
        numbers.append(np.concatenate([between, equal, np.nextafter(equal, np.inf), [-np.inf, np.inf, -1e308, 1e308]]))
    found = Buckets(values)
    table = np.stack(numbers)[:, :, None]
    np.testing.assert_array_equal(found.below(table[..., 0]), (values[:, None] < table).sum(axis=-1))
    np.testing.assert_array_equal(found.up_to(table[..., 0]), (values[:, None] <= table).sum(axis=-1))


@pytest.mark.parametrize("at_once", [1, 700, 1 << 14])
@pytest.mark.parametrize("pattern", ["normal", "heavy tails", "integers"])
def test_counts_of_several_rows_of_radii_agree_with_tables(
    pattern: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane, "compiled", lambda: False)
    monkeypatch.setattr(line, "_AT_ONCE", at_once)
    rng = np.random.default_rng(1)
    values = np.sort(np.round(4 * PATTERNS[pattern](rng)) / 4)  # quarters, so that sums are exact
    within = rng.integers(0, 9, size=(3, 300)) / 4  # on which others lie
    expected = (np.abs(values[:, None] - values) <= within[..., None]).sum(axis=-1) - 1
    np.testing.assert_array_equal(line.count_sorted(values, within), expected)
    np.testing.assert_array_equal(line.count_sorted(values, within[0]), expected[0])
    both = np.stack([values, -values[::-1]])
    np.testing.assert_array_equal(
        line.count_in_columns(both, np.stack([within, within[:, ::-1]])), [expected, expected[:, ::-1]]
    )
