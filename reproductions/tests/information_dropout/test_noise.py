"""Which noise is on where a representation is measured with noise, and the prior that a layer has learned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.information_dropout.images import Part
from infoflow_reproductions.information_dropout.training import (
    noisy_representation,
    to_evaluation,
    to_noisy_evaluation,
)
from infoflow_reproductions.information_dropout.trial import learned_prior
from infoflow_reproductions.networks.all_cnn import AllCNN
from torch import nn

from infoflow.layers import BernoulliDropout, information_cost, stochastic_layers


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(None, "cpu", tmp_path / "checkpoint", False)


def images(n: int = 64) -> Part:
    x = torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return Part(x, torch.zeros(n, dtype=int))


def test_pixels_are_not_dropped_where_the_representation_is_measured_with_noise(context: Context) -> None:
    network = AllCNN((4, 4), 4, keep=0.5, seed=0)
    part = images()
    network(part.x)
    information_cost(network)  # from here on layers warn where statistics were gathered under their noise
    to_noisy_evaluation(network, part, 0, context)
    seen: list[torch.Tensor] = []
    layers = stochastic_layers(network)
    assert isinstance(layers["body.input"], BernoulliDropout)
    layers["body.input"].register_forward_hook(lambda module, inputs, output: seen.append(output))
    first, again, other = (noisy_representation(network, part.x, seed, context) for seed in (1, 1, 2))
    assert all(torch.equal(pixels, part.x) for pixels in seen)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert all(layer.forced is None for layer in layers.values())


def test_statistics_for_measurements_with_noise_are_those_of_whole_images_under_noise(context: Context) -> None:
    """The first convolution sees whole pixels; with half of them dropped and the others doubled it varies more."""
    network = AllCNN((4, 4), 4, keep=0.5, seed=0)
    part = images(400)
    norm = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    convolution = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    for _ in range(60):
        network(part.x)
    dropped = norm.running_var.clone()
    to_noisy_evaluation(network, part, 0, context)
    with torch.no_grad():
        whole = convolution(part.x).movedim(1, 0).flatten(1).var(1)
    assert torch.allclose(norm.running_var, whole, rtol=1e-3)
    assert bool((dropped > 1.2 * whole).all())
    assert not any(module.training for module in network.modules())


def test_noise_of_a_layer_counts_in_the_statistics_after_it(context: Context) -> None:
    network = AllCNN((4, 4), 4, seed=0)
    part = images(400)
    after = next(module for module in network.head.modules() if isinstance(module, nn.BatchNorm2d))
    to_noisy_evaluation(network, part, 0, context)
    noisy = after.running_var.clone()
    to_evaluation(network, part, context)
    assert bool((noisy > after.running_var).all())


def test_the_prior_is_that_of_the_last_layer() -> None:
    network = AllCNN((4, 4), 4, activation="softplus", seed=0)
    with torch.no_grad():
        network.body.dropout2.prior_mean.fill_(-1.5)
        network.body.dropout2.prior_log_std.fill_(0.0)
        network.body.dropout1.prior_mean.fill_(7.0)
    assert learned_prior(network) == (-1.5, 1.0)
    assert learned_prior(AllCNN((4,), 4, activation="relu")) is None
