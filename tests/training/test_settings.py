"""Optimizers: what they do to parameters, beside torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from infoflow.training import Optimizer

_REFERENCES = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda parameters: torch.optim.Adam(parameters, 0.05, betas=(0.5, 0.9), weight_decay=0.01),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 0.05, betas=(0.5, 0.9), weight_decay=0.01),
}
_SETTINGS = {
    "sgd": Optimizer("sgd", 0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": Optimizer("adam", 0.05, betas=(0.5, 0.9), weight_decay=0.01),
    "adamw": Optimizer("adamw", 0.05, betas=(0.5, 0.9), weight_decay=0.01),
}


def weights(dtype: torch.dtype = torch.float64) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(*shape, generator=generator, dtype=dtype)) for shape in ((3, 4), (5,))]


def after_steps(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> list[torch.Tensor]:
    for _ in range(20):
        optimizer.zero_grad()
        sum(each.abs().square().sum() + each.abs().sin().sum() for each in parameters).backward()  # type: ignore[union-attr]
        optimizer.step()
    return [each.detach() for each in parameters]


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_steps_are_those_of_torchs_own_optimizer(name: str) -> None:
    ours, theirs = weights(), weights()
    optimizer = _SETTINGS[name].over(ours)
    assert optimizer.defaults["fused"]
    found = after_steps(optimizer, ours)
    expected = after_steps(_REFERENCES[name](theirs), theirs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
        assert (one - weights()[0 if one.ndim == 2 else 1]).abs().min() > 0.01  # they moved


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_complex_parameters_are_optimized_too(name: str) -> None:
    ours, theirs = weights(torch.complex128), weights(torch.complex128)
    found = after_steps(_SETTINGS[name].over(ours), ours)
    for one, other in zip(found, after_steps(_REFERENCES[name](theirs), theirs), strict=True):
        torch.testing.assert_close(one, other)
