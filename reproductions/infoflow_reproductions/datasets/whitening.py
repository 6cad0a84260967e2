"""Per-image contrast normalization and ZCA whitening, learned on training images only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import positive
from infoflow.core.errors import InvalidArgument
from infoflow.data.cache import cached
from infoflow.data.dataset import Dataset

_BLOCK = 4096


def contrast_normalized(images: Any) -> Tensor:
    """Each image less its own mean, over its own standard deviation: (n, C, h, w) float32.

    A blank image becomes zeros. Raises InvalidArgument unless the images have shape (n, C, h, w).

    >>> images = torch.arange(24.0).reshape(2, 3, 2, 2)
    >>> normalized = contrast_normalized(images)
    >>> normalized[1].mean().item(), normalized[1].std(correction=0).item()
    (0.0, 1.0)
    """
    tensor = torch.as_tensor(images)
    if tensor.ndim != 4 or not tensor.numel():
        raise InvalidArgument(f"images has shape {tuple(tensor.shape)}; want (n, channels, height, width)")
    flat = tensor.flatten(1).to(torch.float32)
    flat = flat - flat.mean(1, keepdim=True)
    deviation = flat.square().mean(1, keepdim=True).sqrt()
    return torch.where(deviation > 0, flat / deviation.clamp_min(1e-8), 0.0).reshape(tensor.shape)


@dataclass(frozen=True, eq=False)
class Whitening:
    """ZCA of contrast-normalized images: w = (x − m) U (Λ + r)^{-1/2} Uᵀ, with m, UΛUᵀ of the training images.

    `regularizer` r (in units of the normalized pixels' variance, which is 1) keeps directions of hardly any variance
    from being blown up; 0.1 is the usual value for CIFAR-10. Make one with `Whitening.learn`, and call it on images.

    Goodfellow et al.: Maxout networks (2013), section 5.1; Achille, Soatto (2018), section 6.

    >>> images = torch.randint(256, (500, 3, 4, 4), generator=torch.Generator().manual_seed(0))
    >>> white = Whitening.learn(images, regularizer=1e-6)(images)
    >>> white.shape, white.flatten(1).var(0).mean().item()
    (torch.Size([500, 3, 4, 4]), 0.9...)
    """

    mean: Tensor
    matrix: Tensor

    @classmethod
    def learn(cls, images: Any, *, regularizer: float = 0.1) -> Whitening:
        """From images (n, C, h, w) to train on. Raises InvalidArgument (shape, regularizer)."""
        positive(regularizer, "regularizer")
        x = contrast_normalized(images).flatten(1)
        mean = x.mean(0, dtype=torch.float64)
        covariance = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
        for block in torch.split(x, _BLOCK):
            centered = block - mean.to(torch.float32)
            covariance += (centered.T @ centered).to(torch.float64)
        values, vectors = torch.linalg.eigh(covariance / len(x))
        matrix = (vectors * (values.clamp_min(0) + regularizer).rsqrt()) @ vectors.T
        return cls(mean.to(torch.float32), matrix.to(torch.float32))

    @classmethod
    def of(cls, data: Dataset, *, regularizer: float = 0.1, cache: str | Path | None = None) -> Whitening:
        """As `learn`, for a data set; read from the cache (see `infoflow.data.cached`) when it was learned before."""
        arrays = cached(
            f"zca-{data.name}",
            {"version": 1, "data": data.digest, "regularizer": positive(regularizer, "regularizer")},
            lambda: {name: t.numpy() for name, t in vars(cls.learn(data.inputs, regularizer=regularizer)).items()},
            cache,
        )
        return cls(torch.from_numpy(arrays["mean"]), torch.from_numpy(arrays["matrix"]))

    def __call__(self, images: Any) -> Tensor:
        """Whitened images, float32, of the same shape. Raises InvalidArgument for images of another size."""
        x = contrast_normalized(images)
        flat = x.flatten(1)
        if flat.shape[1] != len(self.mean):
            raise InvalidArgument(f"images have {flat.shape[1]} values each; this whitening is for {len(self.mean)}")
        mean, matrix = self.mean.to(flat.device), self.matrix.to(flat.device)
        return torch.cat([(block - mean) @ matrix for block in torch.split(flat, _BLOCK)]).reshape(x.shape)
