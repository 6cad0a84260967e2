"""Prompt entropies and curvature against closed forms and spectra of stored activations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.estimators import Curvature, PromptEntropy


def covariance_entropy(z: np.ndarray, order: float) -> float:
    """Entropy of ZᵀZ/L of centered rows of length one, by eigenvalues."""
    z = z - z.mean(0)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(z.T @ z / len(z)).clip(1e-300)
    return float(-(values * np.log(values)).sum() if order == 1 else np.log((values**order).sum()) / (1 - order))


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0])
def test_gram_entropy_equals_that_of_the_covariance_and_is_invariant_under_rotation(order: float) -> None:
    rng = np.random.default_rng(0)
    for length, dimensions in ((9, 16), (40, 16)):
        z = rng.normal(size=(3, length, dimensions)) + 1
        rotation = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
        truth = np.mean([covariance_entropy(each, order) for each in z])
        for each in (z, z @ rotation):
            prompts = PromptEntropy(order=order).accumulator(dimensions=dimensions)
            prompts.update(torch.from_numpy(each).float())
            assert float(prompts.estimate()) == pytest.approx(truth, abs=1e-6)


def test_masked_positions_do_not_count() -> None:
    z = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1] * 7, [1, 1, 1, 1, 0, 0, 0]])
    for kind in (PromptEntropy(), Curvature()):
        padded, listed = kind.accumulator(dimensions=5), kind.accumulator(dimensions=5)
        padded.update(z, mask)
        listed.update([z[0], z[1, :4]])
        assert float(padded.estimate()) == pytest.approx(float(listed.estimate()), abs=1e-12)
        with pytest.raises(InvalidArgument, match=r"mask must be of shape \(2, 7\)"):
            padded.update(z, mask[:, 1:])


def test_curvature_of_a_regular_polygon_is_its_exterior_angle() -> None:
    for corners in (3, 5, 12):
        angle = torch.arange(corners + 2) * (2 * math.pi / corners)
        path = Curvature().accumulator(dimensions=2)
        path.update(torch.stack([angle.cos(), angle.sin()], 1)[None] + 100)
        assert float(path.estimate()) == pytest.approx(2 * math.pi / corners, abs=1e-3)


def test_straight_paths_repeated_positions_and_single_tokens() -> None:
    path = Curvature().accumulator(dimensions=3)
    path.update([torch.ones(1, 3), torch.zeros(0, 3), torch.ones(5, 3)])
    assert path.estimates() == []
    path.update([torch.arange(6.0)[:, None] * torch.tensor([1.0, 2.0, 3.0])])
    assert float(path.estimate()) == pytest.approx(0.0, abs=1e-3)
    prompts = PromptEntropy().accumulator(dimensions=3)
    prompts.update([torch.ones(1, 3), torch.zeros(0, 3), torch.full((4, 3), math.nan)])
    assert prompts.estimates() == []
    assert prompts.left_out["not finite"] == 4
