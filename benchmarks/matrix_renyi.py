"""Matrix Rényi information: our time beside straightforward ones, in one run.

1. I(T;Y) with the kernel width by alignment over 300 values: beside a loop over the widths with two matrix products
   each (HKH), then eigenvalues with vectors of A, B and A∘B.
2. α = 2 without eigenvalues: beside all eigenvalues.
3. Approximations for large N: beside all eigenvalues, with their error.

    python benchmarks/matrix_renyi.py [--full]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.linalg import eigh

from infoflow.entropies.renyi import (
    collision_entropy,
    gram_spectrum,
    krylov_entropy,
    low_rank_entropy,
    renyi_entropy,
)
from infoflow.estimators import MatrixRenyi


def straightforward(t: np.ndarray, y: np.ndarray, alpha: float, widths: int = 300) -> tuple[float, float]:
    """σ and I_α(T;Y), each σ's centred kernel by matrix products."""
    n = len(t)
    norms = (t**2).sum(1)
    distances = np.maximum(norms[:, None] + norms[None, :] - 2 * t @ t.T, 0)
    labels = (y[:, None] == y[None, :]).astype(float)
    centring = np.eye(n) - np.ones((n, n)) / n
    centred = centring @ labels @ centring
    best, width = -math.inf, 0.0
    for sigma in np.linspace(0.3, 10 * np.sqrt(distances).sum() / (n * (n - 1)), widths):
        kernel = centring @ np.exp(-distances / sigma**2) @ centring
        alignment = np.sum(kernel * centred) / (np.linalg.norm(kernel) * np.linalg.norm(centred))
        if alignment > best:
            best, width = alignment, sigma

    def entropy(kernel: np.ndarray) -> float:
        values, _ = eigh(kernel / np.trace(kernel))
        return float(np.log(np.sum(np.abs(values) ** alpha)) / (1 - alpha))

    gram = np.exp(-distances / width**2)
    return width, entropy(gram) + entropy(labels) - entropy(gram * labels)


def timed(function: Callable[[], Any], repeat: int = 1) -> tuple[Any, float]:
    best, result = math.inf, None
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return result, best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="also N = 10000, whose eigenvalues take minutes")
    full = parser.parse_args().full
    rng = np.random.default_rng(0)
    print(f"threads: {torch.get_num_threads()}\n")
    print(
        f"{'I_1.01(T;Y), 300 widths by alignment':44s}{'plain s':>10s}{'ours s':>10s}{'ratio':>8s}  nats (plain, ours)"
    )
    for d in (20, 1024):
        y = rng.integers(0, 10, 1000)
        t = rng.normal(size=(1000, d)) + 2 * rng.normal(size=(10, d))[y]
        estimator = MatrixRenyi(kernel_width="alignment")
        estimator.estimate(t[:100], y[:100])  # the first call of any kernel pays for loading it
        ours, fast = timed(lambda e=estimator, t=t, y=y: e.estimate(t, y), 3)
        (width, nats), slow = timed(lambda t=t, y=y: straightforward(t, y, 1.01))
        label = f"N = 1000, d = {d}, sigma {width:.3f} and {ours.parameters['sigma'][0]:.3f}"
        print(f"{label:44s}{slow:10.2f}{fast:10.3f}{slow / fast:7.0f}x  {nats:.4f} {ours.nats:.4f}")

    print(f"\n{'S_2(T)':44s}{'eigen s':>10s}{'ours s':>10s}{'ratio':>8s}  nats (eigen, ours)")
    for n in (1000, 4096):
        u = torch.from_numpy(rng.normal(size=(n, 20))) / 6
        exact, slow = timed(lambda u=u: float(renyi_entropy(gram_spectrum(u), 2.0)))
        ours_2, fast = timed(lambda u=u: float(collision_entropy(u)), 5)
        print(f"{f'N = {n}, d = 20':44s}{slow:10.2f}{fast:10.3f}{slow / fast:7.0f}x  {exact:.6f} {ours_2:.6f}")

    print(f"\n{'S_1.01(T), approximated':44s}{'eigen s':>10s}{'ours s':>10s}{'ratio':>8s}  error, interval (nats)")
    for n in (4096, *((10_000,) if full else ())):
        for d, width in ((3, 1.5), (20, 6.0), (20, 2.0)):
            u = torch.from_numpy(rng.normal(size=(n, d))) / width
            exact, slow = timed(lambda u=u: float(renyi_entropy(gram_spectrum(u), 1.01)))
            for name, method in (
                ("low-rank", lambda u=u: low_rank_entropy(u, 1.01, rank=500)),
                ("krylov", lambda u=u: krylov_entropy(u, 1.01)),
            ):
                found, fast = timed(method)
                label = f"{name}, N = {n}, d = {d}, S = {exact:.3f}"
                half = (found.high - found.low) / 2
                print(
                    f"{label:44s}{slow:10.2f}{fast:10.3f}{slow / fast:7.1f}x  {abs(found.nats - exact):.1e} ±{half:.1e}"
                )


if __name__ == "__main__":
    main()
