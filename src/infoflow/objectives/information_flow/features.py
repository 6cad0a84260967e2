"""What a layer puts out, as feature vectors at locations: maps, sequences, tokens and plain vectors alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument

LAYOUTS = ("auto", "channels", "tokens")
UPSAMPLING = ("nearest", "nearest-exact", "linear")

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True)
class Features:
    """Feature vectors of a batch, (n, channels, *grid); a vector a sample has the grid ()."""

    values: Tensor
    name: str

    @property
    def channels(self) -> int:
        return self.values.shape[1]

    @property
    def grid(self) -> tuple[int, ...]:
        return tuple(self.values.shape[2:])

    @property
    def rows(self) -> Tensor:
        """(n, locations, channels), without a copy of what is laid out otherwise."""
        return self.values.flatten(2).mT if self.grid else self.values[:, None]


def features(output: Any, name: str, layout: str) -> Features:
    """A module's output (or its first, of several) as features; `layout` says where three axes keep the channels."""
    value = output[0] if isinstance(output, tuple | list) and output else output
    if not isinstance(value, Tensor) or not value.is_floating_point():
        got = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise InvalidArgument(f"layer {name!r} puts out {got}; want a floating-point tensor")
    if value.ndim < 2 or 0 in value.shape:
        raise InvalidArgument(f"layer {name!r} puts out shape {tuple(value.shape)}; want (n, channels, ...)")
    if layout == "tokens" and value.ndim == 3:
        value = value.mT
    return Features(value, name)


def layout_of(model: nn.Module, layout: str) -> str:
    """Where three axes keep the channels: (n, channels, length) in a network with 1-D convolutions, else tokens."""
    if choice(layout, "layout", LAYOUTS) != "auto":
        return layout
    return "channels" if any(isinstance(module, nn.Conv1d) for module in model.modules()) else "tokens"


@dataclass(frozen=True)
class Aligned:
    """Two layers on one grid of S locations: `x_index` and `y_index` (S,) are the rows that lie at each location."""

    x: Tensor
    y: Tensor
    x_index: Tensor
    y_index: Tensor

    @property
    def locations(self) -> int:
        return len(self.x_index)


def align(x: Features, y: Features, upsampling: str = "nearest") -> Aligned:
    """Both on the finer one's grid. The coarser one is spread over it, by index where that needs no arithmetic.

    Raises InvalidArgument for batches of different size and grids that don't fit.
    """
    choice(upsampling, "upsampling", UPSAMPLING)
    if len(x.values) != len(y.values):
        raise InvalidArgument(
            f"layers {x.name!r} and {y.name!r} share no batch: they put out {len(x.values)} and {len(y.values)} samples"
        )
    device = x.values.device
    sizes = math.prod(x.grid), math.prod(y.grid)
    everywhere = [torch.arange(size, device=device) for size in sizes]
    if x.grid == y.grid:
        return Aligned(x.rows, y.rows, *everywhere)
    if 1 in sizes:  # a vector meets every location
        first = torch.zeros(max(sizes), dtype=torch.int64, device=device)
        return Aligned(x.rows, y.rows, *(w if len(w) > 1 else first for w in everywhere))
    if sizes[0] == sizes[1] and 1 in (len(x.grid), len(y.grid)):  # patches as a map and as tokens, row by row
        return Aligned(x.rows, y.rows, *everywhere)
    coarse, fine = (y, x) if sizes[1] <= sizes[0] else (x, y)
    if len(x.grid) != len(y.grid) or any(c > f for c, f in zip(coarse.grid, fine.grid, strict=True)):
        raise InvalidArgument(
            f"layers {x.name!r} and {y.name!r} can't be aligned: their grids are {x.grid} and {y.grid}; "
            "want one that is no finer than the other along any axis, or a vector"
        )
    if upsampling == "linear":
        spread = F.interpolate(coarse.values, fine.grid, mode=_LINEAR[len(fine.grid)], align_corners=False)
        coarse, index = Features(spread, coarse.name), everywhere[0 if fine is x else 1]
    else:
        index = nearest(coarse.grid, fine.grid, exact=upsampling == "nearest-exact").to(device)
    if fine is x:
        return Aligned(x.rows, coarse.rows, everywhere[0], index)
    return Aligned(coarse.rows, y.rows, index, everywhere[1])


def nearest(coarse: Sequence[int], fine: Sequence[int], *, exact: bool = False) -> Tensor:
    """For each location of the fine grid, in order, the number of the coarse one that `F.interpolate` takes for it."""
    index = torch.zeros((1,) * len(fine), dtype=torch.int64)
    for axis, (few, many) in enumerate(zip(coarse, fine, strict=True)):
        where = torch.arange(many)
        along = (2 * where + 1) * few // (2 * many) if exact else where * few // many
        index = index * few + along.reshape([-1 if i == axis else 1 for i in range(len(fine))])
    return index.flatten()


# Modules that leave the number of channels as it is.
_KEEPS_WIDTH = (
    nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.Identity, nn.Upsample,
    nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d,
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d,
)  # fmt: skip

_WIDTHS = ("out_channels", "out_features", "num_features", "embedding_dim", "embed_dim", "num_channels")


def width_of(model: nn.Module, name: str) -> int | None:
    """How many channels a layer puts out, as far as its arguments (or those of the layers before it) say."""
    if name == "input":
        return next((w for m in model.modules() if (w := _first(m, ("in_channels", "in_features")))), None)
    module = model.get_submodule(name)
    if isinstance(module, nn.TransformerEncoderLayer | nn.TransformerDecoderLayer):
        return int(module.linear2.out_features)
    if isinstance(module, nn.LayerNorm):
        return int(module.normalized_shape[-1])
    found = _first(module, _WIDTHS)
    if found is not None:
        return found
    parent, _, own = name.rpartition(".")
    if isinstance(module, nn.Sequential) and len(module):
        last = list(module.named_children())[-1][0]
        return width_of(model, f"{name}.{last}")
    activation = type(module).__module__ == "torch.nn.modules.activation"
    above = model.get_submodule(parent)
    if (activation or isinstance(module, _KEEPS_WIDTH)) and isinstance(above, nn.Sequential):
        siblings = [child for child, _ in above.named_children()]
        place = siblings.index(own)
        if place:
            return width_of(model, ".".join(filter(None, [parent, siblings[place - 1]])))
    return None


def _first(module: nn.Module, attributes: Sequence[str]) -> int | None:
    return next((w for key in attributes if isinstance(w := getattr(module, key, None), int)), None)
