"""Exact nearest neighbors of every sample in 16 and 128 dimensions, compared with FAISS and PyKeOps where installed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infoflow.core.errors import MissingExtra
from infoflow.pairwise.neighbors import nearest
from infoflow_benchmarks.speed.comparison import Row
from infoflow_benchmarks.speed.timing import processor_once, torch_threads

Indices = NDArray[np.int64]

_K = 3

# Samples by dimensions: the times of all grow with their square.
_SIZES = {16: 20_000, 128: 20_000}


def cases(quick: bool = False) -> Iterator[Row]:
    """Three Euclidean neighbors of each sample; one call each, in processor time on one thread."""
    rivals = {"faiss": ("FAISS IndexFlatL2, float32", _faiss), "pykeops": ("PyKeOps argKmin, float32", _keops)}
    installed = [rival for module, rival in rivals.items() if find_spec(module)]
    if not installed:
        raise MissingExtra("medium-dimension requires faiss-cpu or pykeops. Install one: pip install faiss-cpu")
    with torch_threads(1):
        for dimensions, size in _SIZES.items():
            n = 200 if quick else size
            x = np.random.default_rng(0).normal(size=(n, dimensions)).astype(np.float32)
            found, seconds = processor_once(partial(_ours, x))
            for name, rival in installed:
                rival(x[:100])
                expected, reference_seconds = processor_once(partial(rival, x))
                differing = float((found != expected).any(axis=1).mean())
                yield Row(
                    case=f"N = {n}, d = {dimensions}, {_K} neighbors",
                    reference=name,
                    reference_seconds=reference_seconds,
                    seconds=seconds,
                    ratio=reference_seconds / seconds,
                    target_ratio=0.5,
                    difference=differing,
                    note="one thread, one call each; the difference is the share of samples with other neighbors, "
                    "which rounding to float32 exchanges; infoflow compares candidates in float64",
                )


def _ours(x: NDArray[np.float32]) -> Indices:
    index: Indices = nearest(torch.from_numpy(x), _K, metric="euclidean")[1].numpy()
    return index


def _faiss(x: NDArray[np.float32]) -> Indices:
    import faiss

    faiss.omp_set_num_threads(1)
    index: Any = faiss.IndexFlatL2(x.shape[1])
    index.add(x)
    return _others(index.search(x, _K + 1)[1])


def _keops(x: NDArray[np.float32]) -> Indices:
    from pykeops.torch import LazyTensor

    samples = torch.from_numpy(x)
    rows, columns = LazyTensor(samples[:, None, :].contiguous()), LazyTensor(samples[None].contiguous())
    return _others(((rows - columns) ** 2).sum(-1).argKmin(_K + 1, dim=1).numpy())


def _others(index: NDArray[Any]) -> Indices:
    """Neighbors (n, k) without the sample itself, which a search of all samples finds first."""
    own = index == np.arange(len(index))[:, None]
    own[~own.any(axis=1), -1] = True
    others: Indices = index[~own].reshape(len(index), _K).astype(np.int64)
    return others
