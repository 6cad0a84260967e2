"""Networks in the form for processors: which layers are replaced, and that results and parameters stay."""

from __future__ import annotations

import copy

import pytest
import torch
from infoflow_reproductions.networks.depthwise import Depthwise
from infoflow_reproductions.networks.on_processors import for_processors
from infoflow_reproductions.networks.pointwise import Pointwise
from infoflow_reproductions.networks.shuffle_unit import ShuffleUnit
from infoflow_reproductions.networks.small_cnn import SmallCNN
from torch import nn


def test_only_convolutions_of_the_two_kinds_are_replaced() -> None:
    others = [
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Conv2d(4, 4, 1, stride=2),
        nn.Conv2d(4, 4, 1, padding=1),
        nn.Conv2d(4, 4, 3, padding=1, groups=4),
        nn.Conv2d(4, 4, 3, groups=4, bias=False),
        nn.Conv2d(4, 8, 3, padding=1, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, groups=4, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False, padding_mode="reflect"),
        nn.Conv2d(4, 4, 2, padding=1, groups=4, bias=False),
    ]
    depthwise = nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False)
    network = nn.Sequential(*others, nn.Sequential(nn.Conv2d(4, 4, 1), depthwise))
    before = copy.deepcopy(network.state_dict())
    changed = for_processors(network)
    assert [type(each) for each in changed[: len(others)]] == [nn.Conv2d] * len(others)
    assert [type(each) for each in changed[-1]] == [Pointwise, Depthwise]
    assert list(changed.state_dict()) == list(before)


def test_a_network_without_them_stays() -> None:
    network = SmallCNN((1, 16), 10, seed=0)
    assert [type(each) for each in for_processors(network).modules()] == [
        type(each) for each in SmallCNN((1, 16), 10, seed=0).modules()
    ]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["shufflenet_v2", "mobilenet_v2"])
def test_networks_of_torchvision_agree(name: str, training: bool) -> None:
    pytest.importorskip("torchvision")
    from infoflow_reproductions.networks.vision import vision_network

    network = vision_network(name, stem="imagenet").double().train(training)
    x = torch.rand(8, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = x.to(memory_format=torch.channels_last)
    found = []
    names = list(network.state_dict())
    for _ in range(2):
        torch.manual_seed(0)  # of dropout
        network.zero_grad()
        output = network(x)
        output.square().sum().backward()
        found.append([output.detach(), *(parameter.grad for parameter in network.parameters())])
        network = for_processors(network)
    assert list(network.state_dict()) == names
    assert any(isinstance(each, ShuffleUnit) for each in network.modules()) == (name == "shufflenet_v2")
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-6, atol=1e-6)


def test_a_shuffle_unit_returns_channels_last() -> None:
    pytest.importorskip("torchvision")
    from infoflow_reproductions.networks.vision import vision_network

    network = for_processors(vision_network("shufflenet_v2", stem="imagenet"))
    unit = next(each for each in network.modules() if isinstance(each, ShuffleUnit))
    maps = unit(torch.rand(2, 24, 8, 8).to(memory_format=torch.channels_last))
    assert maps.shape == (2, 116, 4, 4)
    assert maps.is_contiguous(memory_format=torch.channels_last)
