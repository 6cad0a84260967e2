"""The 12-bit patterns of Shwartz-Ziv and Tishby, generated from their rule."""

from __future__ import annotations

import itertools

import numpy as np

from infoflow.data.dataset import Dataset

# The twelve bits are the vertices of an icosahedron; each lists its neighbors of a larger number.
_NEIGHBORS = {
    0: (1, 3, 5, 10, 11),
    1: (2, 3, 4, 11),
    2: (3, 4, 8, 9),
    3: (8, 10),
    4: (6, 9, 11),
    5: (6, 7, 10, 11),
    6: (7, 9, 11),
    7: (8, 9, 10),
    8: (9, 10),
}
_EDGES = frozenset((i, j) for i, larger in _NEIGHBORS.items() for j in larger)
_ANTIPODES = frozenset({(0, 9), (1, 7), (2, 5), (3, 6), (4, 10), (8, 11)})


def _pair_weight(pair: tuple[int, int]) -> int:
    if pair in _EDGES:
        return 1
    return -8 if pair in _ANTIPODES else -5


def szt() -> Dataset:
    """Generate the binary decision rule of Shwartz-Ziv and Tishby: all 4096 patterns of 12 bits and one bit to predict.

    Returns
    -------
    Dataset
        Inputs (4096, 12) uint8 in counting order, most significant bit first; labels (4096,) uint8.

    Notes
    -----
    Bits are vertices of an icosahedron. Let w be the number of active bits, and n_e, n_a and n_2 the numbers of their
    pairs that are edges, antipodal, or neither. Then

        y = 1  iff  23 w + n_e - 5 n_2 - 8 n_a >= 99,

    a rule that is symmetric under the rotations of the solid. Since y is a function of x,
    I(X;Y) = H(Y) = 0.692563 nats (0.999157 bits).

    References
    ----------
    Shwartz-Ziv, Tishby: Opening the black box of deep neural networks via information, arXiv:1703.00810, section 3.1.

    Examples
    --------
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
