"""Estimates print the settings that differ from the default, and those that a class always states."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

import infoflow
from infoflow.core.printed_settings import printed
from infoflow.estimators import KSG, Neural, ShuffleCorrected


def test_defaults_are_left_out() -> None:
    assert printed("Neural", asdict(Neural())) == "Neural"
    assert printed("Neural", asdict(Neural(max_epochs=2, hidden=(8,)))) == "Neural(hidden=(8,), max_epochs=2)"
    assert printed("ShuffleCorrected", asdict(ShuffleCorrected(permutations=7))) == "ShuffleCorrected(permutations=7)"


def test_what_a_class_states_and_what_is_no_field_is_printed() -> None:
    assert printed("KSG", {**asdict(KSG()), "lag": 1}) == "KSG(k=3, lag=1)"


def test_an_estimator_inside_is_printed_as_shortly() -> None:
    assert printed("Any", {"inner": KSG(k=5)}) == "Any(inner=KSG(k=5))"


def test_numbers_have_six_digits() -> None:
    assert printed("Any", {"sigma": (1 / 3, 2.0), "one": (1 / 3,)}) == "Any(sigma=(0.333333, 2), one=(0.333333,))"


def test_one_is_not_true() -> None:
    assert printed("Gaussian", {"bias_correction": 1}) == "Gaussian(bias_correction=1)"


def test_an_estimate_prints_short() -> None:
    x, noise = np.random.default_rng(0).normal(size=(2, 100))
    found = infoflow.mutual_information(x, x + noise, "neural:max_epochs=1")
    assert "Neural(max_epochs=1), n = 100" in str(found)
    assert found.parameters["patience"] == Neural().patience
