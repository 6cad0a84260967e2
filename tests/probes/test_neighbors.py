from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neighbors import NearestNeighbors as ScikitNeighbors

from infoflow.core.errors import InvalidArgument
from infoflow.probes import NearestNeighbors, draw_neighbors, nearest


@settings(max_examples=25, deadline=None)
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


def test_the_figure_has_each_query_and_its_neighbors() -> None:
    images = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 1, 4, 4)
    figure = Figure()
    draw_neighbors(figure, images, [[0.0], [0.1], [5.0], [5.2], [9.0], [9.3]], queries=[2, 5], k=2)
    shown = [round(float(axis.images[0].get_array().max()) * 5) for axis in figure.axes]
    assert shown == [2, 3, 4, 5, 4, 3]


@pytest.mark.parametrize(
    ("images", "queries", "message"),
    [
        (torch.zeros(6, 2, 4, 4), 2, "^images must"),
        (torch.zeros(5, 4, 4), 2, "^images.*5.*6"),
        (torch.zeros(6, 4, 4), [9], "^queries must be indices of 6 images"),
    ],
)
def test_invalid_images_and_queries_raise(images: torch.Tensor, queries: object, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        draw_neighbors(Figure(), images, torch.rand(6, 2), queries=queries, k=2)  # type: ignore[arg-type]
