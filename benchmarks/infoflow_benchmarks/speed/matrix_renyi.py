"""Matrix Rényi information, compared with loops over kernel widths and with all eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor

from infoflow.entropies.renyi import collision_entropy, krylov_entropy, low_rank_entropy
from infoflow.estimators import MatrixRenyi
from infoflow_benchmarks.speed.comparison import Comparison, estimated

WIDTHS = 300
ALPHA = 1.01
ORDERS = (1.01, 1.5, 2.0, 3.0, 5.0, 10.0)
LAYER_WIDTHS = (1.0, 3.0, 10.0)
INPUT_WIDTH = 8.0


def plain_alignment(t: np.ndarray, y: np.ndarray) -> float:
    """I_α(T;Y) as published: two products (HKH) for each width, then eigenvalues with vectors of A, B and A∘B."""
    n = len(t)
    norms = (t**2).sum(1)
    distances = np.maximum(norms[:, None] + norms[None, :] - 2 * t @ t.T, 0)
    labels = (y[:, None] == y[None, :]).astype(float)
    centering = np.eye(n) - np.ones((n, n)) / n
    centered = centering @ labels @ centering
    best, width = -math.inf, 0.0
    for sigma in np.linspace(0.3, 10 * np.sqrt(distances).sum() / (n * (n - 1)), WIDTHS):
        kernel = centering @ np.exp(-distances / sigma**2) @ centering
        alignment = np.sum(kernel * centered) / (np.linalg.norm(kernel) * np.linalg.norm(centered))
        if alignment > best:
            best, width = alignment, sigma

    def entropy(kernel: np.ndarray) -> float:
        values, _ = eigh(kernel / np.trace(kernel))
        return float(np.log(np.sum(np.abs(values) ** ALPHA)) / (1 - ALPHA))

    gram = np.exp(-distances / width**2)
    return entropy(gram) + entropy(labels) - entropy(gram * labels)


def all_eigenvalues(u: Tensor, alpha: float) -> float:
    """S_α of the kernel exp(-‖u_i - u_j‖²) from its whole spectrum."""
    return spectral(gaussian(u), alpha)


def gaussian(u: Tensor) -> Tensor:
    return torch.cdist(u, u).square().neg().exp()


def spectral(kernel: Tensor, alpha: float) -> float:
    values = torch.linalg.eigvalsh(kernel / len(kernel)).clamp_min(0)
    return float(values.pow(alpha).sum().log() / (1 - alpha))


def sweep(x: Tensor, t: Tensor, y: Tensor) -> list[float]:
    """I(X;T) and I(T;Y) of one layer for all orders and widths."""
    settings = [MatrixRenyi(a, kernel_width=w, input_width=INPUT_WIDTH) for a in ORDERS for w in LAYER_WIDTHS]
    found = MatrixRenyi.measure_many(settings, t, y, x)
    return [side.nats for each in found for side in (each.input, each.label)]


def one_by_one(x: Tensor, t: Tensor, y: Tensor) -> list[float]:
    """The same by the formula, setting by setting."""
    labels = (y[:, None] == y[None, :]).double()
    found = []
    for alpha in ORDERS:
        for width in LAYER_WIDTHS:
            layer, inputs = gaussian(t / width), gaussian(x / INPUT_WIDTH)
            own = spectral(layer, alpha)
            found.append(spectral(inputs, alpha) + own - spectral(inputs * layer, alpha))
            found.append(own + spectral(labels, alpha) - spectral(layer * labels, alpha))
    return found


def collision(u: Tensor) -> float:
    return float(collision_entropy(u))


def low_rank(u: Tensor, rank: int) -> float:
    return low_rank_entropy(u, ALPHA, rank=rank).nats


def krylov(u: Tensor) -> float:
    return krylov_entropy(u, ALPHA).nats


def cases(quick: bool = False) -> Iterator[Comparison]:
    """Widths by alignment; α = 2 without eigenvalues; many settings at once; approximations for large N."""
    rng = np.random.default_rng(0)
    n = 100 if quick else 1000
    for d in (20, 1024):
        y = rng.integers(0, 10, n)
        t = rng.normal(size=(n, d)) + 2 * rng.normal(size=(10, d))[y]
        yield Comparison(
            f"N = {n}, d = {d}, {WIDTHS} widths by alignment",
            "two N×N products a width, eigenvectors",
            estimated(MatrixRenyi(kernel_width="alignment"), t, y),
            partial(plain_alignment, t, y),
            target_ratio=30.0,
        )
    for n in (200,) if quick else (1000, 4096):
        u = torch.from_numpy(rng.normal(size=(n, 20))) / 6
        slow = partial(all_eigenvalues, u, 2.0)
        target = 50.0 if n == 4096 else None
        yield Comparison(f"N = {n}, d = 20, α = 2", "all eigenvalues", partial(collision, u), slow, target)
    n, rank = (200, 200) if quick else (4096, 500)
    for d, width in ((3, 1.5), (20, 6.0), (20, 2.0)):
        u = torch.from_numpy(rng.normal(size=(n, d))) / width
        slow = partial(all_eigenvalues, u, ALPHA)
        for name, method in (("low-rank", partial(low_rank, u, rank)), ("krylov", partial(krylov, u))):
            case = f"N = {n}, d = {d}, width {width}, {name}"
            yield Comparison(case, "all eigenvalues", method, slow, note="approximation")
    n = 200 if quick else 1000
    narrow = torch.from_numpy(rng.normal(size=(n, 20))) / 0.1
    slow = partial(all_eigenvalues, narrow, 2.0)
    case = f"N = {n}, d = 20, α = 2, width 0.1: most kernel values underflow"
    yield Comparison(case, "all eigenvalues", partial(collision, narrow), slow, target_ratio=50.0)
    codes = torch.from_numpy(rng.integers(0, 10, n))
    inputs = torch.from_numpy(rng.normal(size=(n, 100))) + codes[:, None] / 5
    layer = torch.tanh(inputs[:, :20])
    case = f"N = {n}, a layer by {len(ORDERS)} orders and {len(LAYER_WIDTHS)} widths"
    ours, plain = (partial(function, inputs, layer, codes) for function in (sweep, one_by_one))
    yield Comparison(case, "all eigenvalues, setting by setting", ours, plain, target_ratio=5.0)
