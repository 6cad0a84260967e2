"""Sliced mutual information: the information between low-dimensional projections, averaged or at its largest."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import choice, classes, integer, is_classes, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Interval, LayerInformation
from infoflow.core.protocols import Estimator
from infoflow.estimators.registry import resolve
from infoflow.estimators.wrappers.warnings import gathered


@dataclass(frozen=True)
class Sliced:
    """Sliced mutual information around any estimator of I.

    mode "average": SI_k(X;Y) = E I(ΘᵀX; ΦᵀY) over random Θ, Φ with k orthonormal columns, `slices` of them; the 95 %
    interval is Monte Carlo's, over the slices. mode "max": max over Θ, Φ of I(ΘᵀX; ΦᵀY). Its search takes the
    canonical-correlation directions and `slices` random ones, then climbs from the best by `slices` random steps that
    shrink when they fail, all on one half of the samples; the value is from the other half, so that the search doesn't
    flatter it. It finds a good direction, not surely the best.

    By data processing either is at most I(X;Y) (k = 1 often far below): it is a measure of its own, comparable
    among variables of the same dimensions. Classes (integer `y` of shape (n,)) are not sliced, nor is a variable of at
    most k columns. Nats, `x` and `y` of shape (n, ...); kind and ceiling are those of the estimator.

    Raises InvalidArgument or TooFewSamples for what it, or the estimator, can't use.

    Goldfeld & Greenewald (2021), definition 1; Goldfeld et al. (2022), k-sliced; Tsur, Goldfeld & Greenewald (2023),
    max-sliced.

    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(2000, 2))
    >>> y = x[:, :1] + x[:, 1:] + rng.normal(size=(2000, 1))
    >>> Sliced(Gaussian(), mode="max").estimate(x, y).nats   # ½ log 3 = 0.55
    0.6
    """

    estimator: str | Estimator = "ksg"
    slices: int = 100
    k: int = 1
    mode: str = "average"
    seed: int = 0

    def __post_init__(self) -> None:
        resolve(self.estimator)
        integer(self.slices, "slices", minimum=2)
        integer(self.k, "k")
        choice(self.mode, "mode of sliced", ("average", "max"))
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """SI(X;Y), or its maximum."""
        return self._estimate(x, y, "x", "y", "(X;Y)")

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """SI(X;T) and SI(T;Y); the network's inputs `x` are needed."""
        if x is None:
            raise InvalidArgument("x is None; sliced information needs the network's inputs for SI(X;T)")
        classes(y, "y")
        return LayerInformation(self._estimate(x, t, "x", "t", "(X;T)"), self._estimate(t, y, "t", "y", "(T;Y)"))

    def _estimate(self, x: Any, y: Any, x_name: str, y_name: str, variables: str) -> Estimate:
        first, second = _values(x, x_name), _values(y, y_name)
        paired(first, second, x_name, y_name)
        inner = resolve(self.estimator)
        rng = np.random.default_rng(self.seed)
        if self.mode == "max":
            found = self._largest(inner, first, second, rng)
            return replace(
                found,
                quantity=f"max-SI_{self.k}{variables}",
                estimator="Sliced",
                n=len(first),
                parameters=self._parameters(),
                warnings=(*found.warnings, "directions were searched on one half, the value is from the other half"),
            )
        parts = []
        for _ in range(self.slices):
            directions = self._random(first, rng), self._random(second, rng)
            parts.append(inner.estimate(_project(first, directions[0]), _project(second, directions[1])))
        values = np.array([part.nats for part in parts])
        mean, half = float(values.mean()), 1.96 * float(values.std(ddof=1)) / math.sqrt(self.slices)
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
            interval=Interval(mean - half, mean + half, "slices"),
            warnings=gathered(parts, "slices"),
        )

    def _parameters(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _random(self, values: Tensor, rng: np.random.Generator) -> Tensor | None:
        """A uniformly random (d, k) orthonormal frame; None where there is nothing to slice."""
        if values.ndim == 1 or values.shape[1] <= self.k:
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
        other = torch.nn.functional.one_hot(y).to(x) if y.ndim == 1 else y.to(x)
        white_x, back_x = _whitened(x)
        white_y, back_y = _whitened(other)
        left, _, right = torch.linalg.svd(white_x.mT @ white_y, full_matrices=False)
        frames = []
        for values, directions in ((x, back_x @ left), (y, back_y @ right.mT)):
            frame = self._random(values, rng)
            if frame is not None:
                used = min(self.k, directions.shape[1])
                frame = _frame(torch.cat([directions[:, :used], frame], 1)[:, : self.k])
            frames.append(frame)
        return frames[0], frames[1]


def _values(value: Any, name: str) -> Tensor:
    """Samples (n, d), or class codes (n,)."""
    if is_classes(value):
        return classes(value, name, minimum=2)[0]
    return samples(value, name, dtype=torch.float64)


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
    """Centered values with unit covariance (a little ridge for what is nearly constant), and the map that did it."""
    centered = values - values.mean(0)
    left, gains, right = torch.linalg.svd(centered, full_matrices=False)
    ridged = (gains.square() + 1e-6 * gains[0].square() + 1e-300).sqrt()
    return left * (gains / ridged), right.mT / ridged
