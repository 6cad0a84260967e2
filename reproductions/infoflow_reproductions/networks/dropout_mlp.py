"""The fully connected network that dropouts are compared in."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.models.seeded import seeded
from infoflow_reproductions.networks.noisy import noisy_layer


class DropoutMLP(nn.Sequential):
    """A perceptron whose hidden layers carry a dropout: (n, widths[0]) -> logits (n, widths[-1]).

    Its modules are named `hidden1`, `hidden2`, ..., `logits`; `dropout` is one of `noisy_layer`'s. Parameters are drawn
    from `seed` alone.

    Raises InvalidArgument (fewer than three widths, seed, max_alpha, rate), UnknownName (dropout, activation).

    Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), section 6: three hidden layers of one width on MNIST.

    >>> import torch
    >>> from infoflow.layers import information_cost
    >>> network = DropoutMLP([784, 32, 32, 32, 10], "information")
    >>> network(torch.zeros(5, 784)).shape, sorted(information_cost(network, per="layer"))
    (torch.Size([5, 10]), ['hidden1', 'hidden2', 'hidden3'])
    """

    def __init__(
        self,
        widths: Sequence[int],
        dropout: str = "information",
        *,
        activation: str = "relu",
        max_alpha: float = 0.7,
        rate: float = 0.5,
        seed: int = 0,
    ) -> None:
        widths = [integer(width, "widths") for width in widths]
        if len(widths) < 3:
            raise InvalidArgument(f"widths {widths} have no hidden layer; want at least three widths")
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        with seeded(seed):
            for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths[:-1]), start=1):
                modules[f"hidden{i}"] = noisy_layer(
                    nn.Linear(fan_in, fan_out), dropout, activation, max_alpha=max_alpha, rate=rate
                )
            modules["logits"] = nn.Linear(widths[-2], widths[-1])
        super().__init__(modules)
