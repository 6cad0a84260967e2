"""Points of a network at which activations are measured: the blocks of a transformer, parts of them, or any module."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from infoflow.core import layer_choice
from infoflow.core.capture import unwrapped
from infoflow.core.errors import InvalidArgument, UnknownName

GROUPS = ("auto", "blocks", "attention", "mlp", "leaves")
"""Names of groups of points."""

INPUT = ":input"
"""Ending of a point that is the input of a module instead of its output."""

# Names of the two parts of a block in the models of transformers and in `nn.TransformerEncoderLayer`.
_PARTS = {
    "attention": re.compile(r"attn|attention|mixer"),
    "mlp": re.compile(r"mlp|ffn|feed_?forward|linear2|^ff$|^fc2$|^output$|moe"),
}


@dataclass(frozen=True)
class Point:
    """A module, and whether its first input is measured instead of its output.

    Parameters
    ----------
    name
        Name of the point.
    module
        The module.
    before
        Whether its input is measured.

    Examples
    --------
    >>> Point("0", nn.ReLU()).before
    False
    """

    name: str
    module: nn.Module
    before: bool = False


def points(model: nn.Module, layers: str | Sequence[str]) -> list[Point]:
    """Find the points of a model.

    Parameters
    ----------
    model
        The network.
    layers
        Names of modules, with ":input" behind for the input of one; or a group: "blocks", the input of the first block
        and the output of each, "attention" and "mlp", the outputs of these parts of each block, "leaves", every
        innermost module with parameters, or "auto": blocks where there are at least two, otherwise activation modules,
        otherwise leaves.

    Returns
    -------
    list of Point
        In the order of the modules.

    Raises
    ------
    InvalidArgument
        If the model has no such points; `UnknownName` if it has no module of a name.

    Examples
    --------
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2, enable_nested_tensor=False)
    >>> [point.name for point in points(encoder, "auto")]
    ['layers.0:input', 'layers.0', 'layers.1']
    >>> [point.name for point in points(encoder, "attention")]
    ['layers.0.self_attn', 'layers.1.self_attn']
    """
    inner = unwrapped(model)
    modules = {name: module for name, module in inner.named_modules() if name}
    if not isinstance(layers, str):
        return [_named(name, modules) for name in _different(layers)]
    if layers not in GROUPS:
        raise UnknownName("group of layers", layers, GROUPS)
    blocks = layer_choice.blocks(inner)
    if layers in ("auto", "blocks") and len(blocks) > (layers == "auto"):
        found = [Point(blocks[0] + INPUT, modules[blocks[0]], before=True), *(Point(b, modules[b]) for b in blocks)]
    elif layers in _PARTS:
        found = [Point(name, modules[name]) for block in blocks for name in _part(block, modules[block], layers)]
    elif layers == "blocks":
        found = []
    else:
        names = layer_choice.activations(modules) if layers == "auto" else []
        found = [Point(name, modules[name]) for name in names or layer_choice.leaves(modules)]
    if not found:
        raise InvalidArgument(
            "layers",
            "a group that the model has, or names of its modules",
            layers,
            remedy="See model.named_modules() for names.",
        )
    return found


def activation(value: object) -> Tensor | None:
    """Return the tensor of a module's output: itself, or the first one in a tuple or mapping.

    Examples
    --------
    >>> import torch
    >>> activation((torch.ones(2), None)), activation("text") is None
    (tensor([1., 1.]), True)
    """
    if isinstance(value, Mapping):
        value = next(iter(value.values()), None)
    elif isinstance(value, tuple | list):
        value = value[0] if value else None
    if not isinstance(value, Tensor):
        return None
    value = value.detach()
    return value.to_padded_tensor(0.0) if value.is_nested else value


def _different(layers: Sequence[str]) -> list[str]:
    names = list(layers)
    if not names or len(set(names)) < len(names):
        raise InvalidArgument("layers", "at least one name, and different ones", names)
    return names


def _named(name: str, modules: Mapping[str, nn.Module]) -> Point:
    base = name.removesuffix(INPUT)
    if base not in modules:
        raise UnknownName("layer", name, modules)
    return Point(name, modules[base], before=name.endswith(INPUT))


def _part(block: str, module: nn.Module, part: str) -> Iterator[str]:
    """The outermost modules of a block whose name matches the part."""
    found = next((name for name, _ in module.named_children() if _PARTS[part].search(name)), None)
    if found is not None:
        yield f"{block}.{found}"
