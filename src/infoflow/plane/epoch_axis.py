"""Epochs on a logarithmic axis that includes epoch 0 (before training), and their colors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import Colormap, ListedColormap, LogNorm
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

# Labels are at least this share of the axis apart.
_SPACE = 0.12


class EpochAxis:
    """Positions, ticks and colors of epochs; epoch 0 is drawn at half of the first positive one."""

    def __init__(self, epochs: Sequence[int]) -> None:
        positive = [epoch for epoch in epochs if epoch > 0]
        self.first = min(positive, default=1)
        self.end = max(positive, default=1)
        self.last = max(self.end, self.first * 2)
        self.zero = self.first / 2 if 0 in epochs else None
        self.low = self.zero or self.first
        self.norm = LogNorm(self.low, self.last)
        self.colors: Colormap = ListedColormap(matplotlib.colormaps["inferno"](np.linspace(0.05, 0.88, 256)))

    def position(self, epochs: Any) -> np.ndarray:
        """Where the epochs lie on the axis."""
        values = np.asarray(epochs, dtype=float)
        return np.where(values > 0, values, self.low)

    def color(self, epochs: Any) -> Any:
        """The epochs' colors."""
        return self.colors(self.norm(self.position(epochs)))

    def format(self, axis: Axis) -> None:
        """Ticks at epoch 0, at the powers of ten, and at the last epoch where its label has space."""
        powers = [10.0**k for k in range(12) if self.first <= 10.0**k <= self.last * 1.001]
        ticks = powers or [float(self.first), float(self.last)]
        if self._apart(ticks[-1], self.end):
            ticks = [*ticks, float(self.end)]
        axis.set_major_locator(FixedLocator([self.zero, *ticks] if self.zero else ticks))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(self._text))

    def _apart(self, tick: float, epoch: float) -> bool:
        return bool(np.log(epoch / tick) >= _SPACE * np.log(self.last / self.low))

    def apply(self, axes: Axes) -> None:
        """Make the axes' x-axis one of epochs."""
        axes.set_xscale("log")
        axes.set_xlim(self.low / 1.2, self.last * 1.12)
        self.format(axes.xaxis)

    def _text(self, value: float, _: Any = None) -> str:
        if self.zero and value == self.zero:
            return "0"
        exponent = np.log10(value)
        return f"{value:g}" if value < 1e4 or exponent % 1 else f"$10^{{{int(exponent)}}}$"
