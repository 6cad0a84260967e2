"""Measures of a representation that need no label: information about the input, and independence of its features."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from infoflow.core.checks import flag, integer, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate
from infoflow.core.protocols import Estimator
from infoflow.estimators import Neural, neural_dependency
from infoflow.estimators.wrappers.total_correlation import total_correlation
from infoflow.probes.score import Score


def _first(x: Tensor, count: int, seed: int) -> Tensor:
    """So many samples by chance, in their order."""
    if len(x) <= count:
        return x
    return x[torch.from_numpy(np.sort(np.random.default_rng(seed).permutation(len(x))[:count])).to(x.device)]


def _principal(x: Tensor, count: int, seed: int) -> Tensor:
    """So many principal components, found by a randomized range finder; x itself where it has no more columns."""
    if x.shape[1] <= count:
        return x
    x = x - x.mean(0)
    basis = torch.randn(x.shape[1], 2 * count, generator=torch.Generator().manual_seed(seed)).to(x)
    for _ in range(4):
        basis = torch.linalg.qr(x.T @ (x @ basis)).Q
    directions = torch.linalg.svd(x @ basis, full_matrices=False).Vh[:count]
    reduced: Tensor = x @ (basis @ directions.T)
    return reduced


@dataclass(frozen=True)
class InputInformation:
    """Î(X;Y), what the features tell of the inputs, by MINE with held-out samples; nats.

    For a deterministic encoder of continuous inputs I(X;Y) is infinite, and any lower bound says as much of the critic
    as of the encoder: compare encoders by it, on the same inputs, and nothing else. The paper's figures (45 to 102
    nats) are read off training samples and lie above what their number can support; these can't.

    Inputs of more than `components` columns are reduced to that many principal components first: what Y tells of a
    function of X it tells of X, so a lower bound stays one, and a critic of thousands of columns would overfit. At most
    `samples` of them are used. `estimator` is any with `estimate(x, y)`. Hjelm et al. (2019), section 4.3; Belghazi et
    al. (2018).

    >>> from infoflow.estimators import Gaussian
    >>> x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    >>> probe = InputInformation(Gaussian())
    >>> probe.score(x, x.sum(1) + torch.randn(500, generator=torch.Generator().manual_seed(1))).unit
    'nats'
    """

    estimator: Estimator = field(default_factory=lambda: Neural(bound="mine"))
    components: int = 64
    samples: int = 10_000
    seed: int = 0

    name: ClassVar[str] = "Î(X;Y)"
    takes: ClassVar[str] = "inputs"

    def __post_init__(self) -> None:
        integer(self.components, "components")
        integer(self.samples, "samples", minimum=2)
        integer(self.seed, "seed", minimum=0)
        if not callable(getattr(self.estimator, "estimate", None)):
            raise InvalidArgument(f"estimator is {self.estimator!r}; want one with estimate(x, y)")

    def score(self, inputs: Any, features: Any) -> Score:
        """The estimate for inputs (n, ...) and their features (n, ...). Raises what the estimator does."""
        x, y = samples(inputs, "inputs", dtype=torch.float32), samples(features, "features", dtype=torch.float32)
        paired(x, y, "inputs", "features")
        x, y = (_first(value, self.samples, self.seed) for value in (x, y))
        estimate = self.estimator.estimate(_principal(x, self.components, self.seed), y)
        score = Score.of_estimate(self.name, estimate)
        return dataclasses.replace(score, settings={**score.settings, "components": min(self.components, x.shape[1])})


@dataclass(frozen=True)
class NeuralDependency:
    """The neural dependency measure of the features: how far they are from independent, in nats; 0 is independent.

    With `sigmoid`, of σ(Y), as for representations that are matched to a uniform prior. `settings` go to
    `infoflow.estimators.neural_dependency`. At most `samples` of them are used. Hjelm et al. (2019), section 4.3.

    >>> y = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    >>> probe = NeuralDependency(settings={"hidden": (16,), "max_epochs": 2})
    >>> probe.score(y).value < 0.1
    True
    """

    sigmoid: bool = False
    samples: int = 10_000
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    takes: ClassVar[str] = "features"

    def __post_init__(self) -> None:
        flag(self.sigmoid, "sigmoid")
        integer(self.samples, "samples", minimum=2)
        integer(self.seed, "seed", minimum=0)

    @property
    def name(self) -> str:
        """What the measure is called in a table."""
        return "NDM (sigmoid)" if self.sigmoid else "NDM"

    def score(self, features: Any) -> Score:
        """The estimate for features (n, ...). Raises what the estimator does."""
        y = _first(samples(features, "features", dtype=torch.float32), self.samples, self.seed)
        estimate: Estimate = neural_dependency(y, sigmoid=self.sigmoid, seed=self.seed, **self.settings)
        return Score.of_estimate(self.name, estimate)


@dataclass(frozen=True)
class TotalCorrelation:
    """The total correlation of the features by their correlation matrix, in nats; blind to other dependence.

    >>> y = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    >>> TotalCorrelation().score(torch.cat([y, y[:, :1] + y[:, 1:] + 0.1 * y[:, :1].square()], 1)).value > 1
    True
    """

    samples: int = 10_000
    seed: int = 0

    name: ClassVar[str] = "TC"
    takes: ClassVar[str] = "features"

    def __post_init__(self) -> None:
        integer(self.samples, "samples", minimum=2)
        integer(self.seed, "seed", minimum=0)

    def score(self, features: Any) -> Score:
        """The estimate for features (n, ...). Raises what `infoflow.estimators.wrappers.total_correlation` does."""
        y = _first(samples(features, "features", dtype=torch.float32), self.samples, self.seed)
        return Score.of_estimate(self.name, total_correlation(y))
