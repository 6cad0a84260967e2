"""Occlusion of a part of every input, whose local features the vector then has to predict."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Settings


@dataclass(frozen=True)
class Occlusion(Settings):
    """Occludes a random rectangle of every input, at least a block in size and leaving a block visible.

    Parameters
    ----------
    block
        Side of the block; of sequences, its length.
    fill
        Value of the occluded part: 0 is mid-gray for images in [−1, 1]; for tokens, the number of the mask token.

    Raises
    ------
    InvalidArgument
        If the block is not positive; in a call if inputs are smaller than two blocks.

    Notes
    -----
    Deep InfoMax computes the vector from the occluded input and the local features from the whole one. Images are
    (n, channels, height, width), time series (n, channels, length), tokens integers (n, length). A call takes inputs
    and a torch.Generator (by default torch's global one, as dropout does).

    References
    ----------
    Hjelm et al. (2019), Learning deep representations by mutual information estimation and maximization, section 4.3
    and table 4.

    Examples
    --------
    >>> hidden = Occlusion(block=10)(torch.ones(4, 3, 32, 32), torch.Generator().manual_seed(0)) == 0
    >>> bool((hidden.sum((2, 3)) >= 100).all()), bool(hidden.all())
    (True, False)
    """

    block: PositiveInt = 10
    fill: float = 0.0

    def __call__(self, inputs: Tensor, generator: torch.Generator | None = None) -> Tensor:
        first = 2 if inputs.is_floating_point() else 1
        if inputs.ndim <= first:
            raise InvalidArgument("inputs", "of shape (n, channels, ...), or (n, length) for tokens", inputs)
        hidden = self.mask(inputs.shape[0], tuple(inputs.shape[first:]), generator)
        if first == 2:
            hidden = hidden[:, None]
        return inputs.masked_fill(hidden.to(inputs.device), self.fill)

    def mask(self, n: int, sizes: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
        """Draw what is occluded.

        Parameters
        ----------
        n
            Number of inputs.
        sizes
            Sizes of their spatial axes.
        generator
            Random generator; by default torch's global one.

        Returns
        -------
        Tensor
            Booleans of shape (n, *sizes) on the CPU.

        Raises
        ------
        InvalidArgument
            If the inputs are smaller than two blocks.
        """
        if min(sizes) < self.block or max(sizes) < 2 * self.block:
            raise InvalidArgument(
                "inputs",
                f"large enough for an occluded and a visible block of {self.block}",
                got_text=f"size {'×'.join(map(str, sizes))}",
                remedy="Use a smaller block.",
            )
        start = torch.zeros(n, len(sizes), dtype=torch.int64)
        stop = torch.zeros_like(start)
        todo = torch.arange(n)
        limits = torch.tensor(sizes)
        # Rejection: the visible part next to the rectangle must be a block thick on at least one side.
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
