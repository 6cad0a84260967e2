"""Mutual information of a layer through a histogram of its activations."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import FiniteFloat, PositiveFloat, PositiveInt
from infoflow.estimators.histogram.family import (
    BinnedLayer,
    Quantized,
    by_edges,
    constancy,
    in_order,
    on_capable_device,
)
from infoflow.pairwise.equal_rows import bit_digits, row_symbols

# A wider slack would be a shift of the bins.
_MOST_SLACK = 0.01

# With more bins times features than this, the bits of the indices are hashed instead of the indices.
_WIDEST = 2**32


@dataclass(frozen=True)
class Binning(BinnedLayer):
    """Entropy of binned activations H(Q(T)), and plug-in mutual information I(Q(T);Y).

    Parameters
    ----------
    width
        Bins [k·width, (k+1)·width) without limits; `bins`, `low` and `high` are ignored then.
    bins
        Number of bins between `low` and `high`, or over the range of the values.
    low, high
        Ends of the range. Values outside share one further bin on each side and cause a warning; they are not clipped
        into the range, which would show compression where activations are unbounded.
    scope
        Values whose range the bins cover where `low` and `high` are None: those of the "layer" itself, or of all layers
        of an "epoch" or of the "run", which an analysis of a recording sets by `with_range`.
    edges
        "uniform" for equal widths, "quantile" for edges at quantiles of all the layer's values.
    closed
        Whether the last bin contains `high` itself. `np.digitize` excludes it: units that saturate at exactly 1 are a
        symbol of their own then, worth half a bit at the output of a trained network.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range or contradicts another; `UnknownName` for an unknown name.

    Notes
    -----
    H(Q(T)) = −Σ p log p over the different rows of bin indices, and I(Q(T);Y) = H(Q(T)) − Σ_y p_y H(Q(T) | y). For a
    deterministic network H(Q(T)) = I(X;Q(T)): it depends on the bins, so they must be reported with the number. A
    continuous y is binned in the same way. A value that lies on an edge but for its own rounding belongs to the bin
    above, in float32 as in float64. The ceiling of the entropy is min(log N, d log bins), that of the
    information also H(Y).

    Rows are compared by a hash with an independent check (`infoflow.pairwise.equal_rows`): O(n d) time, block by block,
    and wrong with probability below n² 2^-77.

    The released code of Shwartz-Ziv and Tishby is `Binning(bins=29, low=-1, high=1, closed=False)`.

    References
    ----------
    Saxe et al. (2018), On the Information Bottleneck Theory of Deep Learning, section 2.
    Goldfeld et al. (2019), Estimating Information Flow in Deep Neural Networks.

    Examples
    --------
    >>> t = [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.8, 0.2]]
    >>> Binning(width=0.5).entropy(t).bits
    1.0
    >>> Binning(bins=2).estimate(t, [0, 0, 1, 1]).bits
    1.0
    """

    width: PositiveFloat | None = None
    bins: PositiveInt = 30
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    scope: Literal["layer", "epoch", "run"] = "layer"
    edges: Literal["uniform", "quantile"] = "uniform"
    closed: bool = True

    _stated: ClassVar[tuple[str, ...]] = ("bins",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.low is None) != (self.high is None):
            raise InvalidArgument(f"low and high must be given together, got {self.low} and {self.high}.")
        fixed = self.low is not None and self.high is not None
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise InvalidArgument("low", f"less than high ({self.high})", self.low)
        if not self.closed and not fixed:
            raise InvalidArgument("closed", "True without low and high", False, remedy="It excludes the value high.")
        if self.width is not None and (fixed or self.edges != "uniform"):
            raise InvalidArgument("width", "None with low and high or quantile edges", self.width)
        if self.edges == "quantile" and (fixed or self.scope != "layer"):
            raise InvalidArgument("edges", "'uniform' with low and high or a scope beyond the layer", self.edges)

    def with_range(self, low: float, high: float) -> Binning:
        """Return the same estimator with its bins on [low, high].

        Parameters
        ----------
        low, high
            Ends of the range; a range of no length is widened by 0.5 on either side.

        Returns
        -------
        Binning
            Itself where a `width` or quantile edges determine the bins.

        Raises
        ------
        InvalidArgument
            If low > high, or one is not finite.

        Examples
        --------
        >>> Binning(bins=10, scope="run").with_range(-1.0, 3.0).high
        3.0
        """
        if self.width is not None or self.edges == "quantile":
            return self
        low, high = _of_some_length(float(low), float(high))
        return dataclasses.replace(self, low=low, high=high)

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
        >>> Binning(width=1.0).quantize(torch.tensor([[0.2], [0.7], [1.5]])).codes.tolist()
        [0, 0, 1]
        """
        t = on_capable_device(t)
        if self.width is not None:
            return _by_width(t, float(self.width), name)
        if self.edges == "quantile":
            return by_edges(t, quantile_edges(in_order(t), self.bins), name)
        if self.low is not None and self.high is not None:
            return self._on_range(t, float(self.low), float(self.high), name, _ends(t))
        ends = _ends(t)
        found = self._on_range(t, *_of_some_length(*ends), name, ends)
        if self.scope == "layer":
            return found
        unset = f"no range was given for scope {self.scope!r}, so that of {name} alone was used; call with_range"
        return found._replace(warnings=(unset, *found.warnings))

    def _on_range(self, t: Tensor, low: float, high: float, name: str, ends: tuple[float, float]) -> Quantized:
        bins, outside = self.bins, 0
        width = (high - low) / bins
        if not 0 < width < math.inf:
            raise InvalidArgument(
                name,
                "spread over a range that float64 divides into bins",
                got_text=f"[{low:.3g}, {high:.3g}]",
                remedy="Rescale it.",
            )
        slack = _slack(t, max(abs(low), abs(high)), width)
        lowest, highest = ends
        over = highest > high or (not self.closed and highest == high)
        clipped = lowest < low or over

        def digits(start: int, stop: int) -> Tensor:
            """0..bins - 1 inside, bins above, bins + 1 below."""
            nonlocal outside
            inside = t[start:stop].to(torch.float64, copy=True).sub_(low).div_(width).add_(slack).floor_()
            if not clipped:
                return inside.clamp_max_(bins - 1)
            inside.clamp_(0, bins - 1)
            below = t[start:stop] < low
            above = t[start:stop] > high if self.closed else t[start:stop] >= high
            outside += int(below.sum()) + int(above.sum())
            return inside.masked_fill_(above, bins).masked_fill_(below, bins + 1)

        codes, number = row_symbols(digits, t.shape[0], t.shape[1], bins + 2, t.device)
        warnings = constancy(t, name)
        if outside:
            share = f"{outside} of {t.numel()} values of {name} ({outside / t.numel():.2%})"
            span = f"[{low:g}, {high:g}{']' if self.closed else ')'}"
            warnings = (
                f"{share} lie outside {span} (from {lowest:g} to {highest:g}) and share one outer bin on each side, "
                "which can look like compression; widen the range, or give a width",
                *warnings,
            )
        return Quantized(codes, number, bins + (lowest < low) + over, t.shape[1], warnings)

    def _parameters(self) -> dict[str, Any]:
        return super()._parameters() if self.width is None else {"width": self.width}


