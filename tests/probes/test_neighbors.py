from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neighbors import NearestNeighbors as ScikitNeighbors

from infoflow.probes import NearestNeighbors, nearest


@settings(max_examples=25)
@given(
    n=st.integers(10, 60),
    d=st.integers(1, 8),
    k=st.integers(1, 9),
    metric=st.sampled_from(["cosine", "euclidean", "manhattan"]),
    seed=st.integers(0, 1000),
)
def test_vote_and_neighbors_equal_scikit_learns(n: int, d: int, k: int, metric: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, report = rng.normal(size=(n, d)) + 0.5, rng.normal(size=(30, d)) + 0.5
    y, report_y = np.arange(n) % 3, rng.integers(0, 3, 30)
    if d > 1 or metric != "cosine":  # the cosine of single numbers is ±1: all ties
        distance, index = nearest(report, x, k, metric)
        want_distance, want_index = (
            ScikitNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(x).kneighbors(report)
        )
        np.testing.assert_allclose(distance.numpy(), want_distance, atol=1e-5)
        assert np.array_equal(index.numpy(), want_index)
        reference = KNeighborsClassifier(k, metric=metric, algorithm="brute").fit(x, y)
        assert NearestNeighbors(k, metric).score(x, y, report, report_y).value == pytest.approx(
            reference.score(report, report_y)
        )


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    x, base = torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(0))
    whole = nearest(x, base, 5)
    monkeypatch.setattr("infoflow.probes.neighbors._BLOCK", 120)
    pieces = nearest(x, base, 5)
    assert torch.equal(whole[1], pieces[1])
