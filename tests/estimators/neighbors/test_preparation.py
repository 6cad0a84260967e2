"""Samples made ready for neighbors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from infoflow.estimators.neighbors.preparation import Prepared, apart, class_column, noise_generator, prepare


@pytest.mark.parametrize("tied", [False, True])
def test_normal_scores_are_those_of_scipys_mean_ranks(tied: bool) -> None:
    x = np.random.default_rng(0).normal(size=(200, 3))
    if tied:
        x[:, 1:] = np.round(x[:, 1:])
    want = stats.norm.ppf(stats.rankdata(x, axis=0) / 201)
    assert np.allclose(prepare(x, "x", rescale="normal-scores").values, want)


def test_standard_columns_and_the_scale_they_lost() -> None:
    x = np.random.default_rng(0).normal(size=(300, 2)) * [3.0, 1e-200] + [0.0, 1.0]
    x[:, 1] = 1e150 * np.random.default_rng(1).normal(size=300)
    ready = prepare(x, "x", rescale="standard")
    assert np.allclose(ready.values.mean(0), 0, atol=1e-12)
    assert np.allclose(ready.values.std(0, correction=0), 1)
    assert ready.log_scale == pytest.approx(
        math.log(x[:, 0].std()) + math.log((x[:, 1] / 1e150).std()) + 150 * math.log(10)
    )
    assert prepare(x, "x", rescale="none").log_scale == 0.0


def test_noise_has_the_size_that_was_asked_for_and_its_own_stream() -> None:
    x = np.zeros(4000)
    x[::2] = 2.0
    noisy = prepare(x, "x", rescale="none", noise=0.1, generator=noise_generator(0)).values[:, 0].numpy()
    assert (noisy - (x - 1)).std() == pytest.approx(0.1, rel=0.05)
    drawn = np.random.default_rng(0).normal(size=4000)
    assert abs(np.corrcoef(noisy - x, drawn)[0, 1]) < 0.1


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_two_classes_are_farther_apart_than_any_two_samples(scale: float) -> None:
    values = scale * torch.tensor([[0.0, 1.0], [-3.0, 0.0], [2.0, 4.0], [0.0, 0.0]], dtype=torch.float64)
    samples_, classes_ = apart(Prepared(values, (), 0.0), class_column([5, 5, -3, 900], "y"))
    column = classes_.values[:, 0]
    assert column[0] == column[1]
    gaps = (column[:, None] - column[None, :]).abs()
    assert float(gaps[gaps > 0].min()) > float(torch.cdist(values, values).max()) * 0.99
    assert samples_.values is values
    assert class_column([4, 4], "y").constant
