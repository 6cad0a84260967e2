"""In training the shortcut is the label; afterwards it is independent of it; splits share no image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from infoflow.core.errors import InvalidArgument, MissingData, UnknownName
from infoflow.data import SHORTCUTS, Dataset, digits
from infoflow.data.shortcuts import hues, second_factor

SPLITS = ("train", "validation", "test")


def made(name: str, split: str, **options: object) -> Dataset:
    if name == "patch-cifar":
        rng = np.random.default_rng(0)
        photos = Dataset(
            "photos", rng.integers(0, 256, (600, 3, 32, 32), np.uint8), rng.integers(0, 10, 600), 10, scale=255.0
        )
        options["images"] = photos
    else:
        options["digits"] = digits()
    return SHORTCUTS[name](split, **options)


@pytest.mark.parametrize("name", SHORTCUTS)
def test_the_shortcut_agrees_in_training_only(name: str) -> None:
    parts = {split: made(name, split) for split in SPLITS}
    for split, data in parts.items():
        first, second = data.factors.values()
        assert np.array_equal(first, data.labels)
        agree = (first == second).mean()
        if split == "train":
            assert agree == 1.0
        else:
            assert abs(agree - 0.1) < 4 * np.sqrt(0.09 / len(data))
    sizes = [len(data) for data in parts.values()]
    total = sum(sizes)
    assert sizes == [round(total * 0.64), round(total * 0.8) - round(total * 0.64), total - round(total * 0.8)]


@pytest.mark.parametrize("name", SHORTCUTS)
def test_draws_follow_the_seed(name: str) -> None:
    first, again, other = (made(name, "test", seed=seed) for seed in (0, 0, 1))
    assert first.digest == again.digest
    assert first.digest != other.digest


def test_correlation_is_the_share_that_agrees() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 20_000)
    for correlation in (0.0, 0.5, 0.9):
        drawn = second_factor(labels, 10, "train", correlation, np.random.default_rng(1))
        assert (drawn == labels).mean() == pytest.approx(correlation + (1 - correlation) / 10, abs=0.01)


def test_splits_share_no_image() -> None:
    """Images whose one gray value is their number: every one is in one split."""
    numbers = np.arange(100)
    base = Dataset(
        "numbered", np.tile(numbers[:, None, None], (1, 4, 4)).astype(np.uint8), numbers % 10, 10, scale=99.0
    )
    seen = []
    for split in SPLITS:
        data = SHORTCUTS["one-pixel-shift"](split, digits=base)
        seen += data.inputs[:, -1, -1].tolist()
    assert sorted(seen) == numbers.tolist()


def test_hues_are_distinct() -> None:
    colors = hues(10)
    assert np.abs(colors[:, None] - colors[None]).max(-1)[~np.eye(10, dtype=bool)].min() > 0.3


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'validation'"):
        made("colored-mnist", "validaton")
    with pytest.raises(InvalidArgument, match="correlation must be"):
        made("colored-mnist", "train", correlation=2)
    with pytest.raises(InvalidArgument, match="patch must be no larger than"):
        made("patch-cifar", "train", patch=40)
    with pytest.raises(MissingData):
        SHORTCUTS["colored-mnist"]("test", root=tmp_path)
