from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.probes import Reconstruction, ms_ssim
from infoflow.probes.reconstruction import scales

pytest.importorskip("torchmetrics", reason="torchmetrics (infoflow[vision]) is not installed")


def reference(a: np.ndarray, b: np.ndarray) -> float:
    """Wang, Simoncelli and Bovik's index of one channel, by loops over scales and scipy's filters."""
    setting = scales(*a.shape)
    half = setting.kernel // 2
    window = np.exp(-0.5 * (np.arange(-half, half + 1) / setting.sigma) ** 2)
    window /= window.sum()

    def blur(image: np.ndarray) -> np.ndarray:
        return convolve1d(convolve1d(image, window, axis=0), window, axis=1)[half:-half, half:-half]

    product = 1.0
    for scale, weight in enumerate(setting.weights):
        mean_a, mean_b = blur(a), blur(b)
        va, vb, cov = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2, blur(a * b) - mean_a * mean_b
        contrast = (2 * cov + 0.03**2) / (va + vb + 0.03**2)
        if scale == len(setting.weights) - 1:
            contrast = contrast * (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        product *= max(contrast.mean(), 0.0) ** weight
        a, b = (image.reshape(len(image) // 2, 2, -1, 2).mean((1, 3)) for image in (a, b))
    return product


def smooth(n: int, side: int, seed: int) -> torch.Tensor:
    noise = torch.rand(n, 1, side // 4, side // 4, generator=torch.Generator().manual_seed(seed))
    return nn.functional.interpolate(noise, side, mode="bilinear")


def test_the_index_equals_the_published_one() -> None:
    """Up to the border, which torchmetrics includes in the luminance of the last scale."""
    a = smooth(3, 256, 0)
    b = (0.8 * a + 0.2 * smooth(3, 256, 1)).clamp(0, 1)
    got = ms_ssim(a, b)
    want = [reference(x.numpy(), y.numpy()) for x, y in zip(a[:, 0].double(), b[:, 0].double(), strict=True)]
    np.testing.assert_allclose(got, want, atol=0.02)


@pytest.mark.parametrize("shift", [1, 2, 4])
def test_shifted_and_noisy_images_have_the_published_index(shift: int) -> None:
    a = smooth(2, 256, 0)
    noise = 0.05 * shift * torch.randn(a.shape, generator=torch.Generator().manual_seed(1))
    for b in (a.roll(shift, 3), (a + noise).clamp(0, 1)):
        got = ms_ssim(a, b)
        want = [reference(x.numpy(), y.numpy()) for x, y in zip(a[:, 0].double(), b[:, 0].double(), strict=True)]
        np.testing.assert_allclose(got, want, atol=0.02)
        assert bool((got < 1).all())


@pytest.mark.parametrize("side", [8, 28, 32, 64, 96, 256])
def test_identical_images_have_similarity_1_and_others_less(side: int) -> None:
    a = smooth(2, side, 0)
    assert torch.allclose(ms_ssim(a, a), torch.ones(2), atol=1e-5)
    assert bool((ms_ssim(a, 1 - a) < 0.9).all())
    setting = scales(side, side)
    assert math.isclose(sum(setting.weights), 1.0)
    # torchmetrics computes the window from the deviation; it must be the one that the settings report.
    assert int(3.5 * setting.sigma + 0.5) * 2 + 1 == setting.kernel


def test_more_noise_lowers_the_similarity() -> None:
    a = smooth(4, 32, 0)
    noise = torch.randn(a.shape, generator=torch.Generator().manual_seed(1))
    values = [float(ms_ssim(a, a + size * noise).mean()) for size in (0.02, 0.1, 0.3)]
    assert values == sorted(values, reverse=True)


def test_small_images_have_fewer_scales() -> None:
    assert [len(scales(side, side).weights) for side in (256, 176, 128, 64, 44, 32, 16, 8)] == [5, 5, 4, 3, 3, 3, 2, 2]
    with pytest.raises(InvalidArgument, match="^images must be at least 6×6"):
        scales(5, 32)


def test_pixels_reconstruct_the_image_and_noise_does_not() -> None:
    images, report = smooth(256, 8, 0), smooth(64, 8, 1)
    probe = Reconstruction(epochs=25, learning_rate=3e-3)
    whole = probe.score(images.flatten(1), images, report.flatten(1), report)
    noise = torch.randn(320, 4, generator=torch.Generator().manual_seed(2))
    nothing = probe.score(noise[:256], images, noise[256:], report)
    assert whole.value > 0.8 > 0.5 > nothing.value
    assert whole.settings["scales"] == 2
    assert any("2 scales" in warning for warning in whole.warnings)
    assert any("one run only" in warning for warning in whole.warnings)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(20, 1, 8, 8), "^train images must.*0.0 everywhere"),
        (torch.rand(20, 64), "^train images must"),
        (torch.rand(19, 1, 8, 8), "20.*19"),
        (torch.rand(20, 1, 7, 9), "^train images must be of even sides"),
    ],
)
def test_invalid_images_raise(images: torch.Tensor, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        Reconstruction(epochs=1).score(torch.rand(20, 3), images, torch.rand(5, 3), images[:5])


def test_a_decoder_of_another_shape_raises() -> None:
    probe = Reconstruction(epochs=1, decoder=lambda features, shape, seed: nn.Linear(features, 3))
    with pytest.raises(InvalidArgument, match=r"^decoder must.*\(20, 3\)"):
        probe.score(torch.rand(20, 3), torch.rand(20, 1, 8, 8), torch.rand(5, 3), torch.rand(5, 1, 8, 8))
