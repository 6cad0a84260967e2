"""The fully connected network in which kinds of dropout are compared."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, Seed, validated
from infoflow.models.seeded import seeded
from infoflow_reproductions.networks.noisy import Activation, Dropout, noisy_layer


class DropoutMLP(nn.Sequential):
    """A perceptron whose hidden layers have a dropout: (n, widths[0]) -> logits (n, widths[-1]).

    Parameters
    ----------
    widths
        Numbers of inputs, of units in each hidden layer, and of classes.
    dropout, activation, max_alpha, rate, mean_correction
        As in `noisy_layer`.
    seed
        Random seed of the parameters.

    Raises
    ------
    InvalidArgument
        If there are fewer than three widths or a number is out of range.
    UnknownName
        If the dropout or the activation does not exist.

    Notes
    -----
    The modules are named `hidden1`, `hidden2`, ..., `logits`.

    References
    ----------
    Achille, Soatto: Information dropout, IEEE TPAMI 40 (2018), section 8, 'MNIST and CIFAR-10': three hidden
    layers on MNIST.

    Examples
    --------
    >>> import torch
    >>> from infoflow.layers import information_cost
    >>> network = DropoutMLP([784, 32, 32, 32, 10], "information")
    >>> network(torch.zeros(5, 784)).shape, sorted(information_cost(network, per="layer"))
    (torch.Size([5, 10]), ['hidden1', 'hidden2', 'hidden3'])
    """

    @validated
    def __init__(
        self,
        widths: Sequence[int],
        dropout: Dropout = "information",
        *,
        activation: Activation = "relu",
        max_alpha: PositiveFloat = 0.7,
        rate: float = 0.5,
        mean_correction: bool = False,
        seed: Seed = 0,
    ) -> None:
        if len(widths) < 3 or min(widths) < 1:
            raise InvalidArgument("widths", "three or more positive numbers", widths)
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        with seeded(seed):
            for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths[:-1]), start=1):
                modules[f"hidden{i}"] = noisy_layer(
                    nn.Linear(fan_in, fan_out),
                    dropout,
                    activation,
                    max_alpha=max_alpha,
                    rate=rate,
                    mean_correction=mean_correction,
                )
            modules["logits"] = nn.Linear(widths[-2], widths[-1])
        super().__init__(modules)
