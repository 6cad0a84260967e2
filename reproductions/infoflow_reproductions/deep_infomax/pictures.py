"""Images inside results: small enough to be kept, and drawn later."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pack(images: Tensor) -> dict[str, Any]:
    """Bytes (rows, columns, C, H, W) as text with their shape.

    >>> import torch
    >>> unpack(pack(torch.arange(12, dtype=torch.uint8).reshape(1, 2, 3, 2, 1)))[0, 1, :, 0, 0].tolist()
    [6, 8, 10]
    """
    array = np.ascontiguousarray(images.cpu().numpy().astype(np.uint8))
    return {"shape": list(array.shape), "zlib": base64.b64encode(zlib.compress(array.tobytes(), 9)).decode()}


def unpack(packed: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The inverse of `pack`.

    >>> import torch
    >>> unpack(pack(torch.zeros(1, 1, 3, 2, 2))).shape
    (1, 1, 3, 2, 2)
    """
    data = zlib.decompress(base64.b64decode(packed["zlib"]))
    return np.frombuffer(data, np.uint8).reshape(packed["shape"])


def sheet(axes: Axes, packed: Mapping[str, Any], *, gap: int = 2, first: int = 0) -> None:
    """Draws the images as one picture with white gaps, a wider one after the first `first` columns."""
    images = unpack(packed)
    rows, columns, channels, height, width = images.shape
    extra = 3 * gap if first else 0
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap + extra, channels), 255, np.uint8)
    for i in range(rows):
        for j in range(columns):
            left = j * (width + gap) + (extra if first and j >= first else 0)
            canvas[i * (height + gap) : i * (height + gap) + height, left : left + width] = images[i, j].transpose(
                1, 2, 0
            )
    axes.imshow(canvas if channels == 3 else canvas[..., 0], cmap="gray", interpolation="nearest")
    axes.set_axis_off()
