"""The nearest-neighbor estimator of Kraskov, Stögbauer and Grassberger, for continuous variables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import is_classes, paired
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.core.settings import PositiveFloat
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.columns import column_of, pair_terms
from infoflow.estimators.neighbors.family import (
    NeighborInformation,
    Pair,
    Terms,
    balanced,
    digamma,
    digammas,
    norm,
)
from infoflow.estimators.neighbors.limits import Ceiling, crowded, is_constant, tied, unresolved
from infoflow.estimators.neighbors.local_nonuniformity import LARGEST, corrections, nonuniformity_threshold
from infoflow.estimators.neighbors.preparation import Prepared, apart, class_column, noise_generator
from infoflow.estimators.wrappers.conditional import over_classes
from infoflow.pairwise.equal_rows import counts
from infoflow.pairwise.neighbors import Metric, neighborhoods, open_ball_sizes


@dataclass(frozen=True)
class KSG(NeighborInformation):
    """Mutual information from the k-th nearest neighbor in the joint space, and counts in the spaces of x and y.

    Parameters
    ----------
    k
        Neighbors that set the size of a neighborhood: more lower the variance and raise the bias.
    metric
        Norm within x and within y: "chebyshev" (maximum, as in the paper), "euclidean" (divided by √d, so that x and y
        of different dimensions d compare), or "auto": Chebyshev up to 6 dimensions of both together, Euclidean beyond,
        where it is more accurate. Between x and y it is the maximum.
    rescale
        "normal-scores" (ranks of each column to a standard normal: robust against heavy tails, and the estimate is
        invariant under monotone maps of single columns), "standard" (unit variance, as most implementations do) or
        "none". "auto" is normal scores, but "standard" with classes, whose gaps ranks would close. Mutual information
        itself is the same for all.
    noise
        Scale of added Gaussian noise, in standard deviations of each column, against tied values.
    seed
        Seed of that noise.
    variant
        1 or 2: the first or the second estimator of the paper.
    local_nonuniformity
        None, or the threshold α of the correction for strong dependence of Gao, Ver Steeg and Galstyan; "auto" is the
        threshold below which 0.5 % of uniform neighborhoods fall. It requires variant 2, one-dimensional x and y, and
        no normal scores ("auto" is "standard" then): ranks lie on a grid whose lines look like dependence.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    Variant 1: I = ⟨ψ(k̃)⟩ + ψ(N) − ⟨ψ(n_x + 1) + ψ(n_y + 1)⟩, with n_x, n_y the samples strictly nearer than the k-th
    neighbor (eq. 8), and k̃ those in the joint space, itself included: k, unless distances are tied. Variant 2:
    I = ψ(k) − 1/k + ψ(N) − ⟨ψ(n_x) + ψ(n_y)⟩, counts within the rectangle of the k neighbors (eq. 9). The ceiling is
    the value of the formula when all neighborhoods agree; `local_nonuniformity` raises it by log 2⁵², the rounding of
    float64. In three and more joint dimensions estimates are too low, the more the stronger the dependence; a warning
    states about how many nats the neighbors resolve.

    A one-dimensional integer y (or x) means classes: `ClassNeighbors` then computes the estimate, which names it.
    Estimates below 0 are chance, and mean 0.

    References
    ----------
    Kraskov, Stögbauer, Grassberger (2004), Estimating mutual information, Physical Review E 69, 066138.
    Gao, Ver Steeg, Galstyan (2015), Efficient Estimation of Mutual Information for Strongly Dependent Variables.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=5000)
    >>> y = 0.8 * x + 0.6 * rng.normal(size=5000)
    >>> KSG().estimate(x, y).nats  # -½ log(1 - 0.64) = 0.5108
    0.5
    """

    variant: Literal[1, 2] = 1
    local_nonuniformity: PositiveFloat | Literal["auto"] | None = None

    _automatic_rescale: ClassVar[str] = "normal-scores"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.local_nonuniformity is not None and self.variant != 2:
            raise InvalidArgument("variant", "2 when local_nonuniformity is set", self.variant)
        if self.local_nonuniformity is not None and self.rescale == "normal-scores":
            raise InvalidArgument(
                "rescale",
                "'standard' or 'none' when local_nonuniformity is set",
                self.rescale,
                remedy="Ranks lie on a grid whose lines look like dependence.",
            )

    @property
    def rescaling(self) -> str:
        """The rescaling that "auto" stands for."""
        plain = self.local_nonuniformity is not None and self.rescale == "auto"
        return "standard" if plain else super().rescaling

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired continuous samples; one of them may be one-dimensional integers, which are classes.

        Returns
        -------
        Estimate
            A point estimate.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples` for n < k + 2.

        Examples
        --------
        >>> KSG(k=1).estimate([0.0, 1.0, 3.0, 7.0], [0.0, 1.0, 3.0, 7.0]).saturated
        True
        """
        if is_classes(y):
            return self._class_form.estimate(x, y)
        if is_classes(x):
            return self._class_form.estimate(y, x)
        return self._information(x, y, "I(X;Y)")

    def pointwise(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Pointwise information (n,) in nats, whose mean is the estimate.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired continuous samples; one of them may be one-dimensional integers, which are classes.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Nats per sample.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples` for n < k + 2.

        Examples
        --------
        >>> KSG(k=1).pointwise([0.0, 1.0, 3.0, 7.0], [0.0, 1.0, 3.0, 7.0]).tolist()  # ψ(N) - ψ(k) = 1.8333
        [1.8333, 1.8333, 1.8333, 1.8333]
        """
        if is_classes(y):
            return self._class_form.pointwise(x, y)
        if is_classes(x):
            return self._class_form.pointwise(y, x)
        return self._pointwise(x, y)

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate a layer's I(X;T) and I(T;Y) in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,) or (n, ...)
            Classes, or continuous targets.
        x : array-like of shape (n, ...)
            Inputs; required.

        Returns
        -------
        LayerInformation
            Two point estimates. I(X;T) carries a warning: a layer that is a function of its input has infinite I(X;T),
            or H(X) when X is discrete, and the number then shows how far neighbors in x remain neighbors in t.

        Raises
        ------
        InvalidArgument
            Without x, if the samples are not finite numbers, or if their lengths differ.

        Examples
        --------
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(500, 2))
        >>> point = KSG().measure(np.tanh(x), (x[:, 0] > 0).astype(int), x)
        >>> point.input.quantity, point.label.quantity, point.label.ceiling_name
        ('I(X;T)', 'I(T;Y)', 'H(Y)')
        """
        if x is None:
            raise InvalidArgument("x", "the inputs of shape (n, ...)", x, remedy="KSG needs them to estimate I(X;T).")
        caution = (
            "I(X;T) of a layer without noise is infinite (or H(X) for discrete X): this number measures geometry and "
            "grows with n; for a defined quantity use Binning or KernelDensity, or add noise to T"
        )
        inputs = self._information(x, t, "I(X;T)", ("x", "t"), (caution,))
        if is_classes(y):
            return LayerInformation(inputs, self._class_form.estimate(t, y, quantity="I(T;Y)", names=("t", "y")))
        return LayerInformation(inputs, self._information(t, y, "I(T;Y)", ("t", "y")))

    def conditional(self, x: Any, y: Any, z: Any) -> Estimate:
        """Estimate I(X;Y|Z) in nats.

        Parameters
        ----------
        x, y, z : array-like of shape (n, ...)
            Samples; one-dimensional integers are classes.

        Returns
        -------
        Estimate
            A point estimate. `variant` and `local_nonuniformity` do not affect it.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples` for n < k + 2.

        Notes
        -----
        ⟨ψ(k̃) + ψ(n_z + 1) − ψ(n_xz + 1) − ψ(n_yz + 1)⟩, with the samples strictly nearer than the k-th neighbor of the
        joint space (Frenzel and Pompe 2007, eq. 4). Ties are counted as in `MixedKSG`, in the manner of Mesner and
        Shalizi (2020), so that variables may have discrete parts. For classes z it is Σ_c p(c) I(X;Y|Z=c).

        Examples
        --------
        >>> import numpy as np
        >>> z = np.random.default_rng(0).normal(size=3000) + np.random.default_rng(1).normal(size=(2, 3000)) * 0.1
        >>> KSG().estimate(z[0], z[1]).nats > 1.5, KSG().conditional(z[0], z[1], z.mean(0)).nats < 1.0
        (True, True)
        """
        if is_classes(z):
            return over_classes(self, x, y, z)
        discrete = {name: is_classes(value) for name, value in (("x", x), ("y", y))}
        with_classes = any(discrete.values()) and self.rescale == "auto"
        settings = self if not with_classes else replace(self, rescale="standard")
        generator = noise_generator(self.seed)
        given = settings._side(z, "z", generator)
        device = given.values.device

        def side(value: Any, name: str) -> Prepared:
            if discrete[name]:
                return class_column(value, name, minimum=self.k + 2, device=device)
            return settings._side(value, name, generator, device)

        left, right, given = apart(side(x, "x"), side(y, "y"), given)
        paired(left.values, given.values, "x", "z")
        paired(right.values, given.values, "y", "z")
        sides = [left.values, right.values] if given.constant else [left.values, right.values, given.values]
        dimensions = sum(values.shape[1] for values in sides)
        metric, n = norm(self.metric, dimensions), given.values.shape[0]
        warnings = (*left.warnings, *right.warnings, *given.warnings)
        nats, ceiling = 0.0, Ceiling(digamma(n) - digamma(self.k), "ψ(N) − ψ(k)")
        constant = Pair(left, right).constant
        if constant:
            warnings += (is_constant(constant),)
        else:
            nats, ceiling = _conditional(sides, self.k, metric)
            warnings += crowded(dimensions, n)
            if not any(discrete.values()):
                warnings += unresolved(nats, ceiling.nats, dimensions, n, self.k)
        for name, values in (("x", left.values), ("y", right.values)):
            if discrete[name] and (entropy := _class_entropy(values)) < ceiling.nats:
                ceiling = Ceiling(entropy, f"H({name.upper()})")
        return Estimate(
            min(nats, ceiling.nats),
            quantity="I(X;Y|Z)",
            kind=Kind.POINT,
            estimator="KSG",
            n=n,
            parameters={
                "k": self.k,
                "metric": metric,
                "rescale": settings.rescaling,
                "noise": self.noise,
                "seed": self.seed,
            },
            ceiling=ceiling.nats,
            ceiling_name=ceiling.name,
            warnings=warnings,
        )

    @property
    def _class_form(self) -> ClassNeighbors:
        return ClassNeighbors(k=self.k, metric=self.metric, rescale=self.rescale, noise=self.noise, seed=self.seed)

    @property
    def _threshold(self) -> float | None:
        if self.local_nonuniformity == "auto":
            return nonuniformity_threshold(self.k)
        return self.local_nonuniformity

    def _prepare(self, x: Any, y: Any, names: tuple[str, str]) -> Pair:
        return self._sides(x, y, names)

    def _ceiling(self, pair: Pair) -> Ceiling:
        if self.variant == 1:
            return Ceiling(digamma(pair.n) - digamma(self.k), "ψ(N) − ψ(k)")
        return Ceiling(digamma(pair.n) - digamma(self.k) - 1.0 / self.k, "ψ(N) − ψ(k) − 1/k")

    def _terms(self, pair: Pair) -> Terms:
        x, y = pair.x.values, pair.y.values
        if self.variant == 1 and x.shape[1] == y.shape[1] == 1 and x.device.type == "cpu":
            return self._terms_of_columns(pair)
        metric = norm(self.metric, pair.dimensions)
        spaces = balanced([x, y], metric)
        near = neighborhoods(spaces, self.k, [(0,), (1,)], metric=metric, rectangle=self.variant == 2)
        warnings = tied(near.distance[:, -1])
        if self.variant == 1:
            # With tied distances fewer than k samples may be strictly nearer: counted alike in all spaces, the sum
            # stays below the ceiling.
            joint = digammas(open_ball_sizes(spaces, near.distance))
            terms = digamma(pair.n) + joint - digammas(near.counts + 1).sum(1)
            counted = digamma(pair.n) - float(joint.mean())
            return Terms(terms, Ceiling(counted, "ψ(N) − ψ(k)"), warnings, counted=counted)
        terms = digamma(self.k) + digamma(pair.n) - 1.0 / self.k - digammas(near.counts).sum(1)
        threshold = self._threshold
        ceiling = self._ceiling(pair)
        if threshold is None:
            return Terms(terms, ceiling, warnings, counted=ceiling.nats)
        if pair.dimensions != 2:
            got = f"{x.shape[1]} and {y.shape[1]}"
            raise InvalidArgument(f"local_nonuniformity requires x and y of one varying column each, got {got}.")
        shortfall, flat = corrections(torch.cat([x, y], 1), near.index, threshold)
        if flat > 0:
            warnings += (
                f"{flat:.0%} of the neighborhoods have no width, since values lie on a grid or y is a function of x, "
                "so the correction is the rounding of float64 there and the estimate far too high; leave "
                "local_nonuniformity out",
            )
        return Terms(terms - shortfall, Ceiling(ceiling.nats + LARGEST, f"{ceiling.name} + 52 log 2"), warnings)

    def _terms_of_columns(self, pair: Pair) -> Terms:
        found = pair_terms(column_of(pair.x), column_of(pair.y), [self.k])
        counted = digamma(pair.n) - float(found.joint.mean())
        warnings = tied(torch.from_numpy(found.radius[0]))
        return Terms(torch.from_numpy(found.values[0]), Ceiling(counted, "ψ(N) − ψ(k)"), warnings, counted=counted)

    def _parameters(self, pair: Pair) -> dict[str, Any]:
        return super()._parameters(pair) | {"local_nonuniformity": self._threshold}


def _conditional(spaces: list[Tensor], k: int, metric: Metric) -> tuple[float, Ceiling]:
    """I of the first two spaces given the third, if there is one, and its ceiling."""
    n = spaces[0].shape[0]
    spaces = balanced(spaces, metric)
    with_z: list[tuple[int, ...]] = [(0, 2), (1, 2), (2,)]
    near = neighborhoods(spaces, k, with_z if len(spaces) == 3 else [(0,), (1,)], metric=metric)
    inside = digammas(near.counts + 1)
    given = inside[:, 2] if len(spaces) == 3 else torch.full((n,), digamma(n), dtype=torch.float64)
    joint = digammas(open_ball_sizes(spaces, near.distance))
    nats = float((joint + given.to(joint.device) - inside[:, 0] - inside[:, 1]).mean())
    return nats, Ceiling(digamma(n) - float(joint.mean()), "ψ(N) − ψ(k)")


def _class_entropy(column: Tensor) -> float:
    """Plug-in entropy of a column of codes, or of none."""
    return float(plug_in(counts(torch.unique(column, return_inverse=True)[1][:, 0]))) if column.shape[1] else 0.0
