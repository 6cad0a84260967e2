"""Mutual information as a difference of log densities of held-out samples."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from infoflow.bounds import doe
from infoflow.core.errors import DidNotConverge
from infoflow.core.estimate import Kind
from infoflow.estimators.learned.densities.variables import Variables
from infoflow.estimators.learned.estimator import HeldOutEstimator, warnings_on
from infoflow.estimators.learned.floor import below_correlations
from infoflow.estimators.learned.held_out import Fit, Fold, Reported, Shuffles, Spread, split
from infoflow.estimators.preprocessing import learn

# Lilliefors' statistic times √n: a normal sample is rarely above it (1 %).
_NORMAL = 1.03


@dataclass(frozen=True)
class Parts:
    """One fold: training, validation and report samples of x and of y, preprocessed."""

    x: Sequence[Tensor]
    y: Sequence[Tensor]
    x_classes: Sequence[Tensor] | None


@dataclass(frozen=True)
class Densities:
    """Log densities of one fold's report part, and how they were fitted."""

    conditional: Tensor
    """(rows,) log q(y|x)."""
    marginal: Tensor
    """(rows,) log q(y)."""
    in_order: Callable[[Tensor], Tensor]
    """log q(y|x) (rows,) with the report part's y in another order (rows,)."""
    gap: float = 0.0
    """Nats by which log q(y|x) is higher on the training samples than on the validation samples."""
    late: int = 0
    """Number of densities that still improved in the last epoch."""
    count: int = 0
    """Number of densities that were fitted in epochs."""
    history: list[dict[str, float]] = field(default_factory=list)
    warnings: tuple[str, ...] = ()

    @torch.no_grad()
    def reported(self, shuffles: Shuffles | None) -> Reported:
        """The fold's value, pointwise values and, with `shuffles`, p-value."""
        p_value = None
        if shuffles is not None:
            p_value = shuffles.p_value(len(self.conditional), lambda order: float(self.in_order(order).mean()))
        return Reported(doe(self.conditional, self.marginal), self.conditional - self.marginal, p_value)


@dataclass(frozen=True, kw_only=True)
class DensityEstimator(HeldOutEstimator, abc.ABC):
    """Mutual information as a difference of log densities; subclasses define the densities."""

    def _fit_and_test(self, x: object, y: object, shuffles: Shuffles | None) -> Fit:
        variables = Variables.of(x, y, self._device)
        n = len(variables.y)
        if variables.constant:
            nothing = Spread(0.0, 0.0, torch.zeros(n), None if shuffles is None else 1.0)
            return self._result(variables, nothing, [])
        rows = split(n, self.folds, self.validation, self.seed, self._device)
        # A caller without gradients must not switch off those of the networks.
        with torch.inference_mode(False), torch.enable_grad():
            densities = self._densities([self._parts(variables, fold) for fold in rows])
        found = Spread.of(rows, [each.reported(shuffles) for each in densities], n, self.level)
        if not math.isfinite(found.value):
            raise DidNotConverge(
                f"the densities of y and of y given x are not finite on held-out samples ({type(self).__name__}): "
                "outliers or a diverged fit. Use preprocessing='gaussianize' or a lower learning rate."
            )
        return self._result(variables, found, densities)

    @property
    def _device(self) -> str:
        return "cpu"

    @property
    def _kind(self) -> Kind:
        return Kind.DIFFERENCE_OF_BOUNDS

    @abc.abstractmethod
    def _densities(self, folds: Sequence[Parts]) -> list[Densities]:
        """For each fold, log q(y|x) and log q(y) of its report part; raises DidNotConverge if there are none."""

    def _parts(self, variables: Variables, fold: Fold) -> Parts:
        codes = None if variables.x_classes is None else [variables.x_classes[rows] for rows in fold]
        x = [variables.x[rows] for rows in fold] if codes is not None else self._preprocessed(variables.x, fold)
        return Parts(x, self._preprocessed(variables.y, fold), codes)

    def _preprocessed(self, values: Tensor, fold: Fold) -> list[Tensor]:
        transform = learn(values[fold[0]], self.preprocessing)
        if self.preprocessing != "gaussianize":
            return [transform(values[rows]) for rows in fold]
        affine, normal = learn(values[fold[0]], "standardize"), _is_normal(values[fold[0]])
        return [torch.where(normal, affine(values[rows]), transform(values[rows])) for rows in fold]

    def _result(self, variables: Variables, found: Spread, densities: Sequence[Densities]) -> Fit:
        warnings = (*variables.warnings, *self._warnings(variables, found, densities))
        ceiling = variables.ceiling, variables.ceiling_name
        estimate = self._estimate(found, self._kind, ceiling, variables.constant, warnings)
        return Fit(estimate, found.shares.cpu(), [row for each in densities for row in each.history])

    def _warnings(self, variables: Variables, found: Spread, densities: Sequence[Densities]) -> Iterator[str]:
        yield from warnings_on(
            found.value,
            found.half,
            variables.ceiling,
            "densities",
            objective="log q(y|x)",
            gap=max((each.gap for each in densities), default=0.0),
            late=sum(each.late for each in densities),
            count=sum(each.count for each in densities),
        )
        if not variables.constant:
            yield from below_correlations(variables.x, variables.y, found.value, found.half)
        yield from dict.fromkeys(warning for each in densities for warning in each.warnings)


def _is_normal(values: Tensor) -> Tensor:
    """(d,) whether a normal distribution fits each column (Lilliefors 1967).

    Ranks of such a column would only add noise, which covers what x leaves open of y where the information is large.
    """
    n = len(values)
    ordered = ((values - values.mean(0)) / values.std(0).clamp(min=1e-300)).sort(0).values
    expected = torch.special.ndtr(ordered)
    steps = torch.arange(n + 1, dtype=values.dtype, device=values.device)[:, None] / n
    distance = torch.maximum((steps[1:] - expected).amax(0), (expected - steps[:-1]).amax(0))
    return distance < _NORMAL / math.sqrt(n)


def determined(share: float) -> Iterator[str]:
    """A warning if the smallest share of a variance of y that x leaves unexplained is negligible."""
    if share < 1e-6:
        yield (
            "x determines a combination of the columns of y (to 1 part in 1000 or closer), so the information may be "
            "infinite and the number only measures how close; add noise or drop the columns"
        )


def finite_or_error(values: Tensor) -> Tensor:
    """Log densities in float64; raises DidNotConverge for NaN."""
    if bool(torch.isnan(values).any()):
        raise DidNotConverge("a fitted density of y is NaN on held-out samples. Lower learning_rate.")
    return values.double()


def share_unexplained(explained: Tensor, marginal: Tensor) -> float:
    """The smallest variance that x leaves, as a share of the original one, from both whitening maps (d, d)."""
    # Singular values of L_y⁻¹ L_r are the ratios of standard deviations.
    ratios = torch.linalg.svdvals(marginal @ torch.linalg.inv(explained))
    smallest = float(ratios.min())
    return smallest * smallest if math.isfinite(smallest) else 0.0
