"""Soft entropy against published and exactly computed values, and what its corrections, folds and null promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.estimators import CovarianceSpectrum, SoftEntropy
from infoflow.estimators.streaming.calibration import calibrated_temperature
from infoflow.estimators.streaming.rows import checked_rows


@pytest.mark.parametrize(
    ("references", "dimensions", "temperature", "tolerance"),
    [(100, 128, 0.0273479634, 1e-10), (100, 768, 0.01177, 5e-6), (100, 4096, 0.00514, 5e-6), (25, 128, 0.03326, 5e-6)],
)
def test_temperature_equals_the_published_one(
    references: int, dimensions: int, temperature: float, tolerance: float
) -> None:
    assert abs(calibrated_temperature(references, dimensions) - temperature) <= tolerance


def test_identity_codes_equal_the_existing_implementation() -> None:
    # Values of the package soft-entropy with the same references, in nats.
    for repeats in (1, 7, 400):
        codes = SoftEntropy().accumulator(dimensions=128)
        codes.update(torch.eye(128)[:16].repeat(repeats, 1), {"token": torch.arange(16).repeat(repeats)})
        assert abs(float(codes.entropy()) - 3.950667) <= 1e-5
        assert abs(codes.conditional_entropy("token") - 1.826431) <= 1e-5
        assert abs(float(codes.information("token")) - 2.124235) <= 1e-5


def slow_information(z: Tensor, label: Tensor, references: Tensor, temperature: float) -> float:
    """H(W) − Σ p(x) H(W|x) from an (n, m) matrix in float64."""
    p = torch.softmax((z / z.norm(dim=1, keepdim=True)).double() @ references.double().T / temperature, 1)

    def entropy(rows: Tensor) -> float:
        mean = rows.mean(0)
        return float(-(mean * mean.log()).sum())

    parts = [float((label == x).double().mean()) * entropy(p[label == x]) for x in sorted(set(label.tolist()))]
    return entropy(p) - sum(parts)


def test_batches_add_up_to_the_whole() -> None:
    generator = torch.Generator().manual_seed(3)
    z, label = torch.randn(900, 70, generator=generator), torch.randint(0, 5, (900,), generator=generator)
    codes = SoftEntropy(references=30).accumulator(dimensions=70)
    for rows in range(0, 900, 128):
        codes.update(z[rows : rows + 128].reshape(-1, 1, 70), {"x": label[rows : rows + 128, None]})
    assert abs(codes.plug_in("x") - slow_information(z, label, codes.references, codes.temperature)) < 1e-6


def mixture(dimensions: int, labels: int, kappa: float, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw from a mixture of von Mises-Fisher densities (Wood's algorithm), and the component of each row."""
    generator = torch.Generator().manual_seed(1000)  # the references are drawn from seed 0
    means = torch.nn.functional.normalize(torch.randn(labels, dimensions, generator=generator), dim=1)
    rng = np.random.default_rng(seed)
    label = torch.from_numpy(rng.integers(0, labels, n))
    d = dimensions - 1
    b = (-2 * kappa + math.sqrt(4 * kappa**2 + d**2)) / d
    x0 = (1 - b) / (1 + b)
    c = kappa * x0 + d * math.log(1 - x0**2)
    cosine = np.full(n, math.nan)
    while np.isnan(cosine).any():
        beta = rng.beta(d / 2, d / 2, n)
        w = (1 - (1 + b) * beta) / (1 - (1 - b) * beta)
        kept = kappa * w + d * np.log(1 - x0 * w) - c >= np.log(rng.random(n))
        cosine = np.where(np.isnan(cosine) & kept, w, cosine)
    mean, noise = means[label], torch.from_numpy(rng.normal(size=(n, dimensions))).float()
    side = torch.nn.functional.normalize(noise - (noise * mean).sum(1, keepdim=True) * mean, dim=1)
    along = torch.from_numpy(cosine).float()[:, None]
    return along * mean + (1 - along.square()).sqrt() * side, label


