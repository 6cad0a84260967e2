"""Convolutions of 1×1 as matrix products: the same maps and gradients, and the others stay."""

from __future__ import annotations

import copy

import pytest
import torch
from infoflow_reproductions.networks.pointwise import Pointwise, with_matrix_products
from infoflow_reproductions.networks.small_cnn import SmallCNN
from torch import nn


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_maps_and_gradients_are_those_of_the_convolution(bias: bool, layout: torch.memory_format) -> None:
    convolution = nn.Conv2d(6, 5, 1, bias=bias).double()
    x = torch.randn(3, 6, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x = x.to(memory_format=layout).requires_grad_()
    weights = torch.randn(3, 5, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = []
    for network in (convolution, Pointwise(convolution)):
        network.zero_grad()
        x.grad = None
        (weights * network(x)).sum().backward()
        assert x.grad is not None
        gradients = [parameter.grad.clone() for parameter in network.parameters() if parameter.grad is not None]
        found.append([network(x).detach(), x.grad.clone(), *gradients])
    assert len(found[0]) == 3 + bias
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(other, one)


def test_only_convolutions_of_one_pixel_and_stride_are_replaced() -> None:
    others = [
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Conv2d(4, 4, 1, stride=2),
        nn.Conv2d(4, 4, 1, groups=4),
        nn.Conv2d(4, 4, 1, padding=1),
    ]
    network = nn.Sequential(*others, nn.Sequential(nn.Conv2d(4, 4, 1)))
    before = copy.deepcopy(network.state_dict())
    changed = with_matrix_products(network)
    assert [type(each) for each in changed[:4]] == [nn.Conv2d] * 4
    assert isinstance(changed[4][0], Pointwise)
    assert list(changed.state_dict()) == list(before)


def test_a_network_without_them_stays() -> None:
    network = SmallCNN((1, 16), 10, seed=0)
    assert [type(each) for each in with_matrix_products(network).modules()] == [
        type(each) for each in SmallCNN((1, 16), 10, seed=0).modules()
    ]


def test_shufflenet_agrees() -> None:
    pytest.importorskip("torchvision")
    from infoflow_reproductions.networks.vision import vision_network

    network = vision_network("shufflenet_v2", stem="imagenet").eval()
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
    expected = network(x)
    torch.testing.assert_close(with_matrix_products(network)(x), expected, rtol=1e-4, atol=1e-5)
