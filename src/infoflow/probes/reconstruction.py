"""How much of an image a representation contains: MS-SSIM of images and what a decoder reconstructs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.checks import finite, paired
from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.core.settings import PositiveFloat, PositiveInt, validated
from infoflow.models import DCGANDecoder
from infoflow.probes.inputs import as_tensor, both_features
from infoflow.probes.probe import TrainedProbe
from infoflow.probes.score import Score

# Wang et al. (2003), for five scales.
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


class Scales(NamedTuple):
    """Weights and Gaussian window of a multi-scale SSIM for images of a given size."""

    weights: tuple[float, ...]
    """One per scale; they sum to 1."""
    kernel: int
    sigma: float


def scales(height: int, width: int) -> Scales:
    """Choose the scales and the window for an image: five scales and 11 pixels from 176 pixels on, as published.

    Smaller images have fewer scales. Down to three scales the window is 11 pixels wide (from 44 pixels on). Below that
    the window shrinks (32×32: three scales, 7 pixels), then the number of scales to two. Weights are the published
    ones of the remaining scales, normalized to a sum of 1; the standard deviation of the window shrinks with it. Values
    of different scales are not comparable.

    Raises `InvalidArgument` for images smaller than 6 pixels.

    >>> scales(256, 256).kernel, len(scales(256, 256).weights)
    (11, 5)
    >>> scales(32, 32).kernel, len(scales(32, 32).weights)
    (7, 3)
    """
    side = min(height, width)
    for count, kernel in [(5, 11), (4, 11), (3, 11), (3, 9), (3, 7), (3, 5), (2, 11), (2, 9), (2, 7), (2, 5), (2, 3)]:
        # The window fits the smallest scale; torchmetrics also requires a side of (count − 1)² windows.
        if side // 2 ** (count - 1) >= kernel and side // (count - 1) ** 2 >= kernel:
            weights = np.array(_WEIGHTS[:count])
            return Scales(tuple((weights / weights.sum()).tolist()), kernel, 1.5 * kernel / 11)
    raise InvalidArgument("images", "at least 6×6 for a multi-scale index", got_text=f"{height}×{width}")


@validated
def ms_ssim(a: Any, b: Any, *, data_range: PositiveFloat = 1.0) -> Tensor:
    """Compute the multi-scale structural similarity of each pair of images; 1 for identical ones.

    Parameters
    ----------
    a, b : array-like of shape (n, C, H, W)
        Images of at least 6×6 pixels.
    data_range
        Difference of the largest and the smallest possible value of a pixel.

    Returns
    -------
    Tensor
        Similarities of shape (n,).

    Raises
    ------
    InvalidArgument
        If the arguments are not images of one shape, or contain NaN or infinity.
    MissingExtra
        If torchmetrics is not installed.

    Notes
    -----
    The index is Π_j cs_j(a, b)^{β_j} · l_M(a, b)^{β_M} over the scales j = 1..M, computed by torchmetrics. Contrast
    terms below 0 count as 0. Images smaller than 176 pixels have fewer than the published five scales, and below 44
    pixels a smaller window; compare images of one size only.

    References
    ----------
    .. [1] Z. Wang, E. P. Simoncelli and A. C. Bovik, "Multiscale structural similarity for image quality assessment",
       2003.

    Examples
    --------
    >>> images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> ms_ssim(images, images)
    tensor([1., 1., 1., 1.])
    """
    try:
        from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as measure
    except ImportError:
        raise MissingExtra("torchmetrics", "vision", "multi-scale SSIM") from None
    x, y = (_images(value, name) for value, name in ((a, "a"), (b, "b")))
    if x.shape != y.shape:
        raise InvalidArgument("b", f"of the shape of a, {tuple(x.shape)}", y)
    setting = scales(*x.shape[2:])
    parts = [
        measure(
            *pair,
            sigma=setting.sigma,
            kernel_size=setting.kernel,
            betas=setting.weights,
            data_range=data_range,
            reduction="none",
        )
        for pair in zip(torch.split(x, 512), torch.split(y, 512), strict=True)
    ]
    return torch.cat([part.reshape(-1) for part in parts])


@dataclass(frozen=True, kw_only=True)
class Reconstruction(TrainedProbe):
    """MS-SSIM of test images and what a decoder, trained on squared error, reconstructs of them from their features.

    Parameters
    ----------
    epochs, batch_size, learning_rate
        Training of the decoder by Adam.
    runs
        Number of runs with seeds `seed`, `seed` + 1, ...; their spread gives Student's interval.
    seed
        Seed of the first run.
    device
        Device of the training; "auto" is a GPU if there is one.
    decoder
        Function (features, image shape, seed) that builds a decoder with outputs in [−1, 1]; None is `DCGANDecoder`.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    Images of any range are scaled to [−1, 1] by the range of the training images. The scales of the index depend on
    the size of the images (see `ms_ssim`) and are in the settings of the score.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, section 4.1.

    Examples
    --------
    >>> images = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> probe = Reconstruction(epochs=2, runs=2)
    >>> score = probe.score(images[:48].flatten(1), images[:48], images[48:].flatten(1), images[48:])
    >>> 0 <= score.value <= 1, score.settings["scales"], score.settings["kernel"]
    (True, 2, 3)
    """

    epochs: PositiveInt = 30
    learning_rate: PositiveFloat = 1e-3
    runs: PositiveInt = 1
    decoder: Callable[[int, tuple[int, int, int], int], nn.Module] | None = None

    name: ClassVar[str] = "MS-SSIM"
    unit: ClassVar[str] = ""
    takes: ClassVar[str] = "images"

    def score(self, train_x: Any, train_images: Any, test_x: Any, test_images: Any) -> Score:
        """Train decoders and return the mean MS-SSIM of the test images.

        Parameters
        ----------
        train_x : array-like of shape (n, ...)
            Features of the training images, which are flattened.
        train_images : array-like of shape (n, C, H, W)
            Training images.
        test_x : array-like of shape (m, ...)
            Features of the test images.
        test_images : array-like of shape (m, C, H, W)
            Test images.

        Returns
        -------
        Score
            The index, without unit.

        Raises
        ------
        InvalidArgument
            If shapes do not fit, a value is not finite, or the training images are constant.
        MissingExtra
            If torchmetrics is not installed.
        """
        x, report = both_features(train_x, test_x, 2)
        images, truth = _images(train_images, "train images"), _images(test_images, "test images")
        paired(x, images, "train features", "train images")
        paired(report, truth, "test features", "test images")
        if images.shape[1:] != truth.shape[1:]:
            raise InvalidArgument("test images", f"of the size of the train images, {tuple(images.shape[1:])}", truth)
        low, high = (float(bound) for bound in images.aminmax())
        if high <= low:
            raise InvalidArgument("train images", "images that are not constant", got_text=f"{low} everywhere")
        setting = scales(*images.shape[2:])
        target = (images - low).mul_(2 / (high - low)).sub_(1)
        truth = ((truth - low) / (high - low)).clamp(0, 1)
        mean, deviation = x.mean(0), x.std(0).clamp_min(1e-6)
        x, report = (x - mean) / deviation, (report - mean) / deviation
        ms_ssim(truth[:1], truth[:1])  # raises for a missing package before the decoder is trained

        def run(seed: int) -> float:
            channels, height, width = images.shape[1:]
            decoder = (self.decoder or _decoder)(x.shape[1], (channels, height, width), seed)
            self._train(decoder, _squared_error(decoder), [x, target], seed)
            decoder.eval()
            with torch.no_grad():
                drawn = torch.cat([decoder(part.to(self.device)).to("cpu") for part in torch.split(report, 512)])
            return float(ms_ssim(drawn.add(1).div(2).clamp(0, 1), truth).mean())

        warnings = []
        if len(setting.weights) < len(_WEIGHTS):
            warnings.append(
                f"Images of {images.shape[2]}×{images.shape[3]} pixels allow {len(setting.weights)} scales and a "
                f"window of {setting.kernel} pixels, not the published 5 and 11, so the value is not comparable with "
                "published ones. Compare it with values of the same scales only."
            )
        window = {"scales": len(setting.weights), "kernel": setting.kernel, "sigma": round(setting.sigma, 4)}
        return self._of_runs(run, len(report), warnings=warnings, **window)


def _squared_error(decoder: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    def loss(features: Tensor, images: Tensor) -> Tensor:
        drawn: Tensor = decoder(features)
        if drawn.shape != images.shape:
            raise InvalidArgument("decoder", f"a module that returns images {tuple(images.shape)}", drawn)
        return F.mse_loss(drawn, images)

    return loss


def _decoder(features: int, shape: tuple[int, int, int], seed: int) -> nn.Module:
    side = min(shape[1:])
    steps = max((k for k in (1, 2, 3) if not any(s % 2**k for s in shape[1:]) and side >= 2 * 2**k), default=0)
    if not steps:
        got = f"{shape[1]}×{shape[2]}"
        remedy = "Otherwise pass a decoder."
        raise InvalidArgument("train images", "of even sides for the default decoder", got_text=got, remedy=remedy)
    return DCGANDecoder(features, shape, widths=(256, 128, 64)[3 - steps :], seed=seed)


def _images(value: Any, name: str) -> Tensor:
    images = as_tensor(value).to("cpu")
    if images.ndim != 4 or images.numel() == 0 or images.is_complex():
        raise InvalidArgument(name, "images (n, C, H, W)", images)
    images = images.float()
    finite(images, name)
    return images
