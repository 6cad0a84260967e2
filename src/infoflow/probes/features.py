"""The features of a frozen encoder: what it returns, or what its modules compute, for anybody's encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core.capture import OUTPUT, Capture, untouched, unwrapped
from infoflow.core.checks import finite, integer
from infoflow.core.errors import InvalidArgument, TooFewSamples

Layers: TypeAlias = "Sequence[str] | Mapping[str, str] | None"
Encoder: TypeAlias = "nn.Module | Callable[..., Any]"

# What an encoder that returns a plain tuple is taken to return.
_NAMES = {1: ("Y",), 2: ("conv", "Y"), 3: ("conv", "fc", "Y")}


class _Function(nn.Module):
    """A function without parameters as a module, so that there is one way to run an encoder."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)


def as_module(encoder: Encoder) -> nn.Module:
    """The encoder itself, without compiled or data-parallel wrappers; a function becomes a module without parameters.

    >>> as_module(nn.Identity())
    Identity()
    """
    if isinstance(encoder, nn.Module):
        return unwrapped(encoder)
    if not callable(encoder):
        raise InvalidArgument(f"encoder is a {type(encoder).__name__}; want a torch.nn.Module, or a function")
    return _Function(encoder)


def features(
    encoder: Encoder,
    inputs: Any,
    layers: Layers = None,
    *,
    prepare: Callable[[Tensor], Tensor] | None = None,
    batch_size: int = 512,
) -> dict[str, Tensor]:
    """Features (n, ...) of each layer, on the processor in float32, taken batch by batch without leaving a trace.

    Without `layers` they are those that the encoder names itself (`encoder.layers`, a mapping, as the encoders in
    `infoflow.models` have), else what it returns: a tensor is "Y"; a tuple of two is ("conv", "Y"), of three ("conv",
    "fc", "Y"); named tuples and mappings name their own. `layers` are module names as in `encoder.named_modules()`
    ("output" for the last of what it returns), or a mapping from names of your own to such. `prepare`
    is applied to each batch first (scale to [-1, 1], say); floating inputs come in the encoder's precision, integers
    (tokens) as they are.

    The encoder runs in evaluation mode without gradient; its flags, its buffers and all random states are afterwards
    as they were.

    Raises InvalidArgument (an encoder that can't run on the inputs or returns nothing usable, NaN features),
    UnknownName (layer), TooFewSamples (no inputs).

    >>> encoder = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    >>> images = torch.zeros(10, 1, 8, 8)
    >>> {name: tuple(value.shape) for name, value in features(encoder, images).items()}
    {'Y': (10, 2)}
    >>> {name: tuple(value.shape) for name, value in features(encoder, images, {"conv": "1", "Y": "output"}).items()}
    {'conv': (10, 4, 6, 6), 'Y': (10, 2)}
    """
    integer(batch_size, "batch_size")
    model = as_module(encoder)
    x = inputs if isinstance(inputs, Tensor) else torch.as_tensor(np.asarray(inputs))
    if x.ndim < 1 or len(x) == 0:
        raise TooFewSamples(f"inputs have shape {tuple(x.shape)}; want at least one sample, shape (n, ...)")
    if layers is None and isinstance(own := getattr(model, "layers", None), Mapping):
        layers = own
    if layers is None:
        take: Callable[[Tensor], dict[str, Tensor]] = _Returned(model)
    else:
        take = _Named(model, layers, _batch(model, x[:2], prepare))
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, len(x), batch_size):
        batch = _batch(model, x[start : start + batch_size], prepare)
        found = take(batch)
        if parts and list(found) != list(parts):
            raise InvalidArgument(f"encoder returns {list(found)}, but {list(parts)} before; want the same each time")
        for name, value in found.items():
            if value.ndim < 1 or len(value) != len(batch) or value.numel() == 0:
                raise InvalidArgument(
                    f"features {name!r} have shape {tuple(value.shape)} for {len(batch)} samples; "
                    f"want ({len(batch)}, ...), at least one number a sample"
                )
            parts.setdefault(name, []).append(value.detach().to("cpu", torch.float32))
    whole = {}
    for name, pieces in parts.items():
        if len({piece.shape[1:] for piece in pieces}) > 1:
            raise InvalidArgument(f"features {name!r} change their shape between batches; want one shape")
        whole[name] = torch.cat(pieces)
        finite(whole[name], f"features {name!r}")
    return whole


