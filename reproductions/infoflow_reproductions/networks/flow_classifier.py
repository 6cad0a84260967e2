"""The classifier of Information Flow Maximization: four blocks of convolution, norm, activation and pooling."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument


class FlowClassifier(nn.Sequential):
    """Images (n, in_channels, size, size) -> logits (n, classes), by blocks conv-norm-act-pool and a linear layer.

    Block i is 3×3 convolution (padding 1), batch norm, leaky ReLU of slope 0.2 and 2×2 max pooling: modules `conv1`,
    `norm1`, `act1`, `pool1`, ..., `pool4`, `flatten`, `linear`. The published one has channels 32, 64, 128, 128 and
    32×32 pixels, hence a linear layer of 512 inputs; Information Flow Maximization pairs `act1`-`act2`, `act2`-`act3`,
    `act3`-`act4`, whose widths add up to 96, 192 and 256. `width` scales the channels. Weights are torch's defaults
    (convolutions uniform in ±1/√fan_in), drawn from `seed` alone.

    Raises InvalidArgument for a size that the poolings don't divide. Shen, Li, Liu (2019), arXiv:1907.00348,
    section 4.1.

    >>> network = FlowClassifier()
    >>> network(torch.zeros(2, 3, 32, 32)).shape, network.linear.in_features
    (torch.Size([2, 10]), 512)
    """

    def __init__(
        self,
        classes: int = 10,
        *,
        channels: Sequence[int] = (32, 64, 128, 128),
        width: float = 1.0,
        in_channels: int = 3,
        size: int = 32,
        seed: int = 0,
    ) -> None:
        channels = [max(1, round(integer(c, "channels") * width)) for c in channels]
        if integer(size, "size") % 2 ** len(channels):
            raise InvalidArgument(
                f"size is {size}, but {len(channels)} poolings halve it; want a multiple of {2 ** len(channels)}"
            )
        generator = torch.Generator().manual_seed(integer(seed, "seed", minimum=0))
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        before = integer(in_channels, "in_channels")
        for i, channel in enumerate(channels, start=1):
            modules[f"conv{i}"] = nn.utils.skip_init(nn.Conv2d, before, channel, 3, padding=1)  # type: ignore[no-untyped-call]
            modules[f"norm{i}"] = nn.BatchNorm2d(channel)
            modules[f"act{i}"] = nn.LeakyReLU(0.2)
            modules[f"pool{i}"] = nn.MaxPool2d(2)
            before = channel
        modules["flatten"] = nn.Flatten()
        features = before * (size // 2 ** len(channels)) ** 2
        modules["linear"] = nn.utils.skip_init(nn.Linear, features, integer(classes, "classes"))  # type: ignore[no-untyped-call]
        for module in modules.values():
            if isinstance(module, nn.Conv2d | nn.Linear):
                limit = module.weight[0].numel() ** -0.5
                for parameter in module.parameters():
                    nn.init.uniform_(parameter, -limit, limit, generator=generator)
        super().__init__(modules)


FLOW_PAIRS = [("act1", "act2"), ("act2", "act3"), ("act3", "act4")]
"""The published pairs of a `FlowClassifier`: features before the pooling."""
