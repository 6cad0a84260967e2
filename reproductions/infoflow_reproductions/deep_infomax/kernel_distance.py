"""How far generated images are from real ones, by a kernel in the features of an encoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def kernel_distance(p: Tensor, q: Tensor, *, subsets: int = 20, size: int = 500, seed: int = 0) -> float:
    """Return the squared maximum mean discrepancy of two sets of features, unbiased, as a mean over subsets.

    Parameters
    ----------
    p, q
        Features (n, d) and (m, d).
    subsets
        Number of random subsets.
    size
        Largest number of samples in a subset.
    seed
        Random seed of the subsets.

    Returns
    -------
    float
        The discrepancy; it can be negative, since its mean is 0 for equal distributions.

    Notes
    -----
    The kernel is k(a, b) = (a·b/d + 1)³, as in KID. Values are comparable only within one encoder.

    References
    ----------
    Bińkowski et al.: Demystifying MMD GANs, ICLR 2018.

    Examples
    --------
    >>> x = torch.randn(400, 4, generator=torch.Generator().manual_seed(0))
    >>> kernel_distance(x[:200], x[200:] + 1) > 10 * abs(kernel_distance(x[:200], x[200:]))
    True
    """
    rng = np.random.default_rng(seed)
    p, q = p.double(), q.double()
    count = min(size, len(p), len(q))
    values = []
    for _ in range(subsets):
        a, b = (v[torch.from_numpy(rng.permutation(len(v))[:count])] for v in (p, q))
        aa, bb, ab = ((u @ v.T / p.shape[1] + 1) ** 3 for u, v in ((a, a), (b, b), (a, b)))
        within = (aa.sum() - aa.trace() + bb.sum() - bb.trace()) / (count * (count - 1))
        values.append(float(within - 2 * ab.mean()))
    return float(np.mean(values))
