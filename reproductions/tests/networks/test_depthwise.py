"""Depthwise convolutions as weighted sums: the maps and gradients of the convolution, for every size and stride."""

from __future__ import annotations

import pytest
import torch
from infoflow_reproductions.networks.depthwise import Depthwise
from torch import nn


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 2), (4, 1), (3, 3)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 1)])
def test_maps_and_gradients_are_those_of_the_convolution(
    shape: tuple[int, int], stride: int, kernel: tuple[int, int]
) -> None:
    padding = (kernel[0] // 2, kernel[1] // 2)
    convolution = nn.Conv2d(6, 6, kernel, stride=stride, padding=padding, groups=6, bias=False).double()
    x = torch.randn(3, 6, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    found = []
    for network in (convolution, Depthwise(convolution)):
        network.zero_grad()
        x.grad = None
        maps = network(x)
        weights = torch.randn(maps.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
        (weights * maps).sum().backward()
        assert x.grad is not None
        assert convolution.weight.grad is not None
        found.append([maps.detach(), x.grad.clone(), convolution.weight.grad.clone()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(other, one)
