"""The networks: their parts, their initializations, and that random state stays out of it."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.models import ACTIVATIONS, INITIALIZATIONS, MLP


def test_modules_are_named_by_kind_and_place() -> None:
    network = MLP([12, 10, 7, 2], "softsign")
    assert [name for name, _ in network.named_children()] == ["linear1", "softsign1", "linear2", "softsign2", "linear3"]


def test_one_activation_for_each_hidden_layer() -> None:
    network = MLP([12, 10, 7, 2], ["tanh", "relu"])
    assert isinstance(network.tanh1, nn.Tanh)
    assert isinstance(network.relu2, nn.ReLU)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_returns_logits(activation: str) -> None:
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    network = MLP([3, 4, 2], activation, seed=1)
    hidden = ACTIVATIONS[activation]()(x @ network.linear1.weight.T + network.linear1.bias)
    torch.testing.assert_close(network(x), hidden @ network.linear2.weight.T + network.linear2.bias)


def test_the_seed_alone_decides_and_global_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for initialization in INITIALIZATIONS:
        one, same, other = (MLP([4, 3, 2], initialization=initialization, seed=seed) for seed in (7, 7, 8))
        assert torch.equal(one.linear1.weight, same.linear1.weight)
        assert not torch.equal(one.linear1.weight, other.linear1.weight)
    assert torch.equal(torch.get_rng_state(), before)


def _first_layer(initialization: str, fan_in: int, fan_out: int) -> nn.Linear:
    layer = MLP([fan_in, fan_out, 2], initialization=initialization, seed=3).linear1
    assert isinstance(layer, nn.Linear)
    return layer


@pytest.mark.parametrize(
    ("initialization", "law"),
    [
        ("idnns", stats.truncnorm(-2, 2, scale=1 / math.sqrt(50))),
        ("saxe", stats.truncnorm(-2, 2, scale=1 / math.sqrt(400))),
        ("he", stats.norm(scale=math.sqrt(2 / 50))),
        ("torch", stats.uniform(-1 / math.sqrt(50), 2 / math.sqrt(50))),
    ],
)
def test_weights_follow_the_law_of_their_initialization(initialization: str, law: stats.rv_continuous) -> None:
    layer = _first_layer(initialization, 50, 400)
    assert stats.kstest(layer.weight.detach().flatten().numpy(), law.cdf).pvalue > 0.01
    if initialization == "torch":
        assert stats.kstest(layer.bias.detach().numpy(), law.cdf).pvalue > 0.01
    else:
        assert not layer.bias.any()


def test_the_last_layer_of_saxe_is_glorot_uniform() -> None:
    last = MLP([5, 300, 100], initialization="saxe", seed=2).linear2
    assert isinstance(last, nn.Linear)
    bound = math.sqrt(6 / 400)
    assert stats.kstest(last.weight.detach().flatten().numpy(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 0.01


def test_float64_is_made_on_request() -> None:
    assert MLP([3, 2], dtype=torch.float64)(torch.zeros(1, 3, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (([12],), InvalidArgument, "at least an input and an output"),
        (([12, 0, 2],), InvalidArgument, "widths"),
        (([12, 3.5, 2],), InvalidArgument, "widths"),
        (([12, 3, 2], "tahn"), UnknownName, "did you mean 'tanh'"),
        (([12, 3, 2], ["tanh", "relu"]), InvalidArgument, "names 2 layers"),
    ],
)
def test_what_makes_no_network_is_refused(arguments: tuple, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        MLP(*arguments)


def test_an_unknown_initialization_or_seed_is_refused() -> None:
    with pytest.raises(UnknownName, match="did you mean 'idnns'"):
        MLP([3, 2], initialization="idnn")
    with pytest.raises(InvalidArgument, match="seed"):
        MLP([3, 2], seed=-1)
