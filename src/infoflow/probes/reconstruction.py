"""How much of an image a representation keeps: a decoder trained on squared error, and MS-SSIM of what it draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.checks import finite, integer, paired, positive, samples
from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.models.dcgan import DCGANDecoder
from infoflow.probes.score import Score
from infoflow.training import Fit, Optimizer, Player, fit

# Wang et al. (2003), for five scales.
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


class Scales(NamedTuple):
    """What a multi-scale SSIM of a given image size is taken with."""

    weights: tuple[float, ...]
    """One a scale; they sum to 1."""
    kernel: int
    sigma: float


def scales(height: int, width: int) -> Scales:
    """The scales and the Gaussian window that fit an image: five and 11 pixels from 176 pixels on, as published.

    Smaller images have room for fewer scales. Down to three scales the window stays 11 pixels wide (from 44 pixels);
    below that the window shrinks (32×32: three scales, 7 pixels), then to two scales. Weights are the published ones of
    the scales that are left, summing to 1; the window's deviation shrinks with it. An index with other scales is
    another index: compare only like with like.

    Raises InvalidArgument for images smaller than 6 pixels.

    >>> scales(256, 256).kernel, len(scales(256, 256).weights)
    (11, 5)
    >>> scales(32, 32).kernel, len(scales(32, 32).weights)
    (7, 3)
    """
    side = min(height, width)
    for count, kernel in [(5, 11), (4, 11), (3, 11), (3, 9), (3, 7), (3, 5), (2, 11), (2, 9), (2, 7), (2, 5), (2, 3)]:
        # The window fits the smallest scale; torchmetrics asks for a side of (count − 1)² windows besides.
        if side // 2 ** (count - 1) >= kernel and side // (count - 1) ** 2 >= kernel:
            weights = np.array(_WEIGHTS[:count])
            return Scales(tuple((weights / weights.sum()).tolist()), kernel, 1.5 * kernel / 11)
    raise InvalidArgument(f"images are {height}×{width}; want at least 6×6 for a multi-scale index")


def ms_ssim(a: Any, b: Any, *, data_range: float = 1.0) -> Tensor:
    """Multi-scale structural similarity of each pair of images (n, C, H, W), shape (n,): 1 for identical ones.

        Π_j cs_j(a, b)^{β_j} · l_M(a, b)^{β_M}   over the scales of `scales`, by torchmetrics

    Contrast terms below 0 count as 0. Raises InvalidArgument for what isn't two batches of images of one shape,
    MissingExtra without torchmetrics. Wang, Simoncelli and Bovik (2003).

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
        raise InvalidArgument(f"a has shape {tuple(x.shape)} but b {tuple(y.shape)}; want the same")
    setting = scales(*x.shape[2:])
    parts = [
        measure(
            *pair,
            sigma=setting.sigma,
            kernel_size=setting.kernel,
            betas=setting.weights,
            data_range=positive(data_range, "data_range"),
            reduction="none",
        )
        for pair in zip(torch.split(x, 512), torch.split(y, 512), strict=True)
    ]
    return torch.cat([part.reshape(-1) for part in parts])


