"""Outputs of layers as feature vectors at locations: maps, sequences, tokens and plain vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Settings

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


@dataclass(frozen=True)
class Locations(Settings):
    """Locations at which `InformationFlow` compares two layers.

    Parameters
    ----------
    count
        Number of locations of each image that a step takes, drawn with replacement; None takes all.
    upsampling
        How the coarser map is spread over the finer one's grid: "nearest", "nearest-exact" or "linear" (bilinear,
        trilinear).
    layout
        Outputs with three axes: "channels" for (n, C, length), "tokens" for (n, tokens, C), "auto" for tokens unless
        the network has 1-D convolutions.

    Raises
    ------
    InvalidArgument
        If a parameter is out of range; `UnknownName` for another name.

    Examples
    --------
    >>> Locations(None, upsampling="linear")
    Locations(count=None, upsampling='linear', layout='auto')
    """

    count: PositiveInt | None = 24
    upsampling: Literal["nearest", "nearest-exact", "linear"] = "nearest"
    layout: Literal["auto", "channels", "tokens"] = "auto"


@dataclass(frozen=True)
class Features:
    """Feature vectors of a batch, (n, channels, *grid); the grid of one vector per sample is ()."""

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
        """(n, locations, channels), as a view where possible."""
        return self.values.flatten(2).mT if self.grid else self.values[:, None]


def features(output: Any, name: str, layout: str) -> Features:
    """A module's output (the first of several) as features; `layout` gives the channels' place among three axes."""
    value = output[0] if isinstance(output, tuple | list) and output else output
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise InvalidArgument(f"the output of layer {name!r}", "a floating-point tensor", value)
    if value.ndim < 2 or 0 in value.shape:
        raise InvalidArgument(f"the output of layer {name!r}", "of shape (n, channels, ...)", value)
    if layout == "tokens" and value.ndim == 3:
        value = value.mT
    return Features(value, name)


def layout_of(model: nn.Module, layout: str) -> str:
    """The channels' place among three axes: "channels" in a network with 1-D convolutions, else "tokens"."""
    if layout != "auto":
        return layout
    return "channels" if any(isinstance(module, nn.Conv1d) for module in model.modules()) else "tokens"


@dataclass(frozen=True)
class Aligned:
    """Two layers on one grid of S locations: `x_index` and `y_index` (S,) are the rows at each location."""

    x: Tensor
    y: Tensor
    x_index: Tensor
    y_index: Tensor

    @property
    def locations(self) -> int:
        return len(self.x_index)


def align(x: Features, y: Features, upsampling: str = "nearest") -> Aligned:
    """Both layers on the finer one's grid, over which the coarser one is spread, by index where possible.

    Raises `InvalidArgument` for batches of different size and grids that do not fit.
    """
    if len(x.values) != len(y.values):
        raise InvalidArgument(
            f"Layers {x.name!r} and {y.name!r} must have outputs of one batch, got {len(x.values)} and {len(y.values)} "
            "samples."
        )
    device = x.values.device
    sizes = math.prod(x.grid), math.prod(y.grid)
    everywhere = [torch.arange(size, device=device) for size in sizes]
    if x.grid == y.grid:
        return Aligned(x.rows, y.rows, *everywhere)
    if 1 in sizes:  # a vector is paired with every location
        first = torch.zeros(max(sizes), dtype=torch.int64, device=device)
        return Aligned(x.rows, y.rows, *(w if len(w) > 1 else first for w in everywhere))
    if sizes[0] == sizes[1] and 1 in (len(x.grid), len(y.grid)):  # patches as a map and as tokens, row by row
        return Aligned(x.rows, y.rows, *everywhere)
    coarse, fine = (y, x) if sizes[1] <= sizes[0] else (x, y)
    if len(x.grid) != len(y.grid) or any(c > f for c, f in zip(coarse.grid, fine.grid, strict=True)):
        raise InvalidArgument(
            f"Layers {x.name!r} and {y.name!r} must have grids of which one is no finer than the other along any axis, "
            f"or one of them a vector, got {x.grid} and {y.grid}."
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
    """For each location of the fine grid, in order, the index of the coarse one that `F.interpolate` takes."""
    index = torch.zeros((1,) * len(fine), dtype=torch.int64)
    for axis, (few, many) in enumerate(zip(coarse, fine, strict=True)):
        where = torch.arange(many)
        along = (2 * where + 1) * few // (2 * many) if exact else where * few // many
        index = index * few + along.reshape([-1 if i == axis else 1 for i in range(len(fine))])
    return index.flatten()


# Modules that do not change the number of channels, with all dropouts and poolings.
_SAME_WIDTH = (
    *(nn.Identity, nn.Upsample, nn.modules.dropout._DropoutNd),
    *(nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd),
    *(nn.modules.pooling._AdaptiveAvgPoolNd, nn.modules.pooling._AdaptiveMaxPoolNd),
)

_WIDTHS = ("out_channels", "out_features", "num_features", "embedding_dim", "embed_dim", "num_channels")


def width_of(model: nn.Module, name: str) -> int | None:
    """The number of a layer's channels, if its arguments or those of the layers before it state it."""
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
    if (activation or isinstance(module, _SAME_WIDTH)) and isinstance(above, nn.Sequential):
        siblings = [child for child, _ in above.named_children()]
        place = siblings.index(own)
        if place:
            return width_of(model, ".".join(filter(None, [parent, siblings[place - 1]])))
    return None


def _first(module: nn.Module, attributes: Sequence[str]) -> int | None:
    return next((w for key in attributes if isinstance(w := getattr(module, key, None), int)), None)
