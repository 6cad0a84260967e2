"""A Gaussian mixture of x and y together, whose marginals are known with it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.errors import DidNotConverge
from infoflow.core.estimate import Kind
from infoflow.core.settings import PositiveInt
from infoflow.estimators.learned.densities.estimator import Densities, DensityEstimator, Parts, determined

# Numbers of components that are tried, in this order, while the likelihood of the validation samples rises.
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128)

# Consecutive numbers that may fail to raise it.
_FAILURES = 2

# Added to variances of about 1; without it a component collapses onto one sample.
_FLOOR = 1e-9


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture of d dimensions: log weights (K,), means (K, d), covariances (K, d, d); float64."""

    log_weights: Tensor
    means: Tensor
    covariances: Tensor

    def of(self, columns: slice) -> Mixture:
        """The marginal mixture of these columns."""
        return Mixture(self.log_weights, self.means[:, columns], self.covariances[:, columns, columns])

    def log_density(self, values: Tensor) -> Tensor:
        """Log density (n,) of values (n, d)."""
        dimensions = values.shape[1]
        if dimensions == 0:
            return torch.zeros_like(values[:, :1]).sum(1)
        terms = []
        for log_weight, mean, covariance in zip(self.log_weights, self.means, self.covariances, strict=True):
            factor = torch.linalg.cholesky(covariance)
            z = torch.linalg.solve_triangular(factor, (values - mean).mT, upper=False)
            log_volume = factor.diagonal().log().sum() + dimensions * math.log(2 * math.pi) / 2
            terms.append(log_weight - log_volume - z.square().sum(0) / 2)
        return torch.stack(terms).logsumexp(0)


