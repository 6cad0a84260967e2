"""Per-image contrast normalization and ZCA whitening, learned on training images only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, validated
from infoflow.data.dataset import Dataset
from infoflow_reproductions.datasets.cache import cached

_BLOCK = 4096


def contrast_normalized(images: Any) -> Tensor:
    """Return images minus their means, divided by their standard deviations.

    Parameters
    ----------
    images : array-like of shape (n, C, h, w)
        Images.

    Returns
    -------
    Tensor of shape (n, C, h, w)
        Images of type float32; those of constant images are zero.

    Raises
    ------
    InvalidArgument
        If the images have another shape.

    Examples
    --------
    >>> images = torch.arange(24.0).reshape(2, 3, 2, 2)
    >>> normalized = contrast_normalized(images)
    >>> normalized[1].mean().item(), normalized[1].std(correction=0).item()
    (0.0, 1.0)
    """
    tensor = torch.as_tensor(images)
    if tensor.ndim != 4 or not tensor.numel():
        raise InvalidArgument("images", "of shape (n, C, h, w)", got_text=f"shape {tuple(tensor.shape)}")
    flat = tensor.flatten(1).to(torch.float32)
    flat = flat - flat.mean(1, keepdim=True)
    deviation = flat.square().mean(1, keepdim=True).sqrt()
    return torch.where(deviation > 0, flat / deviation.clamp_min(1e-8), 0.0).reshape(tensor.shape)


@dataclass(frozen=True, eq=False)
class Whitening:
    """ZCA whitening of contrast-normalized images; `learn` makes one, and calling it whitens images.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        Mean m of the training images.
    matrix : Tensor of shape (d, d)
        Whitening matrix.

    Notes
    -----
    With the mean m and the covariance UΛUᵀ of the training images, an image x becomes

    .. math:: w = (x - m) U (\\Lambda + r)^{-1/2} U^T.

    The regularizer r, in units of the normalized pixels' variance, which is 1, limits the amplification of directions
    of small variance; 0.1 is usual for CIFAR-10.

    References
    ----------
    Goodfellow et al.: Maxout networks (2013), section 5.1. Springenberg et al.: Striving for simplicity (2015), whose
    All-CNN is trained on such images.

    Examples
    --------
    >>> images = torch.randint(256, (500, 3, 4, 4), generator=torch.Generator().manual_seed(0))
    >>> white = Whitening.learn(images, regularizer=1e-6)(images)
    >>> white.shape, white.flatten(1).var(0).mean().item()
    (torch.Size([500, 3, 4, 4]), 0.9...)
    """

    mean: Tensor
    matrix: Tensor

    @classmethod
    @validated
    def learn(cls, images: Any, *, regularizer: PositiveFloat = 0.1) -> Whitening:
        """Return the whitening of images.

        Parameters
        ----------
        images : array-like of shape (n, C, h, w)
            Training images.
        regularizer
            Regularizer r.

        Returns
        -------
        Whitening
            The whitening.

        Raises
        ------
        InvalidArgument
            If the shape or the regularizer is invalid.
        """
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
    @validated
    def of(cls, data: Dataset, *, regularizer: PositiveFloat = 0.1, cache: str | Path | None = None) -> Whitening:
        """Return the whitening of a data set, which is stored in the cache.

        Parameters
        ----------
        data
            Training images.
        regularizer
            Regularizer r.
        cache
            Folder of the cache, as in `infoflow_reproductions.datasets.cached`.

        Returns
        -------
        Whitening
            The whitening.
        """
        arrays = cached(
            f"zca-{data.name}",
            {"version": 1, "data": data.digest, "regularizer": regularizer},
            lambda: {name: t.numpy() for name, t in vars(cls.learn(data.inputs, regularizer=regularizer)).items()},
            cache,
        )
        return cls(torch.from_numpy(arrays["mean"]), torch.from_numpy(arrays["matrix"]))

    def __call__(self, images: Any) -> Tensor:
        """Return whitened images.

        Parameters
        ----------
        images : array-like of shape (n, C, h, w)
            Images of the size of the training images.

        Returns
        -------
        Tensor of shape (n, C, h, w)
            Images of type float32.

        Raises
        ------
        InvalidArgument
            If they have another size.
        """
        x = contrast_normalized(images)
        flat = x.flatten(1)
        if flat.shape[1] != len(self.mean):
            raise InvalidArgument("images", f"of {len(self.mean)} values each", got_text=str(flat.shape[1]))
        mean, matrix = self.mean.to(flat.device), self.matrix.to(flat.device)
        return torch.cat([(block - mean) @ matrix for block in torch.split(flat, _BLOCK)]).reshape(x.shape)