@dataclass(frozen=True)
class Reconstruction:
    """MS-SSIM of held-out images and what a decoder, trained on squared error, draws from their features.

    `decoder` builds one from (features, image shape, seed), with outputs in [−1, 1]; the default is a DCGAN's. Images
    of any range are scaled to it. The scales of the index follow the images' size and are in the settings, for small
    images have fewer than the published five. The interval is Student's over `runs`. Hjelm et al. (2019), section 4.3.

    >>> images = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> probe = Reconstruction(epochs=2, runs=2)
    >>> score = probe.score(images[:48].flatten(1), images[:48], images[48:].flatten(1), images[48:])
    >>> 0 <= score.value <= 1, score.settings["scales"], score.settings["kernel"]
    (True, 2, 3)
    """

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 1e-3
    decoder: Callable[[int, tuple[int, int, int], int], nn.Module] | None = None
    runs: int = 1
    seed: int = 0
    device: str = "cpu"

    name: ClassVar[str] = "MS-SSIM"
    takes: ClassVar[str] = "images"

    def __post_init__(self) -> None:
        integer(self.epochs, "epochs")
        integer(self.batch_size, "batch_size", minimum=2)
        integer(self.runs, "runs")
        integer(self.seed, "seed", minimum=0)
        positive(self.learning_rate, "learning_rate")

    def score(self, train_x: Any, train_images: Any, test_x: Any, test_images: Any) -> Score:
        """The mean MS-SSIM of the test images, from features (n, ...) and images (n, C, H, W) of both sets.

        Raises InvalidArgument (shapes that don't fit, NaN, images without contrast), MissingExtra (torchmetrics).
        """
        x, report = (
            samples(value, name, minimum=minimum, dtype=torch.float32)
            for value, name, minimum in ((train_x, "train features", 2), (test_x, "test features", 1))
        )
        images, wanted = (_images(v, n) for v, n in ((train_images, "train images"), (test_images, "test images")))
        paired(x, images, "train features", "train images")
        paired(report, wanted, "test features", "test images")
        if images.shape[1:] != wanted.shape[1:] or x.shape[1] != report.shape[1]:
            raise InvalidArgument(
                f"train images are {tuple(images.shape[1:])} from {x.shape[1]} features, test images "
                f"{tuple(wanted.shape[1:])} from {report.shape[1]}; want the same"
            )
        low, high = (float(bound) for bound in images.aminmax())
        if high <= low:
            raise InvalidArgument(f"train images are {low} everywhere; there is nothing to reconstruct")
        setting = scales(*images.shape[2:])
        target = (images - low).mul_(2 / (high - low)).sub_(1)
        truth = ((wanted - low) / (high - low)).clamp(0, 1)
        mean, deviation = x.mean(0), x.std(0).clamp_min(1e-6)
        x, report = (x - mean) / deviation, (report - mean) / deviation
        ms_ssim(truth[:1], truth[:1])  # before the decoder is trained, so that a missing package is known at once
        values = []
        for run in range(self.runs):
            seed = self.seed + run
            decoder = (self.decoder or _decoder)(x.shape[1], _shape(images), seed)
            drawn = _trained(decoder, x, target, report, self._fit(len(x)), seed, self.device)
            values.append(float(ms_ssim(drawn.add(1).div(2).clamp(0, 1), truth).mean()))
        told = {k: v for k, v in asdict(self).items() if k in ("epochs", "batch_size", "learning_rate", "seed")}
        told |= {"scales": len(setting.weights), "kernel": setting.kernel, "sigma": round(setting.sigma, 4)}
        cautions = []
        if len(setting.weights) < len(_WEIGHTS):
            cautions.append(
                f"{images.shape[2]}×{images.shape[3]} images have room for {len(setting.weights)} scales with a window "
                f"of {setting.kernel} pixels, not for the published 5 of 11: compare with the same scales only"
            )
        return Score.of_runs(self.name, values, unit="", n=len(report), settings=told, warnings=cautions)

    def _fit(self, n: int) -> Fit:
        return Fit(self.epochs, min(self.batch_size, n), Optimizer("adam", self.learning_rate))


def _trained(
    decoder: nn.Module, x: Tensor, target: Tensor, report: Tensor, settings: Fit, seed: int, device: str
) -> Tensor:
    """What a decoder draws from the reported features, in [−1, 1], after training on squared error."""

    def loss(features: Tensor, image: Tensor) -> Tensor:
        drawn: Tensor = decoder(features)
        if drawn.shape != image.shape:
            raise InvalidArgument(f"decoder returns {tuple(drawn.shape)}; want images {tuple(image.shape)}")
        return F.mse_loss(drawn, image)

    fit(Player(decoder, loss), [x, target], settings, seed=seed, device=device)
    decoder.eval()
    with torch.no_grad():
        return torch.cat([decoder(part.to(device)).to("cpu") for part in torch.split(report, 512)])


def _decoder(features: int, shape: tuple[int, int, int], seed: int) -> nn.Module:
    side = min(shape[1:])
    steps = max((k for k in (1, 2, 3) if not any(s % 2**k for s in shape[1:]) and side >= 2 * 2**k), default=0)
    if not steps:
        raise InvalidArgument(
            f"images are {shape[1]}×{shape[2]}; the default decoder wants even sides, or give decoder="
        )
    return DCGANDecoder(features, shape, widths=(256, 128, 64)[3 - steps :], seed=seed)


def _shape(images: Tensor) -> tuple[int, int, int]:
    channels, height, width = images.shape[1:]
    return channels, height, width


def _images(value: Any, name: str) -> Tensor:
    images = (value.detach() if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))).to("cpu")
    if images.ndim != 4 or images.numel() == 0 or images.is_complex():
        raise InvalidArgument(f"{name} have shape {tuple(images.shape)}; want images (n, C, H, W)")
    images = images.float()
    finite(images, name)
    return images