@dataclass(frozen=True, kw_only=True)
class GaussianMixtureInformation(DensityEstimator):
    """I(X;Y) of a Gaussian mixture fitted to X and Y together, averaged over held-out samples.

    Parameters
    ----------
    folds
        Number of folds; each is reported on once, by densities that were not fitted or preprocessed with it.
    validation
        Share of the samples outside of a fold that stops and selects.
    preprocessing
        Transform of each dimension, learned on the training samples; "gaussianize" only standardizes a dimension that
        a normal distribution fits already, because ranks would add noise.
    level
        Level of the interval.
    seed
        Random seed; the same seed gives the same estimate.
    max_components
        Largest number of components; the validation samples select the number.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Î = mean over held-out i of log q(x_i, y_i) − log q(x_i) − log q(y_i), with q = Σ_k π_k N(μ_k, Σ_k).

    The joint mixture determines its marginals, so that one fit (EM, full covariances) suffices. It is fast in up to
    some tens of dimensions and has no ceiling near log n. If X or Y are classes, each class has a mixture of its own.
    The interval is Student's over the folds, at least as wide as the standard error of the samples' pointwise values. A
    value below 0 is reported as 0. Sharp edges of a density are smoothed.

    References
    ----------
    Polo et al. (2022), "Effortless mutual information estimation with Gaussian mixtures", which also selects by
    held-out likelihood.

    Examples
    --------
    >>> import torch
    >>> x, noise = torch.randn(2, 1000, 1, generator=torch.Generator().manual_seed(0))
    >>> GaussianMixtureInformation().estimate(x, x + noise).nats  # exactly ½ log 2 = 0.347
    0.35
    """

    max_components: PositiveInt = 32

    @property
    def _kind(self) -> Kind:
        return Kind.POINT

    def _densities(self, folds: Sequence[Parts]) -> list[Densities]:
        return [self._within_classes(fold) if fold.x_classes is not None else self._joint(fold) for fold in folds]

    def _joint(self, fold: Parts) -> Densities:
        joint = [torch.cat([x, y], 1).double() for x, y in zip(fold.x, fold.y, strict=True)]
        chosen, history, gap = self._choose(joint[0], joint[1])
        p = fold.x[0].shape[1]
        x, y = slice(None, p), slice(p, None)
        of_x, of_y = chosen.of(x), chosen.of(y)
        log_joint, log_x = chosen.log_density(joint[2]), of_x.log_density(joint[2][:, x])
        # The smallest share of a variance of y that x leaves, in any component.
        factors = torch.linalg.cholesky(chosen.covariances)
        marginal = torch.linalg.cholesky(chosen.covariances[:, y, y])
        left = torch.linalg.svdvals(torch.linalg.solve_triangular(marginal, factors[:, y, y], upper=False))
        return Densities(
            log_joint - log_x,
            of_y.log_density(joint[2][:, y]),
            lambda order: chosen.log_density(torch.cat([joint[2][:, x], joint[2][order, y]], 1)) - log_x,
            gap=gap,
            history=history,
            warnings=tuple(determined(float(left.min()) ** 2)),
        )

    def _within_classes(self, fold: Parts) -> Densities:
        assert fold.x_classes is not None
        fit, second, report = (codes.to(torch.int64) for codes in fold.x_classes)
        y = [part.double() for part in fold.y]
        count = int(max(int(codes.max()) for codes in (fit, second, report))) + 1
        share = (torch.bincount(fit, minlength=count) + 1.0) / (len(fit) + count)
        whole, _, _ = self._choose(y[0], y[1])
        history: list[dict[str, float]] = []
        mixtures, gaps = [], []
        for c in range(count):
            own = y[0][fit == c]
            # A rare class takes the density of all samples, and then adds no information.
            if len(own) < 2 * (y[0].shape[1] + 2) or not bool((second == c).any()):
                mixtures.append(whole)
                continue
            mixture, rows, gap = self._choose(own, y[1][second == c])
            mixtures.append(mixture)
            history += [{"class": float(c)} | row for row in rows]
            gaps.append(gap * float(share[c]))
        tables = torch.stack([m.log_density(y[2]) for m in mixtures])
        conditional = tables.gather(0, report[None])[0]
        # The marginal is the mixture over classes, so that both are one model.
        marginal = (tables + share.double().log()[:, None]).logsumexp(0)

        def in_order(order: Tensor) -> Tensor:
            return tables.gather(0, report[order][None])[0]

        return Densities(conditional, marginal, in_order, gap=sum(gaps), history=history)

    def _choose(self, fit: Tensor, validate: Tensor) -> tuple[Mixture, list[dict[str, float]], float]:
        """The mixture with the highest validation likelihood, the history, and the gap to the training likelihood."""
        best, most, gap, failures = None, -math.inf, 0.0, 0
        history = []
        d = fit.shape[1]
        for count in _COUNTS:
            # A mixture of more parameters than samples does not generalize.
            if count > self.max_components or (count > 1 and count * (d + 1) * (d + 2) / 2 > len(fit)):
                break
            mixture = self._em(fit, count)
            if mixture is None:
                break
            held_out, own = (float(mixture.log_density(part).mean()) for part in (validate, fit))
            history.append({"components": float(count), "training": own, "validation": held_out})
            if held_out > most:
                best, most, gap, failures = mixture, held_out, own - held_out, 0
            else:
                failures += 1
            if failures == _FAILURES:
                break
        if best is None:
            raise DidNotConverge(
                "no Gaussian mixture could be fitted to x and y: their columns are linear functions of one another, or "
                "too many for so few samples. Drop columns, or use estimator='gaussian' with shrinkage='oas'."
            )
        return best, history, gap

    def _em(self, values: Tensor, components: int) -> Mixture | None:
        scale = values.var(0, correction=0).mean().clamp(min=1e-12)
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        model = GaussianMixture(
            components, tol=1e-3, max_iter=200, reg_covar=_FLOOR * float(scale), random_state=self.seed % 2**32
        )
        with warnings.catch_warnings():
            # 200 steps are enough: the validation likelihood decides on the result.
            warnings.simplefilter("ignore", ConvergenceWarning)
            try:
                fitted: Any = model.fit(values.cpu().numpy())
            except ValueError:  # a component has collapsed
                return None
        parts = (torch.from_numpy(v) for v in (fitted.weights_, fitted.means_, fitted.covariances_))
        weights, means, covariances = (part.to(values) for part in parts)
        mixture = Mixture(weights.log(), means, covariances)
        factors, failed = torch.linalg.cholesky_ex(covariances)
        return mixture if not bool(failed.any()) and bool(torch.isfinite(factors).all()) else None
