"""Measures of a representation without labels: information about the input, and independence of its features."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Integer, PositiveInt, Seed, Settings
from infoflow.estimators import Neural, neural_dependency, total_correlation
from infoflow.probes.score import Score


@dataclass(frozen=True, kw_only=True)
class UnlabeledProbe(Settings):
    """Base of the measures of features without labels, on at most `n_samples` random samples."""

    n_samples: Annotated[int, Integer(2)] = 10_000
    seed: Seed = 0

    takes: ClassVar[str] = "features"

    def _drawn(self, x: Tensor) -> Tensor:
        """At most `n_samples` of the samples, in their order."""
        if len(x) <= self.n_samples:
            return x
        chosen = np.sort(np.random.default_rng(self.seed).permutation(len(x))[: self.n_samples])
        return x[torch.from_numpy(chosen).to(x.device)]


def _samples(value: Any, name: str) -> Tensor:
    return samples(value, name, dtype=torch.float32)


@dataclass(frozen=True)
class InputInformation(UnlabeledProbe):
    """Mutual information Î(X;Y) of inputs and features, by default by MINE on held-out samples, in nats.

    Parameters
    ----------
    estimator
        Estimator with `estimate(x, y)`.
    components
        Inputs of more columns are reduced to so many principal components.
    n_samples
        Largest number of samples that are used.
    seed
        Seed of the choice of samples and of the principal components.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    For a deterministic encoder of continuous inputs I(X;Y) is infinite, and a lower bound depends on the critic as
    much as on the encoder. Use it to compare encoders on the same inputs, and for nothing else. Values in [1]_ reach
    102 nats, and [3]_ shows that no bound from n samples can be trusted far above log n, 11 nats for 50000; [1]_ does
    not state on which samples they were computed.

    Since Y shares no more information with a function of X than with X, a lower bound on the information about the
    principal components is a lower bound on I(X;Y). A critic of thousands of columns would overfit.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, section 4.1.
    .. [2] M. I. Belghazi et al., "Mutual information neural estimation", ICML 2018.
    .. [3] D. McAllester and K. Stratos, "Formal limitations on the measurement of mutual information", AISTATS 2020.

    Examples
    --------
    >>> from infoflow.estimators import Gaussian
    >>> x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    >>> probe = InputInformation(Gaussian())
    >>> probe.score(x, x.sum(1) + torch.randn(500, generator=torch.Generator().manual_seed(1))).unit
    'nats'
    """

    estimator: Estimator = field(default_factory=lambda: Neural(bound="mine"))
    components: PositiveInt = 64

    name: ClassVar[str] = "Î(X;Y)"
    takes: ClassVar[str] = "inputs"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(getattr(self.estimator, "estimate", None)):
            raise InvalidArgument("estimator", "an object with estimate(x, y)", self.estimator)

    def score(self, inputs: Any, features: Any) -> Score:
        """Estimate the information that the features share with the inputs.

        Parameters
        ----------
        inputs : array-like of shape (n, ...)
            Inputs of the encoder.
        features : array-like of shape (n, ...)
            Features of the same samples.

        Returns
        -------
        Score
            The estimate in nats.

        Raises
        ------
        InvalidArgument
            If lengths differ, a value is not finite, or the estimator raises it.
        """
        x, y = _samples(inputs, "inputs"), _samples(features, "features")
        paired(x, y, "inputs", "features")
        x, y = self._drawn(x), self._drawn(y)
        estimate = self.estimator.estimate(_principal(x, self.components, self.seed), y)
        score = Score.of_estimate(self.name, estimate)
        return dataclasses.replace(score, settings={**score.settings, "components": min(self.components, x.shape[1])})


@dataclass(frozen=True)
class NeuralDependency(UnlabeledProbe):
    """Neural dependency measure: how far the features are from independent, in nats; 0 if they are independent.

    Parameters
    ----------
    sigmoid
        Whether σ(Y) is measured, for representations that are matched to a uniform prior.
    settings
        Further arguments of `infoflow.estimators.neural_dependency`.
    n_samples
        Largest number of samples that are used.
    seed
        Seed of the choice of samples and of the discriminator.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    σ(Y) is not standardized, since a uniform prior gives it its scale. Features much smaller than 1 are almost constant
    after σ, and the discriminator then finds no dependence where there is one; compare with the measure without σ.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, section 4.1.

    Examples
    --------
    >>> y = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    >>> probe = NeuralDependency(settings={"hidden": (16,), "max_epochs": 2})
    >>> probe.score(y).value < 0.1
    True
    """

    sigmoid: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the measure in tables."""
        return "NDM (sigmoid)" if self.sigmoid else "NDM"

    def score(self, features: Any) -> Score:
        """Estimate the dependence of the features.

        Parameters
        ----------
        features : array-like of shape (n, ...)
            Features.

        Returns
        -------
        Score
            The estimate in nats.

        Raises
        ------
        InvalidArgument
            If a feature is not finite, or `neural_dependency` raises it.
        """
        y = self._drawn(_samples(features, "features"))
        return Score.of_estimate(self.name, neural_dependency(y, sigmoid=self.sigmoid, seed=self.seed, **self.settings))


@dataclass(frozen=True)
class TotalCorrelation(UnlabeledProbe):
    """Total correlation of the features by their correlation matrix, in nats.

    Parameters
    ----------
    n_samples
        Largest number of samples that are used.
    seed
        Seed of the choice of samples.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    The measure detects linear dependence only.

    Examples
    --------
    >>> y = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    >>> TotalCorrelation().score(torch.cat([y, y[:, :1] + y[:, 1:] + 0.1 * y[:, :1].square()], 1)).value > 1
    True
    """

    name: ClassVar[str] = "TC"

    def score(self, features: Any) -> Score:
        """Estimate the total correlation of the features.

        Parameters
        ----------
        features : array-like of shape (n, ...)
            Features.

        Returns
        -------
        Score
            The estimate in nats.

        Raises
        ------
        InvalidArgument
            If a feature is not finite, or `infoflow.estimators.total_correlation` raises it.
        """
        return Score.of_estimate(self.name, total_correlation(self._drawn(_samples(features, "features"))))


def _principal(x: Tensor, count: int, seed: int) -> Tensor:
    """So many principal components, found by a randomized range finder; x itself if it has no more columns."""
    if x.shape[1] <= count:
        return x
    x = x - x.mean(0)
    basis = torch.randn(x.shape[1], 2 * count, generator=torch.Generator().manual_seed(seed)).to(x)
    for _ in range(4):
        basis = torch.linalg.qr(x.T @ (x @ basis)).Q
    directions = torch.linalg.svd(x @ basis, full_matrices=False).Vh[:count]
    reduced: Tensor = x @ (basis @ directions.T)
    return reduced
