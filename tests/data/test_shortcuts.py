"""In training the shortcut is the label; afterwards it is independent of it; splits share no image."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData, UnknownName
from infoflow.data import (
    SHORTCUTS,
    Dataset,
    digits,
    draw_textures,
    load,
    mnist,
    procedural_textures,
    shifted_mnist,
    texture_files,
)
from infoflow.data.shortcuts import centered, hues, second_factor
from infoflow.data.textures import random_patches

SPLITS = ("train", "validation", "test")
TEXTURES = procedural_textures()


def made(name: str, split: str, **options: object) -> Dataset:
    if name == "patch-cifar":
        rng = np.random.default_rng(0)
        photos = Dataset(
            "photos", rng.integers(0, 256, (600, 3, 32, 32), np.uint8), rng.integers(0, 10, 600), 10, scale=255.0
        )
        options["images"] = photos
    else:
        options["digits"] = digits()
    if name == "shifted-mnist":
        options["textures"] = TEXTURES
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


def test_pixels_are_the_blend_of_digit_and_patch() -> None:
    flat = [np.full((40, 40, 3), 20 * i, np.uint8) for i in range(10)]
    data = shifted_mnist("test", digits=digits(), textures=flat)
    part = Dataset("masks", digits().inputs, digits().labels, 10, scale=16.0)
    texture = data.factors["texture"].astype(float) * 20
    corner = data.inputs[:, :, 0, 0]
    np.testing.assert_array_equal(corner, np.repeat(texture[:, None], 3, 1))  # no digit there: the patch itself
    masks = centered(part, 32) / 16.0
    assert masks.max() == 1.0
    assert data.inputs.max() == 255  # where the digit is opaque it is white
    # Each pixel is (1 − m)·patch + m for the mask of some digit: m solved from it is a gray value of the scans.
    m = (data.inputs[:, 0].astype(float) - texture[:, None, None]) / (255 - texture[:, None, None])
    assert np.abs(m * 16 - np.rint(m * 16)).max() < 16 * 0.5 / (255 - 180) + 1e-9


def test_procedural_textures_are_as_separable() -> None:
    """A linear classifier of the patches' spectra and colors finds the texture, as it does for photographs."""
    which = np.random.default_rng(0).integers(0, 10, 800)
    accuracies = {}
    sources = {"procedural": TEXTURES}
    with contextlib.suppress(MissingData):
        sources["photographs"] = draw_textures(10, side=64)
    for name, textures in sources.items():
        patches = random_patches(textures, which, 32, np.random.default_rng(1)).astype(float) / 255
        spectra = np.log1p(np.abs(np.fft.rfft2(patches.mean(1) - patches.mean((1, 2, 3))[:, None, None])))
        x = np.concatenate([spectra[:, :8, :8].reshape(800, -1), patches.mean((2, 3)), patches.std((2, 3))], 1)
        x = (x - x.mean(0)) / (x.std(0) + 1e-9)
        probe = LogisticRegression(max_iter=200, C=0.1).fit(x[:500], which[:500])
        accuracies[name] = probe.score(x[500:], which[500:])
    assert accuracies["procedural"] > 0.9
    if "photographs" in accuracies:
        assert accuracies["procedural"] > accuracies["photographs"] - 0.05


def test_photographs_are_read_from_folders(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for category in ("banded", "dotted", "woven"):
        folder = tmp_path / "textures" / "dtd" / category
        folder.mkdir(parents=True)
        for i in range(2):
            Image.fromarray(rng.integers(0, 256, (90, 120, 3), np.uint8)).save(folder / f"{i}.png")
    assert {name: len(files) for name, files in texture_files(tmp_path).items()} == dict.fromkeys(
        ["banded", "dotted", "woven"], 2
    )
    first, again, other = (draw_textures(3, seed=seed, root=tmp_path, side=64) for seed in (0, 0, 5))
    assert all(texture.shape == (64, 64, 3) for texture in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    with pytest.raises(InvalidArgument, match="classes must be at most the number of categories"):
        draw_textures(10, root=tmp_path)
    (tmp_path / "textures" / "dtd" / "banded" / "0.png").write_bytes(b"no image")
    (tmp_path / "textures" / "dtd" / "banded" / "1.png").write_bytes(b"no image")
    with pytest.raises(BrokenStore, match="cannot be read as an image"):
        draw_textures(3, root=tmp_path)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    small = [np.zeros((20, 50, 3), np.uint8)] * 10
    with pytest.raises(InvalidArgument, match=r"^textures\[0\] must be at least as large as the patch"):
        shifted_mnist("test", digits=digits(), textures=small)
    with pytest.raises(InvalidArgument, match="textures must be at least one for each of 10 classes"):
        shifted_mnist("test", digits=digits(), textures=TEXTURES[:9])
    with pytest.raises(InvalidArgument, match="must be RGB"):
        shifted_mnist("test", digits=digits(), textures=[np.zeros((50, 50), np.uint8)] * 10)
    with pytest.raises(InvalidArgument, match="within 4×4"):
        shifted_mnist("test", digits=digits(), textures=TEXTURES, size=4)
    with pytest.raises(UnknownName, match="Did you mean 'validation'"):
        shifted_mnist("validaton", digits=digits())
    with pytest.raises(InvalidArgument, match="correlation must be"):
        made("colored-mnist", "train", correlation=2)
    with pytest.raises(InvalidArgument, match="patch must be no larger than"):
        made("patch-cifar", "train", patch=40)
    with pytest.raises(MissingData):
        shifted_mnist("test", root=tmp_path)


def test_hues_are_distinct() -> None:
    colors = hues(10)
    assert np.abs(colors[:, None] - colors[None]).max(-1)[~np.eye(10, dtype=bool)].min() > 0.3


def test_shifted_mnist_of_the_real_thing() -> None:
    try:
        mnist("test")
    except MissingData as missing:
        pytest.skip(str(missing))
    split = load("shifted-mnist")
    assert (len(split.train), len(split.test)) == (48_000, 10_000)
    assert split.train.inputs.shape[1:] == (3, 32, 32)
