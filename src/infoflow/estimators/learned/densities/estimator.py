"""What all density-based estimators share: held-out log ratios in, an estimate with interval and warnings out."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from infoflow.bounds import doe
from infoflow.core import checks
from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.estimators.learned.densities.variables import Variables
from infoflow.estimators.learned.held_out import Fit, Fold, Shuffles, combined, half_width, split
from infoflow.estimators.preprocessing import PREPROCESSINGS, learn

# Lilliefors' statistic times √n: a normal sample is rarely above it (1 %).
_NORMAL = 1.03


@dataclass(frozen=True)
class Parts:
    """One fold: the fit, second and report part of x and of y, preprocessed as the fit part says."""

    x: Sequence[Tensor]
    y: Sequence[Tensor]
    x_classes: Sequence[Tensor] | None


@dataclass(frozen=True)
class Densities:
    """What one fold's densities say of its report part, and of how they were fitted."""

    conditional: Tensor
    """(rows,) log q(y|x)."""
    marginal: Tensor
    """(rows,) log q(y)."""
    paired_anew: Callable[[Tensor], Tensor]
    """log q(y|x) (rows,) with the report part's y in another order (rows,)."""
    gap: float = 0.0
    """Nats by which the conditional density is likelier on the fit part than on the second."""
    late: int = 0
    """How many densities were still improving when their time was up."""
    history: list[dict[str, float]] = field(default_factory=list)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class DensityEstimator(abc.ABC):
    """Mutual information as a difference of log densities: fitted on one part, chosen by a second, reported on a third.

    Its heirs say which densities.
    """

    folds: int = 4
    validation: float = 0.15
    preprocessing: str = "gaussianize"
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        checks.integer(self.folds, "folds", minimum=2)
        checks.integer(self.seed, "seed", minimum=0)
        checks.choice(self.preprocessing, "preprocessing", PREPROCESSINGS)
        for name in ("validation", "level"):
            if not 0 < checks.positive(getattr(self, name), name) < 1:
                raise InvalidArgument(f"{name} is {getattr(self, name)!r}; want a share between 0 and 1")

    def estimate(self, x: Any, y: Any) -> Estimate:
        """The estimate of I(X;Y) in nats, with interval and warnings."""
        return self.fit(x, y).estimate

    def pointwise(self, x: Any, y: Any) -> Tensor:
        """The held-out pointwise mutual information log p(y_i|x_i)/p(y_i) of each sample, shape (n,), in nats."""
        return self.fit(x, y).pointwise

    def tested(self, x: Any, y: Any, *, permutations: int = 200, seed: int = 0) -> Estimate:
        """The estimate with the p-value of a permutation test of independence, from one fit.

        The statistic is the held-out E[log q(y|x)], y shuffled within each fold's report part: exact there, for the
        densities haven't seen it; the folds' p-values combine to twice their mean.
        """
        shuffles = Shuffles(checks.integer(permutations, "permutations"), checks.integer(seed, "seed", minimum=0))
        return self._fit_and_test(x, y, shuffles).estimate

    def fit(self, x: Any, y: Any) -> Fit:
        """The estimate together with each sample's share and the training history."""
        return self._fit_and_test(x, y, None)

    def _fit_and_test(self, x: Any, y: Any, shuffles: Shuffles | None) -> Fit:
        variables = Variables.of(x, y, self._device)
        n = len(variables.y)
        if variables.constant:
            nothing = self._estimate(variables, torch.zeros(self.folds), torch.zeros(n), [])
            return Fit(nothing if shuffles is None else replace(nothing, p_value=1.0), torch.zeros(n), [])
        rows = split(n, self.folds, self.validation, self.seed, self._device)
        # A caller that needs no gradients must not keep the networks from theirs.
        with torch.inference_mode(False), torch.enable_grad():
            found = self._densities([self._parts(variables, fold) for fold in rows])
        shares = torch.empty(n, dtype=torch.float64, device=variables.y.device)
        values = []
        for (_, _, report), densities in zip(rows, found, strict=True):
            shares[report] = densities.conditional - densities.marginal
            values.append(doe(densities.conditional, densities.marginal))
        folds = torch.stack(values)
        if not bool(torch.isfinite(folds).all()):
            raise DidNotConverge(
                f"the densities of y and of y given x are not finite on held-out samples ({type(self).__name__}): "
                "far samples or a diverged fit; use preprocessing='gaussianize' or a lower learning rate"
            )
        history = [row for densities in found for row in densities.history]
        estimate = self._estimate(variables, folds, shares, found)
        if shuffles is not None:
            estimate = replace(estimate, p_value=combined([_p_value(densities, shuffles) for densities in found]))
        return Fit(estimate, shares.cpu(), history)

    @property
    def _device(self) -> str:
        return "cpu"

    @property
    def _kind(self) -> Kind:
        return Kind.DIFFERENCE_OF_BOUNDS

    @abc.abstractmethod
    def _densities(self, folds: Sequence[Parts]) -> list[Densities]:
        """For each fold log q(y|x) and log q(y) of its report part. Raises DidNotConverge where there are none."""

    def _parts(self, variables: Variables, fold: Fold) -> Parts:
        codes = None if variables.x_classes is None else [variables.x_classes[rows] for rows in fold]
        x = [variables.x[rows] for rows in fold] if codes is not None else self._described(variables.x, fold)
        return Parts(x, self._described(variables.y, fold), codes)

    def _described(self, values: Tensor, fold: Fold) -> list[Tensor]:
        transform = learn(values[fold[0]], self.preprocessing)
        if self.preprocessing != "gaussianize":
            return [transform(values[rows]) for rows in fold]
        affine, normal = learn(values[fold[0]], "standardize"), _is_normal(values[fold[0]])
        return [torch.where(normal, affine(values[rows]), transform(values[rows])) for rows in fold]

    def _estimate(self, variables: Variables, folds: Tensor, shares: Tensor, found: Sequence[Densities]) -> Estimate:
        raw, half = float(folds.mean()), half_width(folds, shares, self.level)
        nats, low, high = (min(max(value, 0.0), variables.ceiling) for value in (raw, raw - half, raw + half))
        constant = [f"{name} is constant, so the mutual information is 0" for name in variables.constant]
        return Estimate(
            nats,
            quantity="I(X;Y)",
            kind=self._kind,
            estimator=type(self).__name__,
            n=len(shares),
            parameters={f.name: getattr(self, f.name) for f in fields(self)},
            ceiling=variables.ceiling,
            ceiling_name=variables.ceiling_name,
            interval=Interval(low, high, spans=f"{self.folds} folds", level=self.level),
            warnings=(*constant, *variables.warnings, *self._warnings(raw, half, variables.ceiling, found)),
        )

    def _warnings(self, raw: float, half: float, ceiling: float, found: Sequence[Densities]) -> Iterator[str]:
        if raw > ceiling:
            yield f"the value {raw:.3f} lies above the ceiling {ceiling:.3f} and was set to it; collect more samples"
        if raw < -max(half, 0.02):
            yield f"the difference was {raw:.3f} and is reported as 0: the densities overfitted; use more samples"
        gap = max((d.gap for d in found), default=0.0)
        if gap > max(0.2, 0.5 * max(raw, 0.0)):
            yield (
                f"overfitting: log q(y|x) is {gap:.2f} nats higher on the fit part than on held-out samples; "
                "use more samples or a smaller model"
            )
        if half > max(0.15, 0.25 * raw):
            yield f"high variance: ±{half:.2f} nats over the folds; use more samples"
        late = sum(d.late for d in found)
        if late:
            yield f"{late} densities were still improving when their time was up; let them go on for longer"
        yield from dict.fromkeys(warning for d in found for warning in d.warnings)


