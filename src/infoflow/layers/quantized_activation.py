"""Activations of a few levels, as hardware has them: their information is an entropy that can be counted."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument


class QuantizedActivation(nn.Module):
    """Rounds to the nearest of `levels` values, spread evenly from `low` to `high`; the gradient goes straight through.

        code = round((clip(f) − low) / step),   z = low + code · step,   step = (high − low)/(levels − 1)

    The gradient is that of the clipping alone. T = z is discrete, so I(X;T) = H(T) for a deterministic network and both
    can be counted: `codes` gives the whole numbers, exactly.

    Without `low` and `high` the range is the smallest and largest value seen in training (buffers, in the state dict);
    levels move as it widens. Any shape to the same. Raises InvalidArgument for fewer than 2 levels, low >= high, or one
    bound alone; and in evaluation if nothing was seen. (Lorenzen, Igel and Nielsen 2022, section 3.)

    >>> layer = QuantizedActivation(levels=3, low=-1.0, high=1.0)
    >>> z = layer(torch.tensor([-7.0, -0.4, 0.1, 0.6]))
    >>> z, layer.codes(z)
    (tensor([-1.,  0.,  0.,  1.]), tensor([0, 1, 1, 2]))
    """

    low: Tensor
    high: Tensor

    def __init__(self, levels: int = 256, low: float | None = None, high: float | None = None) -> None:
        super().__init__()
        self.levels = integer(levels, "levels", minimum=2)
        if (low is None) != (high is None):
            raise InvalidArgument(f"low is {low!r} and high {high!r}; want both, or neither for the range that is seen")
        if low is not None and not -math.inf < low < (math.inf if high is None else high) < math.inf:
            raise InvalidArgument(f"low is {low!r} and high {high!r}; want finite numbers, low < high")
        self.observes = low is None
        self.register_buffer("low", torch.tensor(math.inf if low is None else float(low)))
        self.register_buffer("high", torch.tensor(-math.inf if high is None else float(high)))

    def forward(self, f: Tensor) -> Tensor:
        """The nearest levels, of f's shape and dtype."""
        if self.observes:
            self._observe(f)
        clipped = torch.minimum(torch.maximum(f, self.low.to(f)), self.high.to(f))
        return clipped + (self._rounded(clipped)[1] - clipped).detach()

    def codes(self, values: Any) -> Tensor:
        """The level's number, 0 to levels − 1 (int64), of every value: of the layer's input or of its output."""
        values = torch.as_tensor(values)
        values = values if values.is_floating_point() else values.to(self.low.dtype)
        return self._rounded(values.detach().to(self.low.device))[0].to(torch.int64)

    def _rounded(self, values: Tensor) -> tuple[Tensor, Tensor]:
        # In float32 at least: bfloat16 has 256 steps from 1 to 2, fewer than there may be levels.
        wide = torch.promote_types(values.dtype, torch.float32)
        low, high = self.low.to(wide), self.high.to(wide)
        step = (high - low) / (self.levels - 1)
        safe = torch.where(step > 0, step, torch.ones_like(step))  # one value only was seen
        codes = ((values.to(wide) - low) / safe).round().clamp(0, self.levels - 1)
        return codes, (low + codes * step).to(values.dtype)

    def _observe(self, f: Tensor) -> None:
        if self.training:
            with torch.no_grad():
                smallest, largest = f.detach().aminmax()
                self.low.copy_(torch.minimum(self.low, smallest.to(self.low)))
                self.high.copy_(torch.maximum(self.high, largest.to(self.high)))
        elif not torch.compiler.is_compiling() and not bool(self.low <= self.high):
            raise InvalidArgument(
                "QuantizedActivation has seen no values in training, so its range is unknown; train first, or give "
                "low= and high="
            )

    def extra_repr(self) -> str:
        span = "observed" if self.observes else f"{float(self.low):g} to {float(self.high):g}"
        return f"levels={self.levels}, range={span}"
