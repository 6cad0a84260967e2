"""Shifted MNIST: what each pixel comes from, and which textures there are."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from infoflow_reproductions.datasets.shifted_mnist import centered, shifted_mnist
from infoflow_reproductions.datasets.textures import draw_textures, procedural_textures, random_patches, texture_files
from PIL import Image
from sklearn.linear_model import LogisticRegression

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData, UnknownName
from infoflow.data import Dataset, digits, mnist

TEXTURES = procedural_textures()


def test_the_texture_agrees_in_training_only_and_follows_the_seed() -> None:
    parts = {s: shifted_mnist(s, digits=digits(), textures=TEXTURES) for s in ("train", "validation", "test")}
    for split, data in parts.items():
        agree = (data.factors["digit"] == data.factors["texture"]).mean()
        assert np.array_equal(data.factors["digit"], data.labels)
        assert agree == 1.0 if split == "train" else abs(agree - 0.1) < 4 * np.sqrt(0.09 / len(data))
    again, other = (shifted_mnist("test", digits=digits(), textures=TEXTURES, seed=seed) for seed in (0, 1))
    assert parts["test"].digest == again.digest
    assert parts["test"].digest != other.digest


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
    with pytest.raises(MissingData):
        shifted_mnist("test", root=tmp_path)


def test_shifted_mnist_of_the_real_thing() -> None:
    try:
        mnist("test")
    except MissingData as missing:
        pytest.skip(str(missing))
    train, test = [shifted_mnist(part) for part in ("train", "test")]
    assert (len(train), len(test)) == (48_000, 10_000)
    assert train.inputs.shape[1:] == (3, 32, 32)
