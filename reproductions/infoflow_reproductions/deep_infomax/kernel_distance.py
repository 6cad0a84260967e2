"""How far generated images are from real ones, by a kernel in the features of an encoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def kernel_distance(p: Tensor, q: Tensor, *, subsets: int = 20, size: int = 500, seed: int = 0) -> float:
    """The squared maximum mean discrepancy of features p (n, d) and q (m, d) with k(a, b) = (a·b/d + 1)³, unbiased,
    the mean over subsets.

    The measure of KID, but in whatever features are given: its values compare only within one encoder. 0 on average
    for equal distributions, so it may fall below. Bińkowski et al. (2018).

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
