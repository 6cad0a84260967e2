"""Forward hooks that record outputs of layers and have no effect in copies of the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from infoflow.core.capture import mode
from infoflow.core.errors import InvalidArgument, UnknownName

INPUT, OUTPUT = "input", "output"


class Tap:
    """A forward hook that records the latest output of one layer while its network is in training mode."""

    def __init__(self, name: str, model: nn.Module, kept: dict[str, Any], *, always: bool = False) -> None:
        self.name, self.model, self.kept, self.always = name, model, kept, always

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        # In evaluation mode nothing is recorded, so it costs nothing.
        if self.always or self.model.training:
            self.kept[self.name] = inputs[0] if self.name == INPUT and module is self.model else output

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        """A copy or a pickle of the network has a hook without effect."""
        return _Closed, ()


class _Closed:
    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> None:
        return None


def known(model: nn.Module, name: Any) -> str:
    """The name itself, if it is "input", "output" or that of a module; else raises `UnknownName`."""
    names = [key for key, _ in model.named_modules() if key]
    if not isinstance(name, str):
        raise InvalidArgument("layer", f"a name of a module, such as {names[:2]}", name)
    if name not in (*names, INPUT, OUTPUT):
        raise UnknownName("layer", name, [*names, INPUT, OUTPUT])
    return name


def tap(model: nn.Module, names: list[str], kept: dict[str, Any], *, always: bool = False) -> list[RemovableHandle]:
    """Register hooks on these layers; a module named "input" or "output" takes precedence over the network's own."""
    own = dict(model.named_modules())
    return [own.get(name, model).register_forward_hook(Tap(name, model, kept, always=always)) for name in names]


def trial(model: nn.Module, names: list[str], example: Any) -> dict[str, Any]:
    """Outputs of the layers for the example in evaluation mode; modes and random states are restored."""
    kept: dict[str, Any] = {}
    handles = tap(model, names, kept, always=True)
    try:
        with mode(model, training=False), torch.no_grad(), torch.random.fork_rng():
            model(*example) if isinstance(example, tuple) else model(example)
    finally:
        for handle in handles:
            handle.remove()
    return kept
