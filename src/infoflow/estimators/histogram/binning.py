"""Mutual information of a layer through a histogram of its activations."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import choice, classes, integer, is_classes, paired, positive, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import SATURATION, Estimate, Kind, LayerInformation
from infoflow.entropies.discrete import plug_in
from infoflow.pairwise.equal_rows import bit_digits, counts, joint_counts, row_symbols

SCOPES = ("layer", "epoch", "run")
EDGES = ("uniform", "quantile")

# With more bins times features than this, the bits of the indices are hashed instead of the indices.
_WIDEST = 2**32


class Quantized(NamedTuple):
    """The symbols of the rows of a binned layer, and what can be said of them."""

    codes: Tensor
    number: int
    """How many different symbols there are."""
    bins: float
    """How many bins an axis has (infinite where a width was given)."""
    features: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Binning:
    """Entropy of binned activations H(Q(T)), and plug-in mutual information I(Q(T);Y).

    H(Q(T)) = -Σ p log p over the different rows of bin indices, and I(Q(T);Y) = H(Q(T)) - Σ_y p_y H(Q(T) | y). For a
    deterministic network H(Q(T)) = I(X;Q(T)): it depends on the bins, so they belong to the number (Saxe et al. 2018,
    section 2; Goldfeld et al. 2019).

    - `width`: bins [k·width, (k+1)·width) without limits, as Saxe et al. use; `bins`, `low` and `high` are not used.
    - `bins` with `low` and `high`: that many bins on [low, high]. Values outside get a bin of their own on either
      side and a warning; they are never clipped into the range, which would fake compression of unbounded layers.
      The released code of Shwartz-Ziv and Tishby is `Binning(bins=29, low=-1, high=1, closed=False)`.
    - `closed`: whether the last bin holds `high` itself. `np.digitize`, and so that code, leaves it out: units that
      saturate at exactly 1 get a symbol of their own there, worth half a bit at the output of a trained network.
    - `bins` alone: that many bins on the range of the values given (`scope="layer"`). With `scope="epoch"` or "run"
      the plane's analysis finds the range over the layers of that snapshot, or of the run, and sets it by
      `with_range`.
    - `edges="quantile"`: edges at quantiles of all the layer's values instead of equal widths.

    Rows are told apart by a hash with an independent check (`infoflow.pairwise.equal_rows`): O(n d) time, block-wise,
    and wrong with probability below n² 2^-77.

    >>> t = [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.8, 0.2]]
    >>> Binning(width=0.5).entropy(t).bits
    1.0
    >>> Binning(bins=2).estimate(t, [0, 0, 1, 1]).bits
    1.0
    """

    width: float | None = None
    bins: int = 30
    low: float | None = None
    high: float | None = None
    scope: str = "layer"
    edges: str = "uniform"
    closed: bool = True

    def __post_init__(self) -> None:
        choice(self.scope, "scope", SCOPES)
        choice(self.edges, "edges", EDGES)
        integer(self.bins, "bins")
        if (self.low is None) != (self.high is None):
            raise InvalidArgument(f"low is {self.low} and high is {self.high}; give both or neither")
        fixed = self.low is not None
        if not isinstance(self.closed, bool):
            raise InvalidArgument(f"closed is {self.closed!r}; want True or False")
        if not self.closed and not fixed:
            raise InvalidArgument("closed=False leaves out the end of a fixed range; give low and high with it")
        if self.low is not None and self.high is not None:
            for name, bound in (("low", self.low), ("high", self.high)):
                if isinstance(bound, bool) or not math.isfinite(_number(bound, name)):
                    raise InvalidArgument(f"{name} is {bound!r}; want a finite number")
            if not self.low < self.high:
                raise InvalidArgument(f"low is {self.low} and high is {self.high}; want low < high")
        if self.width is not None:
            positive(self.width, "width")
            if fixed or self.edges != "uniform":
                raise InvalidArgument("width sets bins without limits: it excludes low, high and quantile edges")
        if self.edges == "quantile" and (fixed or self.scope != "layer"):
            raise InvalidArgument(
                "quantile edges come from each layer's values: they exclude low, high and other scopes"
            )

    def with_range(self, low: float, high: float) -> Binning:
        """The same estimator with its bins on [low, high] (a range of no length is widened by ½ on either side).

        With a `width` or quantile edges nothing changes. Raises InvalidArgument unless low <= high, both finite.

        >>> Binning(bins=10, scope="run").with_range(-1.0, 3.0).high
        3.0
        """
        low, high = float(low), float(high)
        if self.width is not None or self.edges == "quantile":
            return self
        if low == high:
            low, high = low - 0.5, high + 0.5
        return dataclasses.replace(self, low=low, high=high)

    def entropy(self, t: Any) -> Estimate:
        """H(Q(T)) in nats of samples (n, ...), with ceiling min(log N, d log bins).

        Raises InvalidArgument (no numbers, NaN, infinity) or TooFewSamples (n < 2).

        >>> Binning(bins=2, low=0, high=1).entropy([0.1, 0.2, 0.7, 0.9]).bits
        1.0
        """
        return input_information(self, self.quantize(samples(t, "t"), "t"))

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(Q(X);Y) in nats of samples x (n, ...) and classes y (n,); a continuous y (n, ...) is binned likewise.

        The ceiling is the least of H(Y), log N and d log bins. Raises InvalidArgument (no numbers, NaN, infinity,
        unequal lengths) or TooFewSamples (n < 2).

        >>> Binning(width=1.0).estimate([0.5, 0.6, 1.5, 1.6], [0.1, 0.2, 7.1, 7.2]).bits
        1.0
        """
        return pair_information(self, x, y)

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """H(Q(T)) and I(Q(T);Y) in nats for activations t (n, ...) and classes y (n,); the rows are hashed once.

        `x` isn't used. Raises like `estimate`; y must be classes.

        >>> Binning(width=0.5).measure([[0.1], [0.2], [0.9], [0.8]], [0, 0, 1, 1]).label.bits
        1.0
        """
        return layer_information(self, t, y)

    def quantize(self, t: Tensor, name: str = "t") -> Quantized:
        """The symbols of the rows of t (n, d), floating and finite: equal where all the bin indices are.

        >>> Binning(width=1.0).quantize(torch.tensor([[0.2], [0.7], [1.5]])).codes.tolist()
        [0, 0, 1]
        """
        t = on_capable_device(t)
        if self.width is not None:
            return self._by_width(t, name)
        if self.edges == "quantile":
            return by_edges(t, quantile_edges(in_order(t), self.bins), name)
        warnings: list[str] = []
        if self.low is not None and self.high is not None:
            return self._on_range(t, float(self.low), float(self.high), name, warnings)
        if self.scope != "layer":
            warnings.append(
                f"scope is {self.scope!r} but no range was given, so that of {name} alone was used; call with_range"
            )
        low, high = (float(bound) for bound in t.aminmax())
        if low == high:
            low, high = low - 0.5, high + 0.5
        return self._on_range(t, low, high, name, warnings)

    def _by_width(self, t: Tensor, name: str) -> Quantized:
        assert self.width is not None
        width = float(self.width)
        low, high = (math.floor(float(bound) / width) for bound in t.aminmax())
        base = high - low + 1

        def indices(start: int, stop: int) -> Tensor:
            return t[start:stop].to(torch.float64, copy=True).div_(width).floor_()

        n, d = t.shape
        if base * d > _WIDEST:
            codes, count = row_symbols(lambda start, stop: bit_digits(indices(start, stop)), n, 4 * d, 2**16, t.device)
        else:
            codes, count = row_symbols(lambda start, stop: indices(start, stop).sub_(low), n, d, base, t.device)
        return Quantized(codes, count, math.inf, d, constancy(t, name))

    def _on_range(self, t: Tensor, low: float, high: float, name: str, warnings: list[str]) -> Quantized:
        bins, outside = self.bins, 0
        width = (high - low) / bins
        lowest, highest = (float(bound) for bound in t.aminmax())
        end = "]" if self.closed else ")"
        over = highest > high or (not self.closed and highest == high)
        clipped = lowest < low or over

        def digits(start: int, stop: int) -> Tensor:
            """0..bins - 1 inside, bins above, bins + 1 below."""
            nonlocal outside
            inside = t[start:stop].to(torch.float64, copy=True).sub_(low).div_(width).floor_()
            if not clipped:
                return inside.clamp_max_(bins - 1)
            inside.clamp_(0, bins - 1)
            below = t[start:stop] < low
            above = t[start:stop] > high if self.closed else t[start:stop] >= high
            outside += int(below.sum()) + int(above.sum())
            return inside.masked_fill_(above, bins).masked_fill_(below, bins + 1)

        codes, count = row_symbols(digits, t.shape[0], t.shape[1], bins + 2, t.device)
        if outside:
            share = f"{outside} of {t.numel()} values of {name} ({outside / t.numel():.2%})"
            warnings.append(
                f"{share} lie outside [{low:g}, {high:g}{end} (from {lowest:g} to {highest:g}) and share one "
                "outer bin on each side, which can look like compression; widen the range, or give a width"
            )
        outer = (lowest < low) + over
        return Quantized(codes, count, bins + outer, t.shape[1], (*warnings, *constancy(t, name)))

    def parameters(self) -> dict[str, Any]:
        """The settings that determine the result, as they stand in an estimate."""
        if self.width is not None:
            return {"width": self.width}
        settings: dict[str, Any] = {"bins": self.bins}
        if self.low is not None:
            settings |= {"low": self.low, "high": self.high}
        if not self.closed:
            settings["closed"] = False
        if self.scope != "layer":
            settings["scope"] = self.scope
        if self.edges != "uniform":
            settings["edges"] = self.edges
        return settings


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidArgument(f"{name} is {value!r}; want a finite number") from None


