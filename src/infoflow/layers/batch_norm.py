"""Batch normalization in a network with noise, whose statistics are valid only while the noise is on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from infoflow.core.capture import mode
from infoflow.core.errors import InvalidArgument
from infoflow.layers.stochastic import noise, stochastic_layers


def gathers_statistics(module: nn.Module) -> bool:
    """Return whether a module normalizes by statistics that it gathers in training and uses in evaluation.

    >>> gathers_statistics(nn.BatchNorm1d(2)), gathers_statistics(nn.LayerNorm(2))
    (True, False)
    """
    return isinstance(module, _NormBase) and module.running_mean is not None


def reestimate_batch_norm(
    model: nn.Module, batches: Iterable[Any], *, prepare: Callable[[Any], Tensor] | None = None
) -> int:
    """Gather the statistics of batch normalization again with the noise off.

    Parameters
    ----------
    model
        A model with batch normalization, changed in place.
    batches
        Inputs, or tuples that begin with them, such as a DataLoader: training data in batches as large as in training.
    prepare
        Function from an item of `batches` to the model's input, where it is neither of these.

    Returns
    -------
    int
        Number of batches.

    Raises
    ------
    InvalidArgument
        If there are no batches or the model has no such statistics.

    Notes
    -----
    Means and variances are the plain averages over the batches. No parameter changes, no other module is put into
    training mode, and no gradient is computed. If an exception occurs, the old statistics are restored.

    References
    ----------
    Achille and Soatto (2018), Information dropout, TPAMI 40(12), section 6. The averages: Izmailov et al. (2018),
    Averaging weights leads to wider optima, section 3.2.

    Examples
    --------
    >>> import infoflow
    >>> model = infoflow.layers.InformationDropout(nn.Linear(2, 3), norm=True)
    >>> reestimate_batch_norm(model, torch.randn(4, 8, 2))
    4
    """
    norms = [module for module in model.modules() if isinstance(module, _NormBase) and gathers_statistics(module)]
    if not norms:
        raise InvalidArgument(
            "model has no batch normalization with running statistics, so there is nothing to re-estimate."
        )
    device = next((tensor.device for tensor in model.parameters()), torch.device("cpu"))
    momenta = [norm.momentum for norm in norms]
    kept = [[buffer.clone() for buffer in norm.buffers()] for norm in norms]
    layers = list(stochastic_layers(model).values())
    noisy = [layer._noisy_statistics for layer in layers]
    count = 0
    try:
        for layer in layers:
            layer._noisy_statistics = False
        with mode(model, training=False), torch.no_grad(), noise(model, False):
            for norm in norms:
                norm.train()
                norm.reset_running_stats()
                norm.momentum = None  # the plain average
            for batch in batches:
                if prepare is not None:
                    inputs = prepare(batch)
                else:
                    inputs = batch[0] if isinstance(batch, tuple | list) else batch
                model(inputs.to(device))
                count += 1
        if not count:
            raise InvalidArgument("batches", "at least one batch of training data", got_text="none")
    except BaseException:
        for norm, buffers in zip(norms, kept, strict=True):
            for buffer, content in zip(norm.buffers(), buffers, strict=True):
                buffer.copy_(content)
        for layer, flag in zip(layers, noisy, strict=True):
            layer._noisy_statistics = flag
        raise
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    return count
