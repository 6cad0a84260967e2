"""Mutual information of a layer through bins that follow its activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from infoflow.core.settings import PositiveInt
from infoflow.estimators.histogram.family import BinnedLayer, Quantized, by_edges, in_order, on_capable_device


@dataclass(frozen=True)
class AdaptiveBinning(BinnedLayer):
    """Binning whose edges divide the layer's different activation levels evenly.

    Parameters
    ----------
    bins
        Number of bins; fewer where a layer has fewer levels.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Let u_1 < ... < u_m be the different values of all the layer's units. The inner edges are every (m/bins)-th of them,
    so that all bins hold equally many levels whatever the range; with m <= bins each level has a bin of its own. The
    estimates are H(Q(T)) and I(Q(T);Y), as those of `Binning`; a continuous y has adaptive bins of its own. Bins of
    different layers, or of one layer at different epochs, have different widths.

    References
    ----------
    Chelombiev, Houghton, O'Donnell (2019), Adaptive estimators show information compression in deep neural networks,
    section 3.1.

    Examples
    --------
    >>> AdaptiveBinning(bins=2).entropy([[0.0], [0.1], [5.0], [1000.0]]).bits
    1.0
    >>> AdaptiveBinning(bins=2).estimate([0.0, 0.1, 5.0, 1000.0], [0, 0, 1, 1]).bits
    1.0
    """

    bins: PositiveInt = 30

    _stated: ClassVar[tuple[str, ...]] = ("bins",)

    def quantize(self, t: Tensor, name: str = "t") -> Quantized:
        """Compute the symbols of the rows: equal where all bin indices are.

        Parameters
        ----------
        t : Tensor of shape (n, d)
            Finite floating-point numbers.
        name
            Name of the argument, for warnings.

        Returns
        -------
        Quantized
            Symbols, with what limits their information.

        Examples
        --------
        >>> AdaptiveBinning(bins=2).quantize(torch.tensor([[0.0], [1.0], [9.0], [9.5]])).codes.tolist()
        [0, 0, 1, 1]
        """
        t = on_capable_device(t)
        levels = torch.unique_consecutive(in_order(t))
        bins = min(self.bins, levels.numel())
        at = torch.arange(1, bins, device=t.device) * levels.numel() // bins
        return by_edges(t, levels[at], name)
