"""Networks with dropout: its places, its cost, and reproducibility."""

from __future__ import annotations

import math

import pytest
import torch
from infoflow_reproductions.information_dropout import EXPERIMENTS, cluttered
from infoflow_reproductions.networks.all_cnn import AllCNN, all_cnn_32
from infoflow_reproductions.networks.dropout_mlp import DropoutMLP
from infoflow_reproductions.networks.flow_classifier import FlowClassifier
from infoflow_reproductions.networks.noisy import DROPOUTS, noisy_layer
from infoflow_reproductions.networks.vae import VariationalAutoencoder
from torch import nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.layers import InformationDropout, information_cost, reestimate_batch_norm, stochastic_layers


def convolutions(network: nn.Module) -> list[tuple[int, int, int, int]]:
    """(in, out, kernel, stride) of every convolution but the noise branches."""
    branches = {id(m.branch) for m in network.modules() if isinstance(m, InformationDropout)}
    found = [m for m in network.modules() if isinstance(m, nn.Conv2d) and id(m) not in branches]
    return [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0]) for m in found]


@pytest.mark.parametrize("dropout", DROPOUTS)
def test_all_cnn_32_is_table_2(dropout: str) -> None:
    first = [(3, 96, 3, 1), (96, 96, 3, 1), (96, 96, 3, 2)]
    second = [(96, 192, 3, 1), (192, 192, 3, 1), (192, 192, 3, 2)]
    head = [(192, 192, 3, 1), (192, 192, 1, 1), (192, 10, 1, 1)]
    assert convolutions(all_cnn_32(dropout)) == first + second + head


def test_all_cnn_96_halves_the_side_four_times_at_its_dropouts() -> None:
    published = cluttered.PUBLISHED
    network = AllCNN(published.stages, published.head, channels=1, width=0.25, max_alpha=cluttered.MAX_ALPHA)
    shapes = {}
    for name, layer in stochastic_layers(network).items():
        layer.register_forward_hook(lambda m, i, o, name=name: shapes.update({name: tuple(o.shape)}))
    network(torch.zeros(1, 1, 96, 96))
    assert shapes == {
        "body.dropout1": (1, 8, 48, 48),
        "body.dropout2": (1, 16, 24, 24),
        "body.dropout3": (1, 24, 12, 12),
        "body.dropout4": (1, 48, 6, 6),
    }


@pytest.mark.parametrize("dropout", DROPOUTS)
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_noise_is_on_in_training_and_off_in_evaluation(dropout: str, kind: str) -> None:
    x = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    if kind == "mlp":
        network: nn.Module = DropoutMLP([192, 16, 16, 4], dropout)
        x = x.flatten(1)
    else:
        network = AllCNN((8, 8), 8, dropout=dropout)
    first, second = network(x), network(x)
    assert torch.equal(first, second) == (dropout == "none")
    if kind == "cnn":
        reestimate_batch_norm(network, [x])
    network.eval()
    assert torch.equal(network(x), network(x))
    assert all(p.grad is not None for p in _trained(network, x))


def _trained(network: nn.Module, x: torch.Tensor) -> list[nn.Parameter]:
    network.train()
    loss = network(x).square().sum()
    if any(isinstance(m, InformationDropout) for m in network.modules()):
        loss = loss + information_cost(network)
    loss.backward()
    return list(network.parameters())


def test_parameters_depend_on_the_seed_alone_and_global_random_state_is_unchanged() -> None:
    for make in (
        lambda s: DropoutMLP([4, 3, 2], seed=s),
        lambda s: AllCNN((4,), 4, seed=s),
        lambda s: VariationalAutoencoder(9, units=2, hidden=4, latent="information", seed=s),
        lambda s: FlowClassifier(channels=(4, 4), size=8, seed=s),
    ):
        state = torch.random.get_rng_state()
        first, again, other = (torch.cat([p.flatten() for p in make(s).parameters()]) for s in (3, 3, 4))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(("width", "channels"), [(0.25, 24), (0.5, 48), (1.0, 96), (0.001, 1)])
def test_width_multiplies_channels(width: float, channels: int) -> None:
    assert convolutions(all_cnn_32("none", width=width))[0][1] == channels


