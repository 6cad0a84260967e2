"""Densities that are networks: a linear Gaussian model, and a network for the residuals that it leaves."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.estimators.learned.densities.estimator import (
    Densities,
    DensityEstimator,
    Parts,
    determined,
    finite_or_error,
    share_unexplained,
)
from infoflow.estimators.learned.densities.linear import LinearGaussian, fit_linear_gaussian
from infoflow.estimators.learned.estimator import Device, TrainingSettings
from infoflow.estimators.learned.stack import Stack, Weights
from infoflow.estimators.learned.training import Fitted, Objective, Part

# Features of x are clipped here, in standard deviations: beyond its training samples a network is arbitrary.
_FARTHEST = 6.0

# Rows that a density is evaluated on at a time.
_BLOCK = 2048

# A longer gradient is scaled down: a single outlier must not dominate a step.
_LONGEST = 5.0


@dataclass(frozen=True)
class Prepared:
    """One fold of one density: the linear model and, for each part, the features of x and the residuals of y."""

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
        """Residuals of the report part with its y in this order."""
        x, y = self.report
        return self.linear.residual(x, y[order.to(y.device)])


def _features(x: Sequence[Tensor]) -> list[Tensor]:
    """Standardized columns and, for more than one, the log of their root mean square, on which spreads often depend."""
    mean = x[0].mean(0)
    deviation = (x[0] - mean).square().mean(0).sqrt().clamp(min=1e-12)
    columns = [((part - mean) / deviation).clamp(-_FARTHEST, _FARTHEST) for part in x]
    if x[0].shape[1] < 2:
        return columns
    scale = math.sqrt(x[0].shape[1] / 2)
    return [torch.cat([c, scale * (c.square().mean(1, keepdim=True) + 1e-3).log()], 1) for c in columns]


class DensityObjective(Objective):
    """The mean of network(x, r), such as the log-likelihood of r given x."""

    longest_gradient = _LONGEST

    def on_batch(self, stack: Stack, batch: Part) -> Tensor:
        value: Tensor = stack(*batch.inputs).mean(1)
        return value

    def held_out(self, stack: Stack, part: Part, weights: Weights, batch: int) -> Tensor:
        return torch.cat([stack(*block.inputs, weights=weights) for block in part.blocks(_BLOCK)], 1).mean(1)


@dataclass(frozen=True, kw_only=True)
class NetworkDensities(TrainingSettings, DensityEstimator):
    """log q(y|x) and log q(y) by networks on top of linear Gaussian models; all folds train as one batched stack.

    A subclass defines the network, and how it is trained and evaluated where that is not its log density.
    """

    device: Device = "cpu"

    @property
    def _device(self) -> str:
        return self.device

    @property
    def _likelihoods(self) -> bool:
        """Whether the objective is log q(y|x) itself, so that its fall on held-out samples is one in nats."""
        return True

    @abc.abstractmethod
    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        """A network whose forward(x, r) is log q(r|x), or what the objective maximizes instead."""

    def _objective(self, dimensions: int) -> Objective:
        return DensityObjective()

    def read(self, network: nn.Module, x: Tensor, r: Tensor, seed: int) -> Tensor:
        """Evaluate log q(r|x), (n,), by a fitted network.

        Parameters
        ----------
        network
            A fitted network.
        x : Tensor of shape (n, p)
            Features.
        r : Tensor of shape (n, d)
            Residuals.
        seed
            Random seed, for densities that are evaluated by sampling.

        Returns
        -------
        Tensor
            Nats, shape (n,).
        """
        blocks = zip(torch.split(x, _BLOCK), torch.split(r, _BLOCK), strict=True)
        return torch.cat([network(*block) for block in blocks])

    def _densities(self, folds: Sequence[Parts]) -> list[Densities]:
        given = [Prepared.of(fold.x, fold.y) for fold in folds]
        alone = [Prepared.of([x[:, :0] for x in fold.x], fold.y) for fold in folds]
        conditional, conditional_fit = self._fit(given, 0)
        marginal, marginal_fit = self._fit(alone, 1)
        original = torch.arange(len(folds[0].y[2]))
        results = []
        for k, (with_x, without) in enumerate(zip(given, alone, strict=True)):
            share = share_unexplained(with_x.linear.whitening, without.linear.whitening)
            results.append(
                Densities(
                    conditional[k](original),
                    marginal[k](original),
                    conditional[k],
                    gap=float(conditional_fit.gap[k]) if self._likelihoods else 0.0,
                    late=int(~conditional_fit.stopped[k]) + int(~marginal_fit.stopped[k]),
                    count=2,
                    history=[
                        {"member": float(k), "conditional": float(of is conditional_fit), "epoch": float(epoch)}
                        | {"training": training, "validation": validation}
                        for of in (conditional_fit, marginal_fit)
                        for epoch, (training, validation) in enumerate(of.history[k], 1)
                    ],
                    warnings=tuple(determined(share)),
                )
            )
        return results

    def _fit(self, folds: Sequence[Prepared], which: int) -> tuple[list[Callable[[Tensor], Tensor]], Fitted]:
        """For each fold, the log density of the report part with its y in any order."""
        seeds = np.random.SeedSequence([self.seed, which]).generate_state(3 * len(folds), np.uint64) >> 1
        initial, order, reading = ([int(s) for s in seeds[i::3]] for i in range(3))
        train, validate = (
            Part(
                torch.stack([fold.features[part] for fold in folds]).float(),
                torch.stack([fold.residuals[part] for fold in folds]).float(),
            )
            for part in range(2)
        )
        features, dimensions = (values.shape[2] for values in train.inputs)
        networks = [self._network(features, dimensions, seed).to(self.device, torch.float32) for seed in initial]
        what = f"the density of y{' given x' if features else ''}"
        fitted = self.train(networks, self._objective(dimensions), train, validate, order, what=what)
        readers = []
        for k, fold in enumerate(folds):
            reader = _Reader(self, fitted.stack.member(k), fold, reading[k])
            # A network that was not fitted by likelihood may have a lower one than the linear model alone.
            better = self._likelihoods or reader.mean_residual_density(1) > float(
                _normal_density(fold.residuals[1]).mean()
            )
            readers.append(reader if better else replace(reader, network=None))
        return [reader.log_density for reader in readers], fitted


@dataclass(frozen=True)
class _Reader:
    """One fold's fitted density, applied to its report part."""

    estimator: NetworkDensities
    network: nn.Module | None
    """None leaves the residuals normal, as the linear model has them."""
    fold: Prepared
    seed: int

    @torch.no_grad()
    def log_density(self, order: Tensor) -> Tensor:
        """log q(y|x), (rows,), with y in this order."""
        density = self._read(self.fold.features[2], self.fold.residuals_in(order))
        return finite_or_error(density) + self.fold.linear.log_volume

    @torch.no_grad()
    def mean_residual_density(self, part: int) -> float:
        """Mean log q(r|x) of a part; NaN compares as worse than any number."""
        return float(self._read(self.fold.features[part], self.fold.residuals[part]).double().mean())

    def _read(self, x: Tensor, r: Tensor) -> Tensor:
        if self.network is None:
            return _normal_density(r)
        return self.estimator.read(self.network, x.float(), r.float(), self.seed)


def _normal_density(r: Tensor) -> Tensor:
    return -(r.square().sum(1) + r.shape[1] * math.log(2 * math.pi)) / 2
