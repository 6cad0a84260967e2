"""Which snapshots a recording gives up when it has outgrown its budget of bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping


def given_up(sizes: Mapping[int, int], budget: int) -> list[int]:
    """Epochs to delete until the rest fits into the budget, so that those that stay are spaced logarithmically.

    `sizes` are the bytes of each epoch. The first and the last epoch stay. Each time, the epoch goes whose neighbors
    are nearest to each other in log(1 + epoch), so that early training stays dense; ties delete the later one.
    """
    kept = sorted(sizes)
    total = sum(sizes.values())
    deleted: list[int] = []
    while total > budget and len(kept) > 2:
        gaps = [math.log1p(after) - math.log1p(before) for before, after in zip(kept, kept[2:], strict=False)]
        smallest = min(gaps)
        index = max(i for i, gap in enumerate(gaps) if gap <= smallest + 1e-12) + 1
        total -= sizes[kept[index]]
        deleted.append(kept.pop(index))
    return deleted
