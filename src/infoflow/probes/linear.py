"""Linear probes: one-against-the-rest support vectors and logistic regression, solved to their unique optimum.

Both losses are smooth and strictly convex, so a quasi-Newton method finds the optimum, with all classes in one product.
liblinear would copy a dense 10 000 × 8192 matrix into pairs of index and value, and take minutes per class.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from scipy import optimize
from torch import Tensor

from infoflow.core.estimate import Interval, Kind
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed
from infoflow.probes.inputs import Problem
from infoflow.probes.probe import LabeledProbe
from infoflow.probes.score import Score, accuracy_interval, student_half_width

# Penalties among which one is chosen, times the number of features: from underfitting to nearly none.
_PENALTIES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_ITERATIONS = 300
# Largest number of samples on which the penalty is chosen, and the fraction of them that is held out.
_CHOOSING, _HELD_OUT = 5000, 0.2
# Relative change of the objective that ends a fit; a comparison of penalties needs less precision.
_EXACT, _ROUGH = 1e-7, 1e-5
# Largest number of features for which all principal directions are computed, and how many are beyond.
_ALL_DIRECTIONS, _LEADING = 768, 96


@dataclass(frozen=True)
class Solution:
    """Weights (d, C) and offsets (C,) on standardized features."""

    weight: Tensor
    offset: Tensor
    converged: bool

    def correct(self, x: Tensor, y: Tensor) -> Tensor:
        """Whether the class of each sample has the highest score, (n,)."""
        return (x @ self.weight + self.offset).argmax(1) == y


@dataclass(frozen=True)
class Directions:
    """Principal directions of the features, which precondition the problem: tens of steps instead of hundreds."""

    vectors: Tensor
    """(d, k), orthonormal."""
    variances: Tensor
    """(k,), in descending order."""
    rest: float
    """About the largest variance of the other directions; 0 if there are none."""

    @classmethod
    def of(cls, x: Tensor, seed: int) -> Directions:
        """All directions of few features; the leading ones of many, by a random range finder (Halko et al. 2011)."""
        n, d = x.shape
        center = x.mean(0)
        if d <= _ALL_DIRECTIONS:
            variances, vectors = torch.linalg.eigh((x.T @ x / n - torch.outer(center, center)).double())
            return cls(vectors.flip(1).to(x), variances.flip(0).clamp_min(0).to(x), 0.0)
        sketch = torch.randn(d, _LEADING, generator=torch.Generator().manual_seed(seed)).to(x)
        for _ in range(2):
            basis = torch.linalg.qr(x @ sketch - center @ sketch).Q
            sketch = x.T @ basis - torch.outer(center, basis.sum(0))
        left, values, _ = torch.linalg.svd(sketch, full_matrices=False)
        variances = values.square() / n
        return cls(left, variances, float(variances[-1]))

    def preconditioner(self, penalty: float, *, inverse: bool = False) -> Callable[[Tensor], Tensor]:
        """Symmetric map I + U (diag(s) − I) Uᵀ with s_i = √((rest + λ) / (variance_i + λ)), or its inverse."""
        scale = ((self.rest + penalty) / (self.variances + penalty)).sqrt()
        change = ((1 / scale if inverse else scale) - 1)[:, None]
        return lambda weight: weight + self.vectors @ (change * (self.vectors.T @ weight))


@dataclass(frozen=True)
class Linear(LabeledProbe):
    """Base of the linear probes: penalty, resampling and interval.

    Parameters
    ----------
    penalty
        λ; None chooses it on held-out training samples.
    runs
        Number of fits on resampled training samples, tested on resampled test samples.
    standardize
        Whether features are standardized by the training set.
    seed
        Seed of the resampling and of the choice of the penalty.
    device
        Device of the fits; "auto" is a GPU if there is one.

    Examples
    --------
    >>> issubclass(Logistic, Linear), issubclass(LinearSVM, Linear)
    (True, True)
    """

    penalty: PositiveFloat | None = None
    runs: PositiveInt = 5
    standardize: bool = True
    seed: Seed = 0
    device: str = "cpu"

    def _prepared(self, problem: Problem) -> Problem:
        problem = problem.on(self.device)
        return problem.standardized() if self.standardize else problem

    def _fitted(self, problem: Problem) -> Score:
        x, report = problem.train_x, problem.test_x
        rng = np.random.default_rng(self.seed)
        directions = Directions.of(x, self.seed)
        penalty = self._penalty(problem, directions, rng) if self.penalty is None else self.penalty
        fit = functools.partial(self._solved, x, problem.train_y, problem.classes, penalty, directions)
        whole = fit(torch.ones(len(x), device=x.device))
        correct = whole.correct(report, problem.test_y)
        value = float(correct.float().mean())
        warnings = problem.warnings
        if not whole.converged:
            warnings += (
                f"The fit had not converged after {_ITERATIONS} iterations, so the accuracy may be too low. "
                "Use a larger penalty.",
            )
        interval = accuracy_interval(int(correct.sum()), len(correct))
        again: list[float] = []
        for _ in range(self.runs if self.runs > 1 else 0):
            weights = torch.from_numpy(np.bincount(rng.integers(len(x), size=len(x)), minlength=len(x))).to(x)
            drawn = torch.from_numpy(rng.integers(len(report), size=len(report))).to(x.device)
            fitted = fit(weights, start=whole, tolerance=_ROUGH)
            again.append(float(fitted.correct(report, problem.test_y)[drawn].float().mean()))
        if again:
            half = student_half_width(again)
            spans = f"{len(again)} resamples of training and test samples"
            interval = Interval(max(value - half, 0.0), min(value + half, 1.0), spans)
        settings = {"penalty": penalty, "chosen": self.penalty is None, "standardize": self.standardize}
        return Score(self.name, value, "fraction", Kind.POINT, len(report), interval, tuple(again), settings, warnings)

    def _point_loss(self, scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of each sample (n,), and its gradient (n, C)."""
        raise NotImplementedError

    def _penalty(self, problem: Problem, directions: Directions, rng: np.random.Generator) -> float:
        """Penalty with the highest accuracy on held-out training samples."""
        chosen = torch.from_numpy(np.sort(rng.permutation(len(problem.train_x))[:_CHOOSING])).to(problem.train_x.device)
        x, y = problem.train_x[chosen], problem.train_y[chosen]
        held = _held_out(y, rng)
        count = int(held.sum())
        if not count:
            return x.shape[1] * _PENALTIES[len(_PENALTIES) // 2]
        inside, inside_y, outside, outside_y = x[~held], y[~held], x[held], y[held]
        best, accuracy = 0.0, -1.0
        solution: Solution | None = None
        for factor in _PENALTIES:  # the strongest first: it is solved quickly, and each is the start of the next
            penalty, even = factor * x.shape[1], torch.ones(len(inside), device=x.device)
            solution = self._solved(
                inside, inside_y, problem.classes, penalty, directions, even, start=solution, tolerance=_ROUGH
            )
            reached = float(solution.correct(outside, outside_y).float().mean())
            if reached > accuracy:
                best, accuracy = penalty, reached
            elif reached < accuracy - (0.25 / count) ** 0.5:
                break  # it has begun to overfit, and weaker penalties take longer
        return best

    def _solved(
        self,
        x: Tensor,
        y: Tensor,
        classes: int,
        penalty: float,
        directions: Directions,
        weights: Tensor,
        *,
        start: Solution | None = None,
        tolerance: float = _EXACT,
    ) -> Solution:
        """Optimum for weighted samples, in coordinates in which the curvature is nearly even."""
        d = x.shape[1]
        share = weights / weights.sum()
        to_weight = directions.preconditioner(penalty)

        def objective(flat: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
            both = torch.from_numpy(flat).to(x).view(d + 1, classes)
            weight, offset = to_weight(both[:-1]), both[-1]
            losses, slope = self._point_loss(torch.addmm(offset, x, weight), y)
            slope = slope * share[:, None]
            value = float((losses * share).sum(dtype=torch.float64)) + 0.5 * penalty * float(weight.square().sum())
            downhill = to_weight((slope.T @ x).T + penalty * weight)
            gradient = torch.cat([downhill, slope.sum(0, keepdim=True)])
            return value, gradient.flatten().to("cpu", torch.float64).numpy()

        first = np.zeros((d + 1) * classes)
        if start is not None:
            begun = directions.preconditioner(penalty, inverse=True)(start.weight)
            first = torch.cat([begun, start.offset[None]]).flatten().to("cpu", torch.float64).numpy()
        found = optimize.minimize(
            objective,
            first,
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _ITERATIONS, "ftol": tolerance, "gtol": 1e-7},
        )
        both = torch.from_numpy(found.x).to(x).view(d + 1, classes)
        return Solution(to_weight(both[:-1]), both[-1], found.nit < _ITERATIONS)


@dataclass(frozen=True)
class LinearSVM(Linear):
    """Accuracy of linear support vector machines, one class against the rest, with the squared hinge loss.

    Parameters
    ----------
    penalty
        Weight λ of the squared norm. None chooses it on a held-out fifth of the training samples (of 5000 at most)
        from a grid, times the number of features, and then fits on all. In scikit-learn's terms C = 1 / (λ n).
    runs
        Number of fits on resampled training samples, tested on resampled test samples. Their standard deviation gives
        the interval around the accuracy of the fit on all samples, since the optimum does not depend on a seed. With
        one run the interval is Wilson's, over the test samples only.
    standardize
        Whether features are standardized by the training set.
    seed
        Seed of the resampling and of the choice of the penalty.
    device
        Device of the fits; "auto" is a GPU if there is one.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    The probe minimizes λ/2 ‖W‖² + 1/n Σ_i Σ_c max(0, 1 − t_ic f_ic)² with f_i = Wᵀx_i + b and t_ic = 1 for the class
    of sample i, −1 for the others. The loss is that of scikit-learn's `LinearSVC`, but offsets are not penalized.
    Table 3 of [1]_ reports five machines for each of conv, fc and Y with the simple hinge loss, which is not smooth.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, section 4.1.

    Examples
    --------
    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x[:, 0] > 0).long()
    >>> LinearSVM(runs=1).score(x[:100], y[:100], x[100:], y[100:]).value > 0.9
    True
    """

    name: ClassVar[str] = "SVM"

    def _point_loss(self, scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # The target is +1 in the column of the sample's class, and -1 in the others.
        short = scores.add(1)
        short.scatter_(1, y[:, None], 1 - scores.gather(1, y[:, None])).clamp_(min=0)
        losses = short.square().sum(1)
        slope = short.mul_(2)
        return losses, slope.scatter_(1, y[:, None], -slope.gather(1, y[:, None]))


@dataclass(frozen=True)
class Logistic(Linear):
    """Accuracy of multinomial logistic regression.

    Parameters
    ----------
    penalty
        Weight λ of the squared norm. None chooses it on a held-out fifth of the training samples (of 5000 at most)
        from a grid, times the number of features, and then fits on all. In scikit-learn's terms C = 1 / (λ n).
    runs
        Number of fits on resampled training samples, tested on resampled test samples. Their standard deviation gives
        the interval around the accuracy of the fit on all samples, since the optimum does not depend on a seed. With
        one run the interval is Wilson's, over the test samples only.
    standardize
        Whether features are standardized by the training set.
    seed
        Seed of the resampling and of the choice of the penalty.
    device
        Device of the fits; "auto" is a GPU if there is one.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    The probe minimizes λ/2 ‖W‖² − 1/n Σ_i log softmax(f_i)[y_i] with f_i = Wᵀx_i + b; offsets are not penalized.

    Examples
    --------
    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x[:, 0] > 0).long()
    >>> Logistic(runs=1).score(x[:100], y[:100], x[100:], y[100:]).value > 0.9
    True
    """

    name: ClassVar[str] = "logistic"

    def _point_loss(self, scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        log_q = F.log_softmax(scores, dim=1)
        own = y[:, None]
        slope = log_q.exp()
        return -log_q.gather(1, own)[:, 0], slope.scatter_add_(1, own, -torch.ones_like(own, dtype=slope.dtype))


def _held_out(y: Tensor, rng: np.random.Generator) -> Tensor:
    """Mask of a fifth of the samples of each class; none of a class with fewer than five."""
    labels = y.cpu().numpy()
    mask = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        mask[own[: int(_HELD_OUT * len(own))]] = True
    return torch.from_numpy(mask).to(y.device)
