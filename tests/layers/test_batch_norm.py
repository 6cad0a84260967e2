"""Batch normalization with the noise off: its statistics against plain means, and the warnings."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.layers import InformationDropout, information_cost, reestimate_batch_norm


def trained() -> tuple[nn.Sequential, torch.Tensor]:
    torch.manual_seed(0)
    model = nn.Sequential(
        InformationDropout(nn.Linear(4, 8)), nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.5)
    )
    x = torch.randn(64, 4)
    for _ in range(30):
        model(x)
        information_cost(model)
    return model, x


def test_statistics_are_those_of_the_network_without_noise() -> None:
    model, x = trained()
    before = copy.deepcopy(model.state_dict())
    assert reestimate_batch_norm(model, x.split(16)) == 4
    with torch.no_grad():
        values = [model[1](nn.functional.relu(model[0].host(part))) for part in x.split(16)]
    norm = model[2]
    assert isinstance(norm, nn.BatchNorm1d)
    torch.testing.assert_close(norm.running_mean, torch.stack([part.mean(0) for part in values]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([part.var(0) for part in values]).mean(0))
    assert not torch.allclose(before["2.running_mean"], model.state_dict()["2.running_mean"], rtol=0.05)
    assert norm.momentum == 0.1
    assert all(module.training for module in model.modules())
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name])


def test_it_takes_loaders_and_own_preparation() -> None:
    model, x = trained()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, torch.zeros(64)), 16)
    reestimate_batch_norm(model, loader)
    expected = copy.deepcopy(model.state_dict())
    reestimate_batch_norm(model, [{"image": part} for part in x.split(16)], prepare=lambda batch: batch["image"])
    torch.testing.assert_close(model.state_dict()["2.running_var"], expected["2.running_var"])


def test_evaluation_before_reestimation_causes_a_warning_once_it_matters() -> None:
    model, x = trained()
    model.eval()
    with pytest.warns(UserWarning, match="reestimate_batch_norm"):
        model(x)
    reestimate_batch_norm(model, [x])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model(x)
    model.train()(x)
    with pytest.warns(UserWarning, match="reestimate_batch_norm"):
        model.eval()(x)


def test_a_loaded_network_warns_too() -> None:
    model, x = trained()
    other = copy.deepcopy(model)
    other.load_state_dict(model.state_dict())
    with pytest.warns(UserWarning, match="reestimate_batch_norm"):
        other.eval()(x)
    reestimate_batch_norm(model, [x])
    other.load_state_dict(model.state_dict())
    other(x)


def test_a_layer_with_its_own_norm_needs_no_cost_to_know() -> None:
    layer = InformationDropout(nn.Linear(4, 8), norm=True)
    layer(torch.randn(6, 4))
    with pytest.warns(UserWarning, match="reestimate_batch_norm"):
        layer.eval()(torch.randn(6, 4))


def test_networks_without_statistics_or_noise_say_nothing() -> None:
    for norm in (nn.LayerNorm(8), nn.BatchNorm1d(8, track_running_stats=False)):
        model = nn.Sequential(InformationDropout(nn.Linear(4, 8)), norm)
        model(torch.randn(6, 4))
        information_cost(model)
        model.eval()(torch.randn(6, 4))
    fresh = InformationDropout(nn.Linear(4, 8), norm=True).eval()
    fresh(torch.randn(6, 4))


def test_sampled_evaluation_needs_no_reestimation() -> None:
    layer = InformationDropout(nn.Linear(4, 8), norm=True, evaluation="sampled")
    layer(torch.randn(6, 4))
    layer.eval()(torch.randn(6, 4))


def test_a_failure_leaves_the_network_as_it_was() -> None:
    model, x = trained()
    before = copy.deepcopy(model.state_dict())

    def failing():  # type: ignore[no-untyped-def]
        yield x
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        reestimate_batch_norm(model, failing())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    with pytest.raises(InvalidArgument, match=r"^batches must be at least one batch of training data, got none"):
        reestimate_batch_norm(model, [])
    assert torch.equal(model.state_dict()["2.running_var"], before["2.running_var"])
    with pytest.raises(InvalidArgument, match="no batch normalization"):
        reestimate_batch_norm(nn.Linear(2, 2), [x])
