"""Every objective against closed forms, torch.distributions, exact tables, and plain loops."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, LogNormal, Normal, kl_divergence

from infoflow.layers import InformationDropout, noise
from infoflow.objectives import (
    VAE,
    ConditionalEntropyBottleneck,
    Cyclical,
    DeterministicBottleneck,
    DisentangledBottleneck,
    Geometric,
    HSICBottleneck,
    InformationBottleneckLagrangian,
    InformationDropoutVAE,
    NonlinearBottleneck,
    VariationalBottleneck,
    WarmUp,
    normalized_hsic,
)
from infoflow.objectives.bottleneck.nonlinear import code_information


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def gaussians(objective: Any, x: Tensor) -> Independent:
    mean, raw = objective.encoder(x).chunk(2, 1)
    return Independent(Normal(mean, torch.log1p(torch.exp(raw + math.log(math.e - 1))) + 1e-6), 1)


def close(one: Any, other: Any, tolerance: float = 1e-5) -> None:
    one, other = (torch.as_tensor(value).detach().double() for value in (one, other))
    torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def test_the_lagrangian_is_its_formula_with_beta_over_n() -> None:
    layers = InformationDropout(nn.Linear(4, 5)), InformationDropout(nn.Linear(5, 6), prior="log-normal")
    network = nn.Sequential(*layers, nn.Linear(6, 3))
    x, y = torch.randn(8, 4), torch.arange(8) % 3
    objective = InformationBottleneckLagrangian(network, 3.0, samples=50)
    with noise(network, False):
        total, terms = objective(x, y), objective.terms
    f = nn.functional.relu(layers[0].host(x))
    g = nn.functional.softplus(layers[1].host(f))
    first, second = (0.001 + 0.7 * torch.sigmoid(layer.branch(v)) for layer, v in zip(layers, (x, f), strict=True))
    nats = -torch.log(first / 0.701).sum(1) + kl_divergence(LogNormal(g.log(), second), LogNormal(0.0, 1.0)).sum(1)
    cross_entropy = -torch.log_softmax(network[2](g), 1)[range(8), y].mean()
    close(terms["information"], nats.mean())
    close(terms["cross_entropy"], cross_entropy)
    close(total, cross_entropy + 3.0 / 50 * nats.mean())


@pytest.mark.parametrize("observation", ["bernoulli", "gaussian"])
def test_the_lagrangian_of_reconstruction(observation: str) -> None:
    network = nn.Sequential(InformationDropout(nn.Linear(4, 5), prior="log-normal"), nn.Linear(5, 4))
    x = torch.rand(8, 4)
    settings: dict[str, Any] = {"task": "reconstruction", "observation": observation, "observation_scale": 0.5}
    with noise(network, False):
        objective = InformationBottleneckLagrangian(network, **settings)
        objective(x)
        output = network(x)
    if observation == "bernoulli":
        expected = -(x * torch.sigmoid(output).log() + (1 - x) * torch.log(1 - torch.sigmoid(output))).sum(1)
    else:
        expected = -Normal(output, 0.5).log_prob(x).sum(1)
    close(objective.terms["reconstruction"], expected.mean())


@pytest.mark.parametrize("marginal", ["standard", "learned"])
def test_vib(marginal: str) -> None:
    objective = VariationalBottleneck(nn.Linear(4, 6), 3, 2, beta=0.3, marginal=marginal, draws=20_000)
    if marginal == "learned":
        nn.init.normal_(objective.marginal_mean)
        nn.init.normal_(objective.marginal_size)
    x, y = torch.randn(5, 4), torch.tensor([0, 1, 1, 0, 1])
    total, terms = objective(x, y), objective.terms
    code = gaussians(objective, x)
    if marginal == "standard":
        prior = Normal(torch.zeros(3), 1.0)
    else:
        spread = nn.functional.softplus(objective.marginal_size + math.log(math.e - 1)) + 1e-6
        prior = Normal(objective.marginal_mean, spread)
    close(terms["rate"], kl_divergence(code, Independent(prior, 1).expand(code.batch_shape)).mean())
    draws = code.sample((20_000,))
    monte_carlo = -objective.decoder(draws).log_softmax(-1)[:, range(5), y].mean()
    assert abs(float(terms["cross_entropy"] - monte_carlo.detach())) < 1e-2
    close(total, terms["cross_entropy"] + 0.3 * terms["rate"])


def test_ceb_is_the_mean_log_ratio_of_its_two_densities() -> None:
    objective = ConditionalEntropyBottleneck(nn.Linear(4, 6), 3, 2, beta=0.3)
    nn.init.normal_(objective.backward_size, std=0.3)
    x, y = torch.randn(5, 4), torch.tensor([0, 1, 1, 0, 1])
    total, terms = objective(x, y), objective.terms
    code = gaussians(objective, x)
    spread = nn.functional.softplus(objective.backward_size + math.log(math.e - 1)) + 1e-6
    backward = Independent(Normal(objective.backward_mean[y], spread[y]), 1)
    close(terms["residual_information"], kl_divergence(code, backward).mean())
    z = code.sample((100_000,))
    ratio = (code.log_prob(z) - backward.log_prob(z)).mean()
    assert abs(float((terms["residual_information"] - ratio).detach())) < 2e-2
    close(total, terms["cross_entropy"] + 0.3 * terms["residual_information"])


def test_the_rate_bounds_the_information_and_the_residual_what_is_beyond_the_label() -> None:
    """Codes that are the label and nothing else: I(X;Z|Y) = 0, and CEB's bound can be 0 where VIB's cannot."""
    encoder = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        encoder.weight.copy_(torch.tensor([[-2.0, 2.0], [0.0, 0.0]]))
    x, y = torch.eye(2).repeat(4, 1), torch.tensor([0, 1]).repeat(4)
    ceb, vib = ConditionalEntropyBottleneck(encoder, 1, 2), VariationalBottleneck(encoder, 1, 2)
    with torch.no_grad():
        ceb.backward_mean.copy_(torch.tensor([[-2.0], [2.0]]))
    ceb(x, y), vib(x, y)
    assert abs(float(ceb.terms["residual_information"])) < 1e-5
    assert float(vib.terms["rate"]) > math.log(2)


def test_the_deterministic_bottleneck_counts_an_exact_table() -> None:
    logits, y = torch.randn(12, 4), torch.arange(12) % 3
    for stochasticity in (0.0, 0.4, 1.0):
        objective = DeterministicBottleneck(nn.Identity(), 4, 3, beta=2.5, stochasticity=stochasticity)
        total, terms = objective(logits, y), objective.terms
        p = np.exp(logits.double().numpy())
        p /= p.sum(1, keepdims=True)
        joint = np.zeros((4, 3))
        for i, z in itertools.product(range(12), range(4)):
            joint[z, int(y[i])] += p[i, z] / 12
        entropy = -sum(q * math.log(q) for q in joint.sum(1))
        conditional = -float((p * np.log(p)).sum(1).mean())
        information = sum(
            joint[z, c] * math.log(joint[z, c] / joint[z].sum() / joint[:, c].sum())
            for z, c in itertools.product(range(4), range(3))
        )
        close(terms["code_entropy"], entropy)
        close(terms["conditional_code_entropy"], conditional)
        close(terms["label_information"], information)
        close(total, entropy - stochasticity * conditional - 2.5 * information)
        close(objective.predict(logits).exp(), torch.tensor(p @ (joint / joint.sum(1, keepdims=True))).float())


def test_the_deterministic_bottleneck_finds_the_label() -> None:
    x, y = torch.eye(6), torch.tensor([0, 0, 1, 1, 2, 2])
    objective = DeterministicBottleneck(nn.Linear(6, 6, bias=False), 6, 3, beta=5.0)
    optimizer = torch.optim.Adam(objective.parameters(), 0.2)
    for _ in range(150):
        optimizer.zero_grad()
        total, terms = objective(x, y), objective.terms
        total.backward()
        optimizer.step()
    assert abs(float(terms["label_information"]) - math.log(3)) < 0.02
    assert float(terms["conditional_code_entropy"]) < 0.1
    assert objective.predict(x).argmax(1).tolist() == y.tolist()


def test_the_nonlinear_bottleneck_is_its_double_loop() -> None:
    objective = NonlinearBottleneck(nn.Identity(), 3, 2, beta=0.7, scale=0.8)
    f, y = torch.randn(6, 3), torch.tensor([0, 1, 0, 1, 1, 0])
    total, terms = objective(f, y), objective.terms
    pairs = [[-float((a - b).square().sum()) / (2 * 0.8**2) for b in f] for a in f]
    expected = -np.mean([logsumexp(row) - math.log(6) for row in pairs])
    close(terms["information"], expected)
    close(total, terms["cross_entropy"] + 0.7 * expected**2)


@pytest.mark.parametrize(("distance", "expected"), [(0.0, 0.0), (1e3, math.log(8))])
def test_the_code_information_at_its_ends(distance: float, expected: float) -> None:
    centers = (distance * torch.arange(8.0)[:, None] + 1e3).requires_grad_()
    found = code_information(centers, torch.tensor(1.0))
    close(found, expected)
    found.backward()
    assert centers.grad is not None
    assert bool(torch.isfinite(centers.grad).all())


def test_the_code_information_bounds_that_of_a_mixture_from_above() -> None:
    """Two centers ±1 with unit noise carry .3368 nats exactly; the bound is above, and below log 2."""
    found = float(code_information(torch.tensor([[-1.0], [1.0]]), torch.tensor(1.0)))
    assert 0.3368 < found < math.log(2)


def hsic_by_loops(x: np.ndarray, y: np.ndarray, kernels: tuple[str, str]) -> float:
    n = len(x)
    projections = []
    for values, kernel in zip((x, y), kernels, strict=True):
        gram = np.zeros((n, n))
        for i, j in itertools.product(range(n), range(n)):
            squared = ((values[i] - values[j]) ** 2).sum()
            gram[i, j] = math.exp(-squared / (50 * values.shape[1])) if kernel == "gaussian" else values[i] @ values[j]
        centering = np.eye(n) - 1 / n
        centered = centering @ gram @ centering
        projections.append(centered @ np.linalg.inv(centered + 1e-5 * n * np.eye(n)))
    return float(np.trace(projections[0] @ projections[1]))


@pytest.mark.parametrize("kernels", [("gaussian", "gaussian"), ("gaussian", "linear")])
def test_normalized_hsic_is_its_definition(kernels: tuple[str, str]) -> None:
    x, y = torch.randn(9, 4, dtype=torch.float64), torch.randn(9, 2, dtype=torch.float64)
    close(
        normalized_hsic(x, y, kernel_x=kernels[0], kernel_y=kernels[1]),
        torch.tensor(hsic_by_loops(x.numpy(), y.numpy(), kernels), dtype=torch.float64),
        1e-8,
    )
    with pytest.raises(ValueError, match="two or more pairs"):
        normalized_hsic(x[:1], y[:1])


def test_the_hsic_bottleneck_sums_its_layers_and_leaves_no_hook() -> None:
    network = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    objective = HSICBottleneck(network, ["1", "2"], 3, beta=7.0, weight=0.2, cross_entropy=0.5)
    x, y = torch.randn(10, 4, dtype=torch.float64), torch.arange(10) % 3
    total, terms = objective(x, y), objective.terms
    hidden, logits = network[:2](x), network(x)
    one_hot = torch.eye(3, dtype=torch.float64)[y].numpy()
    expected = 0.5 * float(nn.functional.cross_entropy(logits, y).detach())
    for name, t in (("1", hidden), ("2", logits)):
        kept, told = (hsic_by_loops(t.detach().numpy(), other, ("gaussian",) * 2) for other in (x.numpy(), one_hot))
        close(terms[f"input_dependence/{name}"], torch.tensor(kept, dtype=torch.float64), 1e-7)
        expected += 0.2 * (kept - 7.0 * told)
    close(total, torch.tensor(expected, dtype=torch.float64), 1e-7)
    assert all(not module._forward_hooks for module in network.modules())


def test_disentangled_terms_are_their_formulas() -> None:
    parts = {"dimension": 2, "nuisance_dimension": 3, "classes": 4}
    objective = DisentangledBottleneck(
        nn.Linear(6, 2), nn.Linear(6, 3), nn.Linear(7, 6), **parts, beta=0.5, reconstruction=2.0
    )
    x, y = torch.rand(9, 6), torch.arange(9) % 4
    total, terms = objective(x, y), objective.terms
    t, s = objective.encoder(x), objective.nuisance_encoder(x)
    decoded = objective.decoder(torch.cat([s, torch.eye(4)[y]], 1))
    close(terms["reconstruction"], -(Bernoulli(logits=decoded, validate_args=False).log_prob(x)).sum(1).mean())
    ratio = torch.sigmoid(objective.discriminator(torch.cat([s, t], 1)))
    close(terms["shared_information"], torch.log(ratio / (1 - ratio)).mean())
    close(total, terms["cross_entropy"] + 2.0 * terms["reconstruction"] + 0.5 * terms["shared_information"])


def test_the_discriminator_learns_the_information_that_the_codes_share() -> None:
    """Codes that are Gaussian of correlation .8: I = −½ log(1 − .64) = .511 nats."""

    class Half(nn.Module):
        def __init__(self, part: int) -> None:
            super().__init__()
            self.part = part

        def forward(self, x: Tensor) -> Tensor:
            return x[:, self.part, None]

    small = nn.Sequential(nn.Linear(2, 24), nn.ELU(), nn.Linear(24, 24), nn.ELU(), nn.Linear(24, 1))
    objective = DisentangledBottleneck(
        Half(0),
        Half(1),
        nn.Linear(3, 2),
        discriminator=small,
        dimension=1,
        nuisance_dimension=1,
        classes=2,
        observation="gaussian",
    )
    optimizer = torch.optim.Adam(objective.discriminator.parameters(), 5e-3)

    def batch(n: int) -> Tensor:
        first, second = torch.randn(2, n)
        return torch.stack([first, 0.8 * first + 0.6 * second], 1)

    for _ in range(200):
        optimizer.zero_grad()
        objective.opponent_loss(batch(256)).backward()
        optimizer.step()
    objective(batch(4000), torch.zeros(4000, dtype=torch.int64))
    found = objective.terms["shared_information"]
    assert abs(float(found) - 0.511) < 0.15


@pytest.mark.parametrize("observation", ["bernoulli", "gaussian"])
def test_the_vae_bound_is_that_of_torch_distributions(observation: str) -> None:
    objective = VAE(nn.Linear(4, 4), nn.Linear(2, 4), 2, beta=2.0, observation=observation, draws=20_000)
    x = torch.rand(3, 4)
    total, terms = objective(x), objective.terms
    code = gaussians(objective, x)
    prior = Independent(Normal(torch.zeros(3, 2), 1.0), 1)
    z = code.sample((20_000,))
    decoded = objective.decoder(z)
    density = Bernoulli(logits=decoded, validate_args=False) if observation == "bernoulli" else Normal(decoded, 1.0)
    reconstruction = -density.log_prob(x).sum(-1).mean()
    close(terms["rate"], kl_divergence(code, prior).mean())
    assert abs(float((terms["reconstruction"] - reconstruction).detach())) < 2e-2
    close(terms["bound"], terms["reconstruction"] + terms["rate"])
    close(total, terms["reconstruction"] + 2 * terms["rate"])


def linear_gaussian() -> tuple[nn.Module, Tensor, Tensor]:
    """A decoder x = Wz + b + .5 n, whose log p(x) is Gaussian and known, and samples with that density."""
    decoder = nn.Linear(2, 3)
    covariance = decoder.weight @ decoder.weight.T + 0.25 * torch.eye(3)
    density = torch.distributions.MultivariateNormal(decoder.bias, covariance)
    x = density.sample((6,))
    return decoder, x, density.log_prob(x).detach()


@pytest.mark.slow
def test_importance_weighting_comes_to_the_exact_likelihood_and_the_bound_stays_below() -> None:
    decoder, x, exact = linear_gaussian()
    objective = VAE(nn.Linear(3, 4), decoder, 2, observation="gaussian", observation_scale=0.5, draws=2000)
    close(objective.log_likelihood(x, draws=20_000), exact, 0.1)
    objective(x)
    assert float(objective.terms["bound"]) > float(-exact.mean())


def test_information_dropout_autoencoder_bounds_the_likelihood_of_its_log_normal_prior() -> None:
    """log p(x) by brute force: z from the prior. The bound has to be above −log p(x), and is its own formula."""
    code = InformationDropout(nn.Linear(3, 1), prior="log-normal")
    objective = InformationDropoutVAE(code, nn.Linear(1, 3), observation="gaussian")
    x = torch.randn(4, 3)
    total, terms = objective(x), objective.terms
    f = nn.functional.softplus(code.host(x))
    alpha = 0.001 + 0.7 * torch.sigmoid(code.branch(x))
    close(terms["rate"], kl_divergence(LogNormal(f.log(), alpha), LogNormal(0.0, 1.0)).sum(1).mean())
    z = LogNormal(0.0, 1.0).sample((200_000, 1))
    likelihood = Normal(objective.decoder(z)[:, None], 1.0).log_prob(x).sum(-1).logsumexp(0) - math.log(200_000)
    bounds = torch.stack([objective(x).detach() for _ in range(200)])
    assert float(bounds.mean()) > float(-likelihood.detach().mean())
    close(total, terms["bound"])


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (WarmUp(2.0, steps=4, start=2), [0, 0, 0, 0.5, 1, 1.5, 2, 2]),
        (Cyclical(1.0, period=4, ramp=0.5), [0, 0.5, 1, 1, 0, 0.5]),
        (Geometric(1.0, 1e-4, steps=4), [1, 0.1, 0.01, 1e-3, 1e-4, 1e-4]),
        (lambda step: 0.1 * step, [0, 0.1, 0.2]),
    ],
)
def test_schedules_move_with_training_and_stand_in_evaluation(schedule: Any, values: list[float]) -> None:
    objective = VariationalBottleneck(nn.Linear(4, 2), 1, 2, beta=schedule)
    x, y = torch.randn(4, 4), torch.tensor([0, 1, 0, 1])
    for value in values:
        for training in (False, True):
            total, terms = objective.train(training)(x, y), objective.terms
            close(total, terms["cross_entropy"] + value * terms["rate"])
    assert int(objective.state_dict()["steps"]) == len(values)


@pytest.mark.parametrize(
    "make",
    [
        lambda: WarmUp(-1.0, 10),
        lambda: WarmUp(1.0, 0),
        lambda: Cyclical(1.0, 10, ramp=0.0),
        lambda: Cyclical(1.0, 10, ramp=1.5),
        lambda: Geometric(0.0, 1.0, 10),
    ],
)
def test_schedules_that_cannot_be_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=" must be "):
        make()
