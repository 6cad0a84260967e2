"""What the true I(X;T) of a recorded network is, before any estimator: often infinite."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from torch import Tensor, nn

from infoflow.layers import QuantizedActivation
from infoflow.layers.stochastic import StochasticLayer

INFINITE = "infinite; this measures geometry"
NOISY = "finite: the network is noisy"
QUANTIZED = "finite: the layers are quantized"
COUNTED = "at most H(X): the inputs are discrete, and most layers preserve all of it"

# Inputs with more different values than this count as continuous; so do gray levels.
_LEVELS = 16


def truth(model: nn.Module, inputs: Iterable[Tensor]) -> str:
    """Describe the true I(X;T) of a model's layers on such inputs, in evaluation mode.

    Parameters
    ----------
    model
        Model whose modules are inspected.
    inputs : iterable of Tensor of shape (n, ...)
        Inputs of each probe.

    Returns
    -------
    str
        A short phrase.

    Notes
    -----
    In a deterministic network on continuous inputs it is infinite for every layer that is not constant: a finite
    sample shows the geometry of the activations on the estimator's measurement scale.

    References
    ----------
    Saxe et al. (2018), section 2; Goldfeld et al. (2019); Geiger (2021), section III.

    Examples
    --------
    >>> import torch
    >>> truth(nn.Tanh(), [torch.linspace(0, 1, 100)])
    'infinite; this measures geometry'
    """
    modules = list(model.modules())
    if any(isinstance(module, StochasticLayer) and module.evaluation == "sampled" for module in modules):
        return NOISY
    if any(isinstance(module, QuantizedActivation) for module in modules):
        return QUANTIZED
    continuous = any(x.is_floating_point() and len(np.unique(x.flatten()[:100_000].cpu())) > _LEVELS for x in inputs)
    return INFINITE if continuous else COUNTED
