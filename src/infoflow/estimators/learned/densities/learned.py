"""Densities that are networks: a linear Gaussian model first, and a network for the residuals that it leaves."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core import checks
from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.estimators.learned.densities.estimator import (
    Densities,
    DensityEstimator,
    Parts,
    determined,
    finite_or_none,
    share_unexplained,
)
from infoflow.estimators.learned.densities.fitting import Draw, Fitted, fit
from infoflow.estimators.learned.densities.linear import LinearGaussian, fit_linear_gaussian
from infoflow.estimators.learned.held_out import Schedule

# Features of x are cut off here, in standard deviations: a network goes anywhere beyond what it has seen.
_FARTHEST = 6.0

# Rows that a density is read off at a time.
_BLOCK = 2048


@dataclass(frozen=True)
class Prepared:
    """One fold of one density: the linear model and, for each part, features of x and residuals of y."""

    linear: LinearGaussian
    features: Sequence[Tensor]
    residuals: Sequence[Tensor]
    report: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, x: Sequence[Tensor], y: Sequence[Tensor]) -> Prepared:
        linear = fit_linear_gaussian(x[0], y[0], x[1], y[1])
        features = _features(x)
        residuals = [linear.residual(a, b) for a, b in zip(x, y, strict=True)]
        return cls(linear, features, residuals, (x[2], y[2]))

    def residuals_in(self, order: Tensor) -> Tensor:
        """The report part's residuals, its y in that order."""
        x, y = self.report
        return self.linear.residual(x, y[order.to(y.device)])


def _features(x: Sequence[Tensor]) -> list[Tensor]:
    """Standardized columns and, for more than one, the log of their root mean square: spreads often follow it."""
    mean = x[0].mean(0)
    deviation = (x[0] - mean).square().mean(0).sqrt().clamp(min=1e-12)
    columns = [((part - mean) / deviation).clamp(-_FARTHEST, _FARTHEST) for part in x]
    if x[0].shape[1] < 2:
        return columns
    scale = math.sqrt(x[0].shape[1] / 2)
    return [torch.cat([c, scale * (c.square().mean(1, keepdim=True) + 1e-3).log()], 1) for c in columns]


