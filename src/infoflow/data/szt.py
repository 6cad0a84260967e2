"""The 12-bit patterns of Shwartz-Ziv and Tishby, made from their rule."""

from __future__ import annotations

import itertools

import numpy as np

from infoflow.data.dataset import Dataset

# The twelve bits sit on the vertices of an icosahedron.
_EDGES = frozenset(
    {
        (0, 1), (0, 3), (0, 5), (0, 10), (0, 11), (1, 2), (1, 3), (1, 4), (1, 11), (2, 3), (2, 4), (2, 8), (2, 9),
        (3, 8), (3, 10), (4, 6), (4, 9), (4, 11), (5, 6), (5, 7), (5, 10), (5, 11), (6, 7), (6, 9), (6, 11), (7, 8),
        (7, 9), (7, 10), (8, 9), (8, 10),
    }
)  # fmt: skip
_ANTIPODES = frozenset({(0, 9), (1, 7), (2, 5), (3, 6), (4, 10), (8, 11)})


def _pair_weight(pair: tuple[int, int]) -> int:
    if pair in _EDGES:
        return 1
    return -8 if pair in _ANTIPODES else -5


def szt() -> Dataset:
    """The binary decision rule of Shwartz-Ziv and Tishby (2017): all 4096 patterns of 12 bits, and one bit to predict.

    Bits are vertices of an icosahedron. With w active ones, n_e of whose pairs are edges, n_a antipodal, n_2 neither,

        y = 1  iff  23 w + n_e - 5 n_2 - 8 n_a >= 99,

    a rule that is symmetric under the rotations of the solid. Rows are in counting order, most significant bit first;
    inputs (4096, 12) uint8, labels (4096,) uint8. Since y is a function of x, I(X;Y) = H(Y) = 0.692563 nats
    (0.999157 bits).

    Shwartz-Ziv, Tishby: Opening the black box of deep neural networks via information, arXiv:1703.00810, section 3.1.

    >>> data = szt()
    >>> data.inputs.shape, data.inputs[5].tolist(), int(data.labels.sum())
    ((4096, 12), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1], 2118)
    """
    bits = (np.arange(4096)[:, None] >> np.arange(11, -1, -1)) & 1
    energy = 23 * bits.sum(axis=1)
    for i, j in itertools.combinations(range(12), 2):
        energy += _pair_weight((i, j)) * (bits[:, i] & bits[:, j])
    return Dataset(
        "szt",
        bits.astype(np.uint8),
        (energy >= 99).astype(np.uint8),
        classes=2,
        source="generated: 4096 patterns of 12 bits, symmetric rule of Shwartz-Ziv and Tishby (2017)",
    )
