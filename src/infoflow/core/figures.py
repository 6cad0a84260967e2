"""Figures of estimates: matplotlib axes in, axes out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from infoflow.core.estimate import Estimate

_COLOR = "#2c6fbb"

# Inches that one character of a name takes at most.
_CHARACTER = 0.12


def shortened(names: Iterable[Any], longest: int = 40) -> list[str]:
    """Names as text, those of more than `longest` characters without their middle.

    >>> shortened(["input", "encoder.layers.17.feed_forward.activation"], longest=20)
    ['input', 'encoder.l…activation']
    """
    texts, half = map(str, names), longest // 2
    return [text if len(text) <= longest else f"{text[: half - 1]}…{text[-half:]}" for text in texts]


def inches(names: Iterable[str]) -> float:
    """Space that the longest of the names takes."""
    return _CHARACTER * max(map(len, names), default=0)


def axes(ax: Axes | None, width: float, height: float) -> Axes:
    """The given axes, or those of a new figure that no global state holds."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").add_subplot()


def draw_estimates(estimates: Sequence[Estimate], ax: Axes | None) -> Axes:
    """Nats with intervals against the number of samples, and the lowest ceiling of the largest sample."""
    ax = axes(ax, 5.0, 3.5)
    ordered = sorted(estimates, key=lambda each: each.n)
    drawn = [each for each in ordered if math.isfinite(each.nats)]
    n, nats = [each.n for each in drawn], [each.nats for each in drawn]
    ax.plot(n, nats, "o-" if len(drawn) > 1 else "o", color=_COLOR)
    for each in drawn:
        if each.interval is not None and math.isfinite(each.interval.low) and math.isfinite(each.interval.high):
            ends = [[each.nats - each.interval.low], [each.interval.high - each.nats]]
            ends = [[max(0.0, end[0])] for end in ends]
            ax.errorbar([each.n], [each.nats], yerr=ends, fmt="none", ecolor=_COLOR, capsize=4)
    last = ordered[-1]
    if math.isfinite(last.ceiling) and last.nats > 0.5 * last.ceiling:
        ax.axhline(last.ceiling, color="gray", linestyle=":", label=f"ceiling {last.ceiling_name}".rstrip())
        ax.legend()
    if n and max(n) > 20 * min(n):
        ax.set_xscale("log")
    ax.set_xlabel("samples")
    [quantity] = shortened([last.quantity], longest=20)
    ax.set_ylabel(f"{quantity} in nats")
    return ax
