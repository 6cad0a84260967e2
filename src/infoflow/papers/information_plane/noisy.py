"""The plane of a network whose own layers are noisy: I(X;T) needs each input many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from infoflow.checks import samples
from infoflow.errors import InvalidArgument
from infoflow.estimators import SamplePropagation
from infoflow.interface import LayerInformation


@dataclass(frozen=True)
class NoisyNetwork:
    """Sample propagation where the layers before are noisy too: I(X;T) = ĥ(T) − Σ_i ĥ(T | x_i)/n, its eq. 11.

    `measure(t, y, x)`: t are a layer's values before its own noise, with noise drawn anew in the layers before it for
    every row; rows of one input x belong together, however they are ordered. The variance must be that of the network's
    noise. Raises InvalidArgument without x. Goldfeld et al. (2019).

    >>> x = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    >>> t = torch.tensor([[-9.0], [-9.1], [9.0], [9.1]])
    >>> round(NoisyNetwork(SamplePropagation(variance=0.1)).measure(t, [0, 0, 1, 1], x).input.bits, 3)
    1.0
    """

    estimator: SamplePropagation

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """I(X;T+ε) and I(T+ε;Y), both with the network's noise."""
        if x is None:
            raise InvalidArgument("x is None; want the network's inputs, to know which rows belong to one")
        rows = samples(x, "x").cpu().numpy()
        _, numbers = np.unique(rows, axis=0, return_inverse=True)
        return LayerInformation(
            self.estimator.estimate(t, torch.from_numpy(numbers.reshape(-1))), self.estimator.estimate(t, y)
        )
