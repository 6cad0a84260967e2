"""Information of a quantized layer, exactly: its codes are counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, integer, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.estimators.histogram.discrete import Discrete


@dataclass(frozen=True)
class QuantizedInformation:
    """I(X;T) = H(T) and I(T;Y) of a layer whose units take few values (8 bits: 256), counted from its true codes.

    A deterministic network with quantized activations has a finite I(X;T), and no ruler of ours is in it: a row of T is
    one symbol, and values count as equal only if they are. The result is exact for the distribution that gives each
    sample the same weight: for all inputs (SZT's 4096 patterns, say), that is the truth, and for a sample of them it is
    the plug-in. `t` has shape (n, ...), of codes or of the levels themselves; more than `levels` different values in a
    layer are no quantized layer, and refused. Nats.

    Raises InvalidArgument (too many values) or TooFewSamples. Lorenzen, Igel and Nielsen (2022), section 3.

    >>> QuantizedInformation(levels=3).entropy([[-1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]).bits
    1.5
    """

    levels: int = 256

    def __post_init__(self) -> None:
        integer(self.levels, "levels", minimum=2)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X;Y) of a quantized `x` and classes `y`."""
        codes = self._codes(x, "x")
        labels = classes(y, "y")[0]
        paired(codes, labels)
        return self._exact(Discrete().estimate(codes, labels.to(codes.device)))

    def entropy(self, t: Any) -> Estimate:
        """H(T), which is I(X;T) of a deterministic network."""
        return self._exact(Discrete().entropy(self._codes(t, "t")))

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """H(T) and I(T;Y); the inputs `x` are not needed."""
        codes = self._codes(t, "t")
        labels = classes(y, "y")[0]
        paired(codes, labels, "t", "y")
        found = Discrete().measure(codes, labels.to(codes.device))
        return LayerInformation(self._exact(found.input), self._exact(found.label))

    def _codes(self, value: Any, name: str) -> Tensor:
        values = samples(value, name)
        found: tuple[Tensor, Tensor] = torch.unique(values, return_inverse=True)
        levels, codes = found
        if len(levels) > self.levels:
            raise InvalidArgument(
                f"{name} holds {len(levels)} different values; want at most levels = {self.levels} codes, as a "
                "quantized layer has (or estimator='binning', which rounds)"
            )
        return codes.reshape(len(values), -1)

    def _exact(self, found: Estimate) -> Estimate:
        return replace(
            found, kind=Kind.EXACT, estimator=type(self).__name__, parameters={"levels": self.levels}
        )  # fmt: skip
