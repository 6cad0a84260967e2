"""Information dropout against its formulas, its noise's moments, and torch's own layers."""

from __future__ import annotations

import copy
import io
import itertools
import math
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.layers import InformationDropout, information_cost, noise, reestimate_batch_norm

HOSTS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear": (lambda: nn.Linear(4, 5), (6, 4)),
    "tokens": (lambda: nn.Linear(4, 5), (6, 7, 4)),
    "conv1d": (lambda: nn.Conv1d(4, 5, 3, stride=2), (6, 4, 11)),
    "conv2d": (lambda: nn.Conv2d(4, 5, 3, stride=2, padding=1, bias=False), (6, 4, 9, 9)),
    "grouped": (lambda: nn.Conv2d(4, 6, 3, groups=2), (6, 4, 9, 9)),
    "reflected": (lambda: nn.Conv2d(4, 5, 3, padding=1, padding_mode="reflect"), (6, 4, 9, 9)),
}
PRIORS = ("log-uniform", "log-normal")


def made(host: str, prior: str, **settings: object) -> tuple[InformationDropout, Tensor]:
    torch.manual_seed(0)
    maker, shape = HOSTS[host]
    return InformationDropout(maker(), prior, **settings), torch.randn(shape)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("prior", PRIORS)
def test_output_and_divergence_are_the_formulas(host: str, prior: str) -> None:
    layer, x = made(host, prior, max_alpha=0.6)
    if prior == "log-normal":
        with torch.no_grad():
            layer.prior_mean.fill_(0.3)
            layer.prior_log_std.fill_(math.log(1.4))
    torch.manual_seed(1)
    z = layer(x)
    f = layer.activation(layer.host(x))
    alpha = 0.001 + 0.6 / (1 + torch.exp(-layer.branch(x)))
    torch.manual_seed(1)
    torch.testing.assert_close(z, f * torch.exp(alpha * torch.randn_like(alpha)))
    if prior == "log-uniform":
        expected = -torch.log(alpha / 0.601)
    else:
        deviation = (torch.log(torch.clamp(f, min=1e-4)) - 0.3) ** 2 + alpha**2
        expected = 0.5 * (deviation / 1.4**2 - 1) + torch.log(1.4 / alpha)
    cost = layer.divergence()
    assert cost is not None
    found = cost.movedim(1, -1) if isinstance(layer.host, nn.Linear) else cost
    torch.testing.assert_close(found, expected)
    assert cost.shape[:2] == (len(x), f.shape[-1 if isinstance(layer.host, nn.Linear) else 1])
    (z.sum() + cost.sum()).backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


def fixed_alpha(alpha: float, **settings: object) -> InformationDropout:
    """A layer of one unit with f = 1 and this α for every input."""
    layer = InformationDropout(nn.Linear(1, 1), **settings)  # type: ignore[arg-type]
    share = (alpha - layer.min_alpha) / layer.max_alpha
    with torch.no_grad():
        for parameter in (layer.host.weight, layer.branch.weight):  # type: ignore[union-attr]
            parameter.zero_()  # type: ignore[operator]
        layer.host.bias.fill_(1.0)  # type: ignore[union-attr, operator]
        layer.branch.bias.fill_(math.log(share / (1 - share)))  # type: ignore[union-attr, operator]
    return layer


def test_the_noise_at_alpha_seven_tenths_has_variance_1_03_and_mean_1_28() -> None:
    torch.manual_seed(0)
    z = fixed_alpha(0.7)(torch.zeros(1_000_000, 1)).detach().double()
    assert abs(float(z.var()) - 1.03) < 0.01
    assert abs(float(z.mean()) - 1.28) < 0.01
    corrected = fixed_alpha(0.7, mean_correction=True)(torch.zeros(1_000_000, 1)).detach().double()
    assert abs(float(corrected.mean()) - 1.0) < 0.01


@pytest.mark.parametrize("mean_correction", [False, True])
def test_the_log_normal_cost_is_the_monte_carlo_value_of_the_noise_as_drawn(mean_correction: bool) -> None:
    torch.manual_seed(0)
    layer = fixed_alpha(0.6, prior="log-normal", activation=nn.Softplus(), mean_correction=mean_correction)
    z = layer(torch.zeros(1_000_000, 1)).double().detach()
    cost = float(information_cost(layer).detach())
    center = math.log(math.log(1 + math.e)) - (0.18 if mean_correction else 0.0)
    own = torch.distributions.LogNormal(center, 0.6).log_prob(z)
    prior = torch.distributions.LogNormal(0.0, 1.0).log_prob(z)
    assert abs(float((own - prior).mean()) - cost) < 1e-2


@pytest.mark.parametrize("prior", PRIORS)
def test_evaluation_is_deterministic_mean_or_sampled(prior: str) -> None:
    layer, x = made("linear", prior)
    layer.eval()
    f = layer.activation(layer.host(x))
    torch.testing.assert_close(layer(x), f, rtol=0, atol=0)
    layer.evaluation = "mean"
    alpha = 0.001 + 0.7 * torch.sigmoid(layer.branch(x))
    torch.testing.assert_close(layer(x), f * torch.exp(alpha**2 / 2))
    layer.evaluation = "sampled"
    assert not torch.equal(layer(x), layer(x))
    with noise(layer, False):
        torch.testing.assert_close(layer(x), f, rtol=0, atol=0)
    with noise(layer.train(), False):
        torch.testing.assert_close(layer(x), f, rtol=0, atol=0)


