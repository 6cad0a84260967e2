"""The contract of every objective, of the library and of the reproductions' baselines."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import infoflow.objectives
from infoflow.core.errors import InvalidArgument
from infoflow.layers import InformationDropout
from infoflow.models import ConvolutionalEncoder, DCGANDecoder
from infoflow.objectives import Encoding, Objective, deep_infomax_for

baselines = pytest.importorskip("infoflow_reproductions.baselines")
networks = pytest.importorskip("infoflow_reproductions.networks.dcgan_discriminator")

SHAPE = (1, 8, 8)


class Case:
    """An objective with a batch for `forward`, and what has to run before it."""

    def __init__(self, objective: Objective, *batch: Any, run: Callable[[], Any] = lambda: None) -> None:
        self.objective, self.batch, self.run = objective, batch, run

    def __call__(self) -> Tensor:
        self.run()
        return self.objective(*self.batch)


def found(module: ModuleType) -> dict[str, type[Objective]]:
    named = {name: getattr(module, name) for name in module.__all__}
    return {
        name: value
        for name, value in named.items()
        if inspect.isclass(value) and issubclass(value, Objective) and not inspect.isabstract(value)
    }


LIBRARY = found(infoflow.objectives)
CLASSES = LIBRARY | found(baselines)


def encoder(features: int = 6) -> nn.Module:
    return ConvolutionalEncoder(SHAPE, widths=(4, 8), local=0, units=16, features=features)


def decoder() -> nn.Module:
    return DCGANDecoder(6, SHAPE, widths=(8, 4))


def judge(**settings: Any) -> nn.Module:
    return networks.DCGANDiscriminator(SHAPE, widths=(4, 8), **settings)


def classified(name: str, *args: Any, **settings: Any) -> Case:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(12, 3, generator=generator).requires_grad_()
    return Case(CLASSES[name](*args, **settings), logits, torch.arange(12) % 3)


def of_vectors(name: str, *args: Any, **settings: Any) -> Case:
    return Case(CLASSES[name](*args, **settings), torch.randn(12, 4).requires_grad_())


def bottleneck(name: str, *args: Any, labels: bool = True, **settings: Any) -> Case:
    x = torch.rand(12, 6)
    return Case(CLASSES[name](*args, **settings), x, *([torch.arange(12) % 3] if labels else []))


def coordinates(name: str) -> Case:
    encoding = Encoding(torch.randn(6, 8, 4, 4).requires_grad_(), torch.randn(6, 5).requires_grad_())
    return Case(CLASSES[name](8, 5, (4, 4), units=16), encoding)


def dropout(**settings: Any) -> nn.Module:
    return InformationDropout(nn.Linear(6, 4), **settings)


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(144, 3))


def information_flow() -> Case:
    model = network()
    x = torch.randn(6, *SHAPE)
    flow = CLASSES["InformationFlow"](model, [("0", "2")])
    return Case(flow, run=lambda: model(x))


def images(objective: Objective) -> Case:
    return Case(objective, torch.rand(6, *SHAPE))


def views(name: str, *args: Any, **settings: Any) -> Case:
    return Case(CLASSES[name](encoder(), *args, **settings), *torch.randn(2, 6, *SHAPE))


CASES: dict[str, Callable[[], Case]] = {
    "AbsoluteCoordinates": lambda: coordinates("AbsoluteCoordinates"),
    "AdversarialMatching": lambda: of_vectors("AdversarialMatching", 4, units=(8,)),
    "ConditionalEntropyBottleneck": lambda: bottleneck("ConditionalEntropyBottleneck", nn.Linear(6, 4), 2, 3),
    "ConfidencePenalty": lambda: classified("ConfidencePenalty"),
    "DeepInfoMax": lambda: images(
        deep_infomax_for(encoder(), torch.zeros(2, *SHAPE), alpha=0.5, units=16, coordinates="both")
    ),
    "DeterministicBottleneck": lambda: bottleneck("DeterministicBottleneck", nn.Linear(6, 4), 4, 3),
    "DisentangledBottleneck": lambda: bottleneck(
        "DisentangledBottleneck",
        nn.Linear(6, 2),
        nn.Linear(6, 3),
        nn.Linear(6, 6),
        dimension=2,
        nuisance_dimension=3,
        classes=3,
    ),
    "HSICBottleneck": lambda: bottleneck(
        "HSICBottleneck", nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), ["1"], 3
    ),
    "InformationBottleneckLagrangian": lambda: bottleneck(
        "InformationBottleneckLagrangian", nn.Sequential(dropout(), nn.Linear(4, 3))
    ),
    "InformationDropoutVAE": lambda: bottleneck(
        "InformationDropoutVAE", dropout(prior="log-normal"), nn.Linear(4, 6), labels=False
    ),
    "InformationFlow": information_flow,
    "KernelMatching": lambda: of_vectors("KernelMatching"),
    "LabelCorrection": lambda: classified("LabelCorrection"),
    "LabelSmoothing": lambda: classified("LabelSmoothing"),
    "LeastSquaresGAN": lambda: images(baselines.LeastSquaresGAN(DCGANDecoder(6, SHAPE, widths=(8, 4)), judge(), 6)),
    "LogitAdjustment": lambda: classified("LogitAdjustment", [3, 2, 1]),
    "MutualInformationLoss": lambda: classified("MutualInformationLoss", decay=0.9, classes=3),
    "NonlinearBottleneck": lambda: bottleneck("NonlinearBottleneck", nn.Linear(6, 2), 2, 3),
    "NormalizedConditionalInformation": lambda: classified("NormalizedConditionalInformation"),
    "PriorCorrectedSoftmax": lambda: classified("PriorCorrectedSoftmax", [3, 2, 1]),
    "RelativeCoordinates": lambda: coordinates("RelativeCoordinates"),
    "SaturatingGAN": lambda: images(baselines.SaturatingGAN(DCGANDecoder(6, SHAPE, widths=(8, 4)), judge(), 6)),
    "SlicedWassersteinMatching": lambda: of_vectors("SlicedWassersteinMatching"),
    "StatisticsExchange": lambda: Case(
        CLASSES["StatisticsExchange"](network(), ["0"], spectra=["input"]), torch.randn(6, *SHAPE), torch.arange(6) % 3
    ),
    "VAE": lambda: bottleneck("VAE", nn.Linear(6, 4), nn.Linear(2, 6), 2, labels=False),
    "VariationalBottleneck": lambda: bottleneck("VariationalBottleneck", nn.Linear(6, 4), 2, 3, marginal="learned"),
    "AdversarialAutoencoder": lambda: images(
        baselines.AdversarialAutoencoder(
            encoder(), decoder(), LIBRARY["AdversarialMatching"](6, "gaussian", units=(8,))
        )
    ),
    "BetaAutoencoder": lambda: images(baselines.BetaAutoencoder(encoder(12), decoder())),
    "BiGAN": lambda: images(baselines.BiGAN(encoder(), decoder(), judge(features=6))),
    "Decorrelation": lambda: of_vectors("Decorrelation"),
    "GradientOrthogonality": lambda: Case(
        baselines.GradientOrthogonality(), [network(), network()], torch.randn(6, *SHAPE), torch.arange(6) % 3
    ),
    "IndependenceCrossEntropy": lambda: Case(
        baselines.IndependenceCrossEntropy(4, 3, hidden=(8,)),
        torch.randn(12, 3).requires_grad_(),
        torch.randn(12, 4).requires_grad_(),
        torch.arange(12) % 3,
    ),
    "MultiViewDeepInfoMax": lambda: views("MultiViewDeepInfoMax", baselines.DotCritic(4, 6, units=8)),
    "NTXent": lambda: views("NTXent", 6, units=8, projection=8),
    "NoiseAsTargets": lambda: Case(baselines.NoiseAsTargets(encoder(), 20, 6), torch.randn(6, *SHAPE), torch.arange(6)),
    "NonSaturatingGAN": lambda: images(baselines.NonSaturatingGAN(DCGANDecoder(6, SHAPE, widths=(8, 4)), judge(), 6)),
    "PriorMatchingGenerator": lambda: images(baselines.PriorMatchingGenerator(decoder(), judge(outputs=5), 6)),
    "SpectralDecoupling": lambda: classified("SpectralDecoupling"),
    "VICReg": lambda: views("VICReg", 6, units=8, projection=8),
    "WassersteinGAN": lambda: images(baselines.WassersteinGAN(decoder(), judge(), 6)),
}


def case(name: str) -> Case:
    torch.manual_seed(0)
    return CASES[name]()


def test_every_objective_has_a_case() -> None:
    assert set(CASES) == set(CLASSES)


@pytest.mark.parametrize("name", CASES)
def test_the_loss_is_a_finite_scalar_with_named_detached_terms(name: str) -> None:
    made = case(name)
    assert dict(made.objective.terms) == {}
    loss = made()
    assert loss.shape == ()
    assert loss.requires_grad
    assert torch.isfinite(loss)
    assert made.objective.terms
    for term, value in made.objective.terms.items():
        assert term
        assert value.shape == ()
        assert not value.requires_grad
        assert torch.isfinite(value)
    with pytest.raises(TypeError):
        made.objective.terms["loss"] = loss  # type: ignore[index]


@pytest.mark.parametrize("name", CASES)
def test_the_losses_reach_every_parameter(name: str) -> None:
    made = case(name)
    made().backward()
    if (opponent := getattr(made.objective, "opponent_loss", None)) is not None:
        batch = made.batch[1:] if name == "IndependenceCrossEntropy" else made.batch
        if getattr(made.objective, "opponent", made.objective) is None:
            with pytest.raises(InvalidArgument, match="no opponent"):
                opponent(*batch)
        else:
            opponent(*batch).backward()
            assert made.objective.terms
    without = [key for key, p in made.objective.named_parameters() if p.requires_grad and p.grad is None]
    assert not without


@pytest.mark.parametrize("name", CASES)
def test_evaluation_mode_gives_a_loss_too(name: str) -> None:
    made = case(name)
    made.objective.eval()
    assert torch.isfinite(made())
    made.objective.train()
    assert torch.isfinite(made())


@pytest.mark.parametrize("name", CASES)
def test_the_repr_names_the_class(name: str) -> None:
    assert repr(case(name).objective).startswith(f"{name}(")


@pytest.mark.parametrize("name", CASES)
def test_copies_hold_the_same_state_and_terms(name: str) -> None:
    made = case(name)
    made()
    stream = io.BytesIO()
    torch.save(made.objective, stream)
    stream.seek(0)
    copies = [
        copy.deepcopy(made.objective),
        pickle.loads(pickle.dumps(made.objective)),  # noqa: S301  # our own bytes
        torch.load(stream, weights_only=False),
    ]
    for one in copies:
        assert dict(one.terms) == dict(made.objective.terms)
        for key, value in made.objective.state_dict().items():
            assert torch.equal(one.state_dict()[key], value), key