def on_capable_device(t: Tensor) -> Tensor:
    """The tensor where float64 exists: Apple's GPUs have none, so theirs goes to the CPU.

    >>> on_capable_device(torch.zeros(2)).device.type
    'cpu'
    """
    return t.cpu() if t.device.type == "mps" else t


def in_order(t: Tensor) -> Tensor:
    """All the entries, sorted; NumPy's vectorized sort is several times faster than torch's on a CPU.

    >>> in_order(torch.tensor([[3.0, 1.0], [2.0, 0.0]])).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    if t.device.type == "cpu":
        return torch.from_numpy(np.sort(t.reshape(-1).numpy()))
    return t.reshape(-1).sort().values


def quantile_edges(ordered: Tensor, bins: int) -> Tensor:
    """Inner edges that split sorted values into equal parts, as nearly as ties allow: equal values stay together.

    An edge is the first value of its bin, so one that falls among equal values moves to the nearer end of them.

    >>> quantile_edges(torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 3.0]), 3).tolist()
    [1.0, 2.0]
    """
    at = torch.arange(1, bins, device=ordered.device) * ordered.numel() // bins
    start = torch.searchsorted(ordered, ordered[at])
    end = torch.searchsorted(ordered, ordered[at], right=True)
    at = torch.where(at - start < end - at, start, end)
    edges: Tensor = torch.unique_consecutive(ordered[at[(at > 0) & (at < ordered.numel())]])
    return edges


def constancy(t: Tensor, name: str) -> tuple[str, ...]:
    """A warning where all the rows of t (n, d) are equal.

    >>> constancy(torch.ones(3, 2), "t")
    ('t is constant: all 3 rows are equal, so it carries no information',)
    """
    if torch.equal(t[1:2], t[:1]) and torch.equal(t, t[:1].expand_as(t)):
        return (f"{name} is constant: all {t.shape[0]} rows are equal, so it carries no information",)
    return ()


def by_edges(t: Tensor, inner: Tensor, name: str) -> Quantized:
    """The symbols of the rows of t (n, d) with bins [e_k, e_k+1) between increasing inner edges, open at both ends.

    >>> by_edges(torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([1.0]), "t").codes.tolist()
    [0, 1, 1]
    """

    def digits(start: int, stop: int) -> Tensor:
        return torch.bucketize(t[start:stop].contiguous(), inner, right=True).to(torch.float64)

    bins = inner.numel() + 1
    codes, count = row_symbols(digits, t.shape[0], t.shape[1], bins, t.device)
    return Quantized(codes, count, bins, t.shape[1], constancy(t, name))


def input_information(estimator: Any, quantized: Quantized) -> Estimate:
    """H(Q(T)) in nats, with its ceiling and warnings."""
    n = quantized.codes.shape[0]
    value = float(plug_in(counts(quantized.codes)))
    ceiling, ceiling_name = _capacity(quantized)
    warnings = list(quantized.warnings)
    if ceiling > 0 and value >= ceiling * (1 - SATURATION):
        warnings.append(_saturated("H(Q(T))", value, ceiling, ceiling_name))
    return Estimate(
        min(value, ceiling),
        quantity="H(Q(T))",
        kind=Kind.PLUG_IN,
        estimator=type(estimator).__name__,
        n=n,
        parameters=estimator.parameters(),
        ceiling=ceiling,
        ceiling_name=ceiling_name,
        warnings=tuple(warnings),
    )


def label_information(
    estimator: Any,
    quantized: Quantized,
    y: Tensor,
    y_count: int,
    *,
    x_name: str,
    y_name: str,
    warnings: tuple[str, ...] = (),
) -> Estimate:
    """I(Q(T);Y) in nats for codes y (n,) below y_count, with its ceiling and warnings."""
    codes = quantized.codes
    paired(codes, y, x_name.lower(), "y")
    y = y.to(codes.device)
    n = codes.shape[0]
    h_x, h_y = float(plug_in(counts(codes))), float(plug_in(counts(y)))
    value = h_x + h_y - float(plug_in(joint_counts(codes, y, y_count)))
    capacity, capacity_name = _capacity(quantized)
    ceiling, ceiling_name = (h_y, f"H({y_name})") if h_y <= capacity else (capacity, capacity_name)
    notes = [*quantized.warnings, *warnings]
    if y_count == 1:
        notes.append(f"{y_name} is constant: its information is 0 by definition")
    elif h_x >= math.log(n) * (1 - SATURATION):
        notes.append(
            f"nearly every sample has a bin of its own (H(Q({x_name})) = {h_x:.4g} of log N = {math.log(n):.4g} nats), "
            f"so I = H({y_name}) whatever the dependence; use wider bins or more samples"
        )
    return Estimate(
        min(max(value, 0.0), ceiling),
        quantity=f"I(Q({x_name});{y_name})",
        kind=Kind.PLUG_IN,
        estimator=type(estimator).__name__,
        n=n,
        parameters=estimator.parameters(),
        ceiling=ceiling,
        ceiling_name=ceiling_name,
        warnings=tuple(notes),
    )


def pair_information(estimator: Any, x: Any, y: Any) -> Estimate:
    """I(Q(X);Y) in nats for classes y (n,), or I(Q(X);Q(Y)), y quantized by the estimator too."""
    quantized = estimator.quantize(samples(x, "x"), "x")
    if is_classes(y):
        codes, count = classes(y, "y")
        return label_information(estimator, quantized, codes, count, x_name="X", y_name="Y")
    other = estimator.quantize(samples(y, "y"), "y")
    return label_information(
        estimator, quantized, other.codes, other.number, x_name="X", y_name="Q(Y)", warnings=other.warnings
    )


def layer_information(estimator: Any, t: Any, y: Any) -> LayerInformation:
    """H(Q(T)) and I(Q(T);Y) in nats; the rows are hashed once."""
    quantized = estimator.quantize(samples(t, "t"), "t")
    codes, count = classes(y, "y")
    return LayerInformation(
        input_information(estimator, quantized),
        label_information(estimator, quantized, codes, count, x_name="T", y_name="Y"),
    )


def _capacity(quantized: Quantized) -> tuple[float, str]:
    """The largest entropy that so many samples in so many bins can have."""
    log_n = math.log(quantized.codes.shape[0])
    log_bins = quantized.features * math.log(quantized.bins)
    return (log_n, "log N") if log_n <= log_bins else (log_bins, "d log bins")


def _saturated(quantity: str, value: float, ceiling: float, name: str) -> str:
    return (
        f"saturated: {quantity} = {value:.4g} nats has reached {name} = {ceiling:.4g}, so it only says 'at least'; "
        + ("use wider bins or more samples" if name == "log N" else "use more bins")
    )
