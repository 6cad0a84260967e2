"""Which score belongs to a partner and which to a stranger: in-batch negatives, cyclic shifts, derangements."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import finite, integer
from infoflow.core.errors import InvalidArgument, TooFewSamples


def split_pairs(table: Tensor, offset: int = 0) -> tuple[Tensor, Tensor]:
    """Positives and negatives of a table of scores, the positive left out of its row by construction.

        positive_i = table_{i, offset+i},   negative_i = the other N − 1 entries of row i, in their order

    `table` is (..., n, N): n rows against N candidates, row i's partner in column offset + i (`offset` > 0
    where the candidates come from several processes). Returns (..., n) and (..., n, N − 1). There is no
    diagonal to mask: the negatives' count is right and no stand-in number can meet scores of its size. Raises
    TooFewSamples for N < 2, InvalidArgument for a table too small for the offset.

    >>> positive, negative = split_pairs(torch.arange(9.0).reshape(3, 3)); positive.tolist(), negative.tolist()
    ([0.0, 4.0, 8.0], [[1.0, 2.0], [3.0, 5.0], [6.0, 7.0]])
    """
    if table.ndim < 2 or not 0 <= offset <= table.shape[-1] - table.shape[-2]:
        raise InvalidArgument(
            f"table has shape {tuple(table.shape)} and offset is {offset}; want (..., n, N) with offset + n <= N"
        )
    n, candidates = table.shape[-2:]
    if candidates < 2:
        raise TooFewSamples("a batch of one pair has no negatives; want at least two pairs")
    own = table[..., offset : offset + n]
    # After the first diagonal entry, each run of n + 1 ends in the next one: dropping a column drops the
    # diagonal.
    runs = own.flatten(-2)[..., 1:].reshape(*own.shape[:-2], n - 1, n + 1)
    others = runs[..., :-1].reshape(*own.shape[:-1], n - 1)
    if candidates > n:
        others = torch.cat([table[..., :offset], others, table[..., offset + n :]], -1)
    return own.diagonal(dim1=-2, dim2=-1), others


def shifts(rows: int, candidates: int, negatives: int | None, offset: int = 0) -> Tensor:
    """Indices (n, m) of the strangers of each row: the m candidates that follow its partner, cyclically.

    Row i's partner is candidate offset + i of `candidates`. In a shuffled batch each shift is a derangement,
    so no randomness is needed. None means all others. Raises InvalidArgument for more negatives than there
    are others.

    >>> shifts(3, 3, 1).tolist()
    [[1], [2], [0]]
    """
    if candidates < 2:
        raise TooFewSamples("a batch of one pair has no negatives; want at least two pairs")
    count = candidates - 1 if negatives is None else integer(negatives, "negatives")
    if count > candidates - 1:
        raise InvalidArgument(f"negatives is {count} but a batch of {candidates} has {candidates - 1} others a row")
    return (torch.arange(rows)[:, None] + offset + torch.arange(1, count + 1)) % candidates


def derangement(n: int, generator: torch.Generator | None = None) -> Tensor:
    """A random permutation of 0..n−1 that leaves nothing in its place: one random cycle (Sattolo's
    algorithm).

    Pairing x_i with y_σ(i) gives samples of the product of the marginals in which nobody keeps its partner.
    `generator` None draws from a fresh generator with seed 0. Raises InvalidArgument for n < 2.

    >>> bool((derangement(5) == torch.arange(5)).any())
    False
    """
    n = integer(n, "n", minimum=2)
    order = torch.randperm(n, generator=generator or torch.Generator().manual_seed(0))
    return torch.empty_like(order).scatter_(0, order, order.roll(1))


def checked_scores(critic: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The scores of any critic (an object with `scores(x, y)`), or an error that says what is wrong with
    them.

    For critics from elsewhere: it looks at values, which costs a synchronization on accelerators. Raises
    InvalidArgument when the critic has no `scores`, returns no pair of tensors of shapes (..., n) and (...,
    n, m), or NaN or infinity.

    >>> from infoflow.critics import Bilinear
    >>> positive, negative = checked_scores(Bilinear(2, 3), torch.ones(4, 2), torch.ones(4, 3))
    >>> positive.shape, negative.shape
    (torch.Size([4]), torch.Size([4, 3]))
    """
    name = type(critic).__name__
    if not hasattr(critic, "scores"):
        raise InvalidArgument(f"critic {name} has no method scores(x, y) -> (positive, negative)")
    result = critic.scores(x, y)
    if not isinstance(result, tuple) or len(result) != 2 or not all(isinstance(part, Tensor) for part in result):
        raise InvalidArgument(f"{name}.scores returned {type(result).__name__}; want tensors (positive, negative)")
    positive, negative = result
    if positive.ndim < 1 or negative.ndim != positive.ndim + 1 or negative.shape[-2] != positive.shape[-1]:
        raise InvalidArgument(
            f"{name}.scores returned shapes {tuple(positive.shape)} and {tuple(negative.shape)}; "
            "want (..., n) and (..., n, m)"
        )
    if positive.shape[-1] != x.shape[0]:
        raise InvalidArgument(f"{name}.scores returned {positive.shape[-1]} positives for {x.shape[0]} pairs")
    finite(positive.detach(), f"positive of {name}.scores")
    finite(negative.detach(), f"negative of {name}.scores")
    return positive, negative
