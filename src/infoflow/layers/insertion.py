"""Information dropout in an existing network: inserted behind its modules, and removed again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.capture import untouched
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.layer_choice import ACTIVATIONS, activations
from infoflow.layers.information_dropout import InformationDropout


class InsertedDropout(InformationDropout):
    """Information dropout behind a module of an existing network; `insert_information_dropout` makes it.

    Parameters
    ----------
    original
        The module, which stays in place.
    branch
        Module that computes the scale of the noise from the input of the original module.
    units_last
        Whether units are the last axis, as of tokens, or the axis after the samples, as of maps.
    **options
        Options of `InformationDropout`.

    Examples
    --------
    >>> layer = InsertedDropout(nn.ReLU(), nn.Linear(3, 3), units_last=True).eval()
    >>> layer(torch.tensor([[-1.0, 0.0, 2.0]]))
    tensor([[0., 0., 2.]])
    """

    def __init__(self, original: nn.Module, branch: nn.Module, *, units_last: bool, **options: Any) -> None:
        activates = isinstance(original, ACTIVATIONS)
        host, activation = (nn.Identity(), original) if activates else (original, nn.Identity())
        super().__init__(host, branch=branch, activation=activation, **options)
        self._units_last = units_last
        self._activates = activates
        # Fused forward passes of torch, which read parameters and run no modules, are not taken where there are hooks.
        self.register_forward_hook(_nothing)

    def __getattr__(self, name: str) -> Any:
        # Blocks of torch read the parameters of their linear layers.
        return getattr(self.original, name) if name in ("weight", "bias", "eps") else super().__getattr__(name)

    @property
    def original(self) -> nn.Module:
        """The module behind which the noise was inserted."""
        return self.activation if self._activates else self.host

    def _host_and_branch(self, x: Tensor) -> tuple[Tensor, Tensor]:
        size = self.branch(x)
        # An original that works in place would overwrite what the gradient of the branch needs.
        return self.host(x.clone() if getattr(self.original, "inplace", False) else x), size


def insert_information_dropout(
    model: nn.Module, layers: str | Sequence[str] = "auto", *, example: Tensor, **options: Any
) -> list[str]:
    """Insert information dropout behind modules of an existing network, in place.

    Parameters
    ----------
    model
        Network; the named modules are replaced by ones that contain them.
    layers
        Names as in `model.named_modules()`; "auto" for the activation modules that run once.
    example : Tensor of shape (n, ...)
        Inputs for one forward pass, which finds the shapes.
    **options
        Options of `InformationDropout`: `prior`, `max_alpha`, `min_alpha`, `mean_correction` and `evaluation`.

    Returns
    -------
    list of str
        Names of the modules.

    Raises
    ------
    InvalidArgument
        If a module runs several times or not at all, or changes the places of its input; nothing is changed then.
        `UnknownName` for an unknown name.

    Notes
    -----
    Noise multiplies the output of a module as it is: nothing is inserted between a convolution, its normalization and
    its activation, so that without noise the network computes what it did before. Name activations, as both priors are
    over positive values; the constructor warns of others. The new parameters (of the branches) belong to the model, so
    insert before the optimizer is made. `remove_information_dropout` reverses it.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    >>> x = torch.randn(5, 3, 8, 8)
    >>> before = model.eval()(x)
    >>> insert_information_dropout(model, example=x)
    ['2']
    >>> bool(torch.equal(model(x), before)), bool(torch.equal(model.train()(x), before))
    (True, False)
    >>> remove_information_dropout(model)
    ['2']
    """
    modules = {name: module for name, module in model.named_modules() if name}
    names = activations(modules) if isinstance(layers, str) else list(layers)
    if isinstance(layers, str) and layers != "auto":
        raise InvalidArgument("layers", "'auto' or a list of layer names", layers)
    for name in names:
        if name not in modules:
            raise UnknownName("layer", name, modules)
    calls = _shapes({name: modules[name] for name in names}, model, example)
    if isinstance(layers, str):
        names = [name for name in names if len(calls[name]) == 1]
    if not names:
        raise InvalidArgument(
            "layers", "names of modules where no activation module runs once", layers, remedy="Pass layers=[...]."
        )
    made = {name: _inserted(name, modules[name], calls[name], model, options) for name in names}
    for name, new in made.items():
        _replace(model, modules[name], new)
    return names


def remove_information_dropout(model: nn.Module) -> list[str]:
    """Remove what `insert_information_dropout` inserted, in place; the original modules stay with their parameters.

    Parameters
    ----------
    model
        Network.

    Returns
    -------
    list of str
        Names of the modules from which noise was removed.

    Examples
    --------
    >>> remove_information_dropout(nn.Sequential(nn.Linear(2, 2)))
    []
    """
    found = {name: module for name, module in model.named_modules() if isinstance(module, InsertedDropout)}
    for module in found.values():
        _replace(model, module, module.original)
    return list(found)


def _nothing(module: nn.Module, inputs: Any, output: Any) -> None:
    """Hook without effect."""


def _shapes(
    chosen: dict[str, nn.Module], model: nn.Module, example: Tensor
) -> dict[str, list[tuple[torch.Size, torch.Size]]]:
    """Shapes of input and output for every call of the modules."""
    calls: dict[str, list[tuple[torch.Size, torch.Size]]] = {name: [] for name in chosen}

    def note(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if not (inputs and isinstance(inputs[0], Tensor) and isinstance(output, Tensor)):
                raise InvalidArgument(f"layer {name!r}", "a module from one tensor to one tensor", got_text="another")
            calls[name].append((inputs[0].shape, output.shape))

        return hook

    handles = [module.register_forward_hook(note(name)) for name, module in chosen.items()]
    try:
        with untouched(model):
            model(example)
    finally:
        for handle in handles:
            handle.remove()
    return calls


def _inserted(
    name: str, module: nn.Module, calls: list[tuple[torch.Size, torch.Size]], model: nn.Module, options: dict[str, Any]
) -> InsertedDropout:
    if len(calls) != 1:
        raise InvalidArgument(f"layer {name!r}", "a module that runs once in a forward pass", got_text=f"{len(calls)}")
    (before, after) = calls[0]
    convolves = any(isinstance(each, nn.Conv1d) for each in model.modules())
    last = len(after) == 2 or (len(after) == 3 and not convolves)
    like = next(module.parameters(), next(model.parameters(), torch.zeros(())))
    where: dict[str, Any] = {"device": like.device, "dtype": like.dtype}
    if isinstance(module, nn.Linear):
        branch: nn.Module = nn.Linear(module.in_features, module.out_features, **where)
        last = True
    elif isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) and module.padding_mode == "zeros":
        kind: Any = type(module)
        shape = (module.kernel_size, module.stride, module.padding, module.dilation, module.groups)
        branch = kind(module.in_channels, module.out_channels, *shape, **where)
    else:
        axis = -1 if last else 1
        places = [list(shape) for shape in (before, after)]
        widths = [shape.pop(axis) for shape in places]
        if places[0] != places[1] or len(after) > 5:
            raise InvalidArgument(
                f"layer {name!r}", "a module whose output has the places of its input", got_text=f"{before} to {after}"
            )
        kinds: dict[int, Any] = {3: nn.Conv1d, 4: nn.Conv2d, 5: nn.Conv3d}
        branch = nn.Linear(widths[0], widths[1], **where) if last else kinds[len(after)](*widths, 1, **where)
    made = InsertedDropout(module, branch, units_last=last, **options)
    made.train(module.training)
    return made


def _replace(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    """Put a module in the place of another one, wherever the model holds it."""
    for parent in [module for module in model.modules() if module is not new]:
        for name, child in list(parent.named_children()):
            if child is old:
                setattr(parent, name, new)
