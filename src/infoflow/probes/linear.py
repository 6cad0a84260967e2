"""Linear probes: one-against-the-rest support vectors and logistic regression, solved to their one optimum.

Both are smooth and strictly convex, so a quasi-Newton method finds the optimum, all classes in one product. liblinear
would copy a dense 10 000 × 8192 matrix into pairs of index and value, and take minutes a class.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from scipy import optimize, stats
from torch import Tensor

from infoflow.core.checks import flag, integer, positive
from infoflow.core.estimate import Interval, Kind
from infoflow.probes.problem import Problem
from infoflow.probes.score import Score, proportion_interval

# Penalties that are tried, times the number of features: from underfitting to nearly none.
_PENALTIES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_ITERATIONS = 300
# The penalty is chosen on so many samples at most, of which a fifth is held out.
_CHOOSING, _HELD_OUT = 5000, 0.2
# Relative change of the objective that ends a fit; one that only has to compare penalties may end sooner.
_EXACT, _ROUGH = 1e-7, 1e-5
# Up to so many features, all principal directions are found; beyond, so many leading ones.
_ALL_DIRECTIONS, _LEADING = 768, 96

PointLoss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Solution:
    """Weights (d, C) and offsets (C,) on standardized features."""

    weight: Tensor
    offset: Tensor
    converged: bool

    def right(self, x: Tensor, y: Tensor) -> Tensor:
        """Whether each sample's class is the one with the highest score, (n,)."""
        return (x @ self.weight + self.offset).argmax(1) == y


@dataclass(frozen=True)
class Directions:
    """The principal directions of features, which even out the curvature: solving takes tens of steps, not hundreds."""

    vectors: Tensor
    """(d, k), orthonormal."""
    variances: Tensor
    """(k,), falling."""
    rest: float
    """Of the directions that are left, about the largest variance; 0 where none are left."""

    @classmethod
    def of(cls, x: Tensor, seed: int) -> Directions:
        """All of them for few features; for many the leading ones, by a randomized range finder (Halko et al. 2011)."""
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
        """The symmetric map I + U (diag(s) − I) Uᵀ with s_i = √((rest + λ) / (variance_i + λ)), or its inverse."""
        scale = ((self.rest + penalty) / (self.variances + penalty)).sqrt()
        change = ((1 / scale if inverse else scale) - 1)[:, None]
        return lambda weight: weight + self.vectors @ (change * (self.vectors.T @ weight))