def _p_value(densities: Densities, shuffles: Shuffles) -> float:
    rows = len(densities.conditional)
    with torch.no_grad():
        return shuffles.p_value(rows, lambda order: float(densities.paired_anew(order).mean()))


def _is_normal(values: Tensor) -> Tensor:
    """(d,) whether a normal distribution fits a column as it is (Lilliefors 1967).

    Its ranks would only bring in noise, which covers what little x leaves open of y where information is large.
    """
    n = len(values)
    ordered = ((values - values.mean(0)) / values.std(0).clamp(min=1e-300)).sort(0).values
    expected = torch.special.ndtr(ordered)
    steps = torch.arange(n + 1, dtype=values.dtype, device=values.device)[:, None] / n
    distance = torch.maximum((steps[1:] - expected).amax(0), (expected - steps[:-1]).amax(0))
    return distance < _NORMAL / math.sqrt(n)


def determined(share: float) -> Iterator[str]:
    """A warning, if the smallest `share` of a variance of y that x leaves unexplained is none to speak of."""
    if share < 1e-6:
        yield (
            "x determines a combination of the columns of y (to 1 part in 1000 or closer): the information may be "
            "infinite, and the number only says how close; add noise or drop the columns"
        )


def finite_or_none(values: Tensor) -> Tensor:
    """Log densities in float64, and an error instead of NaN."""
    if bool(torch.isnan(values).any()):
        raise DidNotConverge("a fitted density of y is NaN on held-out samples; lower learning_rate")
    return values.double()


def share_unexplained(explained: Tensor, marginal: Tensor) -> float:
    """The smallest variance that is left by x, as a share of what it was, from both whitening maps (d, d)."""
    # |L_y⁻¹ L_r|'s singular values are the ratios of standard deviations.
    ratios = torch.linalg.svdvals(marginal @ torch.linalg.inv(explained))
    smallest = float(ratios.min())
    return smallest * smallest if math.isfinite(smallest) else 0.0
