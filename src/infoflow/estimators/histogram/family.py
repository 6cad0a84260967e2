"""What the binning estimators share: rows of bin indices as symbols, and the plug-in information of these.

A subclass states how a layer is quantized.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import is_classes, samples
from infoflow.core.estimate import SATURATION, Estimate
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.layer_estimator import Ceiling, Labels, LayerEstimator, constant_labels
from infoflow.pairwise.equal_rows import counts, joint_counts, row_symbols

# Different symbols per sample from which on nearly every sample has one of its own, and joint cells per sample.
_ALONE, _NEARLY_ALL = 0.9, 0.8

# Bias of a plug-in, in nats and as a share of the estimate, from which on there is a warning.
_BIAS, _BIAS_SHARE = 0.05, 0.1


class Quantized(NamedTuple):
    """The symbols of the rows of a binned layer, and their limits.

    Parameters
    ----------
    codes : Tensor of shape (n,)
        Symbols, from 0.
    number
        How many different symbols there are.
    bins
        How many bins an axis has; infinite where a width was given.
    features
        Number of axes.
    warnings
        Warnings about the bins.
    """

    codes: Tensor
    number: int
    bins: float
    features: int
    warnings: tuple[str, ...]

    @property
    def capacity(self) -> Ceiling:
        """The largest entropy that so many samples in so many bins can have."""
        log_n = math.log(self.codes.shape[0])
        log_bins = self.features * math.log(self.bins)
        return (log_n, "log N") if log_n <= log_bins else (log_bins, "d log bins")


@dataclass(frozen=True)
class BinnedLayer(LayerEstimator):
    """Base of the estimators that quantize each unit and count the different rows."""

    @abc.abstractmethod
    def quantize(self, t: Tensor, name: str = "t") -> Quantized:
        """Symbols of the rows of t (n, d), which is floating and finite: equal where all bin indices are."""

    def _samples(self, value: Any, name: str) -> Tensor:
        return samples(value, name)

    def _labels(self, y: Any) -> Labels:
        if is_classes(y):
            return super()._labels(y)
        quantized = self.quantize(samples(y, "y"), "y")
        return Labels(quantized.codes, quantized.number, "Q(Y)", quantized.warnings)

    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        quantized = self.quantize(layer, side.lower())
        entropy = float(plug_in(counts(quantized.codes)))
        capacity, n = quantized.capacity, len(layer)
        nats = min(entropy, capacity[0])
        found = [self._made(nats, f"H(Q({side}))", n, capacity, (*quantized.warnings, *_full(side, nats, capacity)))]
        if labels is not None:
            found.append(self._about(labels, quantized, entropy, side))
        return found

    def _about(self, labels: Labels, quantized: Quantized, entropy: float, side: str) -> Estimate:
        codes, y = quantized.codes, labels.codes.to(quantized.codes.device)
        label_entropy = float(plug_in(counts(y)))
        cells = joint_counts(codes, y, labels.number)
        nats = entropy + label_entropy - float(plug_in(cells))
        ceiling = quantized.capacity
        if label_entropy <= ceiling[0]:
            ceiling = label_entropy, f"H({labels.name})"
        warnings, log_n = (*quantized.warnings, *labels.warnings), math.log(len(codes))
        if labels.number == 1:
            warnings += (constant_labels(labels.name),)
        elif entropy >= log_n * (1 - SATURATION):
            warnings += (
                f"nearly every sample has a bin of its own (H(Q({side})) = {entropy:.4g} of log N = {log_n:.4g} nats), "
                f"so the estimate is H({labels.name}) whatever the dependence; use wider bins or more samples",
            )
        elif labels.number >= _ALONE * len(y):
            warnings += (
                f"{labels.number} of {len(y)} samples have a symbol of {labels.name} of their own, so the estimate is "
                f"H(Q({side})) whatever the dependence; use coarser symbols or more samples",
            )
        else:
            warnings += sparse_cells(cells.numel(), quantized.number, labels.number, len(y), nats)
        quantity = f"I(Q({side});{labels.name})"
        return self._made(min(max(nats, 0.0), ceiling[0]), quantity, len(codes), ceiling, warnings)


def sparse_cells(cells: int, x: int, y: int, n: int, nats: float) -> tuple[str, ...]:
    """The warning for a plug-in whose bias, (cells − x − y + 1) / 2n to first order, is not small, or nothing.

    >>> sparse_cells(4, 2, 2, 1000, 0.5)
    ()
    >>> sparse_cells(900, 100, 100, 1000, 0.5)[0][:62]
    '1000 samples occupy 900 joint cells, so the plug-in is too hig'
    """
    bias = (cells - x - y + 1) / (2 * n)
    crowded = bias > _BIAS_SHARE * nats or cells > n / 2
    if bias <= _BIAS or not crowded:
        # The bias of the first order fails where few symbols of a side repeat either.
        if cells > _NEARLY_ALL * n:
            return (
                f"{n} samples occupy {cells} joint cells, so the plug-in depends more on their number than on the "
                "dependence; use fewer or wider bins, more samples, or a corrected estimate (estimator='discrete' with "
                "correction=)",
            )
        return ()
    return (
        f"{n} samples occupy {cells} joint cells, so the plug-in is too high by about {bias:.2g} nats or more; use "
        "fewer or wider bins, more samples, or a corrected estimate (estimator='discrete' with correction=)",
    )


def on_capable_device(t: Tensor) -> Tensor:
    """The tensor where float64 exists: Apple's GPUs have none, so theirs goes to the CPU.

    >>> on_capable_device(torch.zeros(2)).device.type
    'cpu'
    """
    return t.cpu() if t.device.type == "mps" else t


def in_order(t: Tensor) -> Tensor:
    """All entries, sorted; on a CPU NumPy's vectorized sort is several times faster than torch's.

    >>> in_order(torch.tensor([[3.0, 1.0], [2.0, 0.0]])).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    if t.device.type == "cpu":
        return torch.from_numpy(np.sort(t.reshape(-1).numpy()))
    return t.reshape(-1).sort().values


