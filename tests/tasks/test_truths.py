"""Truths against other ways to the same number: integrals, sums and published values."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from infoflow import tasks


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 0.75, 2.0])
def test_additive_uniform_by_quadrature(epsilon: float) -> None:
    def density(y: float) -> float:
        return max(0.0, min(y + epsilon, 1.0) - max(y - epsilon, 0.0)) / (2 * epsilon)

    corners = sorted({-epsilon, epsilon, 1 - epsilon, 1 + epsilon})
    entropy = sum(
        integrate.quad(lambda y: -density(y) * math.log(density(y)), a, b)[0] for a, b in itertools.pairwise(corners)
    )
    assert tasks.AdditiveUniform(epsilon).mutual_information == pytest.approx(entropy - math.log(2 * epsilon), abs=1e-7)


@pytest.mark.parametrize("zeros", [0.0, 0.15, 0.6])
def test_zero_inflated_poisson_by_quadrature(zeros: float) -> None:
    def of_count(k: int) -> float:
        def joint(x: float) -> float:
            given = (1 - zeros) * stats.poisson.pmf(k, x) + zeros * (k == 0)
            marginal = (1 - zeros) * 0.5 ** (k + 1) + zeros * (k == 0)
            return math.exp(-x) * given * math.log(given / marginal) if given > 0 else 0.0

        return integrate.quad(joint, 0, 60, limit=200, points=[1, 5, 20])[0]

    total = sum(of_count(k) for k in range(40))
    value = tasks.ZeroInflatedPoisson(zeros).mutual_information
    assert value == pytest.approx(total, abs=1e-6)
    published = (1 - zeros) * 0.3012  # Gao et al.: I given whether it was zeroed
    assert value == pytest.approx(published, abs=1e-4) if zeros == 0 else value < published - 0.02


@pytest.mark.parametrize(("separation", "published"), [(0.1, 0.0476), (1.0, 0.3368), (4.0, 0.6327)])
def test_binary_gaussian_mixture_has_the_published_values(separation: float, published: float) -> None:
    assert tasks.BinaryGaussianMixture(separation).mutual_information == pytest.approx(published, abs=5e-5)
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    u = separation + math.sqrt(separation) * nodes
    expected = separation - weights @ np.log(np.cosh(u)) / math.sqrt(2 * math.pi)
    for dim in (1, 7):
        assert tasks.BinaryGaussianMixture(separation, dim).mutual_information == pytest.approx(expected, abs=1e-7)


def test_no_separation_no_information() -> None:
    assert tasks.BinaryGaussianMixture(0.0).mutual_information == 0.0


def test_uniform_on_class_by_counting() -> None:
    # On each unit interval one class reaches x (the two at the ends) or two do.
    m = 5
    conditional = sum(2 * 0.5 * math.log(2) / m for _ in range(m)) - 2 * 0.5 * math.log(2) / m
    assert tasks.UniformOnClass(m).mutual_information == pytest.approx(math.log(m) - conditional)


def test_atoms_alone_and_gaussian_alone_are_the_limits() -> None:
    gaussian = tasks.GaussianWithAtoms(correlation=0.9, share=1 - 1e-9).mutual_information
    assert gaussian == pytest.approx(tasks.bivariate(0.9).mutual_information, abs=1e-6)
    atoms = tasks.GaussianWithAtoms(agreement=0.9, share=1e-9).mutual_information
    assert atoms == pytest.approx(tasks.symmetric_channel(0.1).mutual_information, abs=1e-6)


@pytest.mark.parametrize("symbols", [2, 7])
def test_channels(symbols: int) -> None:
    h = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    expected = math.log(symbols) - h - 0.1 * math.log(symbols - 1)
    assert tasks.symmetric_channel(0.1, symbols).mutual_information == pytest.approx(expected)
    assert tasks.erasure_channel(0.3, symbols).mutual_information == pytest.approx(0.7 * math.log(symbols))
    assert tasks.symmetric_channel(1 - 1 / symbols, symbols).mutual_information == pytest.approx(0.0, abs=1e-12)


def test_a_mixture_of_one_is_a_gaussian() -> None:
    base = tasks.dense(2)
    mixture = tasks.GaussianMixture("one", [1.0], np.zeros((1, 4)), base.covariance[None], 2)
    assert mixture.mutual_information == pytest.approx(base.mutual_information, abs=max(mixture.error, 1e-3))
    assert 0 < mixture.error < 1e-2
    flat = tasks.GaussianMixture("one", [1.0], [[1.0, -2.0]], [[[1.0, 0.8], [0.8, 1.0]]], 1)
    assert flat.mutual_information == pytest.approx(tasks.bivariate(0.8).mutual_information, abs=1e-9)


def test_a_mixture_by_a_sum_over_a_grid() -> None:
    task = tasks.GaussianMixture("m", [0.3, 0.7], [[0, 0], [2, 1]], [[[1, 0.5], [0.5, 1]], [[0.5, 0], [0, 2]]], 1)
    parts = [
        (w, stats.multivariate_normal(m, c)) for w, m, c in zip(task.weights, task.means, task.covariances, strict=True)
    ]

    # A sum over a fine grid, written differently from the rule in the components' own coordinates.
    grid = np.linspace(-8, 9, 341)
    step = grid[1] - grid[0]
    points = np.stack(np.meshgrid(grid, grid, indexing="ij"), axis=-1)
    joint = sum(w * p.pdf(points) for w, p in parts)
    left, right = joint.sum(axis=1) * step, joint.sum(axis=0) * step
    reference = (joint * np.log(joint / np.outer(left, right))).sum() * step**2
    assert task.mutual_information == pytest.approx(reference, abs=1e-6)
