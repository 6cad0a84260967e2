"""Estimators by densities: large information where lower bounds cap, log ratios, honest parts, what they warn of."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.mixture import GaussianMixture
from torch import Tensor

from infoflow.core.errors import DidNotConverge, InvalidArgument, MissingExtra, TooFewSamples
from infoflow.core.estimate import Kind
from infoflow.estimators import (
    DifferenceOfEntropies,
    FlowMatching,
    GaussianMixtureInformation,
    NormalizingFlow,
    mutual_information,
)
from infoflow.estimators.learned.densities.difference_of_entropies import AutoregressiveMixture
from infoflow.estimators.learned.densities.flow_matching import Velocity, log_density
from infoflow.estimators.learned.densities.gaussian_mixture import Mixture
from infoflow.estimators.learned.densities.linear import fit_linear_gaussian

FAST = {"folds": 2, "max_epochs": 6, "hidden": (32,)}
MADE: dict[str, Any] = {
    "doe": lambda **more: DifferenceOfEntropies(**(FAST | more)),
    "flow": lambda **more: NormalizingFlow(**(FAST | more)),
    "flow-matching": lambda **more: FlowMatching(**(FAST | {"steps": 5} | more)),
    "gaussian-mixture": lambda **more: GaussianMixtureInformation(folds=2, **more),
}


@pytest.fixture(params=MADE)
def made(request: pytest.FixtureRequest) -> Any:
    if request.param == "flow":
        pytest.importorskip("zuko")
    return MADE[request.param]


def gaussian(n: int, information: float, dimensions: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    rho = math.sqrt(1 - math.exp(-2 * information / dimensions))
    x, noise = torch.randn(2, n, dimensions, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return x, rho * x + math.sqrt(1 - rho**2) * noise


class TestLargeInformation:
    def test_ten_nats(self, made: Any) -> None:
        """log 2500 = 7.8 is all that a lower bound could show here."""
        estimate = made().estimate(*gaussian(5000, 10.0, 5))
        assert estimate.nats == pytest.approx(10.0, abs=0.15)
        assert 10.0 in estimate.interval
        assert estimate.ceiling == math.inf
        assert not estimate.saturated

    @pytest.mark.slow
    def test_eighteen_nats_in_128_dimensions(self) -> None:
        """McAllester and Stratos (2020), Figure 2: correlation ½ in each of 128 dimensions."""
        truth = -64 * math.log(1 - 0.25)
        estimate = DifferenceOfEntropies(folds=2, max_epochs=2).estimate(*gaussian(10000, truth, 128))
        assert truth == pytest.approx(18.41, abs=0.005)
        assert estimate.nats == pytest.approx(truth, abs=0.5)
        assert estimate.kind is Kind.DIFFERENCE_OF_BOUNDS


def test_a_nonlinear_relation_is_learned(made: Any) -> None:
    x = torch.randn(3000, 1, generator=torch.Generator().manual_seed(0)).double()
    noise = torch.randn(3000, 1, generator=torch.Generator().manual_seed(1)).double()
    # y − x² is the noise: I = h(Y) − h(noise), h(Y) by numerical integration of the density of χ²₁ + noise.
    y = x.square() + 0.5 * noise
    grid = np.linspace(-3, 25, 5601)
    z = np.linspace(-8, 8, 1601)
    density = stats.norm.pdf((grid[:, None] - z**2) / 0.5) / 0.5 @ (stats.norm.pdf(z) * (z[1] - z[0]))
    positive = density[density > 1e-300]
    entropy = -(positive * np.log(positive)).sum() * (grid[1] - grid[0])
    truth = entropy - stats.norm(scale=0.5).entropy()
    settings = {} if made is MADE["gaussian-mixture"] else {"max_epochs": 40, "learning_rate": 5e-3}
    # Flow matching is the slowest to learn; a linear model alone finds nothing here.
    tolerance = 0.35 if made is MADE["flow-matching"] else 0.12
    assert made(**settings).estimate(x, y).nats == pytest.approx(truth, abs=tolerance)


def test_pointwise_values_are_the_true_log_ratios(made: Any) -> None:
    x, y = gaussian(2000, 1.0)
    rho = math.sqrt(1 - math.exp(-2.0))
    truth = 1.0 + (rho * x * y - rho**2 * (x**2 + y**2) / 2)[:, 0] / (1 - rho**2)
    values = made().pointwise(x, y)
    assert values.shape == (2000,)
    assert float((values - truth).abs().mean()) < 0.1
    assert float(values.mean()) == pytest.approx(made().estimate(x, y).nats, abs=1e-6)


def test_classes_on_either_side(made: Any) -> None:
    labels = np.arange(900) % 3
    x = np.random.default_rng(0).normal(size=(900, 2)) + 20.0 * labels[:, None]
    for estimate in (made().estimate(x, labels), made().estimate(labels, x)):
        assert estimate.nats == pytest.approx(math.log(3), abs=0.1)
        assert estimate.ceiling == pytest.approx(math.log(3))
    with pytest.raises(InvalidArgument, match="^x or y must be continuous"):
        made().estimate(labels, labels)


def test_monotone_maps_hardly_matter(made: Any) -> None:
    x, y = gaussian(1500, 0.6)
    assert made().estimate(x.exp() ** 5, y**3).nats == pytest.approx(0.6, abs=0.1)


@pytest.mark.slow
def test_two_fresh_processes_agree() -> None:
    estimators = [make() for name, make in MADE.items() if name != "flow" or importlib.util.find_spec("zuko")]
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from infoflow.estimators import *\n"
        "x, e = torch.randn(2, 200, 1, generator=torch.Generator().manual_seed(0))\n"
        f"print([estimator.estimate(x, x + e).nats for estimator in {estimators!r}])"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (run.communicate(timeout=300)[0] for run in runs)
    assert first == second
    assert all(0.1 < nats < 1 for nats in ast.literal_eval(first))


def test_a_permutation_test_from_one_fit(made: Any) -> None:
    x, y = gaussian(400, 0.2)
    estimator = made(max_epochs=2) if made is not MADE["gaussian-mixture"] else made()
    found = estimator.tested(x, y, permutations=99)
    assert found.nats == estimator.estimate(x, y).nats
    assert found.p_value == 0.02  # twice the least that 99 shuffles can show
    independent = [estimator.tested(*gaussian(100, 0.0, seed=s), permutations=19).p_value for s in range(5)]
    assert min(independent) > 0.1


def test_by_name() -> None:
    x, y = gaussian(400, 2.0)
    found = mutual_information(x, y, estimator="doe", max_epochs=1, folds=2, seed=3)
    assert found.estimator == "DifferenceOfEntropies"
    assert found.parameters["seed"] == 3
    assert found.parameters["preprocessing"] == "gaussianize"


class TestWarnings:
    def test_x_determines_y(self, made: Any) -> None:
        x, _ = gaussian(400, 1.0)
        estimate = made().estimate(x, 2 * x)
        assert estimate.nats > 6
        assert any("x determines a combination" in w for w in estimate.warnings)

    def test_ties(self, made: Any) -> None:
        x, y = gaussian(400, 1.0)
        estimate = made().estimate(x, y.round())
        assert any("of y are ties, which have no density" in w for w in estimate.warnings)

    def test_overfitting_and_too_short_a_time(self) -> None:
        x, y = gaussian(60, 0.0, 20)
        estimate = GaussianMixtureInformation(folds=2).estimate(x, y)
        assert any(w.startswith(("overfitting", "high variance", "the difference was")) for w in estimate.warnings)
        x, y = gaussian(400, 1.0, 2)
        estimate = DifferenceOfEntropies(folds=2, max_epochs=1).estimate(x, y)
        assert any("still improving" in w for w in estimate.warnings)


def test_a_diverging_fit_is_an_error_not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = AutoregressiveMixture.forward
    monkeypatch.setattr(AutoregressiveMixture, "forward", lambda self, x, r: forward(self, x, r) * math.nan)
    with pytest.raises(DidNotConverge, match=r"y given x was never finite.*learning_rate"):
        DifferenceOfEntropies(**FAST).estimate(*gaussian(100, 0.5))


def test_without_zuko_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("zuko"):
            raise ImportError(name)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=r"infoflow\[flows\]"):
        NormalizingFlow().estimate(*gaussian(100, 0.5))


@pytest.mark.parametrize(
    ("estimator", "arguments", "message"),
    [
        (DifferenceOfEntropies, {"family": "gausian"}, "Did you mean 'gaussian'"),
        (DifferenceOfEntropies, {"components": 0}, "^components must"),
        (DifferenceOfEntropies, {"device": "nowhere"}, "^device must"),
        (NormalizingFlow, {"flow": "nfs"}, "Did you mean 'nsf'"),
        (FlowMatching, {"steps": 0}, "^steps must"),
        (GaussianMixtureInformation, {"max_components": 0}, "^max_components must"),
        (GaussianMixtureInformation, {"folds": 1}, "^folds must"),
    ],
)
def test_bad_arguments_are_refused(estimator: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        estimator(**arguments)


def test_bad_samples_are_refused(made: Any) -> None:
    x, y = gaussian(100, 0.5)
    with pytest.raises(TooFewSamples, match=r"^x must be"):
        made().estimate(x[:30], y[:30])
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        made().estimate(x, y[:99])


# The densities themselves


@pytest.mark.parametrize("family", ["gaussian", "logistic"])
def test_an_autoregressive_density_integrates_to_one_and_keeps_its_order(family: str) -> None:
    network = AutoregressiveMixture(1, 2, (16, 16), 3, family, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
    axis = torch.linspace(-30, 30, 601)
    grid = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        mass = network(torch.full((len(grid), 1), 0.7), grid).exp().sum() * float(axis[1] - axis[0]) ** 2
    assert float(mass) == pytest.approx(1.0, abs=0.01)
    # The first dimension's own density doesn't see the second.
    r = torch.zeros(1, 2, requires_grad=True)
    out = network.layers(torch.cat([torch.zeros(1, 1), r], 1)).view(2, -1)
    (gradient,) = torch.autograd.grad(out[0].sum(), r, retain_graph=True)
    assert gradient.abs().sum() == 0
    (gradient,) = torch.autograd.grad(out[1].sum(), r)
    assert gradient[0, 0] != 0
    assert gradient[0, 1] == 0


def test_a_network_starts_as_a_standard_normal_density() -> None:
    r = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    expected = stats.norm.logpdf(r.numpy()).sum(1)
    for family, tolerance in (("gaussian", 0.05), ("logistic", 0.3)):
        density = AutoregressiveMixture(0, 3, (8,), 8, family, seed=0)(r[:, :0], r).detach()
        assert abs(float(density.mean()) - expected.mean()) < tolerance


def test_the_log_density_of_a_continuous_flow_is_that_of_what_it_does() -> None:
    """A velocity that is linear in r, v = a r, multiplies noise by eᵃ."""
    flow = Velocity(0, 2, (), seed=0)
    a = 0.7
    with torch.no_grad():
        flow.layers[0].weight[:, :2] = a * torch.eye(2)
    r = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    density = log_density(flow, r[:, :0], r, 10, torch.Generator())
    expected = stats.norm(scale=math.exp(a)).logpdf(r.numpy()).sum(1)
    assert density.detach().numpy() == pytest.approx(expected, abs=1e-4)


def test_the_divergence_is_the_trace_of_the_jacobian() -> None:
    flow = Velocity(1, 3, (8, 8), seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.5 * torch.randn(weight.shape, generator=generator))
    r, x, time = torch.randn(4, 3, generator=generator), torch.ones(4, 1), torch.full((4, 1), 0.3)
    directions = torch.eye(3)[:, None].expand(3, 4, 3)
    _, divergence = flow.divergence(r, time, x, directions)
    for k in range(4):
        jacobian = torch.autograd.functional.jacobian(
            lambda row, k=k: flow.velocity(row[None], time[:1], x[k : k + 1])[0], r[k]
        )
        assert float(divergence[k].detach()) == pytest.approx(float(jacobian.trace()), abs=1e-5)


def test_a_mixtures_density_and_marginals_are_scikit_learns_and_scipys() -> None:
    values = np.random.default_rng(0).normal(size=(300, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.3], [0, 0, 1]])
    model = GaussianMixture(3, random_state=0).fit(values)
    parts = (torch.from_numpy(p) for p in (np.log(model.weights_), model.means_, model.covariances_))
    mixture = Mixture(*parts)
    assert mixture.log_density(torch.from_numpy(values)).numpy() == pytest.approx(model.score_samples(values))
    last = mixture.of(slice(2, 3)).log_density(torch.from_numpy(values[:, 2:]))
    expected = sum(
        w * stats.norm(m[2], math.sqrt(c[2, 2])).pdf(values[:, 2])
        for w, m, c in zip(model.weights_, model.means_, model.covariances_, strict=True)
    )
    assert last.exp().numpy() == pytest.approx(expected)


class TestLinearGaussian:
    def test_its_density_is_scipys(self) -> None:
        x, y = gaussian(500, 1.0, 2)
        y = y @ torch.tensor([[1.0, 0.4], [0.0, 1.0]], dtype=torch.float64) + 3
        model = fit_linear_gaussian(x[:300], y[:300], x[300:400], y[300:400])
        factor = torch.linalg.inv(model.whitening)
        expected = stats.multivariate_normal(cov=(factor @ factor.mT).numpy()).logpdf(
            (y - model.offset - x @ model.weights).numpy()
        )
        assert model.log_density(x, y).numpy() == pytest.approx(expected)

    def test_few_canonical_pairs_of_many_columns_are_found(self) -> None:
        """A full regression of 30 on 30 columns would cost half a nat."""
        generator = torch.Generator().manual_seed(0)
        x, y = gaussian(1200, 0.8)
        turned = [
            torch.cat([side, torch.randn(1200, 29, generator=generator).double()], 1)
            @ torch.linalg.qr(torch.randn(30, 30, generator=generator).double()).Q
            for side in (x, y)
        ]
        a, b, c = slice(0, 800), slice(800, 1000), slice(1000, 1200)
        x, y = turned
        given = fit_linear_gaussian(x[a], y[a], x[b], y[b])
        alone = fit_linear_gaussian(x[a, :0], y[a], x[b, :0], y[b])
        found = given.log_density(x[c], y[c]) - alone.log_density(x[c, :0], y[c])
        shrunk, alone_full = (
            torch.distributions.MultivariateNormal(torch.zeros(30).double(), r.mT @ r / len(r))
            for r in (y[a] - x[a] @ torch.linalg.lstsq(x[a], y[a]).solution, y[a])
        )
        least_squares = shrunk.log_prob(y[c] - x[c] @ torch.linalg.lstsq(x[a], y[a]).solution)
        assert float(found.mean()) > float((least_squares - alone_full.log_prob(y[c])).mean()) + 0.2

    def test_the_held_out_part_decides(self) -> None:
        x, y = gaussian(60, 0.0, 10)
        model = fit_linear_gaussian(x[:40], y[:40], x[40:], y[40:])
        assert float(model.weights.abs().max()) < 0.2
