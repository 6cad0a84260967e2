"""A stacked network gives the outputs and gradients of its members."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from infoflow.core.errors import InvalidArgument
from infoflow.models import ACTIVATIONS, MLP, stack, unstack

widths = st.lists(st.integers(1, 9), min_size=2, max_size=5)


def _members(layout: list[int], activation: str, count: int) -> list[MLP]:
    return [MLP(layout, activation, seed=seed, dtype=torch.float64) for seed in range(count)]


@given(
    layout=widths,
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    count=st.integers(1, 4),
    n=st.integers(1, 20),
    shared=st.booleans(),
)
@settings(max_examples=40)
def test_outputs_and_gradients_equal_those_of_the_members(
    layout: list[int], activation: str, count: int, n: int, shared: bool
) -> None:
    generator = torch.Generator().manual_seed(n)
    x = torch.randn((n, layout[0]) if shared else (count, n, layout[0]), generator=generator, dtype=torch.float64)
    y = torch.randint(layout[-1], (count, n), generator=generator)
    members = _members(layout, activation, count)
    stacked = stack(members)
    together = stacked(x)
    assert together.shape == (count, n, layout[-1])
    functional.cross_entropy(together.reshape(count * n, -1), y.flatten(), reduction="sum").backward()
    for r, member in enumerate(members):
        alone = member(x if shared else x[r])
        torch.testing.assert_close(together[r], alone, rtol=0, atol=1e-12)
        functional.cross_entropy(alone, y[r], reduction="sum").backward()
        for name, parameter in member.named_parameters():
            gradient = stacked.get_parameter(name).grad[r].reshape(parameter.shape)
            torch.testing.assert_close(gradient, parameter.grad, rtol=0, atol=1e-12 * max(1, n))


def test_hooks_by_name_receive_the_activations_of_each_member() -> None:
    members = _members([4, 3, 2], "tanh", 3)
    seen = []
    stack(members).tanh1.register_forward_hook(lambda _, __, output: seen.append(output))
    network, x = stack(members), torch.ones(5, 4, dtype=torch.float64)
    network.tanh1.register_forward_hook(lambda _, __, output: seen.append(output))
    network(x)
    assert seen[0].shape == (3, 5, 3)
    torch.testing.assert_close(seen[0][2], torch.tanh(members[2].linear1(x)))


@pytest.mark.parametrize("bias", [True, False])
def test_unstack_returns_the_member(bias: bool) -> None:
    members = [nn.Sequential(nn.Linear(4, 3, bias=bias), nn.LeakyReLU(0.3), nn.Linear(3, 2)) for _ in range(3)]
    stacked = stack(members).eval()
    x = torch.randn(5, 4)
    for r, member in enumerate(members):
        back = unstack(stacked, r)
        assert not back.training
        assert str(back) == str(member)
        assert all(torch.equal(a, b) for a, b in zip(back.parameters(), member.parameters(), strict=True))
        torch.testing.assert_close(stacked(x)[r], member(x))


def test_stack_and_unstack_copy_parameters() -> None:
    members = [MLP([4, 3, 2], seed=seed) for seed in range(2)]
    before = members[1].linear1.weight.clone()
    stacked = stack(members)
    with torch.no_grad():
        stacked.linear1.weight.zero_()
    assert torch.equal(members[1].linear1.weight, before)
    alone = unstack(stacked, 1)
    with torch.no_grad():
        alone.linear1.weight.fill_(1)
    assert not stacked.linear1.weight.any()


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ([], "^networks must"),
        ([nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))], "^layers must.*'1' of type BatchNorm1d"),
        ([nn.Sequential(nn.Linear(3, 2), nn.Dropout())], "Dropout"),
        ([nn.Sequential(nn.Conv2d(1, 2, 3))], "Conv2d"),
        ([nn.Linear(3, 2)], r"^networks\[0\] must.*Linear"),
        ([MLP([3, 4, 2]), MLP([3, 5, 2])], r"^networks\[1\] must.*out_features=4.*out_features=5"),
        ([MLP([3, 4, 2]), MLP([3, 2])], r"^networks\[1\] must"),
        ([MLP([3, 4, 2], "tanh"), MLP([3, 4, 2], "relu")], r"^networks\[1\] must"),
        ([nn.Sequential(nn.LeakyReLU(0.1)), nn.Sequential(nn.LeakyReLU(0.2))], "negative_slope=0.2"),
        ([stack([MLP([3, 2])])], "Stacked"),
        ([MLP([3, 2]), MLP([3, 2], dtype=torch.float64)], "float64"),
    ],
)
def test_networks_that_cannot_be_stacked_raise(networks: list[nn.Module], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        stack(networks)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5, 4), (4,), (2, 2, 5, 4)])
def test_an_input_of_another_shape_raises(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgument, match=r"^x must be of shape \(n, 4\) for all members, or \(2, n, 4\)"):
        stack([MLP([4, 2], seed=seed) for seed in range(2)])(torch.zeros(shape))


@pytest.mark.parametrize("member", [2, -1, True, "0"])
def test_a_member_that_does_not_exist_raises(member: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^member must be an integer"):
        unstack(stack([MLP([4, 2], seed=seed) for seed in range(2)]), member)


def test_unstacking_a_plain_network_raises() -> None:
    with pytest.raises(InvalidArgument, match=r"^stacked must be a network that stack.* returned, got MLP"):
        unstack(MLP([4, 2]), 0)
