"""Equal rows: symbols for rows, the same where every entry is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

# float64 adds integers exactly below this, in any order, whatever the matmul precision settings are.
_EXACT = 2**53

# All the hash columns of two different rows agree with probability at most 2^-_BITS.
_BITS = 76

# Digits per block of rows: on a CPU a block and its temporaries stay in a core's cache, and below the size from which
# torch wakes its threads for passes that are shorter than that takes.
_CPU_BLOCK = 1 << 15
_DEVICE_BLOCK = 1 << 24


def row_symbols(
    digits: Callable[[int, int], Tensor], n: int, d: int, base: int, device: torch.device
) -> tuple[Tensor, int]:
    """Codes 0..K-1 (int64, shape (n,)) of n rows of d digits, and K, the number of different rows.

    `digits(start, stop)` gives rows start..stop as a float64 tensor of shape (stop - start, d) that holds integers in
    [0, base); it is called block by block, so the digits of all the rows never stand in memory at once.

    A row is mapped to a few integers by a linear hash Σ_k q_k r_k, computed without rounding in float64. Where base^d
    fits, r_k = base^k makes it a numeral, and the result is certain. Otherwise the r_k are random (from a fixed local
    generator): half of the columns make the key that is sorted, the others are an independent check of every row
    against its group. A failed check draws new numbers. Two different rows agree in all columns with probability at
    most 2^-76, so the result is wrong with probability below n² 2^-77 (1e-15 for n = 10⁴).

    Raises ValueError where d·base is above 2^45.

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
        # Any member may stand for its group: all are compared with it.
        member = torch.empty(count, dtype=torch.int64, device=codes.device)
        member[codes] = torch.arange(n, device=codes.device)
        if torch.equal(check, check[member[codes]]):
            return codes, count
    raise ArithmeticError("eight independent hashes collided; this does not happen by chance")


def _multipliers(d: int, base: int, *, seed: int) -> tuple[Tensor, int]:
    """The hash's multipliers, shape (d, columns), and how many of the columns make the key."""
    if d * math.log2(max(base, 2)) <= 52:
        return torch.from_numpy(float(base) ** np.arange(d, dtype=np.float64))[:, None], 1
    bits = math.floor(math.log2(_EXACT / (d * base)))
    if bits < 8:
        raise ValueError(f"{d} digits of base {base} can't be hashed exactly")
    columns = 2 * math.ceil(_BITS / 2 / bits)
    random = np.random.default_rng(seed).integers(0, 2**bits, size=(d, columns))
    return torch.from_numpy(random.astype(np.float64)), columns // 2


def _group(keys: Tensor) -> tuple[Tensor, int]:
    """Codes of equal keys; more than one column is folded into 64 bits (a clash there is found by the check)."""
    if keys.shape[1] == 1:
        folded = keys[:, 0]
    else:
        odd = torch.from_numpy(np.random.default_rng(99).integers(-(2**62), 2**62, size=keys.shape[1]) * 2 + 1)
        folded = (keys.to(torch.int64) * odd.to(keys.device)).sum(dim=1)
    values, codes = torch.unique(folded, return_inverse=True)
    return codes, int(values.numel())


def bit_digits(block: Tensor) -> Tensor:
    """The bits of numbers (n, d) as float64 digits of base 2^16, so that equal digits mean equal numbers (0 = -0).

    >>> bit_digits(torch.tensor([[0.0], [-0.0]])).tolist()
    [[32768.0, 32768.0], [32768.0, 32768.0]]
    """
    return (block + 0).contiguous().view(torch.int16).to(torch.float64).add_(32768.0)


def equal_rows(rows: Tensor) -> tuple[Tensor, int]:
    """Codes 0..K-1 (int64, shape (n,)) of the rows of a tensor (n, d) of any real numbers, and K.

    Two rows have the same code where all their entries are equal; see `row_symbols` for how certain that is.

    >>> equal_rows(torch.tensor([[1e30, -5.0], [1.0, -5.0], [1e30, -5.0]]))[1]
    2
    """
    n, d = rows.shape
    if d == 1:
        values, codes = torch.unique(rows[:, 0], return_inverse=True)
        return codes, int(values.numel())
    if rows.element_size() == 1:
        rows = rows.to(torch.int16)
    digits = d * rows.element_size() // 2
    return row_symbols(lambda start, stop: bit_digits(rows[start:stop]), n, digits, 2**16, rows.device)


def counts(codes: Tensor) -> Tensor:
    """How often each symbol that occurs does so, for codes (n,) >= 0.

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
    """Counts of the pairs (x, y) that occur, for codes x and y of shape (n,) with y < y_count.

    >>> joint_counts(torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0]), 2).tolist()
    [2, 1]
    """
    return counts(x * y_count + y)
