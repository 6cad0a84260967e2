"""Matrix-based Rényi entropies of a Gaussian Gram matrix, without forming the matrix where possible.

All functions take features u of shape (n, d), already divided by the kernel's bandwidth, for the kernel
k(u, v) = exp(−‖u−v‖²) and its trace-one Gram matrix A = K/n. Entropies are in nats, between 0 and log n.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from infoflow.core.settings import Number, check
from infoflow.pairwise.exponentials import kernel_values_

# Pairs held at a time: 32 MiB of float64, or what stays in a core's cache.
_PAIRS = 1 << 22
_CACHED = 1 << 18
# Up to this many pairs (512 MiB) a kernel that is used at every step is stored; beyond, it is computed anew.
_KEPT = 1 << 26


class RenyiEntropy(NamedTuple):
    """An entropy in nats, and an interval that contains it.

    Parameters
    ----------
    nats
        The entropy.
    low, high
        Ends of the interval, of no width when every eigenvalue was computed.

    Examples
    --------
    >>> whole = krylov_entropy(torch.zeros(20, 1), 1.01)  # equal rows: entropy 0
    >>> whole.low <= whole.nats <= whole.high
    True
    """

    nats: float
    low: float
    high: float


def order(alpha: float, name: str = "alpha") -> float:
    """Check the order α of a Rényi entropy.

    Parameters
    ----------
    alpha
        α, where 1 means the limit (von Neumann).
    name
        Name of the argument in the error.

    Returns
    -------
    float
        α.

    Raises
    ------
    InvalidArgument
        If it is not a finite number > 0.

    Examples
    --------
    >>> order(2)
    2.0
    """
    return float(check(alpha, name, Number(0, open_low=True)))


def renyi_entropy(spectrum: Tensor, alpha: float) -> Tensor:
    """Rényi entropy S_α = log(Σ_i λ_i^α)/(1−α) of eigenvalues that sum to one.

    Parameters
    ----------
    spectrum
        Eigenvalues (..., n); negative rounding errors count as zero.
    alpha
        α > 0; α = 1 gives −Σ λ_i log λ_i.

    Returns
    -------
    torch.Tensor of shape (...)
        Nats.

    Raises
    ------
    InvalidArgument
        If α is not positive.

    References
    ----------
    Sánchez Giraldo, Rao, Príncipe (2015), Measures of Entropy From Data Using Infinitely Divisible Kernels, def. 2.1.

    Examples
    --------
    >>> renyi_entropy(torch.full((8,), 1 / 8), alpha=2.0).exp().item()
    8.0
    """
    alpha = order(alpha)
    values = spectrum.clamp_min(0)
    if alpha == 1.0:
        return -torch.xlogy(values, values).sum(-1)
    return values.pow(alpha).sum(-1).log() / (1 - alpha)


def gram(u: Tensor) -> Tensor:
    """Gram matrix K_ij = exp(−‖u_i−u_j‖²) with an exact unit diagonal.

    Parameters
    ----------
    u
        Features (n, d).

    Returns
    -------
    torch.Tensor of shape (n, n)
        K.

    Examples
    --------
    >>> gram(torch.zeros(2, 1)).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    return _kernel(*_factors(u - u.mean(0))).fill_diagonal_(1.0)


def gram_spectrum(u: Tensor) -> Tensor:
    """All eigenvalues of K/n, ascending, in O(n³): for up to a few thousand samples.

    Parameters
    ----------
    u
        Features (n, d).

    Returns
    -------
    torch.Tensor of shape (n,)
        Eigenvalues.

    Examples
    --------
    >>> gram_spectrum(torch.tensor([[0.0], [100.0]])).tolist()
    [0.5, 0.5]
    """
    values: Tensor = torch.linalg.eigvalsh(gram(u) / u.shape[0])
    return values.clamp_min(0)


def collision_entropy(u: Tensor) -> Tensor:
    """S_2 = −log ‖K/n‖²_F in blocks, without eigenvalues or an n×n matrix: O(n²d) time and O(n) memory.

    Parameters
    ----------
    u
        Features (n, d).

    Returns
    -------
    torch.Tensor
        Nats.

    Examples
    --------
    >>> collision_entropy(torch.zeros(5, 3)).item()
    0.0
    """
    n = u.shape[0]
    left, right = _factors(math.sqrt(2) * (u - u.mean(0)))  # K² is the kernel of √2·u
    total = u.new_zeros(())
    for rows in _blocks(n, _CACHED if not u.is_cuda else _PAIRS):
        # The matrix is symmetric: this block's rows against themselves and, twice, against those after.
        kernel = _kernel(left[rows], right[rows.start :])
        total += 2 * kernel.sum() - kernel[:, : kernel.shape[0]].sum()
    return 2 * math.log(n) - total.log()


