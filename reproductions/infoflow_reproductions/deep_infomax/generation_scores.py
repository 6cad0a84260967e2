"""The inception score and the Fréchet distance of generated images, by the classifier that is given."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import TooFewSamples


def inception_score(probabilities: Tensor, splits: int = 10) -> float:
    """Return exp(E KL(p(y|x) ‖ p(y))) of a classifier's predictions on samples, as a mean over parts.

    Parameters
    ----------
    probabilities
        Predictions (n, classes) that sum to 1.
    splits
        Number of parts of the samples, each with its own marginal p(y).

    Returns
    -------
    float
        The score, between 1 and the number of classes.

    References
    ----------
    Salimans et al.: Improved techniques for training GANs, 2016.

    Examples
    --------
    >>> round(inception_score(torch.eye(4).repeat(10, 1), splits=2), 6)
    4.0
    """
    if len(probabilities) < splits:
        raise TooFewSamples("probabilities", f"at least as many as splits ({splits})", len(probabilities))
    p = probabilities.double().clamp_min(1e-16)
    scores = []
    for part in torch.tensor_split(p, splits):
        marginal = part.mean(0)
        scores.append(float((part * (part.log() - marginal.log())).sum(1).mean().exp()))
    return float(np.mean(scores))


def frechet_distance(p: Tensor, q: Tensor) -> float:
    """Return the Fréchet distance between Gaussians with the moments of two sets of features.

    Parameters
    ----------
    p, q
        Features (n, d) and (m, d).

    Returns
    -------
    float
        |μ_p − μ_q|² + tr(Σ_p + Σ_q − 2 (Σ_p Σ_q)^½).

    References
    ----------
    Heusel et al.: GANs trained by a two time-scale update rule converge to a local Nash equilibrium, 2017.

    Examples
    --------
    >>> x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    >>> round(frechet_distance(x, x + 2), 4)
    12.0
    """
    if min(len(p), len(q)) < 2:
        raise TooFewSamples("p and q", "two samples each, at least", min(len(p), len(q)))
    (mean_p, cov_p), (mean_q, cov_q) = (_moments(v.double()) for v in (p, q))
    values, vectors = torch.linalg.eigh(cov_p)
    root = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    # The product has the eigenvalues of this symmetric matrix.
    cross = torch.linalg.eigvalsh(root @ cov_q @ root).clamp_min(0).sqrt().sum()
    return float((mean_p - mean_q).square().sum() + cov_p.trace() + cov_q.trace() - 2 * cross)


def _moments(v: Tensor) -> tuple[Tensor, Tensor]:
    mean = v.mean(0)
    return mean, (v - mean).T @ (v - mean) / (len(v) - 1)
