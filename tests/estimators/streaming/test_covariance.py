"""Spectra against eigenvalues of stored activations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.estimators import CovarianceSpectrum


def test_spectrum_equals_that_of_stored_activations_far_from_the_origin() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(600, 12)) @ np.diag(np.arange(1, 13)) + 40
    values = np.linalg.eigvalsh(np.cov(z.T))
    values /= values.sum()
    spectrum = CovarianceSpectrum(every=1, order=3.0).accumulator(dimensions=12)
    for rows in range(0, 600, 90):
        spectrum.update(torch.from_numpy(z[rows : rows + 90]).float())
    entropy = -(values * np.log(values)).sum()
    assert float(spectrum.von_neumann_entropy()) == pytest.approx(entropy, abs=1e-5)
    assert float(spectrum.effective_rank()) == pytest.approx(math.exp(entropy), rel=1e-5)
    assert float(spectrum.participation()) == pytest.approx(1 / (values**2).sum(), rel=1e-5)
    assert float(spectrum.renyi_entropy()) == pytest.approx(np.log((values**3).sum()) / -2, abs=1e-5)


def test_spectrum_is_invariant_under_rotation_and_shift() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=(300, 6)) * np.arange(1, 7)
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    found = []
    for each in (z, z @ rotation + 3):
        spectrum = CovarianceSpectrum(every=1).accumulator(dimensions=6)
        spectrum.update(torch.from_numpy(each))
        found.append([float(reading) for reading in spectrum.estimates()])
    np.testing.assert_allclose(found[0], found[1], atol=1e-10)


def test_weights_count_as_repeated_rows() -> None:
    z = torch.randn(40, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    times = torch.arange(40) % 3
    weighted, repeated = (CovarianceSpectrum(every=1).accumulator(dimensions=5) for _ in range(2))
    weighted.update(z, weights=times)
    repeated.update(z.repeat_interleave(times, 0))
    torch.testing.assert_close(weighted.covariance(), repeated.covariance(), rtol=1e-12, atol=1e-12)


def test_every_eighth_row_gives_the_same_within_sampling_error() -> None:
    z = torch.randn(20_000, 6, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 7.0)
    found = []
    for every in (1, 8):
        spectrum = CovarianceSpectrum(every=every).accumulator(dimensions=6)
        for part in z.reshape(-1, 500, 6):
            spectrum.update(part)
        found.append(float(spectrum.von_neumann_entropy()))
        assert spectrum.n == pytest.approx(20_000 / every, rel=0.02)
    assert abs(found[0] - found[1]) < 0.02


def test_constant_activations_have_no_direction_and_few_rows_warn() -> None:
    spectrum = CovarianceSpectrum(every=1).accumulator(dimensions=4)
    spectrum.update(torch.full((9, 4), 7.3))
    assert [reading.value for reading in spectrum.estimates()] == [0.0, 0.0, 0.0, 0.0]
    assert any("9 rows for 4 dimensions" in text for text in spectrum.estimate().warnings)
