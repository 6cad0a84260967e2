"""Activations of a model's layers on one batch, taken with forward hooks that are removed afterwards.

A layer has its module's name; the model's own output is called "output". A module that runs k > 1 times in one forward
pass gives the layers "name@1" ... "name@k". Of a module that returns a tuple, as recurrent layers and the blocks of
transformers do, the first entry is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core import layer_choice
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.layer_choice import CHOICES, OUTPUT
from infoflow.core.random_states import global_states, owned_states


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the user's own module, which compiled and data-parallel wrappers hold under other names and hooks."""
    while True:
        inner = getattr(model, "_orig_mod", None)  # torch.compile
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def samples_at_once(x: Tensor, most: int) -> int:
    """Return how many samples to run through a network at once without gradients.

    Parameters
    ----------
    x : Tensor of shape (n, ...)
        The samples.
    most
        Largest number.

    Returns
    -------
    int
        Up to `most` samples of together at most 2^18 values, so that the maps of a convolutional network fit into the
        processor's caches; at least 1.

    Examples
    --------
    >>> samples_at_once(torch.zeros(9, 12), 1024), samples_at_once(torch.zeros(9, 3, 32, 32), 1024)
    (1024, 85)
    """
    return max(1, min(most, 2**18 // max(1, x[:1].numel())))


@contextmanager
def mode(model: nn.Module, *, training: bool) -> Iterator[None]:
    """Set training or evaluation mode, then restore the flag of every module.

    Examples
    --------
    >>> model = nn.Dropout()
    >>> with mode(model, training=False):
    ...     model.training
    False
    >>> model.training
    True
    """
    flags = [(module, module.training) for module in model.modules()]
    try:
        if training:
            model.train()
        else:  # not model.eval(): a user's own train() may do more than set flags
            for module, _ in flags:
                module.training = False
        yield
    finally:
        for module, flag in flags:
            module.training = flag


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Evaluate without gradients, then restore training flags, buffers and all random states."""
    buffers = [
        (module, name, buffer, buffer.clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None
    ]
    states = [*global_states(), *owned_states(model)]
    try:
        with mode(model, training=False), torch.no_grad():
            yield
    finally:
        for module, name, buffer, content in buffers:
            module._buffers[name] = buffer
            if not torch.equal(buffer, content):
                with torch.no_grad():
                    buffer.copy_(content)
        for restore, state in states:
            restore(state)


class Capture:
    """Run a model on batches and return the activations of chosen layers.

    Parameters
    ----------
    model
        The network.
    layers
        Names; "auto": every activation module in the order of the forward pass, or every module with parameters where
        there is none, and the output; or "leaves": the modules with parameters in any case, and the output.
    output
        Function that picks a tensor from what the model returns.
    trial : Tensor of shape (n, ...)
        Batch of a first pass that finds which layers run and in which order.
    call
        Function of model and batch that runs the model, if `model(batch)` does not.

    Raises
    ------
    InvalidArgument
        If a layer does not run, or its activations are no real tensor, or the model cannot run on the trial batch;
        `UnknownName` if the model has no such layer.
    """

    def __init__(
        self,
        model: nn.Module,
        layers: str | Sequence[str],
        output: Callable[[Any], Tensor] | None,
        trial: Tensor,
        call: Callable[[nn.Module, Tensor], Any] | None = None,
    ) -> None:
        self.model = unwrapped(model)
        if isinstance(self.model, torch.jit.ScriptModule):
            got = "a TorchScript module, whose layers run without hooks"
            raise InvalidArgument("model", "a module of Python", got_text=got, remedy="Record what it was made from.")
        self._call = call
        for name, parameter in [*self.model.named_parameters(), *self.model.named_buffers()]:
            if torch.nn.parameter.is_lazy(parameter):
                raise InvalidArgument(
                    "model", "initialized", got_text=f"a lazy {name!r}", remedy="Run one batch through it first."
                )
        self._output = output
        self._modules = {name: module for name, module in self.model.named_modules() if name}
        if isinstance(layers, str):
            watched, values, used = self._automatic(layers, trial)
        else:
            watched = self._watched(layers)
            values, calls, _ = self._forward(watched, trial)
            used = _names(calls)
            self.layers = list(layers)
            self._check(used, watched)
        self._watching = watched
        self._used = used
        self._chosen(values)
        held = sum(value.nbytes for value in values.values() if isinstance(value, Tensor))
        self.bytes_per_sample = -(-held // max(1, len(trial)))
        """Number of bytes that a call copies for each sample."""

    def __call__(self, batch: Tensor) -> dict[str, Tensor]:
        """Return a copy of each layer's activations on `batch`, on the CPU."""
        values, calls, _ = self._forward(self._watching, batch)
        if sorted(_names(calls)) != sorted(self._used):
            raise InvalidArgument(
                "model",
                f"one that runs the same layers in every forward pass ({self._used} at first)",
                got_text=str(_names(calls)),
            )
        return self._chosen(values)

    def _chosen(self, values: dict[str, Any]) -> dict[str, Tensor]:
        taken = {}
        for layer in self.layers:
            value = values[layer]
            if not isinstance(value, Tensor):
                remedy = "Pass output=... that picks a tensor." if layer == OUTPUT else "Record a layer inside it."
                kind = type(value).__name__
                raise InvalidArgument(
                    f"output of layer {layer!r}", "a tensor", got_text=f"an object of type {kind}", remedy=remedy
                )
            if value.layout is not torch.strided:
                raise InvalidArgument(f"output of layer {layer!r}", "a dense tensor", got_text=f"layout {value.layout}")
            if value.is_complex():
                raise InvalidArgument(f"output of layer {layer!r}", "real", got_text=f"dtype {value.dtype}")
            taken[layer] = value
        return taken

    @property
    def chain(self) -> bool:
        """Whether each layer depends on the previous one alone: plain Sequentials, layers in their order."""
        parents = {"", *(name.rpartition(".")[0] for name in self._watching)}
        parents |= {part.rpartition(".")[0] for part in parents}
        plain = all(type(self.model.get_submodule(name)).forward is nn.Sequential.forward for name in parents)
        order = [*self._used, OUTPUT]
        return plain and self.layers == sorted(self.layers, key=order.index)

    def _automatic(self, layers: str, trial: Tensor) -> tuple[list[str], dict[str, Any], list[str]]:
        """Set `layers` without names of the user; return the watched modules, their values, and the layers that ran."""
        if layers not in CHOICES:
            raise InvalidArgument("layers", "'auto', 'leaves' or a list of layer names", layers)
        watched = layer_choice.activations(self._modules) if layers == "auto" else []
        values, calls, same = self._forward(watched, trial)
        if leaves := not calls:
            watched = layer_choice.leaves(self._modules)
            values, calls, same = self._forward(watched, trial)
            # A layer of other axes, as of sequences whose first axis is time, is recorded by name only.
            odd = {name for name in values if name != OUTPUT and not _per_sample(values[name], values[OUTPUT], trial)}
            if odd:
                watched = [name for name in watched if not odd & {name, *_again(name, calls)}]
                values, calls, same = self._forward(watched, trial)
        used = _names(calls)
        # A last layer that is the network's output is that output, and needs no second name.
        once = same in used and self._output is None
        kept = [name for name in used if not (once and leaves and name == same)]
        self.layers = kept if once and not leaves else [*kept, OUTPUT]
        if self.layers.count(OUTPUT) > 1:
            raise InvalidArgument("layers", "names for a model with a module called 'output'", layers)
        layer_choice.announce(self.layers, self._modules, "leaves" if leaves else "auto", layers)
        return watched, values, used

    def _watched(self, layers: Sequence[str]) -> list[str]:
        names = list(layers)
        if not names:
            raise InvalidArgument("layers", "'auto', 'leaves' or at least one layer name", names)
        repeated = sorted({str(name) for name in names if names.count(name) > 1})
        if repeated:
            raise InvalidArgument("layers", "different names", got_text=f"{', '.join(repeated)} more than once")
        watched = []
        for name in names:
            if name == OUTPUT:
                continue
            base = name if name in self._modules else str(name).rpartition("@")[0]
            if base not in self._modules:
                raise UnknownName("layer", name, [*self._modules, OUTPUT])
            if base not in watched:
                watched.append(base)
        return watched

    def _check(self, used: list[str], watched: list[str]) -> None:
        for layer in self.layers:
            if layer == OUTPUT or layer in used:
                continue
            base = layer if layer in watched else layer.rpartition("@")[0]
            times = [name for name in used if name.rpartition("@")[0] == base]
            if times:
                raise InvalidArgument(
                    "layers",
                    f"some of {', '.join(times)} for a module that runs {len(times)} times",
                    got_text=repr(layer),
                )
            if base in used:
                raise InvalidArgument("layers", f"{base!r} for a module that runs only once", got_text=repr(layer))
            raise InvalidArgument("layers", "names of modules that run in the forward pass", got_text=repr(layer))

    def _forward(self, watched: list[str], batch: Tensor) -> tuple[dict[str, Any], list[str], str | None]:
        """Return values by layer, module names in the order of calls, and the layer that is the model's output."""
        calls: list[str] = []
        copies: list[Any] = []
        last: Any = None

        def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
            def keep(module: nn.Module, inputs: Any, value: Any) -> None:
                nonlocal last
                calls.append(name)
                # Copied at once: a later in-place module would write into it.
                copies.append(_copied(value[0] if isinstance(value, tuple) and value else value))
                last = value

            return keep

        handles = [self._modules[name].register_forward_hook(hook(name)) for name in watched]
        try:
            with untouched(self.model):
                result = self.model(batch) if self._call is None else self._call(self.model, batch)
                output = _copied(self._output(result) if self._output else result)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise InvalidArgument(
                f"model cannot run on a batch of shape {tuple(batch.shape)} and {batch.dtype}: {error}"
            ) from error
        finally:
            for handle in handles:
                handle.remove()
        names = _names(calls)
        # The same object can have been changed in place since its copy was taken.
        dense = isinstance(output, Tensor) and output.layout is torch.strided
        is_output = names and last is result and dense and torch.equal(copies[-1], output)
        values = {**dict(zip(names, copies, strict=True)), OUTPUT: output}
        return values, calls, names[-1] if is_output else None


def _per_sample(value: Any, output: Any, trial: Tensor) -> bool:
    """Whether the value is a real tensor with one row per sample, or per seed and sample as the output."""
    if not isinstance(value, Tensor) or value.layout is not torch.strided or value.is_complex() or not value.ndim:
        return False
    stacked = isinstance(output, Tensor) and value.ndim > 1 and value.shape[:2] == output.shape[:2]
    return len(value) == len(trial) or stacked


def _again(name: str, calls: Sequence[str]) -> list[str]:
    """Return the names of a module's calls where it runs more than once."""
    return [f"{name}@{count + 1}" for count in range(calls.count(name))]


def _names(calls: Sequence[str]) -> list[str]:
    """Return layer names in the order of calls; a module that is called again gives "name@1", "name@2", ..."""
    names, seen = [], dict.fromkeys(calls, 0)
    for name in calls:
        seen[name] += 1
        names.append(name if calls.count(name) == 1 else f"{name}@{seen[name]}")
    return names


def _copied(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    value = value.detach()
    if value.dtype in (torch.float16, torch.bfloat16):
        value = value.float()  # exact; NumPy has no bfloat16
    return value.to("cpu", copy=True)
