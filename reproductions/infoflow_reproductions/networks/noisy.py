"""One linear or convolutional layer with its activation and one of the dropouts, or none."""

from __future__ import annotations

from torch import nn

from infoflow.core.checks import choice, positive
from infoflow.layers import BernoulliDropout, GaussianDropout, InformationDropout

DROPOUTS = ("none", "binary", "gaussian", "information")

_PRIORS = {"relu": "log-uniform", "softplus": "log-normal"}
_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "softplus": nn.Softplus}


def noisy_layer(
    host: nn.Linear | nn.Conv2d,
    dropout: str = "information",
    activation: str = "relu",
    *,
    norm: bool = False,
    max_alpha: float = 0.7,
    rate: float = 0.5,
) -> nn.Module:
    """activation(norm(host(x))) times the noise of a dropout, as one module.

    - "none": no noise,
    - "binary": each unit is dropped with probability `rate`,
    - "gaussian": constant log-normal noise of log-standard-deviation `max_alpha`: information dropout at its noisiest,
    - "information": `infoflow.layers.InformationDropout`, with the prior that fits the activation: log-uniform for
      "relu", log-normal for "softplus".

    `norm` normalizes over the batch before the activation. Parameters that it adds are drawn from torch's random state.

    Raises UnknownName (dropout, activation), InvalidArgument (max_alpha, rate).

    >>> import torch
    >>> noisy_layer(nn.Linear(4, 3), "binary")(torch.ones(5, 4)).shape
    torch.Size([5, 3])
    """
    choice(dropout, "dropout", DROPOUTS)
    choice(activation, "activation", _ACTIVATIONS)
    positive(max_alpha, "max_alpha")
    if dropout == "information":
        return InformationDropout(host, _PRIORS[activation], max_alpha, norm=norm)
    layers: list[nn.Module] = [host]
    if norm:
        if isinstance(host, nn.Linear):
            layers.append(nn.BatchNorm1d(host.out_features))
        else:
            layers.append(nn.BatchNorm2d(host.out_channels))
    layers.append(_ACTIVATIONS[activation]())
    if dropout == "binary":
        layers.append(BernoulliDropout(rate))
    elif dropout == "gaussian":
        layers.append(GaussianDropout(max_alpha))
    return nn.Sequential(*layers)
