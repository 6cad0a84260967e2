"""Activations with few levels, as in quantized hardware, whose information can be counted exactly."""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.module_inputs import ExplainedInputs
from infoflow.core.settings import FiniteFloat, Integer, validated


class QuantizedActivation(ExplainedInputs, nn.Module):
    """Rounds to the nearest of `levels` evenly spaced values, with a straight-through gradient.

    Parameters
    ----------
    levels
        Number of values.
    low
        Smallest value; by default the smallest activation seen in training.
    high
        Largest value; by default the largest activation seen in training.

    Raises
    ------
    InvalidArgument
        If there are fewer than 2 levels, low >= high, or one of both alone; in a call in evaluation mode if no range is
        known yet.

    Notes
    -----
        code = round((clip(f) − low) / step),   z = low + code · step,   step = (high − low)/(levels − 1)

    The gradient is that of the clipping alone. T = z is discrete, so I(X;T) = H(T) for a deterministic network, and
    both can be counted from `codes`. An observed range is in buffers and widens in training mode only. Inputs and
    outputs have the same shape.

    References
    ----------
    Lorenzen, Igel and Nielsen (2022), Information bottleneck: exact analysis of (quantized) neural networks, section 3.

    Examples
    --------
    >>> layer = QuantizedActivation(levels=3, low=-1.0, high=1.0)
    >>> z = layer(torch.tensor([-7.0, -0.4, 0.1, 0.6]))
    >>> z, layer.codes(z)
    (tensor([-1.,  0.,  0.,  1.]), tensor([0, 1, 1, 2]))
    """

    low: Tensor
    high: Tensor

    @validated
    def __init__(
        self,
        levels: Annotated[int, Integer(2)] = 256,
        low: FiniteFloat | None = None,
        high: FiniteFloat | None = None,
    ) -> None:
        super().__init__()
        self.levels = levels
        if (low is None) != (high is None) or (low is not None and high is not None and low >= high):
            raise InvalidArgument(f"low and high must be both None or numbers with low < high, got {low} and {high}.")
        self.observes = low is None
        self.register_buffer("low", torch.tensor(math.inf if low is None else low))
        self.register_buffer("high", torch.tensor(-math.inf if high is None else high))

    def forward(self, f: Tensor) -> Tensor:
        """Compute the nearest levels, of f's shape and dtype.

        Parameters
        ----------
        f : Tensor of shape (n, units, ...)
            Activation.
        """
        tensors(f=f)
        if self.observes:
            self._observe(f)
        clipped = torch.minimum(torch.maximum(f, self.low.to(f)), self.high.to(f))
        return clipped + (self._rounded(clipped)[1] - clipped).detach()

    def codes(self, values: Any) -> Tensor:
        """Compute the numbers of the levels, 0 to levels − 1.

        Parameters
        ----------
        values : array-like
            Inputs or outputs of the layer.

        Returns
        -------
        Tensor
            Integers of the same shape.
        """
        values = torch.as_tensor(values)
        values = values if values.is_floating_point() else values.to(self.low.dtype)
        return self._rounded(values.detach().to(self.low.device))[0].to(torch.int64)

    def _rounded(self, values: Tensor) -> tuple[Tensor, Tensor]:
        # In float32 at least: bfloat16 has 256 steps from 1 to 2, fewer than there may be levels.
        wide = torch.promote_types(values.dtype, torch.float32)
        low, high = self.low.to(wide), self.high.to(wide)
        step = (high - low) / (self.levels - 1)
        safe = torch.where(step > 0, step, torch.ones_like(step))  # where only one value was seen
        codes = ((values.to(wide) - low) / safe).round().clamp(0, self.levels - 1)
        return codes, (low + codes * step).to(values.dtype)

    def _observe(self, f: Tensor) -> None:
        if self.training:
            if f.numel() == 0:
                return
            with torch.no_grad():
                smallest, largest = f.detach().aminmax()
                self.low.copy_(torch.minimum(self.low, smallest.to(self.low)))
                self.high.copy_(torch.maximum(self.high, largest.to(self.high)))
        elif not torch.compiler.is_compiling() and not bool(self.low <= self.high):
            raise InvalidArgument(
                "QuantizedActivation has seen no values in training, so its range is unknown. Train first, or give low "
                "and high."
            )

    def extra_repr(self) -> str:
        span = "observed" if self.observes else f"{float(self.low):g} to {float(self.high):g}"
        return f"levels={self.levels}, range={span}"