def constancy(t: Tensor, name: str) -> tuple[str, ...]:
    """The warning for rows of t (n, d) that are all equal, or nothing.

    >>> constancy(torch.ones(3, 2), "t")
    ('t is constant: all 3 rows are equal, so it carries no information',)
    """
    if torch.equal(t[1:2], t[:1]) and torch.equal(t, t[:1].expand_as(t)):
        return (f"{name} is constant: all {t.shape[0]} rows are equal, so it carries no information",)
    return ()


def by_edges(t: Tensor, inner: Tensor, name: str) -> Quantized:
    """Symbols of the rows of t (n, d) with bins [e_k, e_k+1) between increasing inner edges, open at both ends.

    >>> by_edges(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([1.0]), "t").codes.tolist()
    [0, 1, 1]
    """

    def digits(start: int, stop: int) -> Tensor:
        return torch.bucketize(t[start:stop].contiguous(), inner, right=True).to(torch.float64)

    bins = inner.numel() + 1
    codes, number = row_symbols(digits, t.shape[0], t.shape[1], bins, t.device)
    return Quantized(codes, number, bins, t.shape[1], constancy(t, name))


def _full(side: str, nats: float, ceiling: Ceiling) -> tuple[str, ...]:
    """The warning for an entropy at its ceiling, or nothing."""
    limit, name = ceiling
    if limit <= 0 or nats < limit * (1 - SATURATION):
        return ()
    remedy = "use wider bins or more samples" if name == "log N" else "use more bins"
    reached = f"H(Q({side})) = {nats:.4g} nats has reached {name} = {limit:.4g}"
    return (f"saturated: {reached}, so it is only a lower limit; {remedy}",)
