"""The information cost: sums, what it keeps and what it doesn't, and the errors that say why there is none."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.layers import (
    BernoulliDropout,
    GaussianDropout,
    GaussianNoise,
    InformationDropout,
    VariationalDropout,
    forget_costs,
    information_cost,
    noise,
    sampled_outputs,
)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        InformationDropout(nn.Conv2d(1, 3, 3)),
        InformationDropout(nn.Conv2d(3, 4, 3, stride=2), prior="log-normal"),
        BernoulliDropout(0.5),
        nn.Flatten(),
        InformationDropout(nn.Linear(16, 5)),
        GaussianNoise(0.1),
        nn.Linear(5, 2),
    )


def test_all_ways_to_sum_agree() -> None:
    model = network()
    model(torch.randn(6, 1, 7, 7))
    total = information_cost(model)
    assert total.ndim == 0
    layers = information_cost(model, per="layer")
    assert list(layers) == ["0", "1", "4"]
    torch.testing.assert_close(sum(layers.values()), total)
    for per in ("unit", "place", "element"):
        found = information_cost(model, per=per)  # type: ignore[call-overload]
        for name, nats in layers.items():
            torch.testing.assert_close(found[name].sum(), nats)
    assert information_cost(model, per="unit")["0"].shape == (3,)
    assert information_cost(model, per="place")["0"].shape == (5, 5)
    assert information_cost(model, per="place", reduction="none")["0"].shape == (6, 5, 5)
    assert information_cost(model, per="place")["4"].shape == ()
    assert information_cost(model, per="element", reduction="none")["1"].shape == (6, 4, 2, 2)
    each = information_cost(model, reduction="none")
    assert each.shape == (6,)
    torch.testing.assert_close(each.mean(), total)


def test_the_cost_belongs_to_the_last_pass() -> None:
    model = network()
    x, y = torch.randn(6, 1, 7, 7), torch.randn(2, 1, 7, 7)
    model(x)
    first = information_cost(model)
    model(y)
    second = information_cost(model)
    assert not torch.equal(first, second)
    with noise(model, False):  # later layers' costs depend on the noise before them
        costs = []
        for inputs in (x, y[:1].expand(6, -1, -1, -1)):
            model(inputs)
            costs.append(information_cost(model))
    assert not torch.equal(costs[0], costs[1])


def test_no_forward_pass_no_cost() -> None:
    model = network()
    with pytest.raises(InvalidArgument, match="^Layer '0': InformationDropout has not run"):
        information_cost(model)
    model(torch.randn(2, 1, 7, 7))
    forget_costs(model)
    with pytest.raises(InvalidArgument, match="has not run"):
        information_cost(model)


def test_copies_and_files_leave_the_graph_behind() -> None:
    model = network()
    model(torch.randn(2, 1, 7, 7))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        with pytest.raises(InvalidArgument, match="has not run"):
            information_cost(other)
    assert information_cost(model) > 0


def test_the_graph_is_freed_by_the_next_pass_or_by_hand() -> None:
    model = InformationDropout(nn.Linear(4, 3))

    def passed() -> weakref.ref[torch.Tensor]:
        x = torch.randn(2, 4)
        activation = model(x) + 0
        return weakref.ref(model._kept[1]) if activation is not None else weakref.ref(x)

    first = passed()
    assert first() is not None
    second = passed()
    gc.collect()
    assert first() is None
    forget_costs(model)
    gc.collect()
    assert second() is None


def test_reading_does_not_change_what_is_read() -> None:
    model = network()
    model(torch.randn(2, 1, 7, 7))
    cost = information_cost(model)
    cost.backward(retain_graph=True)
    assert torch.equal(information_cost(model), cost)


def test_gradient_steps_on_the_cost_alone_bring_it_to_nothing() -> None:
    torch.manual_seed(0)
    model = InformationDropout(nn.Linear(4, 8))
    optimizer = torch.optim.Adam(model.parameters(), 0.3)
    x = torch.randn(64, 4)
    for _ in range(100):
        optimizer.zero_grad()
        model(x)
        cost = information_cost(model)
        cost.backward()
        optimizer.step()
    assert 0 <= float(cost.detach()) < 0.05


def test_parameters_without_a_pass_cost_what_they_cost() -> None:
    model = nn.Sequential(nn.Linear(3, 4), VariationalDropout(4, alpha=1.0))
    expected = information_cost(model)
    model(torch.randn(7, 3))
    torch.testing.assert_close(information_cost(model), expected)
    assert information_cost(model, per="unit")["1"].shape == (4,)


def test_a_model_without_a_cost_raises() -> None:
    for model in (nn.Linear(2, 2), nn.Sequential(BernoulliDropout(0.5), GaussianNoise(1.0))):
        with pytest.raises(InvalidArgument, match="^model has no layer with an"):
            information_cost(model)
    with pytest.raises(InvalidArgument, match=r"^model must be a torch.nn.Module, got 3"):
        information_cost(3)  # type: ignore[call-overload]
    with pytest.raises(UnknownName, match="Did you mean 'layer'"):
        information_cost(network(), per="layers")  # type: ignore[call-overload]
    with pytest.raises(UnknownName):
        information_cost(network(), reduction="sum")


def test_a_training_pass_without_gradient_causes_a_warning() -> None:
    model = InformationDropout(nn.Linear(4, 3))
    with torch.no_grad():
        model(torch.randn(2, 4))
        assert information_cost(model) > 0
    with pytest.warns(UserWarning, match="without gradients"):
        information_cost(model)
    with torch.no_grad():
        model.eval()(torch.randn(2, 4))
    assert not information_cost(model).requires_grad


def test_checkpointed_layers_have_their_gradient() -> None:
    model = InformationDropout(nn.Linear(4, 3))
    x = torch.randn(2, 4, requires_grad=True)
    z = checkpoint(model, x, use_reentrant=False)
    (z.sum() + information_cost(model)).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_sampled_outputs_differ_and_average() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(3), GaussianDropout(0.5, mean_correction=True)).eval()
    outputs = sampled_outputs(model, torch.ones(4, 3), draws=500)
    assert outputs.shape == (500, 4, 3)
    torch.testing.assert_close(outputs.mean(0), model(torch.ones(4, 3)), rtol=0.1, atol=0.1)
    assert int(model[0].num_batches_tracked) == 0  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="no layer with noise"):
        sampled_outputs(nn.Linear(2, 2), torch.ones(1, 2))
    with pytest.raises(InvalidArgument, match=r"^draws must be an integer >= 1, got 0"):
        sampled_outputs(model, torch.ones(4, 3), draws=0)