def test_vanishing_noise_leaves_the_activation() -> None:
    layer, x = made("linear", "log-uniform", max_alpha=1e-12, min_alpha=1e-12)
    torch.testing.assert_close(layer(x), layer.activation(layer.host(x)), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_is_kept(dtype: torch.dtype) -> None:
    layer, x = made("conv2d", "log-normal", norm=True)
    layer.to(dtype)
    assert layer(x.to(dtype)).dtype == dtype
    assert information_cost(layer).dtype == dtype


def test_autocast_computes_the_cost_in_single_precision() -> None:
    layer, x = made("conv2d", "log-normal", norm=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = layer(x)
        cost = information_cost(layer)
    assert z.dtype == torch.bfloat16
    assert cost.dtype == torch.float32
    layer(x)
    torch.testing.assert_close(cost, information_cost(layer), rtol=0.02, atol=0)
    cost.backward()


@pytest.mark.parametrize("prior", PRIORS)
def test_compiled_layers_tell_the_same_cost_and_gradient(prior: str) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(InformationDropout(nn.Linear(4, 8), prior, norm=True), nn.Linear(8, 3))
    compiled = torch.compile(copy.deepcopy(network), backend="aot_eager")
    x = torch.randn(16, 4)
    found = []
    for model in (network, compiled):
        with noise(model, False):
            model(x)
        cost = information_cost(model)
        cost.backward()
        branch = model.get_submodule("0").branch if model is network else model._orig_mod[0].branch  # type: ignore[union-attr]
        found.append((cost.detach(), branch.weight.grad))  # type: ignore[union-attr]
    torch.testing.assert_close(found[0], found[1])
    assert compiled(x).shape == (16, 3)


def test_vmap_over_an_ensemble_gives_each_member_its_cost() -> None:
    torch.manual_seed(0)
    base = nn.Sequential(InformationDropout(nn.Linear(4, 8), "log-normal"), nn.Linear(8, 3))
    members = [copy.deepcopy(base) for _ in range(3)]
    for i, member in enumerate(members):
        for parameter in member.parameters():
            nn.init.normal_(parameter, std=0.3 + i)
    state = stack_module_state(members)  # type: ignore[arg-type]
    x = torch.randn(16, 4)

    def run(parameters: dict[str, Tensor], buffers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        output = functional_call(base, (parameters, buffers), (x,))
        return output, information_cost(base)

    outputs, costs = vmap(run, randomness="different")(*state)
    assert outputs.shape == (3, 16, 3)
    for member in members:
        member(x)
    torch.testing.assert_close(costs, torch.stack([information_cost(member) for member in members]))
    with pytest.raises(InvalidArgument, match=r"torch\.vmap"):
        information_cost(base)


def test_state_dict_round_trip_by_the_safe_loader() -> None:
    layer, x = made("conv2d", "log-normal", norm=True)
    layer(x)
    reestimate_batch_norm(layer, [x])
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other, _ = made("conv2d", "log-normal", norm=True)
    for parameter in other.parameters():
        nn.init.ones_(parameter)
    other.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(other.eval()(x), layer.eval()(x), rtol=0, atol=0)


def test_seeded_runs_agree() -> None:
    layer, x = made("linear", "log-uniform")
    runs = []
    for _ in range(2):
        torch.manual_seed(3)
        runs.append(layer(x))
    assert torch.equal(*runs)


def test_own_modules_as_host_and_branch() -> None:
    layer = InformationDropout(
        nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 5)), branch=nn.Linear(4, 5), activation=nn.ReLU6()
    )
    assert layer(torch.randn(3, 4)).shape == (3, 5)


def test_hooks_on_the_host_see_its_output() -> None:
    layer, x = made("linear", "log-uniform")
    seen: list[Tensor] = []
    layer.host.register_forward_hook(lambda module, inputs, output: seen.append(output))
    layer(x)
    torch.testing.assert_close(seen[0], nn.functional.linear(x, layer.host.weight, layer.host.bias))  # type: ignore[arg-type]


def test_a_branch_of_another_shape_raises() -> None:
    layer = InformationDropout(nn.Linear(4, 5), branch=nn.Linear(4, 6))
    with pytest.raises(InvalidArgument, match="^the output of branch must"):
        layer(torch.zeros(2, 4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_alpha": 0.0}, "^max_alpha must be"),
        ({"max_alpha": math.nan}, "^max_alpha must be"),
        ({"min_alpha": -1.0}, "^min_alpha must be"),
        ({"prior": "lognormal"}, "Did you mean 'log-normal'"),
        ({"evaluation": "random"}, "unknown evaluation"),
        ({"mean_correction": "no"}, "^mean_correction must be"),
        ({"host": "linear"}, "^host must"),
        ({"host": nn.LSTM(2, 2)}, "^host must"),
        ({"host": nn.Bilinear(2, 2, 2), "branch": nn.Linear(2, 2), "norm": True}, "^host must"),
    ],
)
def test_invalid_arguments_raise(arguments: dict[str, object], message: str) -> None:
    with pytest.raises((InvalidArgument, UnknownName), match=message):
        InformationDropout(**{"host": nn.Linear(2, 2), **arguments})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prior", "activation", "message"),
    [
        ("log-normal", nn.ReLU(), "zeros"),
        ("log-uniform", nn.Softplus(), "scale free"),
        ("log-uniform", nn.Tanh(), "both signs"),
        ("log-normal", nn.Identity(), "both signs"),
    ],
)
def test_a_prior_that_does_not_fit_the_activation_causes_a_warning(
    prior: str, activation: nn.Module, message: str
) -> None:
    with pytest.warns(UserWarning, match=message):
        InformationDropout(nn.Linear(2, 2), prior, activation=activation)


def test_priors_that_fit_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for prior, activation in itertools.product(PRIORS, [None, nn.Sequential(nn.ReLU())]):
            InformationDropout(nn.Linear(2, 2), prior, activation=activation)
