"""Convolutions of 1×1 as matrix products: the same maps and gradients."""

from __future__ import annotations

import pytest
import torch
from infoflow_reproductions.networks.pointwise import Pointwise
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
