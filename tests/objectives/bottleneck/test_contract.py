"""What every objective of the bottleneck family must do, in one list."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.layers import InformationDropout
from infoflow.objectives import (
    VAE,
    ConditionalEntropyBottleneck,
    DeterministicBottleneck,
    DisentangledBottleneck,
    HSICBottleneck,
    InformationBottleneckLagrangian,
    InformationDropoutVAE,
    NonlinearBottleneck,
    Objective,
    VariationalBottleneck,
    WarmUp,
)

FEATURES, CLASSES = 6, 3


def code(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(FEATURES, 8), nn.Tanh(), nn.Linear(8, width))


def classifier() -> nn.Module:
    return nn.Sequential(InformationDropout(nn.Linear(FEATURES, 8)), nn.Linear(8, CLASSES))


def autoencoder() -> nn.Module:
    return nn.Sequential(InformationDropout(nn.Linear(FEATURES, 4), prior="log-normal"), nn.Linear(4, FEATURES))


def hsic(**settings: Any) -> HSICBottleneck:
    network = nn.Sequential(nn.Linear(FEATURES, 8), nn.ReLU(), nn.Linear(8, CLASSES))
    return HSICBottleneck(network, ["1"], CLASSES, **settings)


def disentangled(**settings: Any) -> DisentangledBottleneck:
    sizes = {"dimension": 2, "nuisance_dimension": 3, "classes": CLASSES}
    return DisentangledBottleneck(code(2), code(3), nn.Linear(3 + CLASSES, FEATURES), **sizes, **settings)


OBJECTIVES: dict[str, Callable[..., nn.Module]] = {
    "lagrangian": lambda **s: InformationBottleneckLagrangian(classifier(), samples=100, **s),
    "lagrangian-reconstruction": lambda **s: InformationBottleneckLagrangian(autoencoder(), task="reconstruction", **s),
    "vib": lambda **s: VariationalBottleneck(code(4), 2, CLASSES, **s),
    "vib-learned": lambda **s: VariationalBottleneck(code(4), 2, CLASSES, marginal="learned", draws=3, **s),
    "ceb": lambda **s: ConditionalEntropyBottleneck(code(4), 2, CLASSES, **s),
    "deterministic": lambda **s: DeterministicBottleneck(code(4), 4, CLASSES, **s),
    "nonlinear": lambda **s: NonlinearBottleneck(code(2), 2, CLASSES, **s),
    "hsic": hsic,
    "disentangled": disentangled,
    "vae": lambda **s: VAE(code(4), nn.Linear(2, FEATURES), 2, **s),
    "vae-gaussian": lambda **s: VAE(code(4), nn.Linear(2, FEATURES), 2, observation="gaussian", draws=2, **s),
    "information-dropout-vae": lambda **s: InformationDropoutVAE(autoencoder()[0], nn.Linear(4, FEATURES), **s),  # type: ignore[index]
}
WITHOUT_LABELS = ("lagrangian-reconstruction", "vae", "vae-gaussian", "information-dropout-vae")
CLASSIFIERS = [name for name in OBJECTIVES if name not in WITHOUT_LABELS]


def made(name: str, **settings: Any) -> Objective:
    torch.manual_seed(0)
    return OBJECTIVES[name](**settings)


def data(n: int = 12) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n, FEATURES, generator=generator), torch.arange(n) % CLASSES


def called(objective: Objective, name: str, x: Tensor, y: Tensor) -> Tensor:
    return objective(x) if name in WITHOUT_LABELS else objective(x, y)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_loss_with_detached_terms(name: str) -> None:
    objective = made(name)
    total, terms = called(objective, name, *data()), objective.terms
    assert total.ndim == 0
    assert total.requires_grad
    assert terms
    for term, value in terms.items():
        assert value.ndim == 0, term
        assert not value.requires_grad, term
        assert bool(torch.isfinite(value)), term


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradients_reach_every_parameter(name: str) -> None:
    objective = made(name)
    x, y = data()
    called(objective, name, x, y).backward()
    if name == "disentangled":
        assert isinstance(objective, DisentangledBottleneck)
        assert all(p.grad is None for p in objective.discriminator.parameters())
        before = {key: None if p.grad is None else p.grad.clone() for key, p in objective.named_parameters()}
        objective.opponent_loss(x, y).backward()
        for key, parameter in objective.named_parameters():
            if not key.startswith("discriminator"):
                assert parameter.grad is not None
                assert torch.equal(parameter.grad, before[key])  # type: ignore[arg-type]
    for key, parameter in objective.named_parameters():
        assert parameter.grad is not None, key
        assert bool(torch.isfinite(parameter.grad).all()), key
        assert bool(parameter.grad.abs().sum() > 0), key


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_same_seed_gives_the_same_loss(name: str) -> None:
    found = []
    for _ in range(2):
        objective = made(name)
        torch.manual_seed(5)
        found.append(called(objective, name, *data()))
    assert torch.equal(*found)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_double_precision_is_kept_and_agrees(name: str) -> None:
    x, y = data()
    single = made(name, beta=0.0)
    double = copy.deepcopy(single).double()
    total = called(double, name, x.double(), y)
    assert total.dtype == torch.float64


@pytest.mark.parametrize("name", OBJECTIVES)
def test_autocast_gives_a_loss_in_single_precision(name: str) -> None:
    objective = made(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total = called(objective, name, *data())
    assert total.dtype == torch.float32
    assert bool(torch.isfinite(total))
    total.backward()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_state_dict_copy_and_a_step(name: str) -> None:
    objective = made(name, beta=WarmUp(0.5, steps=10))
    optimizer = torch.optim.SGD(objective.parameters(), 0.01)
    called(objective, name, *data()).backward()
    optimizer.step()
    other = made(name, beta=WarmUp(0.5, steps=10))
    other.load_state_dict(copy.deepcopy(objective).state_dict())
    totals = []
    for one in (objective, other):
        torch.manual_seed(2)
        totals.append(called(one, name, *data()).detach())
    torch.testing.assert_close(*totals)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_negative_beta_is_refused(name: str) -> None:
    for beta in (-0.1, math.nan, math.inf, "1", True):
        with pytest.raises(InvalidArgument, match=r"^beta must be"):
            made(name, beta=beta)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_beta_zero_leaves_the_price_out(name: str) -> None:
    objective = made(name, beta=0.0)
    total, terms = called(objective, name, *data()), objective.terms
    kept = {"deterministic": ["code_entropy"], "disentangled": ["cross_entropy", "reconstruction"]}
    names = kept.get(name, ["reconstruction" if name in WITHOUT_LABELS else "cross_entropy"])
    expected = sum(terms[term] for term in names)
    if name == "hsic":
        expected = expected + 1e-3 * terms["input_dependence/1"]
    torch.testing.assert_close(total.detach(), expected)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_bad_data_is_refused(name: str) -> None:
    x, y = data()
    objective = made(name)
    bad: list[tuple[Any, Any]] = [(x[:0], y[:0]), (x.tolist(), y), (torch.full_like(x, math.nan), y)]
    if name in CLASSIFIERS:
        bad += [(x, y[:-1]), (x, y + 1), (x, y - 1), (x, y.float())]
    elif "gaussian" not in name:
        bad += [(x + 1, y), (x - 1, y)]
    for inputs, labels in bad:
        with pytest.raises(InvalidArgument):
            called(objective, name, inputs, labels)


@pytest.mark.parametrize("name", [n for n in CLASSIFIERS if n != "lagrangian"])
def test_predictions_are_probabilities(name: str) -> None:
    objective = made(name)
    x, y = data()
    objective(x, y)
    log_probability = objective.eval().predict(x)  # type: ignore[operator]
    assert log_probability.shape == (len(x), CLASSES)
    torch.testing.assert_close(log_probability.exp().sum(1), torch.ones(len(x)))
    if name.startswith(("vib", "ceb")):
        torch.testing.assert_close(objective.predict(x, draws=5).exp().sum(1), torch.ones(len(x)))  # type: ignore[operator]


# After a look at the contents, which a compiler can't follow, it goes on with tensors that are no leaves.
# A compiler takes seconds for each, so most are left to the slow suite.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize(
    "name", [name if name in ("vib", "vae") else pytest.param(name, marks=pytest.mark.slow) for name in OBJECTIVES]
)
def test_compiled_objectives_give_the_same_loss(name: str) -> None:
    if name == "hsic":
        pytest.skip("hooks that come and go are not for a compiler")
    objective = made(name)
    torch.manual_seed(3)
    expected = called(objective, name, *data())
    compiled = torch.compile(made(name), backend="eager")
    torch.manual_seed(3)
    torch.testing.assert_close(called(compiled, name, *data()), expected)  # type: ignore[arg-type]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", OBJECTIVES)
def test_devices_agree(name: str) -> None:
    x, y = data()
    total = called(made(name).cuda(), name, x.cuda(), y.cuda())
    assert total.device.type == "cuda"
    total.backward()


def test_settings_that_cannot_be_are_refused() -> None:
    cases: list[Callable[[], object]] = [
        lambda: InformationBottleneckLagrangian(nn.Linear(2, 2)),
        lambda: InformationBottleneckLagrangian(classifier(), samples=0),
        lambda: InformationBottleneckLagrangian(classifier(), task="regression"),
        lambda: InformationBottleneckLagrangian(classifier())(data()[0]),
        lambda: InformationDropoutVAE(nn.Linear(2, 2), nn.Linear(2, 2)),
        lambda: VariationalBottleneck(code(4), 3, CLASSES)(*data()),
        lambda: VariationalBottleneck(code(4), 2, 1),
        lambda: VariationalBottleneck(code(4), 2, CLASSES, marginal="mixture"),
        lambda: VariationalBottleneck(code(4), 2, CLASSES, draws=0),
        lambda: VariationalBottleneck("encoder", 2, CLASSES),  # type: ignore[arg-type]
        lambda: NonlinearBottleneck(code(2), 2, CLASSES, scale=0.0),
        lambda: NonlinearBottleneck(code(2), 2, CLASSES, power=0.5),
        lambda: DeterministicBottleneck(code(4), 4, CLASSES, stochasticity=2.0),
        lambda: DeterministicBottleneck(code(4), 4, CLASSES).predict(data()[0]),
        lambda: HSICBottleneck(classifier(), [], CLASSES),
        lambda: HSICBottleneck(classifier(), ["nowhere"], CLASSES),
        lambda: VAE(code(4), nn.Linear(2, 5), 2)(data()[0]),
        lambda: VAE(code(4), nn.Linear(2, 5), 2, observation="poisson"),
        lambda: disentangled().opponent_loss(data(1)[0]),
    ]
    for case in cases:
        with pytest.raises((InvalidArgument, UnknownName)):
            case()


def test_an_improper_prior_causes_a_warning() -> None:
    with pytest.warns(UserWarning, match="does not bound the likelihood"):
        InformationDropoutVAE(InformationDropout(nn.Linear(2, 2)), nn.Linear(2, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        InformationDropoutVAE(InformationDropout(nn.Linear(2, 2), prior="log-normal"), nn.Linear(2, 2))
