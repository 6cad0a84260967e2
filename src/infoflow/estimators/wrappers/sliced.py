"""Sliced mutual information: the information between low-dimensional projections, averaged or at its largest."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import classes, paired
from infoflow.core.estimate import Estimate, Interval, LayerInformation
from infoflow.core.settings import Integer, PositiveInt, Seed
from infoflow.estimators.wrappers.family import Wrapper, gathered, required_inputs, samples_or_classes


@dataclass(frozen=True)
class Sliced(Wrapper):
    """Sliced mutual information by another estimator: the mean over random projections, or the largest.

    Parameters
    ----------
    estimator
        Name or object of the estimator inside.
    slices
        Number of random projections; in mode "max" also the number of steps of the search.
    k
        Dimensions of a projection. Classes are not projected, nor is a variable of at most k columns.
    mode
        "average": SI_k(X;Y) = E I(ΘᵀX; ΦᵀY) over random Θ, Φ with k orthonormal columns. "max": the largest
        I(ΘᵀX; ΦᵀY) that a search finds.
    seed
        Seed of the projections.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown estimator or mode.

    Notes
    -----
    By data processing either is at most I(X;Y), with k = 1 often far below: it is a quantity of its own, comparable
    between variables of the same dimensions. The 95 % interval of the average covers the choice of projections only;
    where neither variable is projected there is no such choice, and estimate and interval are those of the estimator
    inside.
    The search starts from the canonical-correlation directions and from random ones, then climbs from the best by
    random steps that shrink when they fail, all on one half of the samples; the estimate is from the other half, so
    that the search does not bias it. It need not find the best directions. Kind and ceiling are those of the estimator
    inside.

    References
    ----------
    Goldfeld, Greenewald (2021), Sliced mutual information, definition 1; Goldfeld et al. (2022), k-sliced; Tsur,
    Goldfeld, Greenewald (2023), max-sliced.

    Examples
    --------
    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(2000, 2))
    >>> y = x[:, :1] + x[:, 1:] + rng.normal(size=(2000, 1))
    >>> Sliced(Gaussian(), mode="max").estimate(x, y).nats   # ½ log 3 = 0.55
    0.6
    """

    slices: Annotated[int, Integer(2)] = 100
    k: PositiveInt = 1
    mode: Literal["average", "max"] = "average"
    seed: Seed = 0

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate SI_k(X;Y), or the maximum, in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; one-dimensional integers are classes.

        Returns
        -------
        Estimate
            Of the kind of the estimator inside.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ, and as the estimator inside raises.
        """
        return self._estimate(x, y, "x", "y", "(X;Y)")

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate SI_k(X;T) and SI_k(T;Y), or the maxima, in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Classes.
        x : array-like of shape (n, ...)
            The network's inputs; required.

        Returns
        -------
        LayerInformation
            Both estimates.

        Raises
        ------
        InvalidArgument
            Without x, and as `estimate` raises.
        """
        required_inputs(x, "SI(X;T)")
        classes(y, "y")
        return LayerInformation(self._estimate(x, t, "x", "t", "(X;T)"), self._estimate(t, y, "t", "y", "(T;Y)"))

    def _estimate(self, x: Any, y: Any, x_name: str, y_name: str, variables: str) -> Estimate:
        first, second = samples_or_classes(x, x_name), samples_or_classes(y, y_name)
        paired(first, second, x_name, y_name)
        inner = self.inner
        rng = np.random.default_rng(self.seed)
        if self.mode == "max":
            found = self._largest(inner, first, second, rng)
            return replace(
                found,
                quantity=f"max-SI_{self.k}{variables}",
                estimator="Sliced",
                n=len(first),
                parameters=self._parameters(),
                warnings=(
                    *found.warnings,
                    "the directions were found on one half of the samples, the estimate is from the other half",
                ),
            )
        if not (self._projected(first) or self._projected(second)):
            alone: Estimate = inner.estimate(first, second)
            return replace(
                alone,
                quantity=f"SI_{self.k}{variables}",
                estimator="Sliced",
                n=len(first),
                parameters=self._parameters(),
                warnings=(
                    *alone.warnings,
                    f"neither {x_name} nor {y_name} has more than k = {self.k} columns, so there is nothing to project "
                    "and this is the estimate inside; use that estimator itself",
                ),
            )
        parts = []
        for _ in range(self.slices):
            directions = self._random(first, rng), self._random(second, rng)
            parts.append(inner.estimate(_project(first, directions[0]), _project(second, directions[1])))
        values = np.array([part.nats for part in parts])
        mean, half = float(values.mean()), 0.0
        if math.isfinite(mean) and values.min() < values.max():
            half = 1.96 * float(values.std(ddof=1)) / math.sqrt(self.slices)
        widest = max(parts, key=lambda part: part.ceiling)
        return Estimate(
            mean,
            quantity=f"SI_{self.k}{variables}",
            kind=parts[0].kind,
            estimator="Sliced",
            n=len(first),
            parameters=self._parameters(),
            ceiling=widest.ceiling,
            ceiling_name=widest.ceiling_name,
            # Equal values, as of a constant variable, leave no spread to report.
            interval=Interval(mean - half, min(mean + half, widest.ceiling), "slices, not samples")
            if half > 0
            else None,
            warnings=gathered(parts, "slices"),
        )

    def _projected(self, values: Tensor) -> bool:
        """Whether samples (n, d) are projected: not classes (n,), and not at most k columns."""
        return values.ndim == 2 and values.shape[1] > self.k

    def _random(self, values: Tensor, rng: np.random.Generator) -> Tensor | None:
        """A uniformly random (d, k) orthonormal frame; None for what is not projected."""
        if not self._projected(values):
            return None
        return _frame(torch.from_numpy(rng.standard_normal((values.shape[1], self.k))).to(values))

    def _largest(self, inner: Any, x: Tensor, y: Tensor, rng: np.random.Generator) -> Estimate:
        order = torch.from_numpy(rng.permutation(len(x)))
        search, held = order[: len(x) // 2].to(x.device), order[len(x) // 2 :].to(x.device)

        def value(frames: tuple[Tensor | None, Tensor | None], rows: Tensor) -> Estimate:
            found: Estimate = inner.estimate(_project(x[rows], frames[0]), _project(y[rows.to(y.device)], frames[1]))
            return found

        candidates = [self._canonical(x[search], y[search.to(y.device)], rng)]
        candidates += [(self._random(x, rng), self._random(y, rng)) for _ in range(self.slices)]
        scored = [(value(frames, search).nats, frames) for frames in candidates]
        best, frames = max(scored, key=lambda pair: pair[0])
        size = 0.3
        for _ in range(self.slices):
            tried = _moved(frames[0], size, rng), _moved(frames[1], size, rng)
            nats = value(tried, search).nats
            if nats > best:
                best, frames = nats, tried
            else:
                size = max(0.9 * size, 1e-3)
        return value(frames, held)

    def _canonical(self, x: Tensor, y: Tensor, rng: np.random.Generator) -> tuple[Tensor | None, Tensor | None]:
        """The leading k pairs of canonical directions, random ones where there are fewer."""
        white_x, back_x = _whitened(_quantities(x))
        white_y, back_y = _whitened(_quantities(y).to(x.device))
        left, _, right = torch.linalg.svd(white_x.mT @ white_y, full_matrices=False)
        frames = []
        for values, directions in ((x, back_x @ left), (y, back_y @ right.mT)):
            frame = self._random(values, rng)
            if frame is not None:
                used = min(self.k, directions.shape[1])
                frame = _frame(torch.cat([directions[:, :used], frame], 1)[:, : self.k])
            frames.append(frame)
        return frames[0], frames[1]


def _quantities(values: Tensor) -> Tensor:
    """Samples as they are, classes one-hot coded, in float64."""
    return torch.nn.functional.one_hot(values).double() if values.ndim == 1 else values


def _project(values: Tensor, frame: Tensor | None) -> Tensor:
    return values if frame is None else values @ frame


def _frame(matrix: Tensor) -> Tensor:
    frame: Tensor = torch.linalg.qr(matrix).Q
    return frame


def _moved(frame: Tensor | None, size: float, rng: np.random.Generator) -> Tensor | None:
    if frame is None:
        return None
    step = torch.from_numpy(rng.standard_normal(tuple(frame.shape))).to(frame) / math.sqrt(frame.shape[0])
    return _frame(frame + size * step)


def _whitened(values: Tensor) -> tuple[Tensor, Tensor]:
    """Centered values with unit covariance (with a small ridge for nearly constant directions), and the map to them."""
    centered = values - values.mean(0)
    left, gains, right = torch.linalg.svd(centered, full_matrices=False)
    ridged = (gains.square() + 1e-6 * gains[0].square() + 1e-300).sqrt()
    return left * (gains / ridged), right.mT / ridged
