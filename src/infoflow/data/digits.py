"""Scans of handwritten digits that are shipped with scikit-learn."""

from __future__ import annotations

import numpy as np

from infoflow.data.dataset import Dataset


def digits() -> Dataset:
    """Load 1797 scans of handwritten digits, 8×8 pixels with values 0 to 16, in ten classes.

    Returns
    -------
    Dataset
        Inputs (1797, 8, 8) uint8, labels (1797,) int64, scale 16. They are shipped with scikit-learn.

    References
    ----------
    Alpaydin, Kaynak: Optical recognition of handwritten digits, UCI machine learning repository (1998); its test part.

    Examples
    --------
    >>> data = digits()
    >>> data.inputs.shape, data.classes, float(data.tensors()[0].max())
    ((1797, 8, 8), 10, 1.0)
    """
    from sklearn.datasets import load_digits  # takes a second that no other set needs

    bunch = load_digits()
    return Dataset(
        "digits",
        bunch.images.astype(np.uint8),
        bunch.target.astype(np.int64),
        classes=10,
        scale=16.0,
        source="scikit-learn's load_digits: 1797 scans of the UCI optical recognition set",
    )
