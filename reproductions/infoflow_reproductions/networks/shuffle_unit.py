"""Units of ShuffleNetV2 that keep the channels-last layout."""

from __future__ import annotations

from typing import Any

from torch import Tensor, cat, nn


class ShuffleUnit(nn.Module):
    """A unit of torchvision's ShuffleNetV2 with the shuffle in channels-last layout.

    torchvision's shuffle returns maps in the other layout, so that the following layers copy them or are slow.

    Parameters
    ----------
    unit
        torchvision's unit, whose branches are used under their names.
    """

    def __init__(self, unit: Any) -> None:
        super().__init__()
        self.branch1, self.branch2 = unit.branch1, unit.branch2
        self._strided = unit.stride > 1

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps.

        Parameters
        ----------
        x : Tensor of shape (n, C, H, W)
            Maps in channels-last layout.

        Returns
        -------
        Tensor of shape (n, D, H or H / 2, W or W / 2)
            Maps in channels-last layout.
        """
        passed, changed = (x, x) if self._strided else x.chunk(2, dim=1)
        both = cat([self.branch1(passed) if self._strided else passed, self.branch2(changed)], dim=1)
        # Channels of both in turn.
        halves = both.permute(0, 2, 3, 1)
        halves = halves.reshape(*halves.shape[:3], 2, -1)
        mixed: Tensor = halves.transpose(3, 4).flatten(3).permute(0, 3, 1, 2)
        return mixed
