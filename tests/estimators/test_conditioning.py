"""The default for conditional information: residuals, neighbors or counts; several conditions of any type."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Kind
from infoflow.estimators import conditional_mutual_information

RNG = np.random.default_rng(1)


def plug_in(*columns: np.ndarray) -> float:
    """Entropy of the different rows, by counting in Python."""
    rows = list(zip(*[column.tolist() for column in columns], strict=True))
    shares = [rows.count(row) / len(rows) for row in set(rows)]
    return -sum(p * math.log(p) for p in shares)


def test_singletons_of_z_count() -> None:
    found = conditional_mutual_information([1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0], "discrete")
    assert found.nats == pytest.approx(0.75 * (math.log(3) - 2 / 3 * math.log(2)))
    assert found.kind is Kind.PLUG_IN


def test_counts_given_two_columns_are_those_of_enumeration() -> None:
    a, b = RNG.integers(2, size=(2, 200))
    c = RNG.integers(3, size=200)
    y = a ^ b
    expected = plug_in(a, b, c) + plug_in(y, b, c) - plug_in(a, y, b, c) - plug_in(b, c)
    for z in (np.c_[b, c], (b, c), pd.DataFrame({"b": b, "c": c}), (b.astype(str), c.astype(str))):
        assert conditional_mutual_information(a, y, z, "discrete").nats == pytest.approx(expected)
    assert conditional_mutual_information(a, y, (b, c)).nats == pytest.approx(math.log(2), abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_several_conditions_do_not_bias_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(200, 3))
    common, x_noise, y_noise = z.sum(1) / math.sqrt(3), *rng.normal(size=(2, 200))
    x, y = common + x_noise, common + 0.8 * x_noise + 0.6 * y_noise
    truth = -0.5 * math.log(1 - 0.64)
    found = conditional_mutual_information(x, y, z)
    assert found.nats == pytest.approx(truth, abs=0.12)
    assert abs(found.nats - truth) < abs(conditional_mutual_information(x, y, z, "ksg").nats - truth)


def test_dependence_through_the_condition_alone_is_found() -> None:
    # Independent, and so are both residuals; given the product's sign each gives that of the other.
    x, y = np.random.default_rng(0).normal(size=(2, 1500))
    found = conditional_mutual_information(x, y, (x * y > 0))
    assert found.nats == pytest.approx(math.log(2), abs=0.08)


def test_conditions_of_mixed_types() -> None:
    n = 1500
    group = RNG.integers(3, size=n)
    z, e, f = RNG.normal(size=(3, n))
    x, y = z + 3 * group + e, z - 2 * group + 0.8 * e + 0.6 * f
    table = pd.DataFrame({"z": z, "group": np.array(["u", "v", "w"])[group]})
    truth = -0.5 * math.log(1 - 0.64)
    assert conditional_mutual_information(x, y, table).nats == pytest.approx(truth, abs=0.08)
    assert conditional_mutual_information(x, y, table, "ksg").nats == pytest.approx(truth, abs=0.12)
    assert conditional_mutual_information(x, y, table, "gaussian").nats == pytest.approx(truth, abs=0.08)
    # Symbols as x: given z, the group is read from x only in part.
    assert conditional_mutual_information(table["group"], x, z).nats > 0.5
    assert conditional_mutual_information(table["group"], e, z).nats == pytest.approx(0, abs=0.05)


def test_missing_values_are_dropped_on_request() -> None:
    x, y, z = RNG.normal(size=(3, 100))
    hole = np.where(np.arange(100) == 7, np.nan, z)
    with pytest.raises(InvalidArgument, match="z must be finite, got 1 NaN value"):
        conditional_mutual_information(x, y, hole, "ksg")
    found = conditional_mutual_information(x, y, hole, "ksg", missing="drop")
    keep = np.arange(100) != 7
    assert found.nats == conditional_mutual_information(x[keep], y[keep], z[keep], "ksg").nats
    assert found.n == 99
    assert "1 of 100 rows" in found.warnings[-1]


def coupled(rng: np.random.Generator, n: int, r: float) -> np.ndarray:
    a, e = rng.normal(size=(2, n))
    return np.stack([a, r * a + math.sqrt(1 - r * r) * e])


@pytest.mark.parametrize("r", [0.0, 0.8])
@pytest.mark.parametrize("seed", range(2))
def test_curved_regressions_on_several_conditions(seed: int, r: float) -> None:
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(600, 2))
    a, b = coupled(rng, 600, r)
    x, y = np.sin(2 * z[:, 0]) + z[:, 1] ** 2 + 0.5 * a, np.abs(z[:, 0]) - np.cos(2 * z[:, 1]) + 0.5 * b
    found = conditional_mutual_information(x, y, z)
    truth = -0.5 * math.log(1 - r * r)
    assert found.nats == pytest.approx(truth, abs=0.15 if r else 0.02)
    assert found.interval is not None
    assert truth in found.interval


def test_a_regression_for_each_symbol() -> None:
    rng = np.random.default_rng(3)
    group, z = rng.integers(4, size=400), rng.normal(size=400)
    a, b = coupled(rng, 400, 0.8)
    slope = np.array([-1.0, 1.0, 0.3, -0.3])[group]
    found = conditional_mutual_information(slope * z + 0.5 * a, z - group + 0.5 * b, (group.astype(str), z))
    assert found.nats == pytest.approx(0.5108, abs=0.12)


def test_a_slope_that_varies_with_the_condition_is_found_and_warned_of() -> None:
    rng = np.random.default_rng(0)
    x, z, e = rng.normal(size=(3, 600))
    y = x * z + 0.5 * e
    # Given z, y is Gaussian with variance z² + 1/4, of which 1/4 is left given x.
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    truth = float(weights @ (0.5 * np.log1p(4 * nodes**2)) / weights.sum())
    found = conditional_mutual_information(x, y, z)
    assert found.nats == pytest.approx(truth, abs=0.12)
    assert any("rather too low" in text for text in found.warnings)


def test_flexible_regressions_of_few_samples_are_warned_of() -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(-2, 2, size=(200, 3))
    a, b = coupled(rng, 200, 0.8)
    found = conditional_mutual_information(np.tanh(3 * z[:, 0] * z[:, 1]) + 0.5 * a, np.exp(z[:, 0] / 2) + 0.5 * b, z)
    assert any("degrees of freedom" in text for text in found.warnings)
