"""ZCA whitening: its matrix, its effect on other images, and its cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from infoflow_reproductions.datasets.whitening import Whitening, contrast_normalized

from infoflow.core.errors import InvalidArgument
from infoflow.data import Dataset


def pictures(n: int = 2000, seed: int = 0) -> np.ndarray:
    """Return smooth images, whose neighboring pixels are correlated."""
    noise = np.random.default_rng(seed).normal(size=(n, 2, 6, 6))
    noise[:, :, 1:] += 0.9 * noise[:, :, :-1]
    noise[..., 1:] += 0.9 * noise[..., :-1]
    return (128 + 30 * noise).clip(0, 255).astype(np.uint8)


def test_contrast_is_normalized_per_image() -> None:
    images = pictures(50)
    x = contrast_normalized(images).flatten(1)
    flat = images.reshape(50, -1).astype(np.float64)
    wanted = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
    np.testing.assert_allclose(x.numpy(), wanted, atol=1e-5)
    assert (contrast_normalized(np.full((2, 1, 3, 3), 7)) == 0).all()


def test_zca_is_the_inverse_square_root_of_the_covariance() -> None:
    images = pictures()
    whitening = Whitening.learn(images, regularizer=0.01)
    x = contrast_normalized(images).flatten(1).double().numpy()
    covariance = np.cov(x.T, bias=True) + 0.01 * np.eye(72)
    matrix = whitening.matrix.double().numpy()
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)
    np.testing.assert_allclose(matrix @ covariance @ matrix, np.eye(72), atol=2e-3)
    white = whitening(images).flatten(1).numpy()
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-4)


def test_other_images_are_whitened_with_the_learned_matrix() -> None:
    whitening = Whitening.learn(pictures(), regularizer=1e-3)
    new = pictures(30, seed=1)
    assert torch.allclose(whitening(new)[:10], whitening(new[:10]), atol=1e-5)
    white = whitening(pictures(2000, seed=2)).flatten(1).numpy()
    before = contrast_normalized(pictures(2000, seed=2)).flatten(1).numpy()
    off = ~np.eye(72, dtype=bool)
    strongest = [np.abs(np.corrcoef(values.T)[off]).max() for values in (white, before)]
    assert strongest[0] < 0.25 < 0.6 < strongest[1]


def test_it_is_cached_for_the_same_data(tmp_path: Path) -> None:
    data = Dataset("pictures", pictures(300), np.zeros(300, int), classes=1)
    first, again = (Whitening.of(data, cache=tmp_path) for _ in range(2))
    assert torch.equal(first.matrix, again.matrix)
    assert torch.equal(first.matrix, Whitening.learn(data.inputs).matrix)
    assert len(list(tmp_path.iterdir())) == 1
    Whitening.of(data.subset(range(200)), cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_invalid_arguments_are_rejected() -> None:
    whitening = Whitening.learn(pictures(100))
    with pytest.raises(InvalidArgument, match=r"^images must be of shape"):
        whitening(np.zeros((5, 72)))
    with pytest.raises(InvalidArgument, match=r"^images must be of 72 values each, got 18"):
        whitening(np.zeros((5, 2, 3, 3)))
    with pytest.raises(InvalidArgument, match="regularizer"):
        Whitening.learn(pictures(10), regularizer=0)
