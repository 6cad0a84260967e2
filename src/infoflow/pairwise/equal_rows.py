"""Symbols for rows: two rows have the same symbol where all their entries are equal."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument

# float64 adds integers exactly below this, in any order, whatever the matmul precision settings are.
_EXACT = 2**53

# All the hash columns of two different rows agree with probability at most 2^-_BITS.
_BITS = 76

# Digits per block of rows: on a CPU a block and its temporaries fit into a core's cache, and are too small for torch to
# start its threads, which would take longer than the pass.
_CPU_BLOCK = 1 << 15
_DEVICE_BLOCK = 1 << 24


def row_symbols(
    digits: Callable[[int, int], Tensor], n: int, d: int, base: int, device: torch.device
) -> tuple[Tensor, int]:
    """Number the different rows of a table of digits that is read in blocks.

    Parameters
    ----------
    digits
        Function of (start, stop) that returns these rows as a float64 tensor of shape (stop - start, d) with integers
        in [0, base). It is called block by block, so that the digits of all rows are never in memory at once.
    n
        Number of rows.
    d
        Number of digits in a row.
    base
        Number of values that a digit can have.
    device
        Device of the digits.

    Returns
    -------
    codes : Tensor of shape (n,)
        A symbol from 0 to K - 1 for every row, int64.
    count : int
        The number K of different rows.

    Raises
    ------
    InvalidArgument
        If d·base is above 2^45.

    Notes
    -----
    A row is mapped to a few integers by a linear hash Σ_k q_k r_k, computed without rounding in float64. Where base^d
    fits, r_k = base^k makes it a numeral, and the result is certain. Otherwise the r_k are random (from a fixed local
    generator): half of the columns are the key that is sorted, the others are an independent check of every row against
    its group. If a check fails, new numbers are drawn. Two different rows agree in all columns with probability at most
    2^-76, so the result is wrong with probability below n² 2^-77 (1e-15 for n = 10⁴).

    Examples
    --------
    >>> rows = torch.tensor([[0., 1.], [1., 0.], [0., 1.]], dtype=torch.float64)
    >>> row_symbols(lambda start, stop: rows[start:stop], 3, 2, 2, rows.device)[0].tolist()
    [1, 0, 1]
    """
    rows = max(1, (_CPU_BLOCK if device.type == "cpu" else _DEVICE_BLOCK) // d)
    for attempt in range(8):
        multipliers, keys = _multipliers(d, base, seed=attempt)
        multipliers = multipliers.to(device)
        hashes = torch.empty((n, multipliers.shape[1]), dtype=torch.float64, device=device)
        for start in range(0, n, rows):
            stop = min(start + rows, n)
            torch.mm(digits(start, stop), multipliers, out=hashes[start:stop])
        codes, count = _group(hashes[:, :keys])
        check = hashes[:, keys:]
        if check.shape[1] == 0:
            return codes, count
        # Any member can represent its group: all are compared with it.
        member = torch.empty(count, dtype=torch.int64, device=codes.device)
        member[codes] = torch.arange(n, device=codes.device)
        if torch.equal(check, check[member[codes]]):
            return codes, count
    raise ArithmeticError("Eight independent hashes of the rows collided, which is practically impossible by chance.")


@functools.lru_cache(maxsize=32)
def _multipliers(d: int, base: int, *, seed: int) -> tuple[Tensor, int]:
    """The hash's multipliers, shape (d, columns), and the number of columns that form the key."""
    if d * math.log2(max(base, 2)) <= 52:
        return torch.from_numpy(float(base) ** np.arange(d, dtype=np.float64))[:, None], 1
    bits = math.floor(math.log2(_EXACT / (d * base)))
    if bits < 8:
        raise InvalidArgument("d * base", "at most 2^45, for an exact hash of rows", d * base)
    columns = 2 * math.ceil(_BITS / 2 / bits)
    random = np.random.default_rng(seed).integers(0, 2**bits, size=(d, columns))
    return torch.from_numpy(random.astype(np.float64)), columns // 2