def low_rank_entropy(u: Tensor, alpha: float, *, rank: int, tolerance: float = 1e-9) -> RenyiEntropy:
    """S_α from a pivoted (greedy) incomplete Cholesky factor of K, with an interval that is certain to contain it.

    Parameters
    ----------
    u
        Features (n, d).
    alpha
        α > 0.
    rank
        Largest number of columns of the factor.
    tolerance
        Remaining trace at which the factorization stops.

    Returns
    -------
    RenyiEntropy
        The middle of the interval, in O(n·rank·(d + rank)).

    Notes ----- K − LLᵀ is positive semidefinite, so the eigenvalues of LLᵀ/n are lower bounds of those of K/n, and the
    rest of trace one is known. The interval is the range of S_α when that remainder is put on the largest eigenvalue,
    or spread to level the smallest ones. A narrow kernel (entropy near log n) gives a wide interval; use
    `krylov_entropy` then.

    Examples
    --------
    >>> low_rank_entropy(torch.linspace(0, 1, 50, dtype=torch.float64)[:, None], 2.0, rank=10)
    RenyiEntropy(nats=0.28, low=0.28, high=0.28)
    """
    alpha, n = order(alpha), u.shape[0]
    u = u - u.mean(0)
    squares = u.square().sum(1)
    rank = min(rank, n)
    factor = u.new_zeros((rank, n))  # rows, so that the finished ones are contiguous
    missing = u.new_ones(n)
    for k in range(rank):
        pivot = int(missing.argmax())
        column = kernel_values_(2 * (u @ u[pivot]) - squares - squares[pivot])
        column[pivot] = 1.0
        column -= factor[:k, pivot] @ factor[:k]
        factor[k] = column / missing[pivot].sqrt()
        missing = (missing - factor[k].square()).clamp_min_(0)
        missing[pivot] = 0
        if float(missing.mean()) < tolerance:
            factor = factor[: k + 1]
            break
    values = torch.linalg.eigvalsh(factor @ factor.mT / n).clamp_min(0)
    remainder = max(0.0, 1.0 - float(values.sum()))
    concentrated = values.clone()
    concentrated[-1] += remainder
    low = float(renyi_entropy(concentrated, alpha))
    high = float(renyi_entropy(_leveled(torch.cat([values.new_zeros(n - len(values)), values]), remainder), alpha))
    low, high = max(0.0, low), min(max(low, high), math.log(n))
    return RenyiEntropy((low + high) / 2, low, high)


