"""The classifier of Information Flow Maximization: four blocks of convolution, norm, activation and pooling."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, validated
from infoflow.models.seeded import seeded


class FlowClassifier(nn.Sequential):
    """Blocks of convolution, norm, activation and pooling: (n, in_channels, size, size) -> logits (n, classes).

    Parameters
    ----------
    classes
        Number of classes.
    channels
        Channels of each block.
    width
        Factor on the channels.
    in_channels
        Channels of the images.
    size
        Side of the images, a multiple of two to the number of blocks.
    seed
        Random seed of the parameters, which are drawn as torch does.

    Raises
    ------
    InvalidArgument
        If a number is out of range or the poolings do not divide the size.

    Notes
    -----
    Block i is a 3×3 convolution (padding 1), batch norm, leaky ReLU of slope 0.2 and 2×2 max pooling: modules `conv1`,
    `norm1`, `act1`, `pool1`, ..., `pool4`, `flatten`, `linear`. The published network has the default channels and
    32×32 pixels, hence a linear layer of 512 inputs. Its pairs are `FLOW_PAIRS`, of 96, 192 and 256 channels.

    References
    ----------
    Shen, Li, Liu (2019), arXiv:1907.00348, section 4.2, Table 1.

    Examples
    --------
    >>> import torch
    >>> network = FlowClassifier()
    >>> network(torch.zeros(2, 3, 32, 32)).shape, network.linear.in_features
    (torch.Size([2, 10]), 512)
    """

    @validated
    def __init__(
        self,
        classes: PositiveInt = 10,
        *,
        channels: Sequence[int] = (32, 64, 128, 128),
        width: PositiveFloat = 1.0,
        in_channels: PositiveInt = 3,
        size: PositiveInt = 32,
        seed: Seed = 0,
    ) -> None:
        scaled = [max(1, round(count * width)) for count in channels]
        factor = 2 ** len(scaled)
        if size % factor:
            raise InvalidArgument("size", f"a multiple of {factor}, since {len(scaled)} poolings halve it", size)
        modules: OrderedDict[str, nn.Module] = OrderedDict()
        before = in_channels
        with seeded(seed):
            for i, channel in enumerate(scaled, start=1):
                modules[f"conv{i}"] = nn.Conv2d(before, channel, 3, padding=1)
                modules[f"norm{i}"] = nn.BatchNorm2d(channel)
                modules[f"act{i}"] = nn.LeakyReLU(0.2)
                modules[f"pool{i}"] = nn.MaxPool2d(2)
                before = channel
            modules["flatten"] = nn.Flatten()
            modules["linear"] = nn.Linear(before * (size // factor) ** 2, classes)
        super().__init__(modules)


FLOW_PAIRS = [("act1", "act2"), ("act2", "act3"), ("act3", "act4")]
"""The published pairs of layers of a `FlowClassifier`: features before the pooling."""
