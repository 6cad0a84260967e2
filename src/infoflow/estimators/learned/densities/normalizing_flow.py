"""Normalizing flows of zuko as densities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core import checks
from infoflow.core.errors import MissingExtra
from infoflow.estimators.learned.densities.learned import LearnedDensities

FLOWS = ("nsf", "maf")


class _LogDensity(nn.Module):
    """A flow as a function of the context and the samples; with no context it is the marginal's."""

    def __init__(self, flow: nn.Module) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, x: Tensor, r: Tensor) -> Any:
        return self.flow(x if x.shape[1] else None).log_prob(r)


@dataclass(frozen=True)
class NormalizingFlow(LearnedDensities):
    """I(X;Y) = E[log q(y|x) − log q(y)] by two normalizing flows, one of them conditioned on x.

    `flow` is "nsf" (neural spline flow, Durkan et al. 2019) or "maf" (masked autoregressive flow, Papamakarios et al.
    2017) of zuko, with `transforms` autoregressive transforms of networks `hidden`. Otherwise as
    `DifferenceOfEntropies`, whose densities they replace: what linear Gaussian models leave is theirs, everything is
    reported on held-out folds, and the difference has no ceiling near log n, but is no bound either.

    Needs zuko (`pip install 'infoflow[flows]'`), else raises MissingExtra; otherwise as `DifferenceOfEntropies`.
    Rezende and Mohamed (2015); McAllester and Stratos (2020), Eq. 3.

    >>> NormalizingFlow(flow="maf").transforms
    2
    """

    transforms: int = 2
    flow: str = "nsf"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.integer(self.transforms, "transforms")
        checks.choice(self.flow, "flow", FLOWS)

    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        try:
            from zuko import flows
        except ImportError:
            raise MissingExtra("zuko", "flows", "a normalizing flow") from None
        build = flows.NSF if self.flow == "nsf" else flows.MAF
        # zuko draws first weights from torch's global generator and in torch's default precision: both are put back.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = build(features=dimensions, context=features, transforms=self.transforms, hidden_features=self.hidden)
        with torch.no_grad():
            _to_identity(made)
        return _LogDensity(made)


def _to_identity(flow: nn.Module) -> None:
    """Shrinks what a flow's networks put out at first: the linear Gaussian model before them is a good start."""
    for hyper in flow.modules():
        # One dimension without context has no network: what that would put out is its parameters.
        last = hyper[-1] if isinstance(hyper, nn.Sequential) else hyper
        if last is not hyper or isinstance(hyper, nn.ParameterList):
            for weight in last.parameters():
                weight.mul_(0.01)
