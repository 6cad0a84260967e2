"""Every map can be undone: that is why it keeps the information."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, stats

from infoflow import tasks
from infoflow.tasks.beyond_normal import _WAVES_X, _WAVES_Y

NORMAL = np.random.default_rng(0).standard_normal((500, 3))
UNIFORM = np.random.default_rng(1).uniform(0.001, 0.999, (500, 4))

CASES = [
    (tasks.Identity(), NORMAL),
    (tasks.NormalCDF(), NORMAL),
    (tasks.HalfCube(), NORMAL),
    (tasks.Asinh(), 100 * NORMAL),
    (tasks.Spiral(0, 1, 1 / 3), NORMAL),
    (tasks.Spiral(1, 2, 2.0), NORMAL),
    (tasks.SwissRoll(), UNIFORM[:, :1]),
    (tasks.Wiggly(_WAVES_X), 3 * NORMAL),
    (tasks.Wiggly(_WAVES_Y), 3 * NORMAL),
    (tasks.Bimodal(0.3, 0.0, 5.0), UNIFORM),
    (tasks.Rectangles(16), UNIFORM),
    (tasks.Rectangles(9), UNIFORM),
    (tasks.Bumps(16), UNIFORM[:, :2]),
    (tasks.Bumps(9), UNIFORM[:, :2]),
]


@pytest.mark.parametrize(("mapping", "values"), CASES, ids=lambda case: repr(case)[:30])
def test_the_inverse_undoes_it(mapping: tasks.Map, values: np.ndarray) -> None:
    before = values.copy()
    np.testing.assert_allclose(mapping.inverse(mapping(values)), values, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(values, before)  # the samples that were handed over stay as they are


def test_a_spiral_is_the_matrix_exponential() -> None:
    generator = np.zeros((3, 3))
    generator[1, 2], generator[2, 1] = -1, 1
    expected = [linalg.expm(generator * 0.7 * (row @ row)) @ row for row in NORMAL[:20]]
    np.testing.assert_allclose(tasks.Spiral(1, 2, 0.7)(NORMAL[:20]), expected, atol=1e-12)


def test_bimodal_samples_have_the_mixtures_distribution() -> None:
    x, _ = tasks.find("1v1-bimodal-0.75").sample(4000, seed=0)
    cdf = lambda v: 0.3 * stats.norm.cdf(v) + 0.7 * stats.norm.cdf(v - 5)  # noqa: E731
    assert stats.kstest(x[:, 0], cdf).pvalue > 1e-3


def test_a_rectangle_covers_the_area_between_its_edges() -> None:
    left, right, top, bottom = 0.05 + 0.3 * 0.2, 0.65 + 0.3 * 0.9, 0.05, 0.95
    picture = tasks.Rectangles(20)(np.array([[0.2, 0.9, 0.0, 1.0]]))[0]
    assert picture.sum() == pytest.approx(400 * (right - left) * (bottom - top))
    assert picture.shape == (20, 20)
    assert picture.min() == 0.0
    assert picture.max() == 1.0


def test_a_bump_is_brightest_where_it_should_be() -> None:
    picture = tasks.Bumps(20)(np.array([[0.0, 1.0]]))[0]  # across 4, down 16
    assert np.unravel_index(picture.argmax(), picture.shape) in [(15, 3), (16, 4), (15, 4), (16, 3)]
