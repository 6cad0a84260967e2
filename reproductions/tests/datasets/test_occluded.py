"""Occluded CIFAR: both pictures are in it, and each label is its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from infoflow_reproductions.datasets.occluded import occlude, occluded_cifar

from infoflow.core.errors import InfoflowError, InvalidArgument, MissingData
from infoflow.data import cifar10, mnist


def test_each_pixel_is_the_larger_and_the_frame_is_untouched() -> None:
    rng = np.random.default_rng(0)
    pictures, digits = rng.integers(0, 256, (5, 3, 32, 32)), rng.integers(0, 256, (9, 28, 28))
    made = occlude(pictures, digits, np.arange(9), seed=4)
    for image, picture, which in zip(made["images"], pictures, made["nuisance"], strict=True):
        for channel in range(3):
            for row in range(32):
                for column in range(32):
                    inside = 2 <= row < 30 and 2 <= column < 30
                    digit = digits[which, row - 2, column - 2] if inside else 0
                    assert image[channel, row, column] == max(digit, picture[channel, row, column])
    assert len(set(made["nuisance"].tolist())) == 5
    assert (pictures == np.random.default_rng(0).integers(0, 256, (5, 3, 32, 32))).all()


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    pictures = np.zeros((3, 3, 8, 8), np.uint8)
    with pytest.raises(InvalidArgument, match=r"^digits must be at least as many as pictures"):
        occlude(pictures, np.zeros((2, 6, 6), np.uint8), np.zeros(2, int))
    with pytest.raises(InvalidArgument, match="digits must be no larger"):
        occlude(pictures, np.zeros((4, 9, 9), np.uint8), np.zeros(4, int))
    with pytest.raises(MissingData):
        occluded_cifar("train", root=tmp_path)


def test_the_real_one_keeps_the_object_and_draws_the_digit_independently(tmp_path: Path) -> None:
    try:
        pictures = cifar10("test")
        mnist("test")
    except InfoflowError as error:
        pytest.skip(str(error))
    data = occluded_cifar("test", cache=tmp_path)
    assert data.inputs.shape == (10_000, 3, 32, 32)
    assert (data.labels == pictures.labels).all()
    assert data.digest == occluded_cifar("test", cache=tmp_path).digest
    table = np.histogram2d(data.labels, data.factors["nuisance"], bins=10)[0]
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
    # χ² with 81 degrees of freedom: 130 is beyond the 99.9th percentile.
    assert ((table - expected) ** 2 / expected).sum() < 130