def test_softplus_has_the_log_normal_prior_and_relu_the_log_uniform() -> None:
    host = nn.Linear(3, 2)
    assert noisy_layer(host, "information", "softplus").prior == "log-normal"
    assert noisy_layer(host, "information", "relu").prior == "log-uniform"


def test_constant_noise_has_unit_mean_with_the_correction_alone() -> None:
    torch.manual_seed(0)
    identity = nn.Linear(1, 1)
    nn.init.constant_(identity.weight, 0.0)
    nn.init.constant_(identity.bias, 1.0)
    x = torch.zeros(200_000, 1)
    means = {
        corrected: noisy_layer(identity, "gaussian", mean_correction=corrected)(x).mean().item()
        for corrected in (False, True)
    }
    assert means[False] == pytest.approx(math.exp(0.245), abs=0.01)
    assert means[True] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("latent", ["gaussian", "information"])
def test_the_bound_is_below_the_log_likelihood(latent: str) -> None:
    """For pixels of ½, no model exceeds log p(x) = −inputs · log 2 on average."""
    torch.manual_seed(0)
    x = torch.full((400, 9), 0.5)
    network = VariationalAutoencoder(9, latent=latent, units=2, hidden=8)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(300):
        optimizer.zero_grad()
        (-network(x).mean()).backward()
        optimizer.step()
    bound = network(x).mean().item()
    assert bound <= -9 * math.log(2) + 1e-4
    assert bound > -9 * math.log(2) - 0.2


def test_the_gaussian_divergence_equals_its_monte_carlo_value() -> None:
    torch.manual_seed(1)
    network = VariationalAutoencoder(6, units=3, hidden=8)
    x = torch.rand(1, 6).expand(200_000, 6)
    z, divergence = network.encode(x)
    mean, log_variance = network.bottleneck(network.encoder(x[:1])).chunk(2, dim=1)
    posterior = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    prior = torch.distributions.Normal(0, 1)
    estimate = (posterior.log_prob(z) - prior.log_prob(z)).sum(1).mean()
    assert divergence[0].item() == pytest.approx(estimate.item(), abs=0.01)


def test_invalid_arguments_are_rejected() -> None:
    with pytest.raises(UnknownName, match="binary"):
        all_cnn_32("binray")
    for argument, make in {
        "activation": lambda: DropoutMLP([4, 3, 2], activation="tanh"),
        "latent": lambda: VariationalAutoencoder(latent="laplace"),
        "widths": lambda: DropoutMLP([4, 2]),
        "stages": lambda: AllCNN((), 4),
        "keep": lambda: AllCNN((4,), 4, keep=1.5),
        "x": lambda: all_cnn_32("none", width=0.1)(torch.zeros(2, 1, 32, 32)),
        "inputs": lambda: VariationalAutoencoder(0),
        "size": lambda: FlowClassifier(size=20),
    }.items():
        with pytest.raises(InvalidArgument) as error:
            make()
        assert error.value.argument == argument
    with pytest.raises(InvalidArgument, match=r"^x must be of shape \(n, 784\)"):
        VariationalAutoencoder()(torch.zeros(2, 28, 28))


def test_all_cnn_has_the_layers_of_table_2() -> None:
    """Nine convolutions (96, 96, 96, 192, 192, 192, 192, 192, 10), then the spatial average: no linear layer."""
    network = all_cnn_32("none")
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [96, 96, 96, 192, 192, 192, 192, 192, 10]
    assert [layer.stride[0] for layer in convolutions] == [1, 1, 2, 1, 1, 2, 1, 1, 1]
    assert [layer.kernel_size[0] for layer in convolutions] == [3] * 7 + [1, 1]
    assert not [module for module in network.modules() if isinstance(module, nn.Linear)]


def test_noise_and_activations_are_those_of_the_paper() -> None:
    """Section 8: α(x) < 0.7. Figures 3 (b), 5 and 6: Softplus."""
    assert cluttered.MAX_ALPHA == 0.7
    bottleneck = VariationalAutoencoder(9, units=2, hidden=4, latent="information").bottleneck
    assert bottleneck.max_alpha == 0.7
    for name in ("cifar", "disentangling", "flow"):
        assert EXPERIMENTS[name].recipe("full").activation == "softplus"
    assert EXPERIMENTS["vae"].recipe("full").factors == (1, 2, 3)
