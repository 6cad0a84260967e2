"""Which modules of a network are its layers when none are named."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import torch.nn.modules.activation as activation_modules
from torch import nn

log = logging.getLogger(__name__)

CHOICES = ("auto", "leaves")
OUTPUT = "output"

ACTIVATIONS: tuple[type[nn.Module], ...] = tuple(
    getattr(activation_modules, name) for name in activation_modules.__all__ if name != "MultiheadAttention"
)
_WEIGHTED = (nn.Linear, nn.modules.conv._ConvNd)


def activations(modules: Mapping[str, nn.Module]) -> list[str]:
    """Return the names of the activation modules of `torch.nn.modules.activation`."""
    return [name for name, module in modules.items() if isinstance(module, ACTIVATIONS)]


def leaves(modules: Mapping[str, nn.Module]) -> list[str]:
    """Return the names of the innermost modules that hold parameters of their own; attention counts as one.

    Examples
    --------
    >>> block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MultiheadAttention(4, 2))
    >>> leaves(dict(block.named_modules()))
    ['0', '1', '3']
    """
    found: list[str] = []
    for name, module in modules.items():
        if any(name.startswith(f"{outer}.") for outer in found):
            continue
        inner = any(True for child in module.children() for _ in child.parameters())
        own = any(True for _ in module.parameters(recurse=False))
        if own and (not inner or isinstance(module, nn.MultiheadAttention)):
            found.append(name)
    return found


def blocks(model: nn.Module) -> list[str]:
    """Return the names of a transformer's blocks: the members of its longest list of modules of one type, if any.

    Of several lists of equal length the outermost counts.

    Examples
    --------
    >>> blocks(nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 3, enable_nested_tensor=False))
    ['layers.0', 'layers.1', 'layers.2']
    """
    found: list[str] = []
    for name, module in model.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) > len(found) and len({type(c) for c in module}) == 1:
            found = [f"{name}.{index}" if name else str(index) for index in range(len(module))]
    return found


def announce(layers: Sequence[str], modules: Mapping[str, nn.Module], chosen: str, requested: str) -> None:
    """Log which layers were chosen, and warn where the choice may have missed layers.

    Parameters
    ----------
    layers
        Names of the chosen layers.
    modules
        All modules by name.
    chosen
        "auto" for activation modules, "leaves" for modules with parameters.
    requested
        What the user asked for.
    """
    hidden = [layer for layer in layers if layer != OUTPUT]
    if chosen == "auto":
        log.info("Recorded are the activation modules and the output: %s.", ", ".join(layers))
    elif requested == "leaves":
        log.info("Recorded are the modules with parameters and the output: %s.", ", ".join(layers))
    elif hidden:
        log.warning(
            "No activation module runs in the forward pass, so the modules with parameters are recorded instead: %s. "
            "Pass layers='leaves' or names to choose without this message.",
            ", ".join(layers),
        )
    if not hidden:
        log.warning(
            "Only the output is recorded, since no activation module and no inner module with parameters runs in the "
            "forward pass. Pass layers=[...] with names from model.named_modules() for others."
        )
    elif chosen == "auto":
        weighted = sum(isinstance(module, _WEIGHTED) for module in modules.values())
        if 2 * len(hidden) < weighted - 1:
            log.warning(
                "layers='auto' found only %d activation modules (%s) in a network of %d linear and convolutional "
                "layers: activations that are called as functions have no module, so they are not recorded. Pass "
                "layers='leaves' to record every module with parameters.",
                len(hidden),
                ", ".join(hidden),
                weighted,
            )