def test_jackknife_reaches_the_population_value_of_a_mixture() -> None:
    large, labels = mixture(64, 32, 40.0, 60_000, seed=9)
    population = SoftEntropy().accumulator(dimensions=64)
    population.update(large, {"x": labels})
    truth = population.plug_in("x")
    assert 0.5 < truth < 0.6  # by the draw of the 32 means
    values = []
    for seed in range(3):
        z, label = mixture(64, 32, 40.0, 8000, seed)
        codes = SoftEntropy().accumulator(dimensions=64)
        for rows in range(0, 8000, 1000):
            codes.update(z[rows : rows + 1000], {"x": label[rows : rows + 1000]})
        reading = codes.information("x")
        values.append(float(reading))
        assert codes.plug_in("x") > truth + 0.02
        assert reading.null is not None
        assert abs(reading.null) <= 0.01
    assert abs(sum(values) / 3 - truth) <= 0.01
    assert max(abs(value - truth) for value in values) <= 0.02


def test_independent_labels_in_small_number_per_label_warn() -> None:
    generator = torch.Generator().manual_seed(2)
    codes = SoftEntropy().accumulator(dimensions=64, classes={"x": 1000})
    codes.update(
        torch.randn(4000, 64, generator=generator), {"x": torch.randint(0, 1000, (4000,), generator=generator)}
    )
    reading = codes.information("x")
    assert any("rows per label" in text for text in reading.warnings)
    assert any("Shuffled labels" in text for text in reading.warnings)
    assert reading.null is not None
    assert abs(reading.value - reading.null) < 0.1  # what remains of the bias shows in the null


def test_centered_values_do_not_change_by_a_constant() -> None:
    z, label = mixture(64, 8, 40.0, 1500, seed=1)
    found = {}
    for constant in (0.0, 50.0):
        for center in (False, True):
            codes = SoftEntropy(center=center).accumulator(dimensions=64)
            for rows in range(0, 1500, 500):
                codes.update(z[rows : rows + 500].double() + constant, {"x": label[rows : rows + 500]})
            found[constant, center] = codes.information("x")
    assert found[0.0, True].value == pytest.approx(found[50.0, True].value, abs=1e-10)
    assert found[50.0, False].value < 0.2 * found[0.0, False].value
    assert any("center=True" in text for text in found[50.0, False].warnings)


def test_information_is_at_most_its_ceiling() -> None:
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        n, labels = 12 * (seed + 1), 2 + seed
        label = torch.randint(0, labels, (n,), generator=generator)
        z = torch.randn(n, 64, generator=generator) * 0.1 * (seed % 3) + torch.randn(64, 64, generator=generator)[label]
        codes = SoftEntropy(references=2 + 5 * seed).accumulator(dimensions=64)
        codes.update(z, {"x": label})
        reading = codes.information("x")
        assert reading.ceiling is not None
        assert reading.value <= reading.ceiling
        assert codes.plug_in("x") <= reading.ceiling + 1e-6


def test_bad_rows_are_counted_and_left_out() -> None:
    z = torch.randn(60, 64, generator=torch.Generator().manual_seed(0))
    label = torch.arange(60) % 3
    clean = SoftEntropy().accumulator(dimensions=64)
    kept = torch.ones(60, dtype=torch.bool)
    kept[[3, 9, 20]] = False
    clean.update(z[kept], {"x": label[kept]})
    z[3, 5], z[9, 0], z[20] = math.nan, math.inf, 0.0
    codes = SoftEntropy().accumulator(dimensions=64)
    codes.update(z, {"x": label})
    assert codes.left_out == {"not finite": 2, "zero": 1}
    assert codes.plug_in("x") == pytest.approx(clean.plug_in("x"), abs=1e-12)
    assert any("2 rows held NaN" in text for text in codes.entropy().warnings)
    codes.update(torch.full((4, 64), math.nan), {"x": torch.zeros(4, dtype=torch.int64)})
    assert codes.n == 57


def test_negative_labels_leave_rows_out_of_their_set_only() -> None:
    z = torch.randn(400, 64, generator=torch.Generator().manual_seed(0))
    label = torch.arange(400) % 4
    masked = torch.where(torch.arange(400) < 300, label, -100)
    codes, part = (SoftEntropy().accumulator(dimensions=64) for _ in range(2))
    codes.update(z, {"all": label, "some": masked})
    part.update(z[:300], {"some": label[:300]})
    assert codes.plug_in("some") == pytest.approx(part.plug_in("some"), abs=1e-12)
    assert codes.information("all").n == 400


