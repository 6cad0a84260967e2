"""Mutual information of a layer through bins that follow its activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import integer, samples
from infoflow.core.estimate import Estimate, LayerInformation
from infoflow.estimators.histogram.binning import (
    Quantized,
    by_edges,
    in_order,
    input_information,
    layer_information,
    on_capable_device,
    pair_information,
)


@dataclass(frozen=True)
class AdaptiveBinning:
    """Binning whose edges split the layer's different activation levels evenly (Chelombiev et al. 2019, section 3.1).

    Let u_1 < ... < u_m be the different values of all the layer's units at this epoch. The inner edges are every
    (m/bins)-th of them, so each bin holds as many levels as another, whatever the range; with m <= bins each level has
    a bin of its own. H(Q(T)) and I(Q(T);Y) are then those of `Binning`.

    >>> AdaptiveBinning(bins=2).entropy([[0.0], [0.1], [5.0], [1000.0]]).bits
    1.0
    """

    bins: int = 30

    def __post_init__(self) -> None:
        integer(self.bins, "bins")

    def entropy(self, t: Any) -> Estimate:
        """H(Q(T)) in nats of samples (n, ...), with ceiling min(log N, d log bins).

        Raises InvalidArgument (no numbers, NaN, infinity) or TooFewSamples (n < 2).

        >>> AdaptiveBinning(bins=4).entropy([1.0, 2.0, 40.0, 800.0]).bits
        2.0
        """
        return input_information(self, self.quantize(samples(t, "t"), "t"))

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(Q(X);Y) in nats of samples x (n, ...) and classes y (n,); a continuous y gets adaptive bins of its own.

        Raises InvalidArgument (no numbers, NaN, infinity, unequal lengths) or TooFewSamples (n < 2).

        >>> AdaptiveBinning(bins=2).estimate([0.0, 0.1, 5.0, 1000.0], [0, 0, 1, 1]).bits
        1.0
        """
        return pair_information(self, x, y)

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """H(Q(T)) and I(Q(T);Y) in nats for activations t (n, ...) and classes y (n,). `x` isn't used.

        Raises like `estimate`; y must be classes.

        >>> AdaptiveBinning(bins=2).measure([[0.0], [0.1], [5.0], [1000.0]], [0, 1, 0, 1]).label.bits
        0.0
        """
        return layer_information(self, t, y)

    def quantize(self, t: Tensor, name: str = "t") -> Quantized:
        """The symbols of the rows of t (n, d), floating and finite.

        >>> AdaptiveBinning(bins=2).quantize(torch.tensor([[0.0], [1.0], [9.0], [9.5]])).codes.tolist()
        [0, 0, 1, 1]
        """
        t = on_capable_device(t)
        levels = torch.unique_consecutive(in_order(t))
        bins = min(self.bins, levels.numel())
        at = torch.arange(1, bins, device=t.device) * levels.numel() // bins
        return by_edges(t, levels[at], name)

    def parameters(self) -> dict[str, Any]:
        """The settings that determine the result, as they stand in an estimate."""
        return {"bins": self.bins}
