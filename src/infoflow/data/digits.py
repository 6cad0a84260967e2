"""Real scans of handwritten digits that come with scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from infoflow.data.dataset import Dataset


def digits() -> Dataset:
    """1797 real scans of handwritten digits, 8×8 pixels of 0..16, ten classes; shipped with scikit-learn.

    Inputs (1797, 8, 8) uint8, labels (1797,) int64, scale 16.

    Alpaydin, Kaynak: Optical recognition of handwritten digits, UCI machine learning repository (1998); its test part.

    >>> data = digits()
    >>> data.inputs.shape, data.classes, float(data.tensors()[0].max())
    ((1797, 8, 8), 10, 1.0)
    """
    bunch = load_digits()
    return Dataset(
        "digits",
        bunch.images.astype(np.uint8),
        bunch.target.astype(np.int64),
        classes=10,
        scale=16.0,
        source="scikit-learn's load_digits: 1797 scans of the UCI optical recognition set",
    )
