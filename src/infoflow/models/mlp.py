"""The fully connected networks of the information-plane literature."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "softsign": nn.Softsign,
    "softplus": nn.Softplus,
    "sigmoid": nn.Sigmoid,
    "hardtanh": nn.Hardtanh,
}


def _truncated_normal(weight: Tensor, std: float, generator: torch.Generator) -> None:
    """Cut at two standard deviations, which leaves 0.88 of the nominal one, as TensorFlow's truncated normal does."""
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std, generator=generator)


def _idnns(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    _truncated_normal(weight, 1 / math.sqrt(weight.shape[1]), generator)
    nn.init.zeros_(bias)


def _saxe(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    if last:  # their softmax layer keeps Keras' default
        nn.init.xavier_uniform_(weight, generator=generator)
    else:
        _truncated_normal(weight, 1 / math.sqrt(weight.shape[0]), generator)
    nn.init.zeros_(bias)


def _he(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    nn.init.normal_(weight, std=math.sqrt(2 / weight.shape[1]), generator=generator)
    nn.init.zeros_(bias)


def _torch(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    bound = 1 / math.sqrt(weight.shape[1])
    nn.init.uniform_(weight, -bound, bound, generator=generator)
    nn.init.uniform_(bias, -bound, bound, generator=generator)


INITIALIZATIONS: dict[str, Callable[[Tensor, Tensor, bool, torch.Generator], None]] = {
    "idnns": _idnns,
    "saxe": _saxe,
    "he": _he,
    "torch": _torch,
}


class MLP(nn.Sequential):
    """A fully connected network that returns logits: (n, widths[0]) -> (n, widths[-1]).

        h_0 = x,   h_l = activation(W_l h_{l-1} + b_l),   logits = W_K h_{K-1} + b_K

    Its modules are named `linear1`, `tanh1`, `linear2`, ..., `linearK`. `activation` is one name of `ACTIVATIONS`, or
    one for each hidden layer. `initialization` says how parameters are drawn, from `seed` alone, without touching
    torch's global random state; with fan_in and fan_out a layer's input and output widths,

    - "idnns": W truncated normal of std 1/√fan_in (cut at 2 std), b = 0; Shwartz-Ziv and Tishby's released code,
    - "saxe": W truncated normal of std 1/√fan_out, the last layer Glorot-uniform, b = 0; Saxe et al.'s released code,
    - "he": W normal of std √(2/fan_in), b = 0; He et al. (2015), eq. (10),
    - "torch": W and b uniform in ±1/√fan_in, what `torch.nn.Linear` does.

    Raises InvalidArgument (widths, seed, number of activations) or UnknownName (activation, initialization).

    >>> network = MLP([12, 10, 7, 5, 4, 3, 2], "tanh", initialization="idnns", seed=0)
    >>> [name for name, _ in network.named_children()][:3], network(torch.zeros(5, 12)).shape
    (['linear1', 'tanh1', 'linear2'], torch.Size([5, 2]))
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: str | Sequence[str] = "tanh",
        *,
        initialization: str = "torch",
        seed: int = 0,
        dtype: torch.dtype | None = None,
    ) -> None:
        widths = [integer(width, "widths") for width in widths]
        if len(widths) < 2:
            raise InvalidArgument(f"widths {widths} make no layer; want at least an input and an output width")
        hidden = len(widths) - 2
        activations = [activation] * hidden if isinstance(activation, str) else list(activation)
        if len(activations) != hidden:
            raise InvalidArgument(
                f"activation names {len(activations)} layers, but widths {widths} have {hidden} hidden"
            )
        for name in [activation] if isinstance(activation, str) else activations:
            choice(name, "activation", ACTIVATIONS)
        initialize = INITIALIZATIONS[choice(initialization, "initialization", INITIALIZATIONS)]
        generator = torch.Generator().manual_seed(integer(seed, "seed", minimum=0))
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
            # skip_init, since nn.Linear's own would draw from the global random state.
            linear = nn.utils.skip_init(nn.Linear, fan_in, fan_out, dtype=dtype)  # type: ignore[no-untyped-call]
            initialize(linear.weight, linear.bias, i == hidden, generator)
            modules[f"linear{i + 1}"] = linear
            if i < hidden:
                modules[f"{activations[i]}{i + 1}"] = ACTIVATIONS[activations[i]]()
        super().__init__(modules)
        self.initialization = initialization

    def extra_repr(self) -> str:
        return f"initialization={self.initialization!r}"