def _group(keys: Tensor) -> tuple[Tensor, int]:
    """Codes of equal keys; several columns are folded into 64 bits, and the check finds a collision of these."""
    if keys.shape[1] == 1:
        folded = keys[:, 0]
    else:
        folded = (keys.to(torch.int64) * _odd(keys.shape[1]).to(keys.device)).sum(dim=1)
    values, codes = torch.unique(folded, return_inverse=True)
    return codes, int(values.numel())


@functools.lru_cache(maxsize=32)
def _odd(columns: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(99).integers(-(2**62), 2**62, size=columns) * 2 + 1)


def bit_digits(block: Tensor) -> Tensor:
    """Write the bits of numbers as digits of base 2^16.

    Parameters
    ----------
    block : Tensor of shape (n, d)
        Numbers of at least 16 bits each.

    Returns
    -------
    Tensor of shape (n, d * bytes per number / 2)
        Digits in float64; equal digits mean equal numbers (0 = -0).

    Examples
    --------
    >>> bit_digits(torch.tensor([[0.0], [-0.0]])).tolist()
    [[32768.0, 32768.0], [32768.0, 32768.0]]
    """
    return (block + 0).contiguous().view(torch.int16).to(torch.float64).add_(32768.0)


def equal_rows(rows: Tensor) -> tuple[Tensor, int]:
    """Number the different rows of a tensor of real numbers.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        Real numbers of any type.

    Returns
    -------
    codes : Tensor of shape (n,)
        A symbol from 0 to K - 1 for every row, int64; the same where all entries are equal.
    count : int
        The number K of different rows.

    Notes
    -----
    See `row_symbols` for the probability of an error.

    Examples
    --------
    >>> equal_rows(torch.tensor([[1e30, -5.0], [1.0, -5.0], [1e30, -5.0]]))[1]
    2
    """
    n, d = rows.shape
    if d == 1:
        if rows.device.type == "cpu" and rows.is_floating_point() and _all_differ(rows[:, 0]):
            return torch.arange(n), n
        values, codes = torch.unique(rows[:, 0], return_inverse=True)
        return codes, int(values.numel())
    if rows.element_size() == 1:
        rows = rows.to(torch.int16)
    digits = d * rows.element_size() // 2
    return row_symbols(lambda start, stop: bit_digits(rows[start:stop]), n, digits, 2**16, rows.device)


def _all_differ(values: Tensor) -> bool:
    """Whether no value (n,) occurs twice: sorting alone is several times as fast as numbering."""
    ordered = np.sort(values.detach().to(torch.float64).numpy())
    return bool((ordered[1:] > ordered[:-1]).all())


def counts(codes: Tensor) -> Tensor:
    """Count how often each symbol occurs.

    Parameters
    ----------
    codes : Tensor of shape (n,)
        Integers >= 0.

    Returns
    -------
    Tensor of shape (K,)
        Counts > 0 of the K symbols that occur, in ascending order of the symbols.

    Examples
    --------
    >>> counts(torch.tensor([3, 5, 3])).tolist()
    [2, 1]
    """
    if int(codes.max()) < 8 * codes.numel():  # counting beats sorting while the codes are few
        all_counts = torch.bincount(codes)
        return all_counts[all_counts > 0]
    _, times = torch.unique(codes, return_counts=True)
    result: Tensor = times
    return result


def joint_counts(x: Tensor, y: Tensor, y_count: int) -> Tensor:
    """Count how often each pair of symbols occurs.

    Parameters
    ----------
    x : Tensor of shape (n,)
        Integers >= 0.
    y : Tensor of shape (n,)
        Integers from 0 to y_count - 1.
    y_count
        Number of symbols of y.

    Returns
    -------
    Tensor of shape (K,)
        Counts > 0 of the K pairs that occur.

    Examples
    --------
    >>> joint_counts(torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0]), 2).tolist()
    [2, 1]
    """
    return counts(x * y_count + y)
