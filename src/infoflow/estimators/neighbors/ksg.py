"""The nearest-neighbor estimator of Kraskov, Stögbauer and Grassberger, for continuous variables."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import choice, integer, is_classes, paired, positive
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.local_nonuniformity import corrections, nonuniformity_threshold
from infoflow.estimators.neighbors.rescaling import RESCALINGS, Rescaled, class_column, noise_generator, rescaled
from infoflow.estimators.neighbors.settings import balanced, crowded, digamma, digammas, norm, tied
from infoflow.estimators.wrappers.conditional import over_classes
from infoflow.pairwise.equal_rows import counts
from infoflow.pairwise.neighbors import METRICS, Neighborhoods, neighborhoods, open_ball_sizes


@dataclass(frozen=True)
class KSG:
    """Mutual information from the k-th nearest neighbor in the joint space, and counts in the spaces of x and y.

    Variant 1: I = ψ(k) + ψ(N) − ⟨ψ(n_x + 1) + ψ(n_y + 1)⟩, with n_x, n_y the samples strictly nearer than the k-th
    neighbor (Kraskov et al. 2004, eq. 8). Variant 2: I = ψ(k) − 1/k + ψ(N) − ⟨ψ(n_x) + ψ(n_y)⟩, counts within the
    rectangle of the k neighbors (eq. 9). The ceiling is what the formula gives when all neighborhoods agree.

    - `metric`: norm within x and within y: "chebyshev" (maximum, as in the paper), "euclidean" (over √d, so that x and
      y of different dimensions d compare), or "auto", which is Chebyshev up to 6 dimensions of x and y together and
      Euclidean beyond, where that is more accurate. Between x and y it is the maximum.
    - `rescale`: "normal-scores" (each column's ranks to a standard normal: robust against heavy tails, and the answer
      is invariant under monotone maps of single columns), "standard" (unit variance per column, as most code does) or
      "none"; "auto" is normal scores, but "standard" with classes, whose gaps ranks would close. All leave the mutual
      information itself unchanged.
    - `local_nonuniformity`: None, or the threshold α of the correction for strong dependence (Gao, Ver Steeg and
      Galstyan 2015), "auto" for the threshold that leaves 0.5 % of uniform neighborhoods corrected. It needs
      variant 2 and one-dimensional x and y.
    - `noise`: Gaussian noise, in standard deviations of each column, drawn with `seed`, against tied values.

    Integer one-dimensional `y` (or `x`) means classes: the class form of Ross, `ClassNeighbors`, answers then, and
    the estimate says so. Results below 0 are chance, and mean 0.

    Raises InvalidArgument or UnknownName for unknown settings. (Kraskov, Stögbauer, Grassberger 2004, Physical Review E
    69, 066138.)

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=5000)
    >>> y = 0.8 * x + 0.6 * rng.normal(size=5000)
    >>> KSG().estimate(x, y).nats  # -½ log(1 - 0.64) = 0.5108
    0.5
    """

    k: int = 3
    variant: int = 1
    metric: str = "auto"
    rescale: str = "auto"
    local_nonuniformity: float | str | None = None
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        integer(self.k, "k")
        if integer(self.variant, "variant") > 2:
            raise InvalidArgument(f"variant is {self.variant!r}; want 1 or 2")
        choice(self.metric, "metric", ("auto", *METRICS))
        choice(self.rescale, "rescale", ("auto", *RESCALINGS))
        positive(self.noise, "noise", zero=True)
        integer(self.seed, "seed", minimum=0)
        if self.local_nonuniformity is None:
            return
        if self.local_nonuniformity != "auto":
            positive(self.local_nonuniformity, "local_nonuniformity")
        if self.variant != 2:
            raise InvalidArgument("local_nonuniformity corrects the rectangles of variant 2; want variant=2")

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X;Y) in nats from continuous samples x and y of shape (n, ...), or from one of them and classes (n,).

        Raises InvalidArgument for what isn't samples and for unequal lengths, TooFewSamples for n < k + 2.

        >>> KSG(k=1).estimate([0.0, 1.0, 3.0, 7.0], [0.0, 1.0, 3.0, 7.0]).saturated
        True
        """
        if is_classes(y):
            return self._class_form.estimate(x, y)
        if is_classes(x):
            return self._class_form.estimate(y, x)
        left, right = self._samples(x, y)
        return self._estimate(left, right, "I(X;Y)", ("x", "y"))

    def pointwise(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Pointwise information (n,) in nats, whose mean is the estimate: how much each sample speaks for dependence.

        Takes what `estimate` takes, and raises as it does.

        >>> KSG(k=1).pointwise([0.0, 1.0, 3.0, 7.0], [0.0, 1.0, 3.0, 7.0]).tolist()  # ψ(N) - ψ(k) = 1.8333
        [1.8333, 1.8333, 1.8333, 1.8333]
        """
        if is_classes(y):
            return self._class_form.pointwise(x, y)
        if is_classes(x):
            return self._class_form.pointwise(y, x)
        left, right = self._samples(x, y)
        if left.constant or right.constant:
            return np.zeros(left.values.shape[0])
        terms: NDArray[np.float64] = self._terms(left.values, right.values)[0].cpu().numpy()
        return terms

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """I(X;T) and I(T;Y) in nats for activations t (n, ...), classes or targets y, and inputs x (n, ...).

        A layer that is a function of its input has infinite I(X;T), or H(X) when X is discrete: the number then tells
        how far neighbors in x remain neighbors in t, and carries a warning.

        Raises InvalidArgument without x, and as `estimate` does.

        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(500, 2))
        >>> point = KSG().measure(np.tanh(x), (x[:, 0] > 0).astype(int), x)
        >>> point.input.quantity, point.label.quantity, point.label.ceiling_name
        ('I(X;T)', 'I(T;Y)', 'H(Y)')
        """
        if x is None:
            raise InvalidArgument("x is None; KSG needs the inputs to estimate I(X;T): give x of shape (n, ...)")
        left, right = self._samples(x, t, ("x", "t"))
        caution = (
            "I(X;T) of a layer without noise is infinite (or H(X) for discrete X): this number measures geometry and "
            "grows with n; for a defined quantity use Binning or KernelDensity, or add noise to T"
        )
        inputs = self._estimate(left, right, "I(X;T)", ("x", "t"), (caution,))
        if is_classes(y):
            return LayerInformation(inputs, self._class_form.estimate(t, y, quantity="I(T;Y)", names=("t", "y")))
        left, right = self._samples(t, y, ("t", "y"))
        return LayerInformation(inputs, self._estimate(left, right, "I(T;Y)", ("t", "y")))

    def conditional(self, x: Any, y: Any, z: Any) -> Estimate:
        """I(X;Y|Z) in nats from samples x, y and z of shape (n, ...); one-dimensional integers are classes.

        ⟨ψ(k) + ψ(n_z + 1) − ψ(n_xz + 1) − ψ(n_yz + 1)⟩, with the samples strictly nearer than the k-th neighbor of the
        joint space (Frenzel and Pompe 2007, eq. 4). Ties are counted as in `MixedKSG`, in the manner of Mesner and
        Shalizi (2020), so discrete parts are allowed. For classes z it is Σ_c p(c) I(X;Y|Z=c).

        `variant` and `local_nonuniformity` have no part in it. Raises as `estimate` does.

        >>> import numpy as np
        >>> z = np.random.default_rng(0).normal(size=3000) + np.random.default_rng(1).normal(size=(2, 3000)) * 0.1
        >>> KSG().estimate(z[0], z[1]).nats > 1.5, KSG().conditional(z[0], z[1], z.mean(0)).nats < 1.0
        (True, True)
        """
        if is_classes(z):
            return over_classes(self, x, y, z)
        how = "standard" if self.rescale == "auto" and (is_classes(x) or is_classes(y)) else self._rescale
        rng = noise_generator(self.seed)
        minimum = self.k + 2
        given = rescaled(z, "z", how=how, minimum=minimum, noise=self.noise, rng=rng)
        device = given.values.device

        def side(value: Any, name: str) -> Rescaled:
            if is_classes(value):
                return class_column(value, name, minimum=minimum, device=device)
            return rescaled(value, name, how=how, minimum=minimum, noise=self.noise, rng=rng, device=device)

        left, right = side(x, "x"), side(y, "y")
        paired(left.values, given.values, "x", "z")
        paired(right.values, given.values, "y", "z")
        n = given.values.shape[0]
        ceiling, name = digamma(n) - digamma(self.k), "ψ(N) − ψ(k)"
        for label, value, samples_of in (("H(X)", x, left), ("H(Y)", y, right)):
            if is_classes(value) and (entropy := _class_entropy(samples_of.values)) < ceiling:
                ceiling, name = entropy, label
        warnings = (*left.warnings, *right.warnings, *given.warnings)
        sides = [left.values, right.values] if given.constant else [left.values, right.values, given.values]
        dimensions = sum(values.shape[1] for values in sides)
        metric = norm(self.metric, dimensions)
        nats = 0.0
        if left.constant or right.constant:
            warnings += (f"{'x' if left.constant else 'y'} is constant, so the mutual information is 0",)
        else:
            nats = _conditional(sides, self.k, metric)
            warnings += crowded(dimensions, n)
        return Estimate(
            min(nats, ceiling),
            quantity="I(X;Y|Z)",
            kind=Kind.POINT,
            estimator="KSG",
            n=n,
            parameters={"k": self.k, "metric": metric, "rescale": how, "noise": self.noise, "seed": self.seed},
            ceiling=ceiling,
            ceiling_name=name,
            warnings=warnings,
        )

    @property
    def _class_form(self) -> ClassNeighbors:
        how = "standard" if self.rescale == "auto" else self.rescale
        return ClassNeighbors(k=self.k, metric=self.metric, rescale=how, noise=self.noise, seed=self.seed)

    @property
    def _rescale(self) -> str:
        return "normal-scores" if self.rescale == "auto" else self.rescale

    def _samples(self, x: Any, y: Any, names: tuple[str, str] = ("x", "y")) -> tuple[Rescaled, Rescaled]:
        rng = noise_generator(self.seed)
        least = self.k + 2
        left = rescaled(x, names[0], how=self._rescale, minimum=least, noise=self.noise, rng=rng)
        device = left.values.device
        right = rescaled(y, names[1], how=self._rescale, minimum=least, noise=self.noise, rng=rng, device=device)
        paired(left.values, right.values, *names)
        return left, right

    def _terms(self, x: Tensor, y: Tensor) -> tuple[Tensor, Neighborhoods]:
        n = x.shape[0]
        metric = norm(self.metric, x.shape[1] + y.shape[1])
        near = neighborhoods(balanced([x, y], metric), self.k, [(0,), (1,)], metric=metric, rectangle=self.variant == 2)
        constant = digamma(self.k) + digamma(n)
        if self.variant == 1:
            return constant - digammas(near.counts + 1).sum(1), near
        terms = constant - 1.0 / self.k - digammas(near.counts).sum(1)
        if self.local_nonuniformity is not None:
            if x.shape[1] + y.shape[1] != 2:
                raise InvalidArgument(
                    f"local_nonuniformity is set, but x and y have {x.shape[1]} and {y.shape[1]} columns; want one each"
                )
            terms = terms - corrections(torch.cat([x, y], 1), near.index, self._threshold)
        return terms, near

    @property
    def _threshold(self) -> float:
        if self.local_nonuniformity == "auto":
            return nonuniformity_threshold(self.k)
        return float(self.local_nonuniformity or 0.0)

    def _estimate(
        self, x: Rescaled, y: Rescaled, quantity: str, names: tuple[str, str], warnings: tuple[str, ...] = ()
    ) -> Estimate:
        n = x.values.shape[0]
        dimensions = x.values.shape[1] + y.values.shape[1]
        ceiling = digamma(n) - digamma(self.k) - (1.0 / self.k if self.variant == 2 else 0.0)
        name = "ψ(N) − ψ(k)" + (" − 1/k" if self.variant == 2 else "")
        warnings = (*warnings, *x.warnings, *y.warnings)
        parameters = asdict(self) | {"metric": norm(self.metric, dimensions), "rescale": self._rescale}
        if x.constant or y.constant:
            nats = 0.0
            warnings += (f"{names[0] if x.constant else names[1]} is constant, so the mutual information is 0",)
        else:
            terms, near = self._terms(x.values, y.values)
            nats = float(terms.mean())
            warnings += (*tied(near.distance[:, -1]), *crowded(dimensions, n))
            if self.local_nonuniformity is not None:
                ceiling, name = math.inf, ""
                parameters["local_nonuniformity"] = self._threshold
        return Estimate(
            nats,
            quantity=quantity,
            kind=Kind.POINT,
            estimator="KSG",
            n=n,
            parameters=parameters,
            ceiling=ceiling,
            ceiling_name=name,
            warnings=warnings,
        )


def _conditional(spaces: list[Tensor], k: int, metric: str) -> float:
    """I of the first two spaces given the third, if there is one."""
    n = spaces[0].shape[0]
    spaces = balanced(spaces, metric)
    with_z: list[tuple[int, ...]] = [(0, 2), (1, 2), (2,)]
    near = neighborhoods(spaces, k, with_z if len(spaces) == 3 else [(0,), (1,)], metric=metric)
    inside = digammas(near.counts + 1)
    given = inside[:, 2] if len(spaces) == 3 else digamma(n)
    joint = digammas(open_ball_sizes(spaces, near.distance))
    return float((joint + given - inside[:, 0] - inside[:, 1]).mean())


def _class_entropy(column: Tensor) -> float:
    return float(plug_in(counts(column[:, 0]))) if column.shape[1] else 0.0
