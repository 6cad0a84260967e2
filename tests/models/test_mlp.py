"""Parts and initializations of the fully connected networks; torch's random state is not used."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import stats
from torch import nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.models import ACTIVATIONS, INITIALIZATIONS, MLP


def test_modules_are_named_by_kind_and_position() -> None:
    network = MLP([12, 10, 7, 2], "softsign")
    assert [name for name, _ in network.named_children()] == ["linear1", "softsign1", "linear2", "softsign2", "linear3"]


def test_one_activation_for_each_hidden_layer() -> None:
    network = MLP([12, 10, 7, 2], ["tanh", "relu"])
    assert isinstance(network.tanh1, nn.Tanh)
    assert isinstance(network.relu2, nn.ReLU)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_are_logits(activation: str) -> None:
    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    network = MLP([3, 4, 2], activation, seed=1)
    hidden = ACTIVATIONS[activation]()(x @ network.linear1.weight.T + network.linear1.bias)
    torch.testing.assert_close(network(x), hidden @ network.linear2.weight.T + network.linear2.bias)


def test_parameters_depend_on_the_seed_and_the_global_state_is_unchanged() -> None:
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
    ("initialization", "distribution"),
    [
        ("idnns", stats.truncnorm(-2, 2, scale=1 / math.sqrt(50))),
        ("saxe", stats.truncnorm(-2, 2, scale=1 / math.sqrt(400))),
        ("he", stats.norm(scale=math.sqrt(2 / 50))),
        ("torch", stats.uniform(-1 / math.sqrt(50), 2 / math.sqrt(50))),
    ],
)
def test_weights_follow_the_distribution_of_their_initialization(
    initialization: str, distribution: stats.rv_continuous
) -> None:
    layer = _first_layer(initialization, 50, 400)
    assert stats.kstest(layer.weight.detach().flatten().numpy(), distribution.cdf).pvalue > 0.01
    if initialization == "torch":
        assert stats.kstest(layer.bias.detach().numpy(), distribution.cdf).pvalue > 0.01
    else:
        assert not layer.bias.any()


def test_the_last_layer_of_saxe_is_glorot_uniform() -> None:
    last = MLP([5, 300, 100], initialization="saxe", seed=2).linear2
    assert isinstance(last, nn.Linear)
    bound = math.sqrt(6 / 400)
    assert stats.kstest(last.weight.detach().flatten().numpy(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 0.01


def test_dtype_of_the_parameters() -> None:
    assert MLP([3, 2], dtype=torch.float64)(torch.zeros(1, 3, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    ("arguments", "error", "argument"),
    [
        (([12],), InvalidArgument, "widths"),
        (([12, 0, 2],), InvalidArgument, "widths"),
        (([12, 3.5, 2],), InvalidArgument, "widths"),
        (([12, 3, 2], "tahn"), UnknownName, "activation"),
        (([12, 3, 2], ["tanh", "relu"]), InvalidArgument, "activation"),
    ],
)
def test_invalid_arguments_raise(arguments: tuple, error: type[InvalidArgument], argument: str) -> None:
    with pytest.raises(error) as caught:
        MLP(*arguments)
    assert caught.value.argument == argument


def test_unknown_initializations_and_negative_seeds_raise() -> None:
    with pytest.raises(UnknownName, match="'idnns'"):
        MLP([3, 2], initialization="idnn")
    with pytest.raises(InvalidArgument, match="seed"):
        MLP([3, 2], seed=-1)
