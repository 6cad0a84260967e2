"""The information that the layers of a model transmit, in nats."""

from __future__ import annotations

import warnings
from typing import Any, Literal, get_args, overload

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import OneOf, check
from infoflow.layers.batch_norm import gathers_statistics
from infoflow.layers.stochastic import StochasticLayer, stochastic_layers

Per = Literal["model", "layer", "unit", "place", "element"]
Reduction = Literal["mean", "none"]

_PER, _REDUCTIONS = OneOf(get_args(Per)), OneOf(get_args(Reduction))


@overload
def information_cost(model: nn.Module, *, per: Literal["model"] = "model", reduction: Reduction = "mean") -> Tensor: ...


@overload
def information_cost(
    model: nn.Module, *, per: Literal["layer", "unit", "place", "element"], reduction: Reduction = "mean"
) -> dict[str, Tensor]: ...


def information_cost(model: nn.Module, *, per: Per = "model", reduction: Reduction = "mean") -> Any:
    """Compute what the layers of a model transmitted in their last forward pass: Σ_layers Σ_units KL.

    Parameters
    ----------
    model
        A model with layers of `infoflow.layers`.
    per
        Resolution: "model", "layer", "unit" (summed over places), "place" (summed over units, a map over the image) or
        "element".
    reduction
        "mean" over the samples, or "none", which leaves their axis in front.

    Returns
    -------
    Tensor or dict
        Nats per sample, with gradients: one tensor for "model", otherwise a tensor for each layer's name.

    Raises
    ------
    InvalidArgument
        If the model has no layer with a cost, or one that has not run; `UnknownName` for other names.

    Notes
    -----
    Each KL is that of the unit's noisy value given the input, from the layer's prior: an upper bound on the information
    that the layer's output contains about its input (up to the constant that a log-uniform prior leaves free). To train
    a bottleneck, add β/N times this to a mean cross-entropy.

    Only the last pass of a layer counts. Layers whose noise has no finite divergence (Bernoulli dropout, additive
    noise) are ignored. The tensors hold the graph of the forward pass until the next one; `forget_costs(model)` frees
    it, and copies and checkpoints do not contain it.

    References
    ----------
    Achille and Soatto (2018), Information dropout, TPAMI 40(12), eq. 4.

    Examples
    --------
    >>> import infoflow
    >>> layer = infoflow.layers.InformationDropout(nn.Linear(4, 3))
    >>> _ = layer(torch.zeros(8, 4))
    >>> information_cost(layer).item() > 0, information_cost(layer, per="unit")[""].shape
    (True, torch.Size([3]))
    """
    check(per, "per", _PER)
    check(reduction, "reduction", _REDUCTIONS)
    layers = stochastic_layers(model)
    _mark_batch_norm(model, layers)
    costs = {name: found for name, layer in layers.items() if (found := _named(name, layer)) is not None}
    if not costs:
        raise InvalidArgument(
            "model has no layer with an information cost. Use InformationDropout or another layer of infoflow.layers "
            "with a finite divergence."
        )
    if torch.is_grad_enabled() and any(layers[name]._without_gradient and _learns(layers[name]) for name in costs):
        warnings.warn(
            "the last forward pass ran without gradients (torch.no_grad, or reentrant checkpointing), so the "
            "information cost has none and cannot train the model; run the model with gradients",
            stacklevel=2,
        )
    reduced = {name: _reduced(cost, per, reduction) for name, cost in costs.items()}
    if per != "model":
        return reduced
    device = next(iter(reduced.values())).device
    total = sum(cost.to(device) for cost in reduced.values())
    assert isinstance(total, Tensor)
    return total


def forget_costs(model: nn.Module) -> None:
    """Free the tensors and graphs that the layers of a model hold of their last forward pass.

    Parameters
    ----------
    model
        A model with layers of `infoflow.layers`.

    Examples
    --------
    >>> import infoflow
    >>> layer = infoflow.layers.InformationDropout(nn.Linear(4, 3))
    >>> _ = layer(torch.zeros(8, 4))
    >>> forget_costs(layer)
    >>> information_cost(layer)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: Layer '': InformationDropout has not run...
    """
    for layer in stochastic_layers(model).values():
        layer.forget()


def _named(name: str, layer: StochasticLayer) -> Tensor | None:
    try:
        return layer.divergence()
    except InvalidArgument as error:
        raise InvalidArgument(f"Layer {name!r}: {error}") from None


def _learns(layer: StochasticLayer) -> bool:
    return any(parameter.requires_grad for parameter in layer.parameters())


def _mark_batch_norm(model: nn.Module, layers: dict[str, StochasticLayer]) -> None:
    """Mark layers in a network with batch normalization, since they warn of statistics gathered under noise."""
    if all(layer._among_batch_norm for layer in layers.values()):
        return
    if any(gathers_statistics(module) for module in model.modules()):
        for layer in layers.values():
            layer._among_batch_norm = True


def _reduced(cost: Tensor, per: str, reduction: str) -> Tensor:
    if per in ("model", "layer"):
        cost = cost.flatten(1).sum(1)
    elif per == "unit":
        cost = cost.flatten(2).sum(2) if cost.ndim > 2 else cost
    elif per == "place":
        cost = cost.sum(1)
    return cost.mean(0) if reduction == "mean" else cost
