"""Features of a frozen encoder: what it returns, or what its modules compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from infoflow.core.capture import Capture, untouched, unwrapped
from infoflow.core.checks import finite
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import PositiveInt, validated
from infoflow.probes.inputs import Prepare, as_tensor

Layers: TypeAlias = Sequence[str] | Mapping[str, str] | None
Encoder: TypeAlias = nn.Module | Callable[..., Any]

# Names of the members of a plain tuple, by its length.
_NAMES = {1: ("Y",), 2: ("conv", "Y"), 3: ("conv", "fc", "Y")}


class _Function(nn.Module):
    """A function as a module without parameters, so that there is one way to run an encoder."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Any) -> Any:
        return self.function(*inputs)


def as_module(encoder: Encoder) -> nn.Module:
    """Encoder without compiled or data-parallel wrappers; a function becomes a module without parameters.

    >>> as_module(nn.Identity())
    Identity()
    """
    if isinstance(encoder, nn.Module):
        return unwrapped(encoder)
    if not callable(encoder):
        raise InvalidArgument("encoder", "a torch.nn.Module or a function", got_text=type(encoder).__name__)
    return _Function(encoder)


@validated
def features(
    encoder: Encoder,
    inputs: Any,
    layers: Layers = None,
    *,
    prepare: Prepare | None = None,
    batch_size: PositiveInt = 512,
) -> dict[str, Tensor]:
    """Compute the features of each layer of an encoder, batch by batch, on the CPU in float32.

    Parameters
    ----------
    encoder
        Module or function.
    inputs : array-like of shape (n, ...)
        Inputs of the encoder. Numbers with a fraction are converted to the encoder's type, integers (tokens) stay.
    layers
        Names of modules as in `encoder.named_modules()`, with "output" for the last of what the encoder returns; or a
        mapping from other names to such names. None takes the mapping `encoder.layers` if there is one, as the
        encoders in `infoflow.models` have, and otherwise what the encoder returns: a tensor is "Y", a tuple of two
        ("conv", "Y"), of three ("conv", "fc", "Y"); named tuples and mappings provide names.
    prepare
        Function applied to each batch first, for example `lambda x: 2 * x - 1` for images in [−1, 1].
    batch_size
        Samples per batch.

    Returns
    -------
    dict
        Features of shape (n, ...) by the name of the layer.

    Raises
    ------
    InvalidArgument
        If the encoder does not accept the inputs, returns no tensors, or features contain NaN.
    UnknownName
        If a layer does not exist.
    TooFewSamples
        If there are no inputs.

    Notes
    -----
    The encoder runs in evaluation mode without gradients. Its flags, its buffers and all random states are restored
    afterwards.

    Examples
    --------
    >>> encoder = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    >>> images = torch.zeros(10, 1, 8, 8)
    >>> {name: tuple(value.shape) for name, value in features(encoder, images).items()}
    {'Y': (10, 2)}
    >>> {name: tuple(value.shape) for name, value in features(encoder, images, {"conv": "1", "Y": "output"}).items()}
    {'conv': (10, 4, 6, 6), 'Y': (10, 2)}
    """
    model = as_module(encoder)
    x = as_tensor(inputs)
    if x.ndim < 1 or len(x) == 0:
        raise TooFewSamples("inputs", "at least one sample, of shape (n, ...)", x)
    if layers is None and isinstance(own := getattr(model, "layers", None), Mapping):
        layers = own
    run = _returns(model) if layers is None else _captures(model, layers, _batch(model, x[:2], prepare))
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, len(x), batch_size):
        batch = _batch(model, x[start : start + batch_size], prepare)
        found = run(batch)
        if parts and list(found) != list(parts):
            raise InvalidArgument("encoder", f"one that returns {list(parts)} for every batch", list(found))
        for name, value in found.items():
            if value.ndim < 1 or len(value) != len(batch) or value.numel() == 0:
                raise InvalidArgument(f"features {name!r}", f"of shape ({len(batch)}, ...) and not empty", value)
            parts.setdefault(name, []).append(value.detach().to("cpu", torch.float32))
    whole = {}
    for name, pieces in parts.items():
        if len({piece.shape[1:] for piece in pieces}) > 1:
            raise InvalidArgument(f"features {name!r}", "of one shape in all batches")
        whole[name] = torch.cat(pieces)
        finite(whole[name], f"features {name!r}")
    return whole


def _returns(model: nn.Module) -> Callable[[Tensor], dict[str, Tensor]]:
    """Function that runs the encoder and names what it returns."""

    def run(batch: Tensor) -> dict[str, Tensor]:
        try:
            with untouched(model):
                value = model(batch)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            shape = f"a batch of shape {tuple(batch.shape)} and {batch.dtype}"
            raise InvalidArgument(f"The encoder cannot run on {shape}: {error}") from error
        return returned(value)

    return run


def _captures(
    model: nn.Module, layers: Sequence[str] | Mapping[str, str], trial: Tensor
) -> Callable[[Tensor], dict[str, Tensor]]:
    """Function that runs the encoder and returns the outputs of modules by their names."""
    if isinstance(layers, str):
        raise InvalidArgument("layers", "a list of layer names, or a mapping to them", layers)
    named = dict(layers) if isinstance(layers, Mapping) else {name: name for name in layers}
    capture = Capture(model, list(dict.fromkeys(named.values())), last, trial)

    def run(batch: Tensor) -> dict[str, Tensor]:
        values = capture(batch)
        return {name: values[layer] for name, layer in named.items()}

    return run


def returned(value: Any) -> dict[str, Tensor]:
    """Tensors that an encoder returned, by name: of a tensor, a tuple of up to three, a named tuple or a mapping.

    Raises `InvalidArgument` if there is none.

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
        forms = "one that returns a tensor, a tuple (map, Y) or (map, fc, Y), or a mapping of tensors"
        got = f"a {type(value).__name__}{size}"
        raise InvalidArgument("encoder", forms, got_text=got, remedy="Otherwise pass layers=[...] by name.")
    named = {name: part for name, part in named.items() if part is not None}
    for name, part in named.items():
        if not isinstance(part, Tensor) or part.is_complex():
            what = str(part.dtype) if isinstance(part, Tensor) else type(part).__name__
            raise InvalidArgument("encoder", f"one that returns {name!r} as a tensor of real numbers", got_text=what)
    if not named:
        remedy = "Otherwise pass layers=[...] by name."
        raise InvalidArgument("encoder", "one that returns a tensor", got_text="no tensor", remedy=remedy)
    return named


def last(value: Any) -> Tensor:
    """The representation Y: the last tensor that an encoder returned.

    >>> last((torch.zeros(2, 3, 4, 4), torch.ones(2, 5))).shape
    torch.Size([2, 5])
    """
    return list(returned(value).values())[-1]


def _batch(model: nn.Module, x: Tensor, prepare: Prepare | None) -> Tensor:
    """Part of the inputs, prepared, on the encoder's device and of its type; integers stay integers."""
    like = next((p for p in [*model.parameters(), *model.buffers()] if p.is_floating_point()), None)
    batch = x if like is None else x.to(like.device)
    if prepare is not None:
        batch = prepare(batch)
    if batch.is_floating_point():
        batch = batch.to(torch.get_default_dtype() if like is None else like.dtype)
    return batch
