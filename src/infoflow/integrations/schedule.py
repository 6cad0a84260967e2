"""When to take snapshots of a training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import numpy as np

from infoflow.core.settings import Each, Integer, validated
from infoflow.training import snapshot_epochs

# Default number of snapshots, and the number up to which there is no limit by the length of the training.
_COUNT, _FEW = 40, 5


class Schedule:
    """When to take snapshots: at 0, at the end, and in between evenly in the logarithm; or at given times.

    Parameters
    ----------
    at
        Epochs or steps; None spaces them in the logarithm.
    count
        Largest number of snapshots. None is 40, but in more than ten epochs at most one for every two, so that
        recording costs little of the training.

    Raises
    ------
    InvalidArgument
        If a number is out of range.

    Examples
    --------
    >>> [epoch for epoch in range(101) if Schedule(count=5).due(epoch, 100)]
    [0, 1, 5, 22, 100]
    >>> [epoch for epoch in range(21) if Schedule().due(epoch, 20)]
    [0, 1, 2, 3, 4, 7, 9, 14, 20]
    >>> [epoch for epoch in range(20) if Schedule().due(epoch, None)]
    [0, 1, 2, 3, 4, 6, 8, 11, 16]
    >>> [epoch for epoch in range(6) if Schedule([2, 3]).due(epoch, 5)]
    [2, 3]
    """

    @validated
    def __init__(
        self,
        at: Annotated[Iterable[int], Each(Integer(0))] | None = None,
        *,
        count: Annotated[int, Integer(2)] | None = None,
    ) -> None:
        self._at, self._count = None if at is None else set(at), count
        self._spaced: dict[int, set[int]] = {}

    def due(self, now: int, total: int | None) -> bool:
        """Decide whether to take a snapshot.

        Parameters
        ----------
        now
            Number of epochs or steps so far.
        total
            Number of epochs or steps in all. None if it is not known; snapshots are then due at 1, 2, 3, 4, 6, 8, 11,
            16, ...

        Returns
        -------
        bool
            Whether a snapshot is due.
        """
        if self._at is not None:
            return now in self._at
        if total is not None and total >= 1:
            if total not in self._spaced:
                count = min(_COUNT, max(_FEW, total // 2)) if self._count is None else self._count
                self._spaced[total] = set(snapshot_epochs(total, count))
            return now in self._spaced[total]
        if now == 0:
            return True
        nearest = round(2 * np.log2(now))
        return any(round(2 ** (half / 2)) == now for half in (nearest - 1, nearest, nearest + 1))
