"""Transforms of columns: strictly increasing, learned on the fit part alone, robust to tails, ties and constants."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from infoflow.core.errors import UnknownName
from infoflow.estimators.preprocessing import PREPROCESSINGS, learn

finite = st.floats(-1e6, 1e6, allow_nan=False, width=32)


@settings(max_examples=60)
@given(fit=st.lists(finite, min_size=3, max_size=30), new=st.lists(finite, min_size=2, max_size=10))
@pytest.mark.parametrize("method", PREPROCESSINGS)
def test_order_is_kept_also_beyond_the_range(method: str, fit: list[float], new: list[float]) -> None:
    transform = learn(torch.tensor(fit, dtype=torch.float64)[:, None], method)
    values = torch.tensor(sorted(new), dtype=torch.float64)
    mapped = transform(values[:, None])[:, 0]
    assert torch.isfinite(mapped).all()
    assert (mapped.diff() >= 0).all()


def test_gaussianize_gives_normal_scores_whatever_the_marginal() -> None:
    generator = torch.Generator().manual_seed(0)
    cauchy = torch.empty(4000, 2, dtype=torch.float64).cauchy_(generator=generator)
    fresh = torch.empty(4000, 2, dtype=torch.float64).cauchy_(generator=generator)
    mapped = learn(cauchy, "gaussianize")(fresh)
    for column in mapped.T:
        assert stats.kstest(column.numpy(), "norm").statistic < 0.04
    assert float(mapped.abs().max()) < 20


def test_gaussianize_agrees_with_ranks_on_its_own_sample() -> None:
    values = torch.randn(500, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64).exp()
    expected = stats.norm.ppf((stats.rankdata(values[:, 0].numpy()) - 0.5) / 500)
    torch.testing.assert_close(learn(values, "gaussianize")(values)[:, 0], torch.from_numpy(expected))


def test_ties_share_their_mid_rank() -> None:
    values = torch.tensor([[0.0], [0.0], [1.0], [5.0]])
    expected = torch.tensor(stats.norm.ppf((stats.rankdata([0, 0, 1, 5]) - 0.5) / 4), dtype=torch.float32)
    torch.testing.assert_close(learn(values, "gaussianize")(values)[:, 0], expected)


def test_the_standardized_and_the_asinh_of_a_column() -> None:
    values = torch.tensor([[1.0], [2.0], [3.0], [4.0], [100.0]])
    torch.testing.assert_close(learn(values, "standardize")(values).mean(), torch.tensor(0.0), atol=1e-6, rtol=0)
    torch.testing.assert_close(learn(values, "standardize")(values).std(), torch.tensor(1.0))
    expected = torch.asinh(torch.tensor([-2.0, -1.0, 0.0, 1.0, 97.0]))  # median 3, absolute deviation 1
    torch.testing.assert_close(learn(values, "asinh")(values)[:, 0], expected)
    assert learn(values, "none")(values) is not values
    torch.testing.assert_close(learn(values, "none")(values), values)


@pytest.mark.parametrize("method", PREPROCESSINGS)
def test_a_constant_or_mostly_constant_column_stays_finite(method: str) -> None:
    values = torch.tensor([[2.0, 0.0]] * 9 + [[2.0, 7.0]])
    assert torch.isfinite(learn(values, method)(values + 1)).all()


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'gaussianize'"):
        learn(torch.ones(3, 1), "gausianize")


@pytest.mark.parametrize("n", [5, 300, 2500])
def test_columns_of_all_kinds_together_are_what_each_is_alone(n: int) -> None:
    draw = torch.Generator().manual_seed(n)
    smooth = torch.randn(n, 2, generator=draw)
    fitted = torch.cat([smooth, smooth.relu(), (2 * smooth).round(), torch.ones(n, 1)], 1)
    asked = torch.cat([fitted, 3 * torch.randn(50, 7, generator=draw)])
    together = learn(fitted, "gaussianize")(asked)
    for j in range(7):
        alone = learn(fitted[:, j : j + 1], "gaussianize")(asked[:, j : j + 1])
        assert torch.equal(together[:, j : j + 1], alone)
        # Strictly increasing beyond the constant's one value, and its mid-ranks are the normal's.
        order = asked[:, j].argsort(stable=True)
        assert bool((together[order, j].diff() >= 0).all())
    scores = stats.norm.ppf((stats.rankdata(fitted.numpy(), axis=0) - 0.5) / n)
    off = np.abs(together[:n, :6].numpy() - scores[:, :6])
    # With more samples than knots the rarest are interpolated between.
    assert off.mean() < (1e-6 if n <= 1000 else 1e-3)
