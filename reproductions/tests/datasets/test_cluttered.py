"""Cluttered MNIST: what each pixel comes from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from infoflow_reproductions.datasets.cluttered import clutter, cluttered_mnist

from infoflow.core.errors import InfoflowError, InvalidArgument, MissingData, UnknownName
from infoflow.data import mnist


def scans(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.integers(1, 200, (n, 28, 28)).astype(np.uint8), np.arange(n) % 10


def test_without_distractors_the_digit_stands_alone_in_its_box() -> None:
    digits, labels = scans()
    made = clutter(digits, labels, 30, distractors=0, seed=2)
    seen = []
    for image, label, (top, left, bottom, right) in zip(made["images"], made["labels"], made["box"], strict=True):
        inside = image[top:bottom, left:right]
        (match,) = np.flatnonzero((digits == inside).all((1, 2)))
        assert labels[match] == label
        assert image.sum(dtype=int) == inside.sum(dtype=int)
        seen.append(int(match))
    assert len(set(seen)) == 30  # each digit once


def test_distractors_add_their_mass_and_are_clipped() -> None:
    digits = np.full((50, 28, 28), 100, np.uint8)
    made = clutter(digits, np.zeros(50, int), 50, distractors=21)
    images = made["images"].astype(int)
    assert set(np.unique(images)) <= {0, 100, 200, 255}
    assert images.max() == 255
    plain = clutter(digits // 25, np.zeros(50, int), 50, distractors=21)["images"].astype(int)  # never clipped
    assert (plain.sum((1, 2)) == 4 * (28 * 28 + 21 * 64)).all()


def test_fewer_samples_are_the_first_of_more_across_blocks() -> None:
    digits, labels = scans(1200)
    more = clutter(digits, labels, 1200, size=40, seed=3)
    fewer = clutter(digits, labels, 1100, size=40, seed=3)
    assert all((fewer[name] == more[name][:1100]).all() for name in more)


def test_places_cover_the_image_and_seeds_differ() -> None:
    digits, labels = scans(40)
    many = clutter(np.tile(digits, (25, 1, 1)), np.tile(labels, 25), 1000)
    top_left = many["box"][:, :2]
    assert top_left.min() == 0
    assert top_left.max() == 68
    np.testing.assert_allclose(top_left.mean(0), 34, atol=4 * 20 / np.sqrt(1000))
    assert (clutter(digits, labels, 9, seed=0)["images"] != clutter(digits, labels, 9, seed=1)["images"]).any()


def test_bad_requests_are_refused(tmp_path: Path) -> None:
    digits, labels = scans()
    with pytest.raises(InvalidArgument, match="samples must be at most the number of digits"):
        clutter(digits, labels, 41)
    with pytest.raises(InvalidArgument, match="must be in increasing order"):
        clutter(digits, labels, 4, size=20)
    with pytest.raises(UnknownName, match="'train'"):
        cluttered_mnist("trian", root=tmp_path)
    with pytest.raises(InvalidArgument, match="samples must be at most 50000"):
        cluttered_mnist("train", samples=50_001, root=tmp_path)
    with pytest.raises(MissingData, match="MNIST/raw"):
        cluttered_mnist("train", root=tmp_path)


def test_the_real_one(tmp_path: Path) -> None:
    try:
        digits = mnist("test")
    except InfoflowError as error:
        pytest.skip(str(error))
    data = cluttered_mnist("test", samples=50, cache=tmp_path)
    assert data.inputs.shape == (50, 96, 96)
    assert data.factors["box"].shape == (50, 4)
    assert data.digest == cluttered_mnist("test", samples=50, cache=tmp_path).digest
    inside = [
        image[t:b, left:r].mean() for image, (t, left, b, r) in zip(data.inputs, data.factors["box"], strict=True)
    ]
    assert np.mean(inside) >= digits.inputs.mean()
