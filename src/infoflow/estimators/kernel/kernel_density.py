"""Mutual information of a layer with Gaussian noise, by the pairwise-distance bounds of a mixture's entropy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import choice, classes, flag, paired, positive, samples, squarable
from infoflow.core.estimate import SATURATION, Estimate, Kind, LayerInformation
from infoflow.entropies.discrete import plug_in
from infoflow.pairwise.log_sum_exp import log_sum_exp

BOUNDS = ("upper", "lower")
DTYPES = {"float32": torch.float32, "float64": torch.float64}

# Less is what rounding leaves of the logarithms of equal rows.
_NOTHING = 1e-12


@dataclass(frozen=True)
class KernelDensity:
    """Bounds of I(X;T+ε) for a layer T with Gaussian noise ε ~ N(0, σ²I) (Kolchinsky and Tracey 2017, eq. 10 and 11).

    Upper: I ≤ -1/N Σ_i log 1/N Σ_j exp(-‖t_i - t_j‖² / 2σ²). Lower: the same with 8σ² in place of 2σ². The network
    has no such noise; σ² is part of the question. I(T+ε;Y) = I - Σ_y p_y I_y takes the same bound twice, so it is a
    difference of bounds, and itself no bound of either side.

    `variance` is σ². With `adaptive`, σ is multiplied by the layer's largest absolute activation (Chelombiev et al.
    2019, section 3.2). `dtype` is the precision of the kernel values: "float32" keeps 1e-4 nats, "float64" 1e-9.

    The ceiling of I(X;T+ε) is log N, that of I(T+ε;Y) is H(Y).

    >>> estimator = KernelDensity(variance=0.01)
    >>> estimator.entropy([[0.0], [0.0], [5.0], [5.0]]).bits
    1.0
    >>> estimator.estimate([[0.0], [0.1], [5.0], [5.1]], [0, 0, 1, 1]).bits
    1.0
    """

    variance: float = 0.1
    bound: str = "upper"
    adaptive: bool = False
    dtype: str = "float32"

    def __post_init__(self) -> None:
        positive(self.variance, "variance")
        choice(self.bound, "bound", BOUNDS)
        choice(self.dtype, "dtype", DTYPES)
        flag(self.adaptive, "adaptive")

    def entropy(self, t: Any) -> Estimate:
        """The bound of I(X;T+ε) in nats from samples t (n, ...).

        Raises InvalidArgument (no numbers, NaN, infinity) or TooFewSamples (n < 2).

        >>> KernelDensity(variance=1.0).entropy([[0.0], [0.0]]).nats
        0.0
        """
        return _many([self], samples(t, "t"), None, "T")[0][0]

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X+ε;Y) in nats from samples x (n, ...) and integer classes y (n,).

        Raises InvalidArgument (no numbers, NaN, infinity, labels that are no classes, unequal lengths) or
        TooFewSamples (n < 2).

        >>> KernelDensity(variance=1e-4).estimate([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).bits
        1.0
        """
        x = samples(x, "x")
        codes = classes(y, "y")
        paired(x, codes[0])
        label = _many([self], x, codes, "X")[0][1]
        assert label is not None
        return label

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """I(X;T+ε) and I(T+ε;Y) in nats for activations t (n, ...) and classes y (n,), in one pass. `x` isn't used.

        Raises like `estimate`.

        >>> KernelDensity(variance=1e-4).measure([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).input.bits
        2.0
        """
        return self.measure_many([self], t, y)[0]

    @staticmethod
    def measure_many(estimators: Sequence[KernelDensity], t: Any, y: Any) -> list[LayerInformation]:
        """`measure` of several estimators (variances, bounds) from one pass over the distances.

        Raises like `estimate`.

        >>> many = [KernelDensity(v, bound) for v in (0.01, 0.1) for bound in ("upper", "lower")]
        >>> [m.input.bits for m in KernelDensity.measure_many(many, [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])]
        [2.0, 2.0, 1.99, 1.48]
        """
        t = samples(t, "t")
        codes = classes(y, "y")
        paired(t, codes[0], "t", "y")
        result = []
        for one, label in _many(list(estimators), t, codes, "T"):
            assert label is not None
            result.append(LayerInformation(one, label))
        return result

    def parameters(self) -> dict[str, Any]:
        """The settings that determine the result, as they stand in an estimate."""
        settings: dict[str, Any] = {"variance": self.variance, "bound": self.bound}
        if self.adaptive:
            settings["adaptive"] = True
        if self.dtype != "float32":
            settings["dtype"] = self.dtype
        return settings

    def scale(self, largest: float) -> float:
        """s in exp(-s‖t_i - t_j‖²) for a layer whose largest absolute activation is `largest`.

        >>> KernelDensity(variance=0.5, bound="lower").scale(1.0)
        0.25
        """
        # A layer of zeros has only distances of zero, at any variance.
        variance = self.variance * largest**2 if self.adaptive and largest > 0 else self.variance
        return 1 / (2 * variance) if self.bound == "upper" else 1 / (8 * variance)


