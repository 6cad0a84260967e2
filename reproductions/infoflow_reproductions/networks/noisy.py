"""A linear or convolutional layer with its activation and one kind of dropout."""

from __future__ import annotations

from typing import Literal, get_args

from torch import nn

from infoflow.core.settings import PositiveFloat, validated
from infoflow.layers import BernoulliDropout, GaussianDropout, InformationDropout

Dropout = Literal["none", "binary", "gaussian", "information"]
Activation = Literal["relu", "softplus"]
DROPOUTS: tuple[Dropout, ...] = get_args(Dropout)

_ACTIVATIONS: dict[str, tuple[type[nn.Module], Literal["log-uniform", "log-normal"]]] = {
    "relu": (nn.ReLU, "log-uniform"),
    "softplus": (nn.Softplus, "log-normal"),
}
"""Module of an activation, and the prior of information dropout that fits it."""


@validated
def noisy_layer(
    host: nn.Linear | nn.Conv2d,
    dropout: Dropout = "information",
    activation: Activation = "relu",
    *,
    norm: bool = False,
    max_alpha: PositiveFloat = 0.7,
    rate: float = 0.5,
    mean_correction: bool = False,
) -> nn.Module:
    """Return activation(norm(host(x))) times the noise of a dropout, as one module.

    Parameters
    ----------
    host
        The layer. Further parameters are drawn from torch's random state.
    dropout
        Kind of noise: "none"; "binary", which drops each unit with probability `rate`; "gaussian", log-normal noise of
        the constant log-standard-deviation `max_alpha`; or "information", `infoflow.layers.InformationDropout`, whose
        largest noise that is.
    activation
        Activation. It determines the prior of information dropout: log-uniform for "relu", log-normal for "softplus".
    norm
        Whether to normalize over the batch before the activation.
    max_alpha
        Largest log-standard-deviation of the noise.
    rate
        Probability of binary dropout.
    mean_correction
        Whether log-normal noise has the mean 1 instead of e^{α²/2}.

    Returns
    -------
    Module
        The layer.

    Raises
    ------
    UnknownName
        If the dropout or the activation does not exist.
    InvalidArgument
        If `max_alpha` or `rate` is out of range.

    Examples
    --------
    >>> import torch
    >>> noisy_layer(nn.Linear(4, 3), "binary")(torch.ones(5, 4)).shape
    torch.Size([5, 3])
    """
    kind, prior = _ACTIVATIONS[activation]
    if dropout == "information":
        return InformationDropout(host, prior, max_alpha, norm=norm, mean_correction=mean_correction)
    layers: list[nn.Module] = [host]
    if norm:
        layers.append(
            nn.BatchNorm1d(host.out_features) if isinstance(host, nn.Linear) else nn.BatchNorm2d(host.out_channels)
        )
    layers.append(kind())
    if dropout == "binary":
        layers.append(BernoulliDropout(rate))
    elif dropout == "gaussian":
        layers.append(GaussianDropout(max_alpha, mean_correction=mean_correction))
    return nn.Sequential(*layers)
