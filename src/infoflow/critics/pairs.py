"""Positives and negatives of a batch: in-batch negatives, cyclic shifts, derangements."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import finite, integer
from infoflow.core.errors import InvalidArgument, TooFewSamples


def split_pairs(table: Tensor, offset: int = 0) -> tuple[Tensor, Tensor]:
    """Split a table of scores into positives and negatives.

    Parameters
    ----------
    table : Tensor of shape (..., n, N)
        Scores of n rows against N candidates; the partner of row i is in column offset + i.
    offset
        Column of the first row's partner, above 0 where the candidates come from several processes.

    Returns
    -------
    tuple of Tensor
        Positives (..., n) and negatives (..., n, N − 1): the other entries of each row, in their order.

    Raises
    ------
    InvalidArgument
        If the table is too small for the offset.
    TooFewSamples
        If N < 2.

    Notes
    -----
    The positive is removed from its row rather than masked, so that the number of negatives is exact.

    Examples
    --------
    >>> positive, negative = split_pairs(torch.arange(9.0).reshape(3, 3)); positive.tolist(), negative.tolist()
    ([0.0, 4.0, 8.0], [[1.0, 2.0], [3.0, 5.0], [6.0, 7.0]])
    """
    if table.ndim < 2 or not 0 <= offset <= table.shape[-1] - table.shape[-2]:
        raise InvalidArgument(
            "table",
            "of shape (..., n, N) with offset + n <= N",
            got_text=f"shape {tuple(table.shape)}, offset {offset}",
        )
    n, candidates = table.shape[-2:]
    if candidates < 2:
        raise TooFewSamples("x and y must hold at least two pairs: a batch of one has no negatives.")
    own = table[..., offset : offset + n]
    # After the first diagonal entry, each run of n + 1 ends in the next one: dropping a column drops the diagonal.
    runs = own.flatten(-2)[..., 1:].reshape(*own.shape[:-2], n - 1, n + 1)
    others = runs[..., :-1].reshape(*own.shape[:-1], n - 1)
    if candidates > n:
        others = torch.cat([table[..., :offset], others, table[..., offset + n :]], -1)
    return own.diagonal(dim1=-2, dim2=-1), others


def shifts(rows: int, candidates: int, n_negatives: int | None, offset: int = 0) -> Tensor:
    """Indices of the negatives of each row: the candidates that follow its partner cyclically.

    Parameters
    ----------
    rows
        Number of rows n.
    candidates
        Number of candidates.
    n_negatives
        Negatives of each row; None means all others.
    offset
        Candidate that is the partner of the first row.

    Returns
    -------
    Tensor
        Indices, shape (n, m).

    Raises
    ------
    InvalidArgument
        If there are fewer other candidates than `n_negatives`.
    TooFewSamples
        If there is one candidate.

    Notes
    -----
    In a shuffled batch each shift is a derangement, so that no randomness is needed.

    Examples
    --------
    >>> shifts(3, 3, 1).tolist()
    [[1], [2], [0]]
    """
    if candidates < 2:
        raise TooFewSamples("x and y must hold at least two pairs: a batch of one has no negatives.")
    count = candidates - 1 if n_negatives is None else integer(n_negatives, "n_negatives")
    if count > candidates - 1:
        raise InvalidArgument("n_negatives", f"at most {candidates - 1} in a batch of {candidates}", count)
    return (torch.arange(rows)[:, None] + offset + torch.arange(1, count + 1)) % candidates


def derangement(n: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw a permutation of 0..n−1 without fixed points: one random cycle (Sattolo's algorithm).

    Parameters
    ----------
    n
        Length of the permutation.
    generator
        Random generator; None takes a new one with seed 0.

    Returns
    -------
    Tensor
        The permutation, shape (n,).

    Raises
    ------
    InvalidArgument
        If n < 2.

    Notes
    -----
    Pairing x_i with y_σ(i) gives samples of the product of the marginals in which no x_i has its own partner.

    Examples
    --------
    >>> bool((derangement(5) == torch.arange(5)).any())
    False
    """
    n = integer(n, "n", minimum=2)
    order = torch.randperm(n, generator=generator or torch.Generator().manual_seed(0))
    return torch.empty_like(order).scatter_(0, order, order.roll(1))


def checked_scores(critic: Any, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the scores of any critic and validate them.

    Parameters
    ----------
    critic
        Object with `scores(x, y)`.
    x : Tensor of shape (n, ...)
        Samples of X.
    y : Tensor of shape (n, ...)
        Samples of Y.

    Returns
    -------
    tuple of Tensor
        Scores of the positives, (..., n), and of the negatives, (..., n, m).

    Raises
    ------
    InvalidArgument
        If the critic has no `scores`, or they are not finite tensors of these shapes.

    Notes
    -----
    It reads values, which requires a synchronization on accelerators.

    Examples
    --------
    >>> from infoflow.critics import Bilinear
    >>> positive, negative = checked_scores(Bilinear(2, 3), torch.ones(4, 2), torch.ones(4, 3))
    >>> positive.shape, negative.shape
    (torch.Size([4]), torch.Size([4, 3]))
    """
    name = type(critic).__name__
    if not hasattr(critic, "scores"):
        raise InvalidArgument("critic", "an object with scores(x, y) -> (positive, negative)", got_text=f"a {name}")
    result = critic.scores(x, y)
    if not isinstance(result, tuple) or len(result) != 2 or not all(isinstance(part, Tensor) for part in result):
        raise InvalidArgument(f"{name}.scores must return tensors (positive, negative), got {type(result).__name__}.")
    positive, negative = result
    if positive.ndim < 1 or negative.ndim != positive.ndim + 1 or negative.shape[-2] != positive.shape[-1]:
        raise InvalidArgument(
            f"{name}.scores must return shapes (..., n) and (..., n, m), got {tuple(positive.shape)} and "
            f"{tuple(negative.shape)}."
        )
    if positive.shape[-1] != x.shape[0]:
        raise InvalidArgument(f"{name}.scores must return {x.shape[0]} positives, got {positive.shape[-1]}.")
    finite(positive.detach(), f"positive of {name}.scores")
    finite(negative.detach(), f"negative of {name}.scores")
    return positive, negative
