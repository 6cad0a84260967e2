"""Entropy of a discrete variable from counts, in nats: the plug-in, and corrections of its bias.

Counts are array-likes of shape (..., K) of whole numbers >= 0, where 0 is a symbol that was not seen; the result has
shape (...) in float64. With N = Σ n_k and p_k = n_k / N, the plug-in is too small by about (K - 1) / 2N on average.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import special
from torch import Tensor

from infoflow.core.arrays import real
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, OneOf, check

CORRECTIONS = ("none", "miller-madow", "grassberger", "chao-shen", "nsb", "shrinkage")


def _counts(value: Any) -> Tensor:
    tensor = real(value, "counts")
    if tensor.ndim == 0 or tensor.numel() == 0:
        raise InvalidArgument("counts", "of shape (..., K) and not empty", got_text=f"shape {tuple(tensor.shape)}")
    if tensor.dtype == torch.bool:
        raise InvalidArgument("counts", "whole numbers >= 0", got_text=f"dtype {tensor.dtype}")
    counts = tensor.to(torch.float64)
    if not tensor.is_floating_point():
        whole = bool((tensor >= 0).all())
    else:
        whole = bool(((counts >= 0) & (counts == counts.round()) & torch.isfinite(counts)).all())
    if not whole:
        raise InvalidArgument("counts", "whole numbers >= 0", got_text="negative, fractional or infinite numbers")
    if bool((counts.sum(dim=-1) == 0).any()):
        raise InvalidArgument("counts", "positive in sum", got_text="only zeros")
    return counts


def _alphabet(counts: Tensor, alphabet: int | None) -> int:
    if alphabet is None:
        return counts.shape[-1]
    seen = int((counts > 0).sum(dim=-1).max())
    return int(check(alphabet, "alphabet", Integer(max(seen, 1))))


def _x_log_x(x: Tensor) -> Tensor:
    result: Tensor = torch.special.xlogy(x, x)
    return result


def plug_in(counts: Any) -> Tensor:
    """Entropy of the observed frequencies, the maximum-likelihood estimate: H = -Σ p_k log p_k.

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum.

    References
    ----------
    Shannon (1948), A Mathematical Theory of Communication.

    Examples
    --------
    >>> plug_in([1, 1, 2]).item()  # 1.5 bits
    1.0397
    """
    n = _counts(counts)
    total = n.sum(dim=-1)
    return (total.log() - _x_log_x(n).sum(dim=-1) / total).clamp_min(0.0)


def miller_madow(counts: Any) -> Tensor:
    """Plug-in plus the first term of its bias: H + (m - 1) / 2N, where m symbols were seen.

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum.

    References
    ----------
    Miller (1955), Note on the bias of information estimates.

    Examples
    --------
    >>> miller_madow([1, 1, 2]).item()  # 1.0397 + 2/8
    1.2897
    """
    n = _counts(counts)
    return plug_in(n) + ((n > 0).sum(dim=-1) - 1) / (2 * n.sum(dim=-1))


def grassberger(counts: Any) -> Tensor:
    """Grassberger's estimate H = log N - (1/N) Σ n_k G(n_k).

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum.

    Notes
    -----
    G(n) = ψ(n) + ½ (-1)^n [ψ((n + 1)/2) - ψ(n/2)], so that G(1) = -γ - log 2 and G(2) = 2 + G(1).

    References
    ----------
    Grassberger (2003), Entropy estimates from insufficient samplings, arXiv:physics/0307138, eq. 28 and 35.

    Examples
    --------
    >>> grassberger([1, 1, 2]).item()  # log 4 - (2 G(1) + 2 G(2)) / 4
    1.6567
    """
    n = _counts(counts)
    total = n.sum(dim=-1)
    seen = n.clamp_min(1.0)
    sign = 1 - 2 * torch.remainder(seen, 2)
    g = torch.digamma(seen) + sign / 2 * (torch.digamma((seen + 1) / 2) - torch.digamma(seen / 2))
    return (total.log() - (n * g).sum(dim=-1) / total).clamp_min(0.0)


def chao_shen(counts: Any) -> Tensor:
    """Chao and Shen's estimate: coverage-adjusted frequencies with Horvitz-Thompson weights.

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum.

    Notes
    -----
    H = -Σ p̃_k log p̃_k / (1 - (1 - p̃_k)^N) over the symbols seen, p̃ = C p, with the sample coverage C = 1 - f₁/N and f₁
    the number of symbols seen once. Where all were seen once (C = 0), f₁ = N - 1 is used.

    References
    ----------
    Chao, Shen (2003), Nonparametric estimation of Shannon's index of diversity, eq. 2.6.

    Examples
    --------
    >>> chao_shen([1, 1, 2]).item()
    1.7632
    """
    n = _counts(counts)
    total = n.sum(dim=-1, keepdim=True)
    once = (n == 1).sum(dim=-1, keepdim=True)
    once = torch.where((once == total) & (total > 1), total - 1, once * (total > 1))
    p = n * (1 - once / total) / total
    missed = torch.expm1(total * torch.log1p(-p.clamp(max=1 - 1e-16)))  # -(1 - (1 - p)^N) without cancellation
    return (
        torch.where(n > 0, torch.special.xlogy(p, p) / missed.masked_fill(n == 0, -1.0), 0.0).sum(dim=-1).clamp_min(0)
    )


def shrinkage_intensity(counts: Any, alphabet: int | None = None) -> Tensor:
    """Intensity λ of James-Stein shrinkage of the frequencies towards 1/K.

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.
    alphabet
        K, by default the number of counts.

    Returns
    -------
    torch.Tensor of shape (...)
        λ = (1 - Σ p_k²) / ((N - 1) Σ (1/K - p_k)²), clipped to [0, 1].

    Raises
    ------
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum, or the alphabet is smaller than the symbols seen.

    References
    ----------
    Hausser, Strimmer (2009), Entropy inference and the James-Stein estimator, eq. 6.

    Examples
    --------
    >>> shrinkage_intensity([8, 2]).item()  # (1 - 0.68) / (9 · 0.18)
    0.1975
    """
    n = _counts(counts)
    size = _alphabet(n, alphabet)
    total = n.sum(dim=-1)
    squares = (n / total.unsqueeze(-1)).square().sum(dim=-1)
    spread = (squares - 1 / size) * (total - 1)
    intensity = torch.where(spread > 1e-15 * total, (1 - squares) / spread.clamp_min(1e-300), 1.0)
    return intensity.clamp(0.0, 1.0)


def shrinkage(counts: Any, alphabet: int | None = None) -> Tensor:
    """Plug-in entropy of the shrunk frequencies λ/K + (1 - λ) p_k.

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.
    alphabet
        K, by default the number of counts, unseen symbols included.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum, or the alphabet is smaller than the symbols seen.

    References
    ----------
    Hausser, Strimmer (2009), Entropy inference and the James-Stein estimator, eq. 4 to 6.

    Examples
    --------
    >>> shrinkage([8, 2]).item(), plug_in([8, 2]).item()
    (0.5723, 0.5004)
    """
    n = _counts(counts)
    size = _alphabet(n, alphabet)
    intensity = shrinkage_intensity(n, size)
    return shrunk_entropy(n, size, intensity)


def shrunk_entropy(counts: Tensor, alphabet: int, intensity: Tensor) -> Tensor:
    """Entropy of λ/K + (1 - λ) p_k over an alphabet of K symbols, those without a count included.

    Parameters
    ----------
    counts
        Counts of shape (..., at most K).
    alphabet
        K.
    intensity
        λ of shape (...).

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Examples
    --------
    >>> shrunk_entropy(torch.tensor([4, 0]), 2, torch.tensor(1.0))  # shrunk to the uniform distribution: log 2
    tensor(0.6931, dtype=torch.float64)
    """
    n = counts.to(torch.float64)
    uniform = (intensity / alphabet).unsqueeze(-1)
    p = uniform + (1 - intensity).unsqueeze(-1) * n / n.sum(dim=-1, keepdim=True)
    rest = alphabet - n.shape[-1]  # negative where there are more counts than symbols, which are zeros then
    tail = _x_log_x(uniform).squeeze(-1)
    return (-_x_log_x(p).sum(dim=-1) - rest * tail).clamp_min(0.0)


def nsb(counts: Any, alphabet: int | None = None) -> Tensor:
    """Bayesian estimate of Nemenman, Shafee and Bialek, whose prior is nearly flat in the entropy.

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.
    alphabet
        K, by default the number of counts, unseen symbols included.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum, or the alphabet is smaller than the symbols seen.

    Notes ----- A Dirichlet prior of concentration β per symbol has the mean entropy ξ(β) = ψ(Kβ + 1) - ψ(β + 1). The
    estimate is the posterior mean of E[H | n, β] = ψ(N + Kβ + 1) - Σ_k (n_k + β)/(N + Kβ) ψ(n_k + β + 1) with ξ uniform
    in [0, log K], integrated over log β by the trapezoidal rule, whose error decreases exponentially for such
    integrands.

    References
    ----------
    Nemenman, Shafee, Bialek (2002), Entropy and Inference, Revisited, eq. 8 to 11.

    Examples
    --------
    >>> nsb([4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2], alphabet=100).item()
    2.8061
    """
    n = _counts(counts)
    size = _alphabet(n, alphabet)
    flat = n.reshape(-1, n.shape[-1]).cpu().numpy()
    values = np.array([_nsb(row[row > 0], size) for row in flat])
    return torch.from_numpy(values).reshape(n.shape[:-1]).to(n.device)


def _nsb(seen: np.ndarray, size: int) -> float:
    if size == 1:
        return 0.0
    # Equal counts share their terms: the work grows with the number of different counts only.
    values, times = np.unique(seen, return_counts=True)
    total = float(seen.sum())
    unseen = size - len(seen)

    def posterior(log_beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log weight of d(log β), up to a constant, and the mean entropy given β."""
        beta = np.exp(log_beta)[:, None]
        concentration = size * beta[:, 0]
        # Γ(a)/Γ(a + n) as a beta function stays accurate where a is huge.
        evidence = special.betaln(concentration, total) - (times * special.betaln(beta, values)).sum(axis=1)
        slope = size * special.polygamma(1, concentration + 1) - special.polygamma(1, beta[:, 0] + 1)
        with np.errstate(divide="ignore"):
            weight = evidence + np.log(np.maximum(slope, 0.0)) + log_beta
        share = (times * (values + beta) * special.digamma(values + beta + 1)).sum(axis=1)
        share += unseen * beta[:, 0] * special.digamma(beta[:, 0] + 1)
        mean = special.digamma(total + concentration + 1) - share / (total + concentration)
        return weight, mean

    # ξ is within 1e-10 of its ends beyond these.
    coarse = np.linspace(np.log(1e-11 / size), np.log(1e10), 600)
    weight, _ = posterior(coarse)
    near = np.flatnonzero(weight > weight.max() - 45)
    low, high = coarse[max(near[0] - 1, 0)], coarse[min(near[-1] + 1, len(coarse) - 1)]
    weight, mean = posterior(np.linspace(low, high, 1500))
    density = np.exp(weight - weight.max())
    density[[0, -1]] /= 2
    return float(np.clip((density * mean).sum() / density.sum(), 0.0, np.log(size)))


def entropy(counts: Any, correction: str = "none", alphabet: int | None = None) -> Tensor:
    """Entropy from counts by the named correction.

    Parameters
    ----------
    counts : array-like of shape (..., K)
        Counts of the symbols.
    correction
        One of `CORRECTIONS`; "none" is the plug-in.
    alphabet
        K, used by "nsb" and "shrinkage" only.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    UnknownName
        For another correction.
    InvalidArgument
        If the counts are not whole numbers >= 0 with a positive sum.

    Examples
    --------
    >>> entropy([5, 5], "miller-madow").item()  # log 2 + 1/20
    0.7431
    """
    check(correction, "correction", OneOf(CORRECTIONS))
    if correction in _WITH_ALPHABET:
        return _WITH_ALPHABET[correction](counts, alphabet)
    return _PLAIN[correction](counts)


_PLAIN: dict[str, Callable[[Any], Tensor]] = {
    "none": plug_in,
    "miller-madow": miller_madow,
    "grassberger": grassberger,
    "chao-shen": chao_shen,
}
_WITH_ALPHABET: dict[str, Callable[[Any, int | None], Tensor]] = {"nsb": nsb, "shrinkage": shrinkage}
