"""Entropies, their sums and decompositions, and pointwise values, against closed forms and enumeration."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression

import infoflow
from infoflow import conditional_mutual_information, mutual_information
from infoflow.errors import InvalidArgument, TooFewSamples
from infoflow.tables import (
    entropy,
    o_information,
    partial_information,
    pointwise_mutual_information,
    total_correlation,
)

A, B = np.array(list(product((0, 1), repeat=2)) * 50).T
LOG2 = math.log(2)


def counted(*columns: np.ndarray) -> float:
    """Plug-in entropy of the rows."""
    shares = np.unique(np.stack(columns), axis=1, return_counts=True)[1] / len(columns[0])
    return float(-(shares * np.log(shares)).sum())


def test_entropy_of_symbols_numbers_and_both() -> None:
    assert entropy(["a", "b"] * 100, "discrete").nats == pytest.approx(LOG2)
    assert entropy(["a", "b"] * 100).quantity == "H(X)"
    x = np.random.default_rng(0).normal(size=4000)
    found = entropy(x)
    assert found.quantity == "h(X)"
    assert found.nats == pytest.approx(0.5 * math.log(2 * math.pi * math.e), abs=0.05)
    group = np.arange(4000) % 2
    mixed = entropy({"size": x * (1 + group), "group": np.array(["u", "v"])[group]})
    assert mixed.nats == pytest.approx(LOG2 + 0.5 * math.log(2 * math.pi * math.e) + 0.5 * LOG2, abs=0.05)
    assert "H(symbols) + h(numbers | symbols)" in mixed.quantity
    with pytest.raises(InvalidArgument, match="one with an entropy"):
        entropy(x, "ksg")
    assert entropy([1.0, None, 2.0, 4.0, 7.0, 3.0], missing="drop").n == 5


def test_total_correlation_and_o_information_of_symbols_by_enumeration() -> None:
    rng = np.random.default_rng(0)
    table = {"a": rng.integers(2, size=300), "b": rng.integers(3, size=300)}
    table |= {"c": table["a"] ^ (table["b"] > 1), "d": rng.integers(2, size=300)}
    columns = list(table.values())
    joint = counted(*columns)
    assert total_correlation(table).nats == pytest.approx(sum(counted(c) for c in columns) - joint)
    rest = [counted(*(c for c in columns if c is not left_out)) for left_out in columns]
    expected = 2 * joint + sum(counted(c) for c in columns) - sum(rest)
    assert o_information(table).nats == pytest.approx(expected)
    frame = pd.DataFrame({name: np.array(["x", "y", "z"])[codes] for name, codes in table.items()})
    assert infoflow.o_information(frame).nats == pytest.approx(expected)


def test_redundancy_is_positive_and_synergy_negative() -> None:
    assert o_information({"a": A, "b": B, "c": A ^ B}).nats == pytest.approx(-LOG2)
    assert o_information({"a": A, "b": A, "c": A, "d": A}).nats == pytest.approx(2 * LOG2)


def test_gaussian_columns_have_closed_forms() -> None:
    covariance = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]])
    z = np.random.default_rng(0).multivariate_normal(np.zeros(3), covariance, size=5000)

    def h(*index: int) -> float:
        return 0.5 * math.log(np.linalg.det(covariance[np.ix_(index, index)]))

    total = -h(0, 1, 2)
    dual = h(0, 1, 2) - sum(h(0, 1, 2) - h(*(j for j in range(3) if j != i)) for i in range(3))
    assert total_correlation(z).nats == pytest.approx(total, abs=0.02)
    assert total_correlation(z, "ksg").nats == pytest.approx(total, abs=0.05)
    assert o_information(z).nats == pytest.approx(total - dual, abs=0.02)
    with pytest.raises(InvalidArgument, match="at least three columns"):
        o_information(z[:, :2])


@pytest.mark.parametrize(
    ("y", "redundant", "unique_1", "unique_2", "synergistic"),
    [
        (A & B, 0.75 * math.log(4 / 3), 0.0, 0.0, 0.5 * LOG2),
        (A ^ B, 0.0, 0.0, 0.0, LOG2),
        (2 * A + B, 0.0, LOG2, LOG2, 0.0),
        (A, 0.0, LOG2, 0.0, 0.0),
    ],
    ids=["AND", "XOR", "copy of both", "copy of one"],
)
def test_decompositions_of_gates(
    y: np.ndarray, redundant: float, unique_1: float, unique_2: float, synergistic: float
) -> None:
    found = partial_information(A, B, y)
    assert found.definition == "BROJA"
    assert found.redundant == pytest.approx(redundant, abs=2e-4)
    assert found.unique_1 == pytest.approx(unique_1, abs=2e-4)
    assert found.unique_2 == pytest.approx(unique_2, abs=2e-4)
    assert found.synergistic == pytest.approx(synergistic, abs=2e-4)
    assert found.total == pytest.approx(counted(A, B) + counted(y) - counted(A, B, y))


def test_the_parts_of_random_tables_are_not_negative_and_sum_up() -> None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        a, b, noise = rng.integers(3, size=(3, 200))
        y = (a + b * noise) % 3
        found = partial_information(a.astype(str), b, y)
        assert min(found.redundant, found.unique_1, found.unique_2, found.synergistic) >= 0
        assert found.redundant + found.unique_1 == pytest.approx(counted(a) + counted(y) - counted(a, y), abs=1e-4)
        assert found.total == pytest.approx(counted(a, b) + counted(y) - counted(a, b, y), abs=1e-6)


def test_a_gaussian_triple_by_minimum_mutual_information() -> None:
    rng = np.random.default_rng(0)
    x1, x2, noise = rng.normal(size=(3, 8000))
    found = partial_information(x1, x2, 2 * x1 + x2 + noise)
    first, second = 0.5 * math.log(6 / 2), 0.5 * math.log(6 / 5)
    assert found.definition == "MMI"
    assert found.redundant == pytest.approx(second, abs=0.02)
    assert found.unique_1 == pytest.approx(first - second, abs=0.03)
    assert found.unique_2 == pytest.approx(0.0, abs=0.01)
    assert found.synergistic == pytest.approx(0.5 * math.log(6) - first, abs=0.03)


@pytest.mark.parametrize("estimator", ["gaussian", "ksg", "auto"])
def test_pointwise_values_are_near_the_density_ratio(estimator: str) -> None:
    rho = 0.8
    x, noise = np.random.default_rng(0).normal(size=(2, 4000))
    y = rho * x + math.sqrt(1 - rho**2) * noise
    joint = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).logpdf(np.c_[x, y])
    truth = joint - multivariate_normal(0, 1).logpdf(x) - multivariate_normal(0, 1).logpdf(y)
    found = pointwise_mutual_information(x, y, estimator)
    assert np.corrcoef(found, truth)[0, 1] > (0.99 if estimator == "gaussian" else 0.6)
    named = "ksg" if estimator == "auto" else estimator
    assert found.mean() == pytest.approx(infoflow.mutual_information(x, y, named).nats)


def test_pointwise_values_of_symbols_are_log_ratios_of_counts() -> None:
    x, y = np.array(list("aabbbc")), np.array(list("uuuvvv"))
    found = pointwise_mutual_information(x, y)
    assert found[0] == pytest.approx(math.log((2 / 6) / (2 / 6 * 3 / 6)))
    assert found[2] == pytest.approx(math.log((1 / 6) / (3 / 6 * 3 / 6)))
    codes = [np.unique(each, return_inverse=True)[1] for each in (x, y)]
    assert found.mean() == pytest.approx(infoflow.mutual_information(*codes, "discrete").nats)


def test_what_a_probe_can_use() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 2))
    line, ring = x[:, 0] > 0, (x**2).sum(1) > 1.4
    usable = pointwise_mutual_information(x, line, probe="linear")
    assert 0.55 < usable.mean() < LOG2
    assert pointwise_mutual_information(x, ring, probe=LogisticRegression()).mean() == pytest.approx(0.0, abs=0.02)
    # A linear Gaussian probe uses all of Gaussian information: ½ log 2.
    y = x[:, 0] + rng.normal(size=1000)
    assert pointwise_mutual_information(x[:, 0], y, probe="linear").mean() == pytest.approx(0.5 * LOG2, abs=0.05)
    with pytest.raises(InvalidArgument, match="a regressor where y holds numbers"):
        pointwise_mutual_information(x, y, probe=LogisticRegression())


def test_a_probe_must_predict_what_y_holds() -> None:
    from sklearn.linear_model import LinearRegression

    x = np.random.default_rng(0).normal(size=100)
    with pytest.raises(InvalidArgument, match="probe must be 'linear', or a classifier"):
        pointwise_mutual_information(x, x, probe="forest")
    with pytest.raises(InvalidArgument, match="probe must be a classifier with probabilities"):
        pointwise_mutual_information(x, x > 0, probe=LinearRegression())


def test_a_symbol_for_every_sample_is_named() -> None:
    x, names = np.random.default_rng(0).normal(size=100), [f"name {i}" for i in range(100)]
    with pytest.raises(TooFewSamples, match="^x must be symbols of which one occurs at least twice"):
        mutual_information(names, x)
    with pytest.raises(TooFewSamples, match="^z must be symbols of which one occurs at least twice"):
        conditional_mutual_information(x, x**2, names)


def test_conditional_information_counts_classes_of_one_sample() -> None:
    # I(X;Y|Z) of z=1 is 0 (one sample); of z=0: ¾ (H(⅓,⅔) with x a function of y).
    expected = 0.75 * -(math.log(1 / 3) / 3 + 2 * math.log(2 / 3) / 3)
    found = conditional_mutual_information([1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0], "discrete")
    assert found.nats == pytest.approx(expected, abs=1e-12)
    assert found.nats == pytest.approx(0.4774, abs=1e-4)
