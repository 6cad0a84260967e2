"""Matrix-based Rényi mutual information: entropies of Gram matrices, no density and no bins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import choice, classes, flag, integer, is_classes, paired, positive, samples, squarable
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind, LayerInformation
from infoflow.entropies.renyi import (
    RenyiEntropy,
    collision_entropy,
    gram_spectrum,
    krylov_entropy,
    low_rank_entropy,
    order,
    renyi_entropy,
)
from infoflow.estimators.kernel.bandwidth import RULES, alignment_width, median_width, scott_width

METHODS = ("auto", "eigen", "frobenius", "krylov", "low-rank")

# Above this many samples (of one class, for the joint with classes) "auto" avoids O(n³).
_EIGEN = 2048
# A wider low-rank interval (nats) sends "auto" on to Krylov.
_WIDE = 0.02


class _Variable(NamedTuple):
    """Features divided by their kernel width, or classes (then the kernel is 1[y_i = y_j])."""

    features: Tensor | None
    codes: Tensor | None
    width: float | None
    constant: bool = False


@dataclass(frozen=True)
class MatrixRenyi:
    """Matrix-based Rényi mutual information I_α(X;Y) = S_α(A) + S_α(B) − S_α(A∘B / tr A∘B).

    A and B are the trace-one Gram matrices of the samples under exp(−‖x_i−x_j‖²/σ²), S_α(A) = log(tr A^α)/(1−α), and
    ∘ is the Hadamard product. Integer `y` has the kernel 1[y_i = y_j], the limit of a narrow kernel on one-hot labels.
    The answer is a functional of these Gram matrices: it depends on σ, and is not Shannon's I. At α = 1 (the limit, von
    Neumann's entropy) it is never negative; at other orders it can be, as Rényi entropies are not subadditive.

    Parameters
    ----------
    alpha: the order, > 0; 1.01 stands near Shannon's, and 2 needs no eigenvalues.
    kernel_width: σ, or a rule: "median" (median distance), "scott" (s·√2·n^(−1/(d+4))), or "alignment" (the σ whose
        kernel is best aligned with the labels' kernel, over linspace(0.3, 10·mean distance, 300); for the moving
        average over iterations see `infoflow.estimators.kernel.bandwidth.alignment_width`).
    input_width: the width for the network's input in `measure`; None takes `kernel_width` ("median" where that is
        "alignment").
    method: "eigen" (all eigenvalues, O(n³)), "frobenius" (α = 2 alone, O(n²)), "low-rank" (pivoted Cholesky of at most
        `rank` columns, with an interval that surely holds the value), "krylov" (stochastic Lanczos quadrature with
        `probes` random vectors from `seed`, with a 95 % interval), or "auto": frobenius at α = 2, eigen up to 2048
        samples, else low-rank, else krylov where the low-rank interval is wider than 0.02 nats.
    channels: whether samples of shape (n, C, ...) are joined over their C channels by the Hadamard product, every
        channel with a width of its own by the rule (Yu et al., eq. 5b). Otherwise the kernel is the tensor kernel, on
        the whole of each sample (Wickstrøm et al., eq. 9), which for a common σ is the same.
    batch_size: when given, the mean over random batches of this many samples, with the mean of their ceilings and a
        95 % interval over batches.

    `estimate(x, y)`, `entropy(t)` and `measure(t, y, x)` take samples of shape (n, ...), and answer in nats.
    Raises InvalidArgument or TooFewSamples for arguments and samples that it can't use.

    Sánchez Giraldo, Rao & Príncipe (2015), definitions 2.1 and 4.1; Yu et al. (2020); Wickstrøm et al. (2019).

    >>> x = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
    >>> MatrixRenyi(alpha=2, kernel_width=1.0).estimate(x, [0, 0, 1, 1]).bits
    1.0
    """

    alpha: float = 1.01
    kernel_width: float | str = "median"
    input_width: float | str | None = None
    method: str = "auto"
    channels: bool = False
    batch_size: int | None = None
    rank: int = 500
    probes: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        order(self.alpha)
        _rule(self.kernel_width, "kernel_width")
        if self.input_width is not None:
            _rule(self.input_width, "input_width")
            if self.input_width == "alignment":
                raise InvalidArgument("input_width is 'alignment'; want a number, 'median' or 'scott'")
        choice(self.method, "method of matrix-renyi", METHODS)
        if self.method == "frobenius" and float(self.alpha) != 2.0:
            raise InvalidArgument(f"method is 'frobenius', which is for alpha = 2; alpha is {self.alpha!r}")
        flag(self.channels, "channels")
        if self.batch_size is not None:
            integer(self.batch_size, "batch_size", minimum=2)
        integer(self.rank, "rank")
        integer(self.probes, "probes", minimum=8)
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I_α(X;Y) from paired samples; `y` of integers (n,) means classes, as does `x`."""
        first, second = _values(x, "x"), _values(y, "y")
        paired(first, second)
        return self._batched(self._mutual, first, second)

    def entropy(self, t: Any) -> Estimate:
        """S_α(T), between 0 and log n."""
        return self._batched(self._entropy, _values(t, "t"))

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """I_α(X;T) and I_α(T;Y); the network's inputs `x` are needed, and `input_width` is their kernel's."""
        if x is None:
            raise InvalidArgument("x is None; matrix Rényi needs the network's inputs for I(X;T)")
        layer, labels, inputs = _values(t, "t"), classes(y, "y")[0], _values(x, "x")
        paired(layer, labels, "t", "y")
        paired(layer, inputs, "t", "x")
        return LayerInformation(
            self._batched(self._input, inputs, layer, labels), self._batched(self._label, layer, labels)
        )

    def _mutual(self, x: Tensor, y: Tensor) -> Estimate:
        return self._information(
            self._variable(x, "x", self.kernel_width, target=y),
            self._variable(y, "y", self.kernel_width, target=x),
            f"I_{self.alpha:g}(X;Y)",
        )

    def _label(self, t: Tensor, y: Tensor) -> Estimate:
        layer = self._variable(t, "t", self.kernel_width, target=y)
        return self._information(layer, self._variable(y, "y", self.kernel_width), f"I_{self.alpha:g}(T;Y)")

    def _input(self, x: Tensor, t: Tensor, y: Tensor) -> Estimate:
        rule = self.kernel_width if self.input_width is None else self.input_width
        return self._information(
            self._variable(x, "x", "median" if rule == "alignment" else rule),
            self._variable(t, "t", self.kernel_width, target=y),
            f"I_{self.alpha:g}(X;T)",
        )

    def _entropy(self, t: Tensor) -> Estimate:
        variable = self._variable(t, "t", self.kernel_width)
        value, spans = self._value(variable.features, variable.codes)
        n = len(t)
        warnings = _width_warnings("t", variable, value.nats, n)
        return self._made(value, f"S_{self.alpha:g}(T)", n, math.log(n), "log n", spans, warnings, (variable,))

    def _information(self, first: _Variable, second: _Variable, quantity: str) -> Estimate:
        features = [v.features for v in (first, second) if v.features is not None]
        codes = [v.codes for v in (first, second) if v.codes is not None]
        n = len((features or codes)[0])
        joint_features = torch.cat([f.to(features[0].device) for f in features], 1) if features else None
        joint_codes = None
        if codes:
            joint_codes = torch.unique(torch.stack(codes, 1), dim=0, return_inverse=True)[1]
        a, spans_a = self._value(first.features, first.codes)
        b, spans_b = self._value(second.features, second.codes)
        ab, spans_ab = self._value(joint_features, joint_codes)
        # S(A∘B) ≥ max(S(A), S(B)), so I is at most the smaller entropy; what is known exactly is a ceiling.
        exact = [v.nats for v in (a, b) if v.low == v.high]
        ceiling = min([math.log(n), *exact])
        name = "min(S(A), S(B))" if len(exact) == 2 else "S(B)" if exact else "log n"
        if second.codes is not None and b.nats <= ceiling + 1e-9:
            name = f"S_{self.alpha:g}(Y)"
        value = RenyiEntropy(
            min(a.nats + b.nats - ab.nats, ceiling),
            a.low + b.low - ab.high,
            min(a.high + b.high - ab.low, ceiling),
        )
        warnings = []
        for label, v, entropy in (("first", first, a), ("second", second, b)):
            warnings += _width_warnings(f"the {label} variable", v, entropy.nats, n)
        if value.nats < -1e-6:
            warnings.append(
                f"negative: Rényi entropies of order {self.alpha:g} are not subadditive; alpha=1 never gives this"
            )
        spans = spans_ab or spans_a or spans_b
        return self._made(value, quantity, n, ceiling, name, spans, warnings, (first, second))

    def _made(
        self,
        value: RenyiEntropy,
        quantity: str,
        n: int,
        ceiling: float,
        ceiling_name: str,
        spans: str,
        warnings: list[str],
        variables: tuple[_Variable, ...],
    ) -> Estimate:
        widths = [v.width for v in variables if v.width is not None]
        if spans and value.high - value.low > 0.1:
            warnings = [
                *warnings,
                f"the approximation leaves ±{(value.high - value.low) / 2:.2g} nats; raise rank or probes, or use "
                "method='eigen'",
            ]
        return Estimate(
            value.nats,
            quantity=quantity,
            kind=Kind.PLUG_IN,
            estimator="MatrixRenyi",
            n=n,
            parameters=self._parameters() | {"sigma": tuple(widths)},
            ceiling=ceiling,
            ceiling_name=ceiling_name,
            interval=Interval(value.low, value.high, spans) if spans else None,
            warnings=tuple(warnings),
        )

    def _parameters(self) -> dict[str, Any]:
        """The order, the width, and whatever else isn't left at its default."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return {"alpha": self.alpha, "kernel_width": self.kernel_width} | chosen

    def _variable(self, value: Tensor, name: str, rule: float | str, *, target: Tensor | None = None) -> _Variable:
        if is_classes(value):
            codes, count = classes(value, name)
            return _Variable(None, codes, None, count == 1)
        flat = samples(value, name, dtype=torch.float64)
        constant = bool((flat == flat[0]).all())
        if not self.channels:
            width = self._width(flat, name, rule, target)
            return _Variable(flat / width, None, width, constant)
        if value.ndim < 2:
            raise InvalidArgument(f"{name} has shape {tuple(value.shape)}; channels=True wants (n, channels, ...)")
        parts = flat.reshape(value.shape[0], value.shape[1], -1).unbind(1)
        widths = [self._width(part, name, rule, target) for part in parts]
        scaled = [part / width for part, width in zip(parts, widths, strict=True)]
        # A product of Gaussian kernels is the Gaussian kernel of the features side by side.
        return _Variable(torch.cat(scaled, 1), None, float(np.mean(widths)), constant)

    def _width(self, x: Tensor, name: str, rule: float | str, target: Tensor | None) -> float:
        if isinstance(rule, str):
            if bool((x == x[0]).all()):
                return 1.0
            if rule == "median":
                return median_width(x)
            if rule == "scott":
                return scott_width(x)
            if target is None:
                raise InvalidArgument(
                    f"kernel_width is 'alignment', but {name} has nothing to be aligned with here; give a number"
                )
            return alignment_width(x, target)
        return float(rule)

    def _value(self, features: Tensor | None, codes: Tensor | None) -> tuple[RenyiEntropy, str]:
        """The entropy of a Gram matrix, and what its interval spans ("" when it is exact)."""
        if features is None:
            assert codes is not None
            shares = torch.bincount(codes).double() / len(codes)
            return _sure(float(renyi_entropy(shares, self.alpha))), ""
        if codes is None:
            return self._gaussian(features)
        # Times the kernel of classes the matrix falls into one block a class: far smaller eigenproblems.
        n, alpha = len(features), float(self.alpha)
        codes = codes.to(features.device)
        powers, spans = [], ""
        for code in range(int(codes.max()) + 1):
            block = features[codes == code]
            value, kind = self._gaussian(block)
            spans = kind or spans
            share = len(block) / n
            powers.append([_power(s, alpha, share) for s in value])
        totals = [math.fsum(column) for column in zip(*powers, strict=True)]
        middle, low, high = (min(max(t if alpha == 1 else math.log(t) / (1 - alpha), 0.0), math.log(n)) for t in totals)
        return RenyiEntropy(middle, low, high), spans

    def _gaussian(self, u: Tensor) -> tuple[RenyiEntropy, str]:
        n, alpha = len(u), float(self.alpha)
        if n == 1:
            return _sure(0.0), ""
        method = self.method
        if method == "frobenius" or (method == "auto" and alpha == 2):
            return _sure(float(collision_entropy(u)), n), ""
        if method == "eigen" or (method == "auto" and n <= _EIGEN):
            return _sure(float(renyi_entropy(gram_spectrum(u), alpha)), n), ""
        if method in ("auto", "low-rank"):
            value = low_rank_entropy(u, alpha, rank=self.rank)
            if method == "low-rank" or value.high - value.low <= _WIDE:
                return value, "what the low-rank factor leaves out"
        return krylov_entropy(u, alpha, probes=self.probes, seed=self.seed), "random probes"

    def _batched(self, function: Callable[..., Estimate], *arrays: Tensor) -> Estimate:
        if self.batch_size is None:
            return function(*arrays)
        n, size = len(arrays[0]), self.batch_size
        if n < size:
            raise TooFewSamples(f"there are {n} samples; want at least batch_size = {size}")
        order_ = np.random.default_rng(self.seed).permutation(n)
        chosen = [torch.from_numpy(order_[i * size : (i + 1) * size]) for i in range(n // size)]
        parts = [function(*(a[index.to(a.device)] for a in arrays)) for index in chosen]
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


def _rule(value: float | str, name: str) -> None:
    if isinstance(value, str):
        choice(value, f"rule for {name}", RULES)
    else:
        positive(value, name)


def _values(value: Any, name: str) -> Tensor:
    """Checked, but in its own shape and kind: channels and classes are told apart later."""
    if is_classes(value):
        return classes(value, name, minimum=2)[0]
    flat = squarable(samples(value, name), name)
    shape = value.shape if isinstance(value, Tensor) else np.shape(value)
    return flat.reshape(tuple(shape))


def _sure(nats: float, n: int | None = None) -> RenyiEntropy:
    nats = max(0.0, nats if n is None else min(nats, math.log(n)))
    return RenyiEntropy(nats, nats, nats)


def _power(entropy: float, alpha: float, share: float) -> float:
    """What a diagonal block of this share and entropy adds to tr A^α (to the entropy itself at α = 1)."""
    if alpha == 1:
        return share * (entropy - math.log(share))
    return float(share**alpha * math.exp((1 - alpha) * entropy))


def _width_warnings(name: str, variable: _Variable, entropy: float, n: int) -> list[str]:
    if variable.constant:
        return [f"{name} is constant; its entropy is 0"]
    if variable.width is None:
        return []
    if entropy > 0.98 * math.log(n):
        return [
            f"the Gram matrix of {name} is nearly the identity (kernel width {variable.width:.3g}); widen the kernel"
        ]
    if entropy < 0.02 * math.log(n):
        return [f"the Gram matrix of {name} is nearly constant (kernel width {variable.width:.3g}); narrow the kernel"]
    return []