def _by_width(t: Tensor, width: float, name: str) -> Quantized:
    ends = [float(bound) for bound in t.aminmax()]
    slack = _slack(t, max(map(abs, ends)), width)
    if not math.isfinite(max(map(abs, ends)) / width):
        raise InvalidArgument(
            name, f"within {torch.finfo(torch.float64).max:.0e} widths of 0", got_text=f"values up to {max(ends):.3g}"
        )
    low, high = (math.floor(bound / width + slack) for bound in ends)
    base = high - low + 1

    def indices(start: int, stop: int) -> Tensor:
        return t[start:stop].to(torch.float64, copy=True).div_(width).add_(slack).floor_()

    n, d = t.shape
    if base * d > _WIDEST:
        codes, number = row_symbols(lambda start, stop: bit_digits(indices(start, stop)), n, 4 * d, 2**16, t.device)
    else:
        codes, number = row_symbols(lambda start, stop: indices(start, stop).sub_(low), n, d, base, t.device)
    return Quantized(codes, number, math.inf, d, constancy(t, name))


def _ends(t: Tensor) -> tuple[float, float]:
    """The least and the greatest value."""
    low, high = t.aminmax()
    return float(low), float(high)


def _slack(t: Tensor, largest: float, width: float) -> float:
    """Share of a bin by which the rounding of the values may put a value below the edge that it stands for."""
    return min(4 * torch.finfo(t.dtype).eps * largest / width, _MOST_SLACK)


def _of_some_length(low: float, high: float) -> tuple[float, float]:
    """The range, widened by 0.5 on either side where it has no length, or by more where 0.5 would round away."""
    pad = max(0.5, 1e-9 * abs(low))
    return (low - pad, high + pad) if low == high else (low, high)


def quantile_edges(ordered: Tensor, bins: int) -> Tensor:
    """Inner edges that divide sorted values into equal parts, as nearly as ties allow: equal values stay together.

    An edge is the first value of its bin, so an edge among equal values moves to the nearer end of them.

    >>> quantile_edges(torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 3.0]), 3).tolist()
    [1.0, 2.0]
    """
    at = torch.arange(1, bins, device=ordered.device) * ordered.numel() // bins
    start = torch.searchsorted(ordered, ordered[at])
    end = torch.searchsorted(ordered, ordered[at], right=True)
    at = torch.where(at - start < end - at, start, end)
    edges: Tensor = torch.unique_consecutive(ordered[at[(at > 0) & (at < ordered.numel())]])
    return edges
