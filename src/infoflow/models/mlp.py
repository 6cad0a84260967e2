"""Fully connected networks, as the information-plane literature trains them."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Each, Integer, OneOf, Seed, check, validated

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "softsign": nn.Softsign,
    "softplus": nn.Softplus,
    "sigmoid": nn.Sigmoid,
    "hardtanh": nn.Hardtanh,
}
"""Activation modules by name."""


def _truncated_normal(weight: Tensor, std: float, generator: torch.Generator) -> None:
    """Cut at two standard deviations, which leaves 0.88 of the nominal one, as TensorFlow's truncated normal does."""
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std, generator=generator)


def _inputs(weight: Tensor) -> int:
    """The number of values that one output is computed from, in a linear layer or a convolution."""
    return weight[0].numel()


def _idnns(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    _truncated_normal(weight, 1 / math.sqrt(_inputs(weight)), generator)
    nn.init.zeros_(bias)


def _saxe(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    if last:  # the released code leaves Keras' default in the softmax layer
        nn.init.xavier_uniform_(weight, generator=generator)
    else:
        _truncated_normal(weight, 1 / math.sqrt(weight[:, 0].numel()), generator)
    nn.init.zeros_(bias)


def _he(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    nn.init.normal_(weight, std=math.sqrt(2 / _inputs(weight)), generator=generator)
    nn.init.zeros_(bias)


def _torch(weight: Tensor, bias: Tensor, last: bool, generator: torch.Generator) -> None:
    bound = 1 / math.sqrt(_inputs(weight))
    nn.init.uniform_(weight, -bound, bound, generator=generator)
    nn.init.uniform_(bias, -bound, bound, generator=generator)


INITIALIZATIONS: dict[str, Callable[[Tensor, Tensor, bool, torch.Generator], None]] = {
    "idnns": _idnns,
    "saxe": _saxe,
    "he": _he,
    "torch": _torch,
}
"""Distributions of the initial parameters by name; each fills (weight, bias, is last layer, generator)."""

Activation = Annotated[str, OneOf(lambda: ACTIVATIONS)]
Initialization = Annotated[str, OneOf(lambda: INITIALIZATIONS)]


class MLP(nn.Sequential):
    """Fully connected network that maps samples (n, widths[0]) to logits (n, widths[-1]).

    Parameters
    ----------
    widths
        Numbers of units: the input, each hidden layer, the output.
    activation
        Name in `ACTIVATIONS` for all hidden layers, or a sequence with one name per hidden layer.
    initialization
        Distribution of the initial parameters, by its name in `INITIALIZATIONS`; see Notes.
    seed
        Seed of the initial parameters. Torch's global random state is neither used nor changed.
    dtype
        Type of the parameters; None is torch's default type.

    Raises
    ------
    InvalidArgument
        If `widths` has fewer than two members or one below 1, or `activation` names another number of layers.
    UnknownName
        If an activation or the initialization does not exist.

    Notes
    -----
    The network computes h_0 = x, h_l = activation(W_l h_{l−1} + b_l) and logits = W_K h_{K−1} + b_K. Its modules are
    named `linear1`, `tanh1`, `linear2`, ..., `linearK`.

    Initializations, with fan_in and fan_out the input and output width of a layer (times the pixels of the kernel in a
    convolution of `ConvolutionalNet`):

    - "idnns": W truncated normal with standard deviation 1/√fan_in, cut at 2 standard deviations, b = 0; as in the
      code released with [1]_.
    - "saxe": W truncated normal with standard deviation 1/√fan_out, the last layer Glorot-uniform, b = 0; as in the
      code released with [2]_.
    - "he": W normal with standard deviation √(2/fan_in), b = 0; equation (10) of [3]_.
    - "torch": W and b uniform in ±1/√fan_in, as in `torch.nn.Linear`.

    References
    ----------
    .. [1] R. Shwartz-Ziv and N. Tishby, "Opening the black box of deep neural networks via information", 2017.
    .. [2] A. M. Saxe et al., "On the information bottleneck theory of deep learning", ICLR 2018.
    .. [3] K. He et al., "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> network = MLP([12, 10, 7, 5, 4, 3, 2], "tanh", initialization="idnns", seed=0)
    >>> [name for name, _ in network.named_children()][:3], network(torch.zeros(5, 12)).shape
    (['linear1', 'tanh1', 'linear2'], torch.Size([5, 2]))
    """

    @validated
    def __init__(
        self,
        widths: Annotated[Sequence[int], Each(Integer(1), length=2)],
        activation: str | Sequence[str] = "tanh",
        *,
        initialization: Initialization = "torch",
        seed: Seed = 0,
        dtype: torch.dtype | None = None,
    ) -> None:
        hidden = len(widths) - 2
        names = [activation] * max(hidden, 1) if isinstance(activation, str) else list(activation)
        for name in names:
            check(name, "activation", OneOf(lambda: ACTIVATIONS))
        if not isinstance(activation, str) and len(names) != hidden:
            raise InvalidArgument("activation", f"one name, or {hidden} for widths {list(widths)}", activation)
        generator = torch.Generator().manual_seed(seed)
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
            # skip_init, since nn.Linear itself would draw from the global random state.
            linear = nn.utils.skip_init(nn.Linear, fan_in, fan_out, dtype=dtype)  # type: ignore[no-untyped-call]
            INITIALIZATIONS[initialization](linear.weight, linear.bias, i == hidden, generator)
            modules[f"linear{i + 1}"] = linear
            if i < hidden:
                modules[f"{names[i]}{i + 1}"] = ACTIVATIONS[names[i]]()
        super().__init__(modules)
        self.initialization = initialization

    def extra_repr(self) -> str:
        """Describe the initialization, for the representation of the module.

        Returns
        -------
        str
            Text between the parentheses.
        """
        return f"initialization={self.initialization!r}"
