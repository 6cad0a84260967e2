"""Mutual information of a layer with Gaussian noise, by the pairwise-distance bounds of a mixture's entropy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from infoflow.core.checks import classes, paired, samples, squarable
from infoflow.core.estimate import SATURATION, Estimate, Kind, LayerInformation
from infoflow.core.settings import PositiveFloat
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.layer_estimator import Labels, LayerEstimator, constant_labels
from infoflow.pairwise.log_sum_exp import log_sum_exp

_DTYPES = {"float32": torch.float32, "float64": torch.float64}

# Rounding of the logarithms of equal rows leaves less than this.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class KernelDensity(LayerEstimator):
    """Bounds of I(X;T+ε) for a layer T with Gaussian noise ε ~ N(0, σ²I).

    Parameters
    ----------
    variance
        Variance σ² of the noise.
    bound
        "upper" or "lower".
    adaptive
        Whether σ is multiplied by the layer's largest absolute activation.
    dtype
        Precision of the kernel values: "float32" for errors up to 1e-4 nats, "float64" for 1e-9.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    Upper bound: I ≤ −1/N Σ_i log 1/N Σ_j exp(−‖t_i − t_j‖²/2σ²). Lower bound: the same with 8σ² in place of 2σ². A
    deterministic network has no such noise, so the number depends on σ², which must be reported with it.
    I(T+ε;Y) = I − Σ_y p_y I_y takes the same bound twice: a difference of bounds, which is not a bound itself.

    The ceiling of I(X;T+ε) is log N, that of I(T+ε;Y) is H(Y).

    References
    ----------
    Kolchinsky, Tracey (2017), Estimating Mixture Entropy with Pairwise Distances, eq. 10 and 11.
    Chelombiev, Houghton, O'Donnell (2019), Adaptive estimators show information compression in deep neural networks,
    section 3.2, for `adaptive`.

    Examples
    --------
    >>> estimator = KernelDensity(variance=0.01)
    >>> estimator.entropy([[0.0], [0.0], [5.0], [5.0]]).bits
    1.0
    >>> estimator.estimate([[0.0], [0.1], [5.0], [5.1]], [0, 0, 1, 1]).bits
    1.0
    """

    variance: PositiveFloat = 0.1
    bound: Literal["upper", "lower"] = "upper"
    adaptive: bool = False
    dtype: Literal["float32", "float64"] = "float32"

    _stated: ClassVar[tuple[str, ...]] = ("variance", "bound")

    @staticmethod
    def measure_many(estimators: Sequence[KernelDensity], t: Any, y: Any, x: Any = None) -> list[LayerInformation]:
        """Estimate I(X;T+ε) and I(T+ε;Y) by several estimators, from one pass over the distances.

        Parameters
        ----------
        estimators
            Estimators of any variance, bound and precision.
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Integer classes.
        x : array-like of shape (n, ...)
            The network's inputs; ignored.

        Returns
        -------
        list of LayerInformation
            Both estimates by each estimator, in the same order.

        Raises
        ------
        InvalidArgument
            If the activations are not finite numbers, y is no classes, or their lengths differ; `TooFewSamples` for
            fewer than 2.

        Examples
        --------
        >>> many = [KernelDensity(v, bound) for v in (0.01, 0.1) for bound in ("upper", "lower")]
        >>> [m.input.bits for m in KernelDensity.measure_many(many, [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])]
        [2.0, 2.0, 1.99, 1.48]
        """
        layer, labels = samples(t, "t"), Labels(*classes(y, "y"))
        paired(layer, labels.codes, "t", "y")
        return [LayerInformation(*found) for found in _in_one_pass(estimators, layer, labels, "T")]

    def scale(self, largest: float) -> float:
        """The factor s in exp(−s‖t_i − t_j‖²).

        Parameters
        ----------
        largest
            The layer's largest absolute activation.

        Returns
        -------
        float
            1/2σ² for the upper bound, 1/8σ² for the lower one.

        Examples
        --------
        >>> KernelDensity(variance=0.5, bound="lower").scale(1.0)
        0.25
        """
        # A layer of zeros has only distances of zero, at any variance.
        variance = self.variance * largest**2 if self.adaptive and largest > 0 else self.variance
        return 1 / (2 * variance) if self.bound == "upper" else 1 / (8 * variance)

    def _samples(self, value: Any, name: str) -> Tensor:
        return samples(value, name)

    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        return _in_one_pass([self], layer, labels, side)[0]

    def _input(self, information: float, n: int, side: str) -> Estimate:
        kind = Kind.UPPER_BOUND if self.bound == "upper" else Kind.LOWER_BOUND
        warnings = _constant(information, side)
        if _saturated(information, n):
            warnings += (
                f"saturated: I(X;{side}+ε) = {information:.4g} nats has reached log N = {math.log(n):.4g}, so it is "
                "only a lower limit; use a larger variance or more samples",
            )
        return self._made(information, f"I(X;{side}+ε)", n, (math.log(n), "log N"), warnings, kind=kind)

    def _label(self, information: float, given_label: float, n: int, label_entropy: float, side: str) -> Estimate:
        warnings = _constant(information, side)
        if label_entropy == 0:
            warnings += (constant_labels("Y"),)
        elif _saturated(information, n):
            warnings += (
                f"I(X;{side}+ε) has reached log N: no two samples are near each other at this variance, so the "
                "estimate is H(Y) whatever the dependence; use a larger variance or more samples",
            )
        nats = min(max(information - given_label, 0.0), label_entropy)
        kind, ceiling = Kind.DIFFERENCE_OF_BOUNDS, (label_entropy, "H(Y)")
        return self._made(nats, f"I({side}+ε;Y)", n, ceiling, warnings, kind=kind)


def _in_one_pass(
    estimators: Sequence[KernelDensity], layer: Tensor, labels: Labels | None, side: str
) -> list[list[Estimate]]:
    """The estimates of each; equal scales are computed once, as those of the lower bound at σ² and the upper at 4σ²."""
    if layer.device.type == "mps":  # has no float64
        layer = layer.cpu()
    n = len(layer)
    codes = torch.zeros_like(layer[:, 0], dtype=torch.int64) if labels is None else labels.codes.to(layer.device)
    sizes = torch.bincount(codes, minlength=1 if labels is None else labels.number)
    log_size = sizes.to(torch.float64).log()[codes]
    label_entropy = float(plug_in(sizes))
    if any(each.adaptive for each in estimators):  # σ grows with the layer then
        squarable(layer, side.lower())
    largest = max(abs(float(bound)) for bound in layer.aminmax())
    values: dict[tuple[str, float], tuple[float, float]] = {}
    for dtype in sorted({each.dtype for each in estimators}):
        scales = sorted({each.scale(largest) for each in estimators if each.dtype == dtype})
        sums = log_sum_exp(layer, scales, codes, dtype=_DTYPES[dtype])
        inputs = math.log(n) - sums.total.mean(dim=1)
        given_label = (log_size - sums.within).mean(dim=1)
        for scale, whole, part in zip(scales, inputs.tolist(), given_label.tolist(), strict=True):
            values[dtype, scale] = (min(max(whole, 0.0), math.log(n)), part)
    found = []
    for each in estimators:
        information, part = values[each.dtype, each.scale(largest)]
        found.append([each._input(information, n, side)])
        if labels is not None:
            found[-1].append(each._label(information, part, n, label_entropy, side))
    return found


def _saturated(information: float, n: int) -> bool:
    return information >= math.log(n) * (1 - SATURATION)


def _constant(information: float, side: str) -> tuple[str, ...]:
    """The warning for rows that are equal at this noise, or nothing."""
    if information >= _ROUNDING:
        return ()
    return (f"{side.lower()} is constant at this noise: all rows are equal, or their distances are lost in rounding",)
