"""The exact median of all pairwise distances in one pass over blocks."""

from __future__ import annotations

import torch
from torch import Tensor

# All pairs of some rows bracket the median; beyond _MANY samples random pairs do, whose narrower bracket holds less.
_ROWS, _PAIRS, _MANY = 512, 1 << 18, 10_000
# Part of the ranks that the bracket holds to each side of the median at first: at least four standard deviations.
_ROWS_REACH, _PAIRS_REACH = 0.08, 0.004
_BLOCK = 1 << 18  # distances in memory at a time, as many as a core's cache holds
_GATHERED = 1 << 18  # numbers of random pairs in memory at a time


def median_distance(x: Tensor) -> float:
    """Compute the lower median of the Euclidean distances between all pairs of different rows.

    Parameters
    ----------
    x : Tensor of shape (n, d)
        Samples, at least two.

    Returns
    -------
    float
        The median, up to rounding; the lower one of an even number of pairs.

    Notes
    -----
    A sample of pairs brackets the median; one pass over all pairs counts those below the bracket and keeps those
    within, of which the middle one is selected. A bracket that misses is widened, so that the result is that of a full
    sort: it depends neither on the sample nor on the order of the rows.

    Examples
    --------
    >>> median_distance(torch.tensor([[0.0], [1.0], [3.0]]))
    2.0
    """
    n = len(x)
    rank = (n * (n - 1) // 2 - 1) // 2
    norms = x.square().sum(1)
    sample, reach = _sample(x)
    while True:
        low, high = _bracket(sample, reach)
        below, within = 0, []
        height = max(1, _BLOCK // n)
        for start in range(0, n, height):
            stop = min(start + height, n)
            squares = torch.addmm(norms[None, start:], x[start:stop], x[start:].mT, alpha=-2)
            squares.add_(norms[start:stop, None])
            # Pairs with themselves and those of the block's lower triangle must not count.
            here = squares[:, : stop - start]
            here.masked_fill_(torch.ones_like(here, dtype=torch.bool).tril_(), float("inf"))
            under = squares < low
            below += int(torch.count_nonzero(under))
            within.append(squares[(squares <= high) & ~under])
        kept = torch.cat(within)
        if below <= rank < below + len(kept):
            return float(kept.kthvalue(rank - below + 1).values.clamp_min(0).sqrt())
        reach *= 4


def _sample(x: Tensor) -> tuple[Tensor, float]:
    """Sorted squared distances of a sample of pairs, and the part of their ranks that brackets the median."""
    n, d = x.shape
    generator = torch.Generator().manual_seed(0)
    if n <= _MANY:
        rows = x[torch.randperm(n, generator=generator)[:_ROWS].to(x.device)]
        found = torch.nn.functional.pdist(rows) if len(rows) < 64 else torch.cdist(rows, rows)[_upper(rows)]
        return found.square_().sort().values, 1.0 if n <= _ROWS else _ROWS_REACH
    first = torch.randint(n, (_PAIRS,), generator=generator)
    second = (first + torch.randint(1, n, (_PAIRS,), generator=generator)) % n
    chunk = max(1, _GATHERED // max(d, 1))
    pieces = [
        (x[a] - x[b]).square_().sum(1)
        for a, b in zip(torch.split(first.to(x.device), chunk), torch.split(second.to(x.device), chunk), strict=True)
    ]
    return torch.cat(pieces).sort().values, _PAIRS_REACH


def _upper(rows: Tensor) -> Tensor:
    return torch.ones((len(rows), len(rows)), dtype=torch.bool, device=rows.device).triu_(1)


def _bracket(sample: Tensor, reach: float) -> tuple[float, float]:
    """Squared distances between which the median is expected; everything for a reach of a half or more."""
    if reach >= 0.5:
        return -float("inf"), float("inf")
    # Both kinds of rounding differ, so equal distances must not lie on an end of the bracket.
    slack = 1e-9 * float(sample[-1])
    low, high = (sample[int(part * (len(sample) - 1))] for part in (0.5 - reach, 0.5 + reach))
    return float(low) - slack, float(high) + slack