class _Returned:
    """Runs the encoder and names what it returns."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def __call__(self, batch: Tensor) -> dict[str, Tensor]:
        try:
            with untouched(self._model):
                value = self._model(batch)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise InvalidArgument(
                f"the encoder can't run on a batch of shape {tuple(batch.shape)} and {batch.dtype}: {error}"
            ) from error
        return returned(value)


class _Named:
    """Runs the encoder and takes modules by their names."""

    def __init__(self, model: nn.Module, layers: Sequence[str] | Mapping[str, str], trial: Tensor) -> None:
        if isinstance(layers, str):
            raise InvalidArgument(f"layers is {layers!r}; want a list of layer names, or a mapping to them")
        self._layers = dict(layers) if isinstance(layers, Mapping) else {name: name for name in layers}
        self._capture = Capture(model, list(dict.fromkeys(self._layers.values())), last, trial)

    def __call__(self, batch: Tensor) -> dict[str, Tensor]:
        values = self._capture(batch)
        return {name: values[layer] for name, layer in self._layers.items()}


def returned(value: Any) -> dict[str, Tensor]:
    """What an encoder returned, by name: a tensor, a tuple of up to three, a named tuple, or a mapping of tensors.

    Raises InvalidArgument where there is no tensor in it.

    >>> list(returned((torch.zeros(2, 3, 4, 4), torch.zeros(2, 5))))
    ['conv', 'Y']
    """
    named: dict[str, Any]
    if isinstance(value, Tensor):
        named = {"Y": value}
    elif isinstance(value, Mapping):
        named = {str(name): part for name, part in value.items() if isinstance(part, Tensor)}
    elif isinstance(value, tuple | list) and hasattr(value, "_asdict"):
        named = value._asdict()
    elif isinstance(value, tuple | list) and len(value) in _NAMES:
        named = dict(zip(_NAMES[len(value)], value, strict=True))
    else:
        size = f" of {len(value)}" if isinstance(value, tuple | list) else ""
        raise InvalidArgument(
            f"the encoder returns a {type(value).__name__}{size}; want a tensor, a tuple (map, Y) or (map, fc, Y), "
            "a mapping of tensors, or layers=[...] by name"
        )
    named = {name: part for name, part in named.items() if part is not None}
    for name, part in named.items():
        if not isinstance(part, Tensor) or part.is_complex():
            what = str(part.dtype) if isinstance(part, Tensor) else type(part).__name__
            raise InvalidArgument(f"the encoder returns {name!r} as {what}; want a tensor of real numbers")
    if not named:
        raise InvalidArgument("the encoder returns no tensor at all; want features, or layers=[...] by name")
    return named


def last(value: Any) -> Tensor:
    """The representation itself, Y, of what an encoder returned: the last of it.

    >>> last((torch.zeros(2, 3, 4, 4), torch.ones(2, 5))).shape
    torch.Size([2, 5])
    """
    return list(returned(value).values())[-1]


def _batch(model: nn.Module, x: Tensor, prepare: Callable[[Tensor], Tensor] | None) -> Tensor:
    """Part of the inputs on the encoder's device, prepared, in the encoder's precision; integers stay what they are."""
    like = next((p for p in [*model.parameters(), *model.buffers()] if p.is_floating_point()), None)
    batch = x if like is None else x.to(like.device)
    if prepare is not None:
        batch = prepare(batch)
    if batch.is_floating_point():
        batch = batch.to(torch.get_default_dtype() if like is None else like.dtype)
    return batch


__all__ = ["OUTPUT", "Encoder", "Layers", "as_module", "features", "last", "returned"]
