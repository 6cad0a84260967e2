"""How many nats a model's layers let through."""

from __future__ import annotations

import warnings
from typing import Any, Literal, overload

import torch
from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument
from infoflow.layers.batch_norm import gathers_statistics
from infoflow.layers.stochastic import StochasticLayer, stochastic_layers

PER = ("model", "layer", "unit", "place", "element")
REDUCTIONS = ("mean", "none")


@overload
def information_cost(model: nn.Module, *, per: Literal["model"] = "model", reduction: str = "mean") -> Tensor: ...


@overload
def information_cost(
    model: nn.Module, *, per: Literal["layer", "unit", "place", "element"], reduction: str = "mean"
) -> dict[str, Tensor]: ...


def information_cost(model: nn.Module, *, per: str = "model", reduction: str = "mean") -> Any:
    """What the layers of the model let through in their last forward pass, in nats per sample: Σ_layers Σ_units KL.

    Each KL is that of the unit's noisy value, given the input, from the layer's prior: an upper bound on the
    information that the layer's output has about its input (up to the constant that a log-uniform prior leaves).
    Gradients flow through it, so β/N times this, added to a mean cross-entropy, trains the bottleneck.

    - `per`: "model" gives one tensor. "layer", "unit" (sum over places), "place" (sum over units: a map over the image)
      and "element" give {layer's name: tensor}.
    - `reduction`: "mean" over the samples, or "none", which keeps their axis in front.

    Only the last pass of a layer counts; inside `every_pass(model)` all do. Layers whose noise has no finite divergence
    (Bernoulli dropout, additive noise) are left out. The tensors hold the graph of the forward pass until the next
    one; `forget_costs(model)` frees it, and copies and checkpoints never have it.

    Raises InvalidArgument if the model has no layer with a cost, or one that has not run; UnknownName for settings.
    (Achille and Soatto 2018, eq. 4.)

    >>> import infoflow
    >>> layer = infoflow.layers.InformationDropout(nn.Linear(4, 3))
    >>> _ = layer(torch.zeros(8, 4))
    >>> information_cost(layer).item() > 0, information_cost(layer, per="unit")[""].shape
    (True, torch.Size([3]))
    """
    choice(per, "per", PER)
    choice(reduction, "reduction", REDUCTIONS)
    layers = stochastic_layers(model)
    _tell_of_batch_norm(model, layers)
    costs = {name: found for name, layer in layers.items() if (found := _named(name, layer)) is not None}
    if not costs:
        raise InvalidArgument(
            "model has no layer whose information has a price; want InformationDropout or another layer of "
            "infoflow.layers with a finite divergence in it"
        )
    if torch.is_grad_enabled() and any(layers[name]._without_gradient and _learns(layers[name]) for name in costs):
        warnings.warn(
            "the last forward pass ran without gradients (torch.no_grad, or reentrant checkpointing), so the "
            "information cost has none and can't train",
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
    """Frees what the layers of the model keep of their last forward pass, graph and all.

    >>> import infoflow
    >>> layer = infoflow.layers.InformationDropout(nn.Linear(4, 3))
    >>> _ = layer(torch.zeros(8, 4))
    >>> forget_costs(layer)
    >>> information_cost(layer)
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: layer '': InformationDropout has not run...
    """
    for layer in stochastic_layers(model).values():
        layer._passes = []


def _named(name: str, layer: StochasticLayer) -> Tensor | None:
    try:
        return layer.divergence()
    except InvalidArgument as error:
        raise InvalidArgument(f"layer {name!r}: {error}") from None


def _learns(layer: StochasticLayer) -> bool:
    return any(parameter.requires_grad for parameter in layer.parameters())


def _tell_of_batch_norm(model: nn.Module, layers: dict[str, StochasticLayer]) -> None:
    """A layer can't see the network around it, yet has to warn of statistics gathered under its noise."""
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