def krylov_entropy(
    u: Tensor, alpha: float, *, probes: int = 32, steps: int = 24, seed: int = 0, level_width: float = 1.96
) -> RenyiEntropy:
    """S_α by stochastic Lanczos quadrature: tr f(A) as the mean of vᵀf(A)v over random signs v.

    Parameters
    ----------
    u
        Features (n, d).
    alpha
        α > 0.
    probes
        Number of random vectors v.
    steps
        Lanczos steps.
    seed
        Seed of the vectors.
    level_width
        Standard errors on either side of the estimate.

    Returns
    -------
    RenyiEntropy
        The interval is ± `level_width` standard errors over the probes, plus the change in the last third of the steps.

    Notes ----- The exactly known tr A = 1 and tr A² = ‖A‖²_F serve as control variates. Accurate for narrow kernels;
    for wide ones, above all with α < 1, `low_rank_entropy` is better. O(steps·n²·(d + probes)); beyond n = 8192 the
    kernel is computed anew in blocks at every step.

    References
    ----------
    Ubaru, Chen, Saad (2017), Fast Estimation of tr(f(A)) via Stochastic Lanczos Quadrature, algorithm 1.

    Examples
    --------
    >>> u = torch.randn(400, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3
    >>> e, exact = krylov_entropy(u, 1.01), renyi_entropy(gram_spectrum(u), 1.01)
    >>> abs(e.nats - float(exact)) < 0.01
    True
    """
    alpha, n = order(alpha), u.shape[0]
    steps = min(steps, n)
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(0, 2, (n, probes), generator=generator).to(u) * 2 - 1
    diagonal, off = _lanczos(u - u.mean(0), signs / math.sqrt(n), steps)
    squared = (-collision_entropy(u)).exp()
    value, error = _trace(diagonal, off, alpha, n, squared)
    fewer = max(1, 2 * steps // 3)
    error = level_width * error + abs(value - _trace(diagonal[:, :fewer], off[:, : fewer - 1], alpha, n, squared)[0])

    def entropy(trace: float) -> float:
        if alpha == 1.0:
            nats = -trace
        else:
            # A trace power is n^(1−α) at a flat spectrum and 1 at a single eigenvalue; values outside are noise.
            nats = math.log(max(trace, 1e-300)) / (1 - alpha)
        return min(max(nats, 0.0), math.log(n))

    ends = sorted((entropy(value - error), entropy(value + error)))
    return RenyiEntropy(entropy(value), ends[0], ends[1])


def _trace(diagonal: Tensor, off: Tensor, alpha: float, n: int, squared: Tensor) -> tuple[float, float]:
    """tr A^α (tr A log A at α = 1) by Gauss quadrature at every probe, and its standard error."""
    tridiagonal = torch.diag_embed(diagonal) + torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
    nodes, vectors = torch.linalg.eigh(tridiagonal)
    nodes, weights = nodes.clamp_min(0), n * vectors[:, 0].square()
    wanted = (weights * (torch.xlogy(nodes, nodes) if alpha == 1.0 else nodes.pow(alpha))).sum(1)
    controls = torch.stack([(weights * nodes).sum(1) - 1, (weights * nodes.square()).sum(1) - squared], 1)
    design = torch.cat([torch.ones_like(controls[:, :1]), controls], 1)
    # gelsd: the controls can be collinear, as for a Gram matrix of ones or the identity.
    fit = torch.linalg.lstsq(design.cpu(), wanted[:, None].cpu(), driver="gelsd").solution[:, 0].to(design)
    residual = wanted - design @ fit
    probes = len(wanted)
    return float(fit[0]), math.sqrt(float(residual.square().sum()) / max(1, probes - 3) / probes)


def _lanczos(u: Tensor, start: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Diagonals (probes, steps) and off-diagonals of A's Lanczos matrices, one for every start column."""
    n, probes = start.shape
    left, right = _factors(u)
    kept = [_kernel(left[rows], right) for rows in _blocks(n)] if n * n <= _KEPT else None
    basis = [start]
    diagonal, off = u.new_zeros((probes, steps)), u.new_zeros((probes, max(steps - 1, 0)))
    for k in range(steps):
        product = u.new_empty((n, probes))
        for i, rows in enumerate(_blocks(n)):
            product[rows] = (kept[i] if kept else _kernel(left[rows], right)) @ basis[k] / n
        diagonal[:, k] = (product * basis[k]).sum(0)
        if k + 1 == steps:
            break
        for _ in range(2):  # twice: after once, rounding errors grow into eigenvectors that were found before
            for vector in basis:
                product = product - vector * (vector * product).sum(0)
        norm = product.norm(dim=0)
        going = norm > 1e-10
        off[:, k] = torch.where(going, norm, 0.0)
        basis.append(torch.where(going, product / norm.clamp_min(1e-300), 0.0))
    return diagonal, off


def _leveled(ascending: Tensor, amount: float) -> Tensor:
    """The smallest values raised to one level by `amount` in total: the flattest spectrum that dominates it."""
    ascending = ascending.sort().values
    counts = torch.arange(1, len(ascending) + 1, dtype=ascending.dtype, device=ascending.device)
    levels = (ascending.cumsum(0) + amount) / counts
    # The level over the k smallest holds when it stays below the next value.
    following = torch.cat([ascending[1:], ascending.new_full((1,), math.inf)])
    first = int((levels <= following).nonzero()[0])
    return ascending.clamp_min(float(levels[first]))


def _factors(u: Tensor) -> tuple[Tensor, Tensor]:
    """L and R with L Rᵀ = −‖u_i−u_j‖²: the squared norms are part of the product, which saves passes over pairs."""
    squares = u.square().sum(1, keepdim=True)
    ones = torch.ones_like(squares)
    return torch.cat([2 * u, -squares, -ones], 1), torch.cat([u, ones, squares], 1)


def _kernel(left: Tensor, right: Tensor) -> Tensor:
    return kernel_values_(left @ right.mT)


def _blocks(n: int, pairs: int = _PAIRS) -> Iterator[slice]:
    height = max(1, min(n, pairs // n))
    for start in range(0, n, height):
        yield slice(start, min(start + height, n))