@dataclass(frozen=True)
class LearnedDensities(DensityEstimator):
    """log q(y|x) and log q(y) by networks that go on from linear Gaussian models; all folds in one batched fit."""

    hidden: tuple[int, ...] = (64, 64)
    batch_size: int = 256
    max_epochs: int = 100
    patience: int = 5
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    device: str = "cpu"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_epochs", "patience"):
            checks.integer(getattr(self, name), name)
        checks.integer(self.batch_size, "batch_size", minimum=4)
        if not isinstance(self.hidden, tuple):  # a list could not be hashed
            raise InvalidArgument(f"hidden is {self.hidden!r}; want a tuple of layer widths")
        for width in self.hidden:
            checks.integer(width, "hidden")
        checks.positive(self.learning_rate, "learning_rate")
        checks.positive(self.weight_decay, "weight_decay", zero=True)
        try:
            torch.device(self.device)
        except (RuntimeError, TypeError):
            raise InvalidArgument(f"device is {self.device!r}; want one that torch knows, such as 'cuda:0'") from None

    @property
    def _device(self) -> str:
        return self.device

    @property
    def _likelihoods(self) -> bool:
        """Whether what is maximized is log q(y|x) itself, so that its fall on held-out samples is one in nats."""
        return True

    @abc.abstractmethod
    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        """A network whose forward(x, r) is log q(r|x), or what else is to be maximized."""

    def read(self, network: nn.Module, x: Tensor, r: Tensor, seed: int) -> Tensor:
        """(n,) log q(r|x) by a fitted network."""
        blocks = zip(torch.split(x, _BLOCK), torch.split(r, _BLOCK), strict=True)
        return torch.cat([network(*block) for block in blocks])

    def _draws(self, dimensions: int) -> Draw | None:
        """Random inputs that the objective takes besides x and r, if any."""
        return None

    def _densities(self, folds: Sequence[Parts]) -> list[Densities]:
        given = [Prepared.of(fold.x, fold.y) for fold in folds]
        alone = [Prepared.of([x[:, :0] for x in fold.x], fold.y) for fold in folds]
        conditional, conditional_fit = self._fit(given, 0)
        marginal, marginal_fit = self._fit(alone, 1)
        in_order = torch.arange(len(folds[0].y[2]))
        results = []
        for k, (with_x, without) in enumerate(zip(given, alone, strict=True)):
            share = share_unexplained(with_x.linear.whitening, without.linear.whitening)
            results.append(
                Densities(
                    conditional[k](in_order),
                    marginal[k](in_order),
                    conditional[k],
                    gap=float(conditional_fit.training[k] - conditional_fit.best[k]) if self._likelihoods else 0.0,
                    late=int(~conditional_fit.stopped[k]) + int(~marginal_fit.stopped[k]),
                    history=[
                        {"member": float(k), "conditional": float(of is conditional_fit), "epoch": float(epoch)}
                        | {"training": float(t[k]), "validation": float(v[k])}
                        for of in (conditional_fit, marginal_fit)
                        for epoch, (t, v) in enumerate(of.history, 1)
                    ],
                    warnings=tuple(determined(share)),
                )
            )
        return results

    def _fit(self, folds: Sequence[Prepared], which: int) -> tuple[list[Callable[[Tensor], Tensor]], Fitted]:
        """Of each fold the log density of the report part, its y in any order."""
        seeds = np.random.SeedSequence([self.seed, which]).generate_state(3 * len(folds), np.uint64) >> 1
        initial, order, reading = ([int(s) for s in seeds[i::3]] for i in range(3))
        train, held_out = (
            (
                torch.stack([fold.features[part] for fold in folds]).float(),
                torch.stack([fold.residuals[part] for fold in folds]).float(),
            )
            for part in range(2)
        )
        features, dimensions = train[0].shape[2], train[1].shape[2]
        networks = [self._network(features, dimensions, seed).to(self.device, torch.float32) for seed in initial]
        schedule = Schedule(self.batch_size, self.max_epochs, self.patience, self.learning_rate, self.weight_decay)
        fitted = fit(networks, train, held_out, schedule, order, self._draws(dimensions))
        if not bool(torch.isfinite(fitted.best).all()):
            raise DidNotConverge(
                f"the density of y{' given x' if features else ''} was never finite on held-out samples; lower "
                f"learning_rate ({self.learning_rate})"
            )
        readers = []
        for k, fold in enumerate(folds):
            reader = _Reader(self, fitted.member(k), fold, reading[k])
            # What is not fitted by likelihood may be worse by it than the linear model alone.
            better = self._likelihoods or reader.mean_residual_density(1) > float(
                _normal_density(fold.residuals[1]).mean()
            )
            readers.append(reader if better else replace(reader, network=None))
        return [reader.log_density for reader in readers], fitted


@dataclass(frozen=True)
class _Reader:
    """One fold's fitted density, applied to its report part."""

    estimator: LearnedDensities
    network: nn.Module | None
    """None leaves residuals as the linear model has them."""
    fold: Prepared
    seed: int

    @torch.no_grad()
    def log_density(self, order: Tensor) -> Tensor:
        """(rows,) log q(y|x) with y in that order."""
        density = self._read(self.fold.features[2], self.fold.residuals_in(order))
        return finite_or_none(density) + self.fold.linear.log_volume

    @torch.no_grad()
    def mean_residual_density(self, part: int) -> float:
        """Mean log q(r|x) of a part; NaN is no better than anything."""
        return float(self._read(self.fold.features[part], self.fold.residuals[part]).double().mean())

    def _read(self, x: Tensor, r: Tensor) -> Tensor:
        if self.network is None:
            return _normal_density(r)
        return self.estimator.read(self.network, x.float(), r.float(), self.seed)


def _normal_density(r: Tensor) -> Tensor:
    return -(r.square().sum(1) + r.shape[1] * math.log(2 * math.pi)) / 2
