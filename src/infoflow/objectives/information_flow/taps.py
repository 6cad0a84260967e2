"""Forward hooks that hand over what a layer put out, and that no copy of the network takes along."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from infoflow.core.errors import InvalidArgument, UnknownName

INPUT, OUTPUT = "input", "output"


class Tap:
    """A forward hook that keeps the latest output of one layer while its network trains."""

    def __init__(self, name: str, model: nn.Module, kept: dict[str, Any], *, always: bool = False) -> None:
        self.name, self.model, self.kept, self.always = name, model, kept, always

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        # Nothing is kept, and so nothing costs, where the network only predicts.
        if self.always or self.model.training:
            self.kept[self.name] = inputs[0] if self.name == INPUT and module is self.model else output

    def __reduce__(self) -> tuple[Callable[[], Any], tuple[()]]:
        """A copy or a pickle of the network carries a hook that does nothing."""
        return _Closed, ()


class _Closed:
    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> None:
        return None


def known(model: nn.Module, name: Any) -> str:
    """The name itself, if the network has a module called so or it is "input" or "output"; else UnknownName."""
    names = [key for key, _ in model.named_modules() if key]
    if not isinstance(name, str):
        raise InvalidArgument(f"pairs name a layer {name!r}; want names of modules, such as {names[:2]}")
    if name not in (*names, INPUT, OUTPUT):
        raise UnknownName("layer", name, [*names, INPUT, OUTPUT])
    return name


def tap(model: nn.Module, names: list[str], kept: dict[str, Any], *, always: bool = False) -> list[RemovableHandle]:
    """Hooks on these layers; a module of the network's own that is called "input" or "output" comes first."""
    own = dict(model.named_modules())
    return [own.get(name, model).register_forward_hook(Tap(name, model, kept, always=always)) for name in names]


def trial(model: nn.Module, names: list[str], example: Any) -> dict[str, Any]:
    """What the layers put out for the example, in evaluation mode; modes and random states are as they were."""
    kept: dict[str, Any] = {}
    handles = tap(model, names, kept, always=True)
    flags = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in flags:
            module.training = False
        with torch.no_grad(), torch.random.fork_rng():
            model(*example) if isinstance(example, tuple) else model(example)
    finally:
        for module, flag in flags:
            module.training = flag
        for handle in handles:
            handle.remove()
    return kept
