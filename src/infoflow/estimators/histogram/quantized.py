"""Information of a quantized layer, exactly: its codes are counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor

from infoflow.core.checks import samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import Integer
from infoflow.estimators.histogram.discrete import Discrete, symbols
from infoflow.estimators.layer_estimator import Labels, LayerEstimator


@dataclass(frozen=True)
class QuantizedInformation(LayerEstimator):
    """I(X;T) = H(T) and I(T;Y) of a layer whose units take few values, counted from their true codes.

    Parameters
    ----------
    levels
        Largest number of different values in the layer: 256 for 8 bits. `InvalidArgument` is raised where there are
        more, because the layer is not quantized then.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    A deterministic network with quantized activations has a finite I(X;T), which depends on no bin width: a row of T is
    one symbol, and values are equal only if they are the same number. Samples are codes or the levels themselves. The
    estimate is exact for the distribution in which each sample has the same weight: with all inputs (the 4096
    patterns of SZT) that is the true value, with a sample of them the plug-in.

    References
    ----------
    Lorenzen, Igel, Nielsen (2022), Information Bottleneck: Exact Analysis of (Quantized) Neural Networks, section 3.

    Examples
    --------
    >>> QuantizedInformation(levels=3).entropy([[-1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).bits
    1.5
    """

    levels: Annotated[int, Integer(2)] = 256

    _stated: ClassVar[tuple[str, ...]] = ("levels",)

    def _samples(self, value: Any, name: str) -> Tensor:
        values = samples(value, name)
        found: tuple[Tensor, Tensor] = torch.unique(values, return_inverse=True)
        levels, codes = found
        if len(levels) > self.levels:
            raise InvalidArgument(
                name,
                f"an array of at most {self.levels} different values (levels)",
                got_text=str(len(levels)),
                remedy="Binning rounds continuous activations.",
            )
        return symbols(codes.reshape(len(values), -1), name)[0]

    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        stated: dict[str, Any] = {
            "kind": Kind.EXACT,
            "estimator": type(self).__name__,
            "parameters": self._parameters(),
        }
        return [replace(found, **stated) for found in Discrete()._estimates(layer, labels, side)]
