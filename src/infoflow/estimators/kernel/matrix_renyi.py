"""Matrix-based Rényi mutual information: entropies of Gram matrices, without densities or bins."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import classes, is_classes, paired, samples, squarable
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval, LayerInformation
from infoflow.core.settings import Integer, PositiveFloat, PositiveInt, Seed
from infoflow.estimators.kernel.bandwidth import alignment_width, median_width, scott_width
from infoflow.estimators.kernel.gram_entropy import GramEntropy, GramValue, Method, Variable
from infoflow.estimators.layer_estimator import Ceiling, StatedSettings
from infoflow.estimators.wrappers.family import required_inputs


@dataclass(frozen=True)
class MatrixRenyi(StatedSettings):
    """Matrix-based Rényi mutual information I_α(X;Y) = S_α(A) + S_α(B) − S_α(A∘B / tr A∘B).

    Parameters
    ----------
    alpha
        The order α > 0: 1.01 is close to Shannon's, 2 needs no eigenvalues.
    kernel_width
        Width σ, or a rule: "median" (median distance), "scott" (s·√2·n^(−1/(d+4))), or "alignment" (the σ whose kernel
        is best aligned with that of the labels, over linspace(0.3, 10·mean distance, 300); for a moving average over
        iterations see `infoflow.estimators.kernel.bandwidth.alignment_width`).
    input_width
        Width or rule for the network's input in `measure`; None for `kernel_width`, or "median" where that is
        "alignment".
    method
        "eigen" (all eigenvalues, O(n³)), "frobenius" (for α = 2, O(n²)), "low-rank" (pivoted Cholesky of at most `rank`
        columns, with an interval that certainly contains the value), "krylov" (stochastic Lanczos quadrature with
        `probes` random vectors, with a 95 % interval), or "auto": frobenius for α = 2, eigen up to 2048 samples, else
        low-rank, and krylov where the low-rank interval is wider than 0.02 nats.
    channels
        Whether samples of shape (n, C, ...) are joined over their C channels by the Hadamard product, each channel with
        a width of its own (Yu et al., eq. 5b). Otherwise the kernel is the tensor kernel on each whole sample
        (Wickstrøm et al., eq. 9), which is the same for a common σ.
    batch_size
        Estimate as the mean over random batches of this many samples, with the mean of their ceilings and a 95 %
        interval over the batches; None for all samples at once.
    rank
        Largest number of columns for "low-rank".
    probes
        Number of random vectors for "krylov".
    seed
        Seed of the random vectors and of the batches.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    A and B are the trace-one Gram matrices of the samples under exp(−‖x_i−x_j‖²/σ²), S_α(A) = log(tr A^α)/(1−α), and ∘
    is the Hadamard product. Integer y has the kernel 1[y_i = y_j], the limit of a narrow kernel on one-hot labels.

    The estimate is a functional of these Gram matrices: it depends on σ, and is not Shannon's information. At α = 1
    (the limit, von Neumann's entropy) it is never negative; at other orders it can be, because Rényi entropies are not
    subadditive.

    References
    ----------
    Sánchez Giraldo, Rao, Príncipe (2015), Measures of Entropy From Data Using Infinitely Divisible Kernels, definitions
    2.1 and 4.1.
    Yu, Wickstrøm, Jenssen, Príncipe (2020), Understanding Convolutional Neural Networks with Information Theory.
    Wickstrøm et al. (2019), Information Plane Analysis of Deep Neural Networks via Matrix-Based Rényi's Entropy and
    Tensor Kernels.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
    >>> MatrixRenyi(alpha=2, kernel_width=1.0).estimate(x, [0, 0, 1, 1]).bits
    1.0
    """

    alpha: PositiveFloat = 1.01
    kernel_width: PositiveFloat | Literal["alignment", "median", "scott"] = "median"
    input_width: PositiveFloat | Literal["median", "scott"] | None = None
    method: Method = "auto"
    channels: bool = False
    batch_size: Annotated[int, Integer(2)] | None = None
    rank: PositiveInt = 500
    probes: Annotated[int, Integer(8)] = 32
    seed: Seed = 0

    _stated: ClassVar[tuple[str, ...]] = ("alpha", "kernel_width")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method == "frobenius" and float(self.alpha) != 2.0:
            raise InvalidArgument("alpha", "2 for method='frobenius'", self.alpha)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I_α(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; integers of shape (n,) are classes.

        Returns
        -------
        Estimate
            A plug-in, with an interval where the method or the batches have one.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples` for n < 2 or below
            `batch_size`.
        """
        first, second = _values(x, "x"), _values(y, "y")
        paired(first, second)
        return self._batched(self._mutual, first, second)

    def entropy(self, t: Any) -> Estimate:
        """Estimate S_α(T), between 0 and log n, in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Samples; integers of shape (n,) are classes.

        Returns
        -------
        Estimate
            A plug-in, with an interval where the method or the batches have one.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers; `TooFewSamples` for n < 2 or below `batch_size`.
        """
        return self._batched(self._entropy, _values(t, "t"))

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate a layer's I_α(X;T) and I_α(T;Y) in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Classes.
        x : array-like of shape (n, ...)
            The network's inputs; required. `input_width` is their kernel's.

        Returns
        -------
        LayerInformation
            Both estimates.

        Raises
        ------
        InvalidArgument
            Without x, if y is no classes, and as `estimate` raises.
        """
        return MatrixRenyi.measure_many([self], t, y, x)[0]

    @staticmethod
    def measure_many(estimators: Sequence[MatrixRenyi], t: Any, y: Any, x: Any = None) -> list[LayerInformation]:
        """Estimate a layer's I_α(X;T) and I_α(T;Y) in nats by several estimators.

        Kernel widths are chosen once for all orders, and so are the eigenvalues; those of the inputs also for all
        kernel widths of the layer.

        Parameters
        ----------
        estimators
            Estimators of any settings.
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Classes.
        x : array-like of shape (n, ...)
            The network's inputs; required.

        Returns
        -------
        list of LayerInformation
            Both estimates by each estimator, in the same order.

        Raises
        ------
        InvalidArgument
            Without x, if y is no classes, and as `estimate` raises.

        Examples
        --------
        >>> x = torch.tensor([[0.0], [1.0], [9.0], [10.0]])
        >>> many = [MatrixRenyi(alpha, kernel_width=1.0) for alpha in (1, 2, 3)]
        >>> [found.input.bits for found in MatrixRenyi.measure_many(many, x, [0, 0, 1, 1], x)]
        [1.81, 1.66, 1.55]
        """
        required_inputs(x, "I_α(X;T)")
        layer, labels, inputs = _values(t, "t"), classes(y, "y")[0], _values(x, "x")
        paired(layer, labels, "t", "y")
        paired(layer, inputs, "t", "x")
        found: dict[int, LayerInformation] = {}
        for same in _alike(estimators, lambda each: (each.batch_size, each.seed)):
            members = [estimators[i] for i in same]
            parts = [
                _in_one_pass(members, layer[rows], labels[rows], inputs[rows])
                for rows in members[0]._batches(len(layer))
            ]
            for i, of_batches in zip(same, zip(*parts, strict=True), strict=True):
                sides = zip(*of_batches, strict=True)
                found[i] = LayerInformation(*(estimators[i]._mean(side, len(layer)) for side in sides))
        return [found[i] for i in range(len(estimators))]

    def _mutual(self, x: Tensor, y: Tensor) -> Estimate:
        first = self._variable(x, "x", self.kernel_width, target=y)
        second = self._variable(y, "y", self.kernel_width, target=x)
        return self._information(first, second, first.with_other(second), len(x), "X;Y")

    @property
    def _inputs_rule(self) -> float | str:
        rule = self.kernel_width if self.input_width is None else self.input_width
        return "median" if rule == "alignment" else rule

    def _entropy(self, t: Tensor) -> Estimate:
        variable, n = self._variable(t, "t", self.kernel_width), len(t)
        value = self._gram_entropy(variable)
        warnings = variable.warnings("t", value.nats, n)
        return self._read(value, f"S_{self.alpha:g}(T)", n, (math.log(n), "log n"), warnings, (variable,))

    def _information(
        self, first: Variable, second: Variable, both: Variable, n: int, sides: str, *, of_layer: int | None = None
    ) -> Estimate:
        """Estimate I; `of_layer` is the place of the layer among both variables, if one is a layer.

        S(A∘B) ≥ max(S(A), S(B)), so I is at most the smaller entropy. The entropy of a layer is no limit of the
        estimate, though: a layer that is a function of its input has I(X;T) = S(T), and S(T) may fall in training.
        """
        a, b, ab = map(self._gram_entropy, (first, second, both))
        exact = [i for i, value in enumerate((a, b)) if value.low == value.high]
        greatest = min([math.log(n), *((a, b)[i].nats for i in exact)])
        limits = [i for i in exact if i != of_layer]
        ceiling = min([math.log(n), *((a, b)[i].nats for i in limits)])
        name = "min(S(A), S(B))" if len(limits) == 2 else ("S(A)", "S(B)")[limits[0]] if limits else "log n"
        if of_layer == 1 and limits:
            name = f"S_{self.alpha:g}(X)"
        if second.codes is not None and b.nats <= ceiling + 1e-9:
            name = f"S_{self.alpha:g}(Y)"
        value = GramValue(
            min(a.nats + b.nats - ab.nats, greatest),
            a.low + b.low - ab.high,
            min(a.high + b.high - ab.low, greatest),
            ab.spans or a.spans or b.spans,
        )
        warnings = first.warnings("the first variable", a.nats, n) + second.warnings("the second variable", b.nats, n)
        if value.nats < -1e-6:
            warnings += (
                f"negative, because Rényi entropies of order {self.alpha:g} are not subadditive; with alpha=1 the "
                "estimate is never negative",
            )
        return self._read(value, f"I_{self.alpha:g}({sides})", n, (ceiling, name), warnings, (first, second))

    def _read(
        self,
        value: GramValue,
        quantity: str,
        n: int,
        ceiling: Ceiling,
        warnings: tuple[str, ...],
        variables: tuple[Variable, ...],
    ) -> Estimate:
        if value.spans and value.high - value.low > 0.1:
            warnings += (
                f"the approximation has an error of up to ±{(value.high - value.low) / 2:.2g} nats; raise rank or "
                "probes, or use method='eigen'",
            )
        widths = tuple(each.width for each in variables if each.width is not None)
        interval = Interval(value.low, value.high, value.spans) if value.spans else None
        return self._made(value.nats, quantity, n, ceiling, warnings, interval=interval, sigma=widths)

    @property
    def _gram_entropy(self) -> GramEntropy:
        return GramEntropy(float(self.alpha), self.method, self.rank, self.probes, self.seed)

    def _variable(self, value: Tensor, name: str, rule: float | str, *, target: Tensor | None = None) -> Variable:
        if is_classes(value):
            codes, count = classes(value, name)
            return Variable(codes=codes, constant=count == 1)
        flat = samples(value, name, dtype=torch.float64)
        constant = bool((flat == flat[0]).all())
        if not self.channels:
            width = _width(flat, name, rule, target)
            return Variable(flat / width, None, width, constant)
        if value.ndim < 2:
            wanted = "an array of shape (n, channels, ...) with channels=True"
            raise InvalidArgument(name, wanted, value)
        parts = flat.reshape(value.shape[0], value.shape[1], -1).unbind(1)
        widths = [_width(part, name, rule, target) for part in parts]
        scaled = [part / width for part, width in zip(parts, widths, strict=True)]
        # A product of Gaussian kernels is the Gaussian kernel of the concatenated features.
        return Variable(torch.cat(scaled, 1), None, float(np.mean(widths)), constant)

    def _batched(self, function: Callable[..., Estimate], *arrays: Tensor) -> Estimate:
        n = len(arrays[0])
        return self._mean([function(*(a[rows] for a in arrays)) for rows in self._batches(n)], n)

    def _batches(self, n: int) -> list[Tensor | slice]:
        """The rows of each batch."""
        size = self.batch_size
        if size is None:
            return [slice(None)]
        if n < size:
            raise TooFewSamples("batch_size", f"at most the number of samples ({n})", size)
        order = np.random.default_rng(self.seed).permutation(n)
        return [torch.from_numpy(order[i * size : (i + 1) * size]) for i in range(n // size)]

    def _mean(self, parts: Sequence[Estimate], n: int) -> Estimate:
        """The estimate from all batches."""
        if self.batch_size is None:
            return parts[0]
        values = np.array([part.nats for part in parts])
        half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(parts)) if len(parts) > 1 else 0.0
        mean = float(values.mean())
        return replace(
            parts[0],
            nats=mean,
            n=n,
            parameters=self._parameters(),
            ceiling=float(np.mean([part.ceiling for part in parts])),
            ceiling_name=f"mean {parts[0].ceiling_name} of batches",
            interval=Interval(mean - half, mean + half, "batches") if len(parts) > 1 else None,
            warnings=tuple(dict.fromkeys(w for part in parts for w in part.warnings)),
        )


def _in_one_pass(estimators: Sequence[MatrixRenyi], t: Tensor, y: Tensor, x: Tensor) -> list[LayerInformation]:
    """The estimates of each from one set of samples; variables of one kernel width are kept no longer than needed."""
    label = estimators[0]._variable(y, "y", estimators[0].kernel_width)
    inputs: dict[tuple[float | str, bool], Variable] = {}
    found: dict[int, LayerInformation] = {}
    for same in _alike(estimators, lambda each: (each.kernel_width, each._inputs_rule, each.channels)):
        first = estimators[same[0]]
        rule = (first._inputs_rule, first.channels)
        if rule not in inputs:
            inputs[rule] = first._variable(x, "x", first._inputs_rule)
        layer = first._variable(t, "t", first.kernel_width, target=y)
        with_inputs, with_label = inputs[rule].with_other(layer), layer.with_other(label)
        for i in same:
            found[i] = LayerInformation(
                estimators[i]._information(inputs[rule], layer, with_inputs, len(t), "X;T", of_layer=1),
                estimators[i]._information(layer, label, with_label, len(t), "T;Y", of_layer=0),
            )
    return [found[i] for i in range(len(estimators))]


def _alike(estimators: Sequence[MatrixRenyi], key: Callable[[MatrixRenyi], Any]) -> list[list[int]]:
    """The places of estimators with one key, for each key."""
    places = defaultdict(list)
    for place, estimator in enumerate(estimators):
        places[key(estimator)].append(place)
    return list(places.values())


def _width(x: Tensor, name: str, rule: float | str, target: Tensor | None) -> float:
    if not isinstance(rule, str):
        return float(rule)
    if bool((x == x[0]).all()):
        return 1.0
    if rule == "median":
        return median_width(x)
    if rule == "scott":
        return scott_width(x)
    if target is None:
        remedy = f"There is no kernel to align {name} with here."
        raise InvalidArgument("kernel_width", "a number, 'median' or 'scott'", rule, remedy=remedy)
    return alignment_width(x, target)


def _values(value: Any, name: str) -> Tensor:
    """Checked classes, or samples in their own shape, from which the channels are taken later."""
    if is_classes(value):
        return classes(value, name, minimum=2)[0]
    flat = squarable(samples(value, name), name)
    shape = value.shape if isinstance(value, Tensor) else np.shape(value)
    return flat.reshape(tuple(shape))
