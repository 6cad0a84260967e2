"""Hides a part of every input, so that the vector has to guess what it didn't see."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument


@dataclass(frozen=True)
class Occlusion:
    """Fills a random rectangle of every input; at least one block of `block` a side is hidden, and one stays visible.

    Deep InfoMax computes the vector from the occluded input and the local features from the whole one, so the vector
    is asked about places that it can't see. Images are (n, channels, height, width), time series (n, channels,
    length), tokens integers (n, length): of sequences a stretch of at least `block` steps is hidden. `fill` is what
    stands in its place: 0 is mid-gray for images in [−1, 1]; for tokens it is the mask's number.

    Calling it takes inputs and optionally a torch.Generator (None: torch's own, as dropout does).

    Raises InvalidArgument for inputs with no room for two blocks.
    Hjelm et al. (2019), section 4.4 and table 4.

    >>> hidden = Occlusion(block=10)(torch.ones(4, 3, 32, 32), torch.Generator().manual_seed(0)) == 0
    >>> bool((hidden.sum((2, 3)) >= 100).all()), bool(hidden.all())
    (True, False)
    """

    block: int = 10
    fill: float = 0.0

    def __post_init__(self) -> None:
        integer(self.block, "block")

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        first = 2 if inputs.is_floating_point() else 1
        if inputs.ndim <= first:
            raise InvalidArgument(
                f"inputs to occlude have shape {tuple(inputs.shape)}; want (n, channels, ...), or (n, length) of tokens"
            )
        hidden = self.mask(inputs.shape[0], tuple(inputs.shape[first:]), generator)
        if first == 2:
            hidden = hidden[:, None]
        return inputs.masked_fill(hidden.to(inputs.device), self.fill)

    def mask(self, n: int, sizes: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
        """What to hide of n inputs whose spatial axes have these sizes: boolean (n, *sizes), on the CPU.

        Raises InvalidArgument where the sizes leave no room for a hidden and a visible block.
        """
        if min(sizes) < self.block or max(sizes) < 2 * self.block:
            raise InvalidArgument(
                f"inputs of size {'×'.join(map(str, sizes))} have no room for a hidden and a visible block of "
                f"{self.block}; want a smaller block"
            )
        start = torch.zeros(n, len(sizes), dtype=torch.int64)
        stop = torch.zeros_like(start)
        todo = torch.arange(n)
        limits = torch.tensor(sizes)
        # Rejection: what is left beside the rectangle must be a block thick on at least one side.
        while len(todo):
            draw = torch.rand(len(todo), 2, len(sizes), generator=generator)
            length = self.block + (draw[:, 0] * (limits - self.block + 1)).long()
            begin = (draw[:, 1] * (limits - length + 1)).long()
            start[todo], stop[todo] = begin, begin + length
            thickest = torch.maximum(begin, limits - begin - length).amax(1)
            todo = todo[thickest < self.block]
        hidden = torch.ones(n, *sizes, dtype=torch.bool)
        for axis, size in enumerate(sizes):
            place = torch.arange(size)
            inside = (place >= start[:, axis, None]) & (place < stop[:, axis, None])
            hidden &= inside.reshape(n, *(size if k == axis else 1 for k in range(len(sizes))))
        return hidden
