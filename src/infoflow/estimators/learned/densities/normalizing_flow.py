"""Normalizing flows of zuko as densities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from infoflow.core.errors import MissingExtra
from infoflow.core.settings import PositiveInt
from infoflow.estimators.learned.densities.networks import NetworkDensities


class _LogDensity(nn.Module):
    """A flow as a function of the context and the samples; without context it is the marginal density."""

    def __init__(self, flow: nn.Module) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, x: Tensor, r: Tensor) -> Any:
        return self.flow(x if x.shape[1] else None).log_prob(r)


@dataclass(frozen=True, kw_only=True)
class NormalizingFlow(NetworkDensities):
    """I(X;Y) = E[log q(y|x) − log q(y)] by two normalizing flows, one of them conditioned on x.

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
    hidden
        Widths of the hidden layers of each transform.
    batch_size
        Samples in a batch.
    max_epochs
        Largest number of epochs.
    patience
        Epochs without progress on the validation samples after which training ends.
    learning_rate
        Learning rate of AdamW.
    weight_decay
        Weight decay of AdamW.
    device
        The torch device of the computation.
    transforms
        Autoregressive transforms of each flow.
    flow
        "nsf" (neural spline flow) or "maf" (masked autoregressive flow) of zuko.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Requires zuko (`pip install 'infoflow[flows]'`); `estimate` raises MissingExtra without it. The flows have the
    residuals of linear Gaussian models; folds, interval, warnings and errors are those of `DifferenceOfEntropies`. The
    difference has no ceiling near log n, and is not a bound.

    References
    ----------
    Rezende and Mohamed (2015), "Variational inference with normalizing flows", ICML. Durkan et al. (2019), "Neural
    spline flows", NeurIPS. Papamakarios et al. (2017), "Masked autoregressive flow for density estimation", NeurIPS.
    McAllester and Stratos (2020), "Formal limitations on the measurement of mutual information", AISTATS, Eq. 3.

    Examples
    --------
    >>> NormalizingFlow(flow="maf").transforms
    2
    """

    transforms: PositiveInt = 2
    flow: Literal["nsf", "maf"] = "nsf"

    def _network(self, features: int, dimensions: int, seed: int) -> nn.Module:
        try:
            from zuko import flows
        except ImportError:
            raise MissingExtra("zuko", "flows", "A normalizing flow") from None
        build = flows.NSF if self.flow == "nsf" else flows.MAF
        # zuko draws initial weights from torch's global generator, whose state is restored.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = build(features=dimensions, context=features, transforms=self.transforms, hidden_features=self.hidden)
        with torch.no_grad():
            _to_identity(made)
        return _LogDensity(made)


def _to_identity(flow: nn.Module) -> None:
    """Shrink the initial outputs of the networks, because the linear Gaussian model before them is a good start."""
    for hyper in flow.modules():
        # One dimension without context has parameters in place of a network's outputs.
        last = hyper[-1] if isinstance(hyper, nn.Sequential) else hyper
        if last is not hyper or isinstance(hyper, nn.ParameterList):
            for weight in last.parameters():
                weight.mul_(0.01)