@dataclass(frozen=True)
class Linear:
    """What the two linear probes share; use `LinearSVM` or `Logistic`.

        min_{W, b}  λ/2 ‖W‖² + 1/n Σ_i loss(W^T x_i + b, y_i)

    on features standardized by the training set. λ = `penalty`; None chooses it on a held-out fifth of the training
    samples (of 5000 at most) from a grid, times the number of features, and then fits on all. In scikit-learn's terms
    C = 1 / (λ n).

    The optimum is unique, so runs can't differ by their seed: `runs` are fits on resampled training samples, tested on
    resampled test samples, and their standard deviation gives the interval around the accuracy of the fit on all. One
    run leaves Wilson's interval over the test samples alone. `device` ("auto": a GPU where there is one) is where the
    fits are done.

    >>> issubclass(Logistic, Linear), issubclass(LinearSVM, Linear)
    (True, True)
    """

    penalty: float | None = None
    runs: int = 5
    standardize: bool = True
    seed: int = 0
    device: str = "cpu"

    takes: ClassVar[str] = "labels"

    def __post_init__(self) -> None:
        if self.penalty is not None:
            positive(self.penalty, "penalty")
        integer(self.runs, "runs")
        integer(self.seed, "seed", minimum=0)
        flag(self.standardize, "standardize")

    @property
    def name(self) -> str:
        """What the measure is called in a table."""
        raise NotImplementedError

    def score(self, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> Score:
        """The accuracy on the test samples, as a fraction. Raises what `Problem.of` raises."""
        problem = Problem.of(train_x, train_y, test_x, test_y).on(self.device)
        x, report = problem.standardized() if self.standardize else (problem.train_x, problem.test_x)
        rng = np.random.default_rng(self.seed)
        directions = Directions.of(x, self.seed)
        penalty = self._penalty(x, problem, directions, rng) if self.penalty is None else self.penalty
        fit = functools.partial(self._solved, x, problem.train_y, problem.classes, penalty, directions)
        whole = fit(torch.ones(len(x), device=x.device))
        right = whole.right(report, problem.test_y)
        value = float(right.float().mean())
        warnings = problem.warnings
        if not whole.converged:
            warnings += (f"the fit had not converged after {_ITERATIONS} iterations; want a larger penalty",)
        interval = proportion_interval(int(right.sum()), len(right))
        again: list[float] = []
        for _ in range(self.runs if self.runs > 1 else 0):
            weights = torch.from_numpy(np.bincount(rng.integers(len(x), size=len(x)), minlength=len(x))).to(x)
            drawn = torch.from_numpy(rng.integers(len(report), size=len(report))).to(x.device)
            fitted = fit(weights, start=whole, tolerance=_ROUGH)
            again.append(float(fitted.right(report, problem.test_y)[drawn].float().mean()))
        if again:
            half = float(stats.t.ppf(0.975, len(again) - 1)) * float(np.std(again, ddof=1))
            spans = f"{len(again)} resamples of training and test samples"
            interval = Interval(max(value - half, 0.0), min(value + half, 1.0), spans)
        settings = {"penalty": penalty, "chosen": self.penalty is None, "standardize": self.standardize}
        return Score(self.name, value, "fraction", Kind.POINT, len(report), interval, tuple(again), settings, warnings)

    def _point_loss(self, scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Each sample's loss (n,), and its gradient (n, C)."""
        raise NotImplementedError

    def _penalty(self, x: Tensor, problem: Problem, directions: Directions, rng: np.random.Generator) -> float:
        """The penalty with the highest accuracy on held-out training samples."""
        chosen = torch.from_numpy(np.sort(rng.permutation(len(x))[:_CHOOSING])).to(x.device)
        x, y = x[chosen], problem.train_y[chosen]
        held = _held_out(y, rng)
        count = int(held.sum())
        if not count:
            return x.shape[1] * _PENALTIES[len(_PENALTIES) // 2]
        inside, inside_y, outside, outside_y = x[~held], y[~held], x[held], y[held]
        best, accuracy = 0.0, -1.0
        solution: Solution | None = None
        for factor in _PENALTIES:  # the strongest first: quickly solved, and each is the next one's start
            penalty, even = factor * x.shape[1], torch.ones(len(inside), device=x.device)
            solution = self._solved(
                inside, inside_y, problem.classes, penalty, directions, even, start=solution, tolerance=_ROUGH
            )
            reached = float(solution.right(outside, outside_y).float().mean())
            if reached > accuracy:
                best, accuracy = penalty, reached
            elif reached < accuracy - (0.25 / count) ** 0.5:
                break  # it has begun to overfit, and weaker penalties are the slow ones
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
        """The optimum for weighted samples, found in coordinates in which the curvature is nearly even."""
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
    """Linear support vectors, one class against the rest, squared hinge: Σ_c max(0, 1 − t_ic f_ic)², t_ic = ±1.

    The loss of scikit-learn's `LinearSVC`, with offsets that aren't penalized; the rest as in `Linear`. Deep InfoMax's
    Table 3 reports it on conv, fc and Y. Hjelm et al. (2019), section 4.1.

    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x[:, 0] > 0).long()
    >>> LinearSVM(runs=1).score(x[:100], y[:100], x[100:], y[100:]).value > 0.9
    True
    """

    @property
    def name(self) -> str:
        """What the measure is called in a table."""
        return "SVM"

    def _point_loss(self, scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # Each class's own column wants +1, all others -1.
        short = scores.add(1)
        short.scatter_(1, y[:, None], 1 - scores.gather(1, y[:, None])).clamp_(min=0)
        losses = short.square().sum(1)
        slope = short.mul_(2)
        return losses, slope.scatter_(1, y[:, None], -slope.gather(1, y[:, None]))


@dataclass(frozen=True)
class Logistic(Linear):
    """Multinomial logistic regression, −log softmax(f_i)[y_i]; the rest as in `Linear`.

    >>> x = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x[:, 0] > 0).long()
    >>> Logistic(runs=1).score(x[:100], y[:100], x[100:], y[100:]).value > 0.9
    True
    """

    @property
    def name(self) -> str:
        """What the measure is called in a table."""
        return "logistic"

    def _point_loss(self, scores: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        log_q = F.log_softmax(scores, dim=1)
        own = y[:, None]
        slope = log_q.exp()
        return -log_q.gather(1, own)[:, 0], slope.scatter_add_(1, own, -torch.ones_like(own, dtype=slope.dtype))


def _held_out(y: Tensor, rng: np.random.Generator) -> Tensor:
    """A fifth of the samples of each class, as a mask; a class of fewer than five gives none."""
    labels = y.cpu().numpy()
    mask = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == label))
        mask[own[: int(_HELD_OUT * len(own))]] = True
    return torch.from_numpy(mask).to(y.device)