def test_weights_count_as_repeated_rows() -> None:
    z = torch.randn(50, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    label, times = torch.arange(50) % 3, torch.arange(50) % 4 + 1
    weighted, repeated = (SoftEntropy().accumulator(dimensions=64) for _ in range(2))
    weighted.update(z, {"x": label}, weights=times.float())
    repeated.update(z.repeat_interleave(times, 0), {"x": label.repeat_interleave(times)})
    assert weighted.plug_in("x") == pytest.approx(repeated.plug_in("x"), abs=1e-12)
    assert float(weighted.entropy()) == pytest.approx(float(repeated.entropy()), abs=1e-12)


def test_bfloat16_activations_give_the_same_within_their_precision() -> None:
    z, label = mixture(64, 8, 40.0, 2000, seed=1)
    full, half = (SoftEntropy().accumulator(dimensions=64) for _ in range(2))
    full.update(z, {"x": label})
    half.update(z.bfloat16(), {"x": label})
    assert abs(full.plug_in("x") - half.plug_in("x")) <= 1e-3


def test_wrong_input_is_named() -> None:
    codes = SoftEntropy().accumulator(dimensions=64, classes={"x": 3})
    z = torch.zeros(5, 64)
    with pytest.raises(InvalidArgument, match=r"t must be of shape \(\.\.\., 64\), got shape \(5, 63\)"):
        codes.update(z[:, 1:])
    with pytest.raises(InvalidArgument, match=r"labels\['x'\] must be smaller than the number of classes \(3\), got 3"):
        codes.update(z, {"x": torch.full((5,), 3)})
    with pytest.raises(InvalidArgument, match=r"labels\['x'\] must be of shape \(5,\)"):
        codes.update(z, {"x": torch.zeros(4, dtype=torch.int64)})
    with pytest.raises(InvalidArgument, match="must be integers, got float32"):
        codes.update(z, {"x": torch.zeros(5)})
    with pytest.raises(InvalidArgument, match="No rows were accumulated"):
        codes.entropy()
    with pytest.raises(UnknownName, match="unknown label set 'y'"):
        codes.information("y")
    with pytest.raises(InvalidArgument, match="at least 3 for a calibrated temperature"):
        SoftEntropy().accumulator(dimensions=2)


@pytest.mark.parametrize("offset", [0.0, 0.5, 3.0, 50.0])
def test_centering_within_the_product_equals_centered_rows(offset: float) -> None:
    generator = torch.Generator().manual_seed(3)
    t = torch.randn(400, 128, generator=generator, dtype=torch.float64) + offset
    t[7] = t.mean(0) + 1e-3 * t[7]  # nearly at the center
    t[9] *= 1e4
    center, label = t.mean(0), torch.arange(400) % 5
    exact = SoftEntropy().accumulator(dimensions=128)
    exact.update(t - center, {"x": label})
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 2e-5)):
        folded = SoftEntropy(center=True).accumulator(dimensions=128, offset=center)
        folded.update(t.to(dtype), {"x": label})
        assert float(folded.entropy()) == pytest.approx(float(exact.entropy()), abs=tolerance)
        assert folded.plug_in("x") == pytest.approx(exact.plug_in("x"), abs=tolerance)
        assert float(folded.code_information()) == pytest.approx(float(exact.code_information()), abs=5 * tolerance)


def test_checked_rows_that_are_shared_give_the_same_sums() -> None:
    t = torch.randn(64, 80, generator=torch.Generator().manual_seed(0))
    t[5] = math.inf
    label, documents = torch.arange(64) % 3, torch.arange(64) // 8
    rows = checked_rows(t, 80, {"x": label}, None, documents)
    for settings in (SoftEntropy(center=True), CovarianceSpectrum(every=2)):
        alone, shared = (settings.accumulator(dimensions=80) for _ in range(2))
        alone.update(t, {"x": label}, documents=documents)
        shared.update_checked(rows)
        state = shared.state_dict()
        assert all(torch.equal(tensor, state[name]) for name, tensor in alone.state_dict().items())
        assert shared.left_out["not finite"] == 1