def _many(
    estimators: list[KernelDensity], t: Tensor, y: tuple[Tensor, int] | None, name: str
) -> list[tuple[Estimate, Estimate | None]]:
    if t.device.type == "mps":  # has no float64
        t = t.cpu()
    n = t.shape[0]
    codes, count = (y[0].to(t.device), y[1]) if y is not None else (torch.zeros_like(t[:, 0], dtype=torch.int64), 1)
    sizes = torch.bincount(codes, minlength=count)
    log_size = sizes.to(torch.float64).log()[codes]
    h_y = float(plug_in(sizes))
    if any(e.adaptive for e in estimators):  # σ grows with the layer then
        squarable(t, name.lower())
    largest = max(abs(float(bound)) for bound in t.aminmax())
    values: dict[tuple[str, float], tuple[float, float]] = {}
    for dtype in sorted({e.dtype for e in estimators}):
        # The lower bound at σ² is the upper one at 4σ²: equal scales are computed once.
        scales = sorted({e.scale(largest) for e in estimators if e.dtype == dtype})
        sums = log_sum_exp(t, scales, codes, dtype=DTYPES[dtype])
        inputs = math.log(n) - sums.total.mean(dim=1)
        given_label = (log_size - sums.within).mean(dim=1)
        for scale, whole, part in zip(scales, inputs.tolist(), given_label.tolist(), strict=True):
            values[dtype, scale] = (min(max(whole, 0.0), math.log(n)), part)
    return [
        _estimates(e, values[e.dtype, e.scale(largest)], n, count if y is not None else 0, h_y, name)
        for e in estimators
    ]


def _estimates(
    estimator: KernelDensity, values: tuple[float, float], n: int, classes: int, h_y: float, name: str
) -> tuple[Estimate, Estimate | None]:
    information, given_label = values
    notes: list[str] = []
    if information < _NOTHING:
        notes.append(f"{name.lower()} is constant at this noise: all rows are equal or nearer than rounding shows")
    saturated = []
    if information >= math.log(n) * (1 - SATURATION):
        saturated.append(
            f"saturated: I(X;{name}+ε) = {information:.4g} nats has reached log N = {math.log(n):.4g}, so it only says "
            "'at least'; use a larger variance or more samples"
        )
    common: dict[str, Any] = {"estimator": type(estimator).__name__, "n": n, "parameters": estimator.parameters()}
    whole = Estimate(
        information,
        quantity=f"I(X;{name}+ε)",
        kind=Kind.UPPER_BOUND if estimator.bound == "upper" else Kind.LOWER_BOUND,
        ceiling=math.log(n),
        ceiling_name="log N",
        warnings=(*notes, *saturated),
        **common,
    )
    if classes == 0:
        return whole, None
    if classes == 1:
        notes.append("Y is constant: its information is 0 by definition")
    elif saturated:
        notes.append(
            f"I(X;{name}+ε) has reached log N: every sample stands alone at this variance, so I = H(Y) whatever the "
            "dependence; use a larger variance or more samples"
        )
    label = Estimate(
        min(max(information - given_label, 0.0), h_y),
        quantity=f"I({name}+ε;Y)",
        kind=Kind.DIFFERENCE_OF_BOUNDS,
        ceiling=h_y,
        ceiling_name="H(Y)",
        warnings=tuple(notes),
        **common,
    )
    return whole, label
