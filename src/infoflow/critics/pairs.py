"""Positives and negatives of a batch: in-batch negatives, cyclic shifts, derangements."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.core.checks import integer
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
        got = f"shape {tuple(table.shape)}, offset {offset}"
        raise InvalidArgument("table", "of shape (..., n, N) with offset + n <= N", got_text=got)
    n, candidates = table.shape[-2:]
    if candidates < 2:
        raise TooFewSamples("x and y must hold at least two pairs: a batch of one has no negatives.")
    own = table[..., offset : offset + n]
    # After the first diagonal entry, each run of n + 1 ends in the next one. Gradients of `split` are concatenated, one
    # pass over the table where those of slices are zeros, copies and a sum.
    first, rest = own.flatten(-2).split_with_sizes([1, n * n - 1], -1)
    runs, ends = rest.reshape(*own.shape[:-2], n - 1, n + 1).split_with_sizes([n, 1], -1)
    others = runs.reshape(*own.shape[:-1], n - 1)
    if candidates > n:
        others = torch.cat([table[..., :offset], others, table[..., offset + n :]], -1)
    return torch.cat([first, ends.squeeze(-1)], -1), others


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
