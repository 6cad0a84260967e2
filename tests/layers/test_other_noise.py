"""Bernoulli, Gaussian and variational dropout, additive noise, quantized activations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.estimators import Discrete
from infoflow.layers import (
    BernoulliDropout,
    GaussianDropout,
    GaussianNoise,
    QuantizedActivation,
    StochasticLayer,
    VariationalDropout,
    VariationalWeightDropout,
    information_cost,
    noise,
    variational_dropout_divergence,
)


def test_bernoulli_dropout_is_that_of_torch() -> None:
    x = torch.randn(50, 20)
    for training in (True, False):
        torch.manual_seed(0)
        expected = nn.Dropout(0.3).train(training)(x)
        torch.manual_seed(0)
        assert torch.equal(BernoulliDropout(0.3).train(training)(x), expected)


def test_gaussian_dropout_is_information_dropout_of_one_alpha() -> None:
    layer = GaussianDropout(0.35, noisiest=0.7)
    torch.manual_seed(0)
    z = layer(torch.full((400_000, 2), 3.0)).double()
    assert abs(float(z.log().std()) - 0.35) < 0.005
    assert abs(float(z.log().mean()) - math.log(3)) < 0.005
    torch.testing.assert_close(information_cost(layer), torch.tensor(2 * math.log(2)))
    with noise(layer, False):
        layer.evaluation = "mean"
        torch.testing.assert_close(layer(torch.ones(1, 2)), torch.full((1, 2), math.exp(0.35**2 / 2)))


@pytest.mark.parametrize("layer", [GaussianDropout(0.0), GaussianNoise(0.0), BernoulliDropout(0.0)])
def test_noise_of_no_size_is_none(layer: StochasticLayer) -> None:
    x = torch.randn(5, 3)
    assert torch.equal(layer(x), x)


def test_gaussian_noise_has_its_size() -> None:
    torch.manual_seed(0)
    z = GaussianNoise(0.3, evaluation="sampled").eval()(torch.full((400_000,), 2.0))
    assert abs(float(z.std()) - 0.3) < 0.005
    assert abs(float(z.mean()) - 2.0) < 0.005


def exact(alpha: float) -> float:
    """E log|1 + √α n| − ½ log α + (γ + log 2)/2 by quadrature."""
    root = math.sqrt(alpha)
    points = [-1 / root] if root > 1 / 12 else None
    mean = quad(
        lambda n: math.log(abs(1 + root * n) + 1e-300) * math.exp(-n * n / 2), -12, 12, points=points, limit=500
    )[0] / math.sqrt(2 * math.pi)
    return float(mean - 0.5 * math.log(alpha) + 0.5 * (np.euler_gamma + math.log(2)))


@pytest.mark.parametrize("alpha", [1e-3, 0.01, 0.1, 0.5, 1.0, 10.0, 100.0])
def test_the_variational_divergence_is_close_to_the_exact_one(alpha: float) -> None:
    found = variational_dropout_divergence(torch.tensor(alpha, dtype=torch.float64))
    assert abs(float(found) - exact(alpha)) < 0.01
    if alpha <= 1:
        cubic = variational_dropout_divergence(torch.tensor(alpha, dtype=torch.float64), "kingma")
        assert abs(float(cubic) - exact(alpha)) < 0.04


def test_kingmas_cubic_stops_at_one() -> None:
    found = variational_dropout_divergence(torch.tensor([1.0, 50.0]), "kingma")
    assert found[0] == found[1]
    layer = VariationalDropout(2, alpha=50.0, approximation="kingma")
    assert bool((layer.alpha == 1).all())


def test_variational_dropout_has_its_moments() -> None:
    torch.manual_seed(0)
    layer = VariationalDropout(2, alpha=0.25)
    z = layer(torch.full((400_000, 2), 3.0))
    assert abs(float(z.detach().mean()) - 3.0) < 0.02
    assert abs(float(z.detach().std()) - 1.5) < 0.02
    (z.square().mean() + information_cost(layer)).backward()
    assert layer.log_alpha.grad is not None
    assert torch.equal(layer.eval()(torch.ones(1, 2)), torch.ones(1, 2))
    assert VariationalDropout(4, shared=True).log_alpha.shape == (1,)


@pytest.mark.parametrize("kind", ["linear", "conv2d"])
def test_weight_dropout_has_the_moments_of_random_weights(kind: str) -> None:
    torch.manual_seed(0)
    host: nn.Module = nn.Linear(3, 2) if kind == "linear" else nn.Conv2d(3, 2, 2, stride=2)
    x = torch.randn(3) if kind == "linear" else torch.randn(3, 2, 2)
    layer = VariationalWeightDropout(host, alpha=0.5)
    z = layer(x.expand(200_000, *x.shape)).flatten(1).detach()
    weight, bias = host.weight.detach(), host.bias.detach()  # type: ignore[operator, union-attr]
    drawn = weight * (1 + math.sqrt(0.5) * torch.randn(200_000, *weight.shape))
    expected = (drawn * x).flatten(2).sum(2) + bias
    torch.testing.assert_close(z.mean(0), expected.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(z.std(0), expected.std(0), atol=0.02, rtol=0)
    assert information_cost(layer, per="unit")[""].shape == (2,)
    z = layer(torch.zeros(2, *x.shape))
    (z.sum() + information_cost(layer)).backward()
    assert all(bool(torch.isfinite(p.grad).all()) for p in layer.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BernoulliDropout(1.0),
        lambda: BernoulliDropout(-0.1),
        lambda: GaussianDropout(-1.0),
        lambda: GaussianDropout(0.5, noisiest=0.0),
        lambda: GaussianNoise(math.inf),
        lambda: VariationalDropout(0),
        lambda: VariationalDropout(3, alpha=0.0),
        lambda: VariationalDropout(3)(torch.zeros(2, 4)),
        lambda: VariationalWeightDropout(nn.ReLU()),
        lambda: VariationalWeightDropout(nn.Conv2d(2, 2, 3, padding_mode="reflect")),
        lambda: QuantizedActivation(1, -1, 1),
        lambda: QuantizedActivation(4, 1, -1),
        lambda: QuantizedActivation(4, low=0.0),
        lambda: QuantizedActivation(4).eval()(torch.zeros(2)),
    ],
)
def test_invalid_arguments_raise(make) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidArgument):
        make()


def test_unknown_approximations_raise() -> None:
    with pytest.raises(UnknownName, match="kingma"):
        VariationalDropout(3, approximation="kingmas")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_quantized_values_and_codes_are_the_nearest(dtype: torch.dtype) -> None:
    layer = QuantizedActivation(17, -1.0, 1.0)
    x = torch.linspace(-1.5, 1.5, 301).to(dtype)
    z = layer(x)
    assert z.dtype == dtype
    grid = np.linspace(-1, 1, 17)
    nearest = np.abs(x.double().numpy()[:, None] - grid).min(1)
    inside = x.abs().double().numpy() <= 1
    np.testing.assert_allclose(np.abs((z - x).double().numpy())[inside], nearest[inside], atol=0.01)
    codes = layer.codes(z)
    np.testing.assert_allclose(grid[codes.numpy()], z.double().numpy(), atol=1e-6 if dtype != torch.bfloat16 else 4e-3)
    assert torch.equal(codes, layer.codes(x))
    assert len(torch.unique(z)) == 17


def test_the_gradient_goes_straight_through_within_the_range() -> None:
    x = torch.tensor([-2.0, -0.3, 0.2, 3.0], requires_grad=True)
    QuantizedActivation(4, -1.0, 1.0)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 0]


def test_a_range_that_is_observed_grows_in_training_only() -> None:
    layer = QuantizedActivation(5)
    layer(torch.tensor([0.0, 1.0]))
    layer(torch.tensor([-1.0, 0.5]))
    assert (float(layer.low), float(layer.high)) == (-1, 1)
    other = QuantizedActivation(5)
    other.load_state_dict(layer.state_dict())
    assert other.eval()(torch.tensor([9.0, 0.3])).tolist() == [1.0, 0.5]
    constant = QuantizedActivation(5)
    assert constant(torch.ones(3)).tolist() == [1, 1, 1]


def test_the_codes_hold_the_information_of_the_layer() -> None:
    """Four inputs, two levels: one bit of two is left, and counting says so."""
    layer = QuantizedActivation(2, -1.0, 1.0)
    z = layer(torch.tensor([-0.9, -0.2, 0.3, 0.8]).repeat(1000))
    assert abs(Discrete().estimate(np.tile(np.arange(4), 1000), layer.codes(z)).nats - math.log(2)) < 1e-9
