"""Contract of every probe: invalid input raises, equal seeds give equal scores."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from infoflow.core.errors import InfoflowError, InvalidArgument, TooFewSamples
from infoflow.core.estimate import Kind
from infoflow.estimators import Gaussian
from infoflow.probes import (
    FineTuning,
    InputInformation,
    LinearSVM,
    Logistic,
    MultilayerPerceptron,
    NearestNeighbors,
    NeuralDependency,
    Probe,
    Reconstruction,
    Score,
    TotalCorrelation,
)

WITHOUT_TORCHMETRICS = pytest.mark.skipif(
    importlib.util.find_spec("torchmetrics") is None, reason="torchmetrics (infoflow[vision]) is not installed"
)

LABELED = [
    LinearSVM(runs=2),
    Logistic(runs=2),
    MultilayerPerceptron(units=16, epochs=15, learning_rate=1e-2, runs=2),
    NearestNeighbors(k=3),
    FineTuning(per_class=10, epochs=10, learning_rate=1e-2, head="linear", runs=2),
    FineTuning(per_class=10, epochs=15, learning_rate=1e-2, freeze=True, runs=2),
]
OTHERS = [
    InputInformation(Gaussian()),
    NeuralDependency(settings={"hidden": (8,), "max_epochs": 2}),
    NeuralDependency(sigmoid=True, settings={"hidden": (8,), "max_epochs": 2}),
    TotalCorrelation(),
    pytest.param(Reconstruction(epochs=2, runs=2), marks=WITHOUT_TORCHMETRICS),
]


def name(probe: Any) -> str:
    return f"{probe.name}-{probe.takes}"


def drawn(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, 64, generator=generator)
    x[:, :4] += 6 * y[:, None] - 3
    return x, y


def scored(probe: Any, train: Any, test: Any) -> Score:
    """Score of a probe; the features are also the inputs and, as 8×8, the images."""
    (x, y), (report, report_y) = train, test
    if probe.takes == "labels":
        return probe.score(x, y, report, report_y)
    if probe.takes == "features":
        return probe.score(report[:, :3])
    if probe.takes == "inputs":
        return probe.score(report[:, :3], report[:, :2] + report[:, 3:5])
    if probe.takes == "images":
        return probe.score(x, x.reshape(-1, 1, 8, 8), report, report.reshape(-1, 1, 8, 8))
    encoder = nn.utils.skip_init(nn.Linear, 64, 8)  # drawn from no random state
    with torch.no_grad():
        encoder.weight.copy_(torch.eye(8, 64))
        encoder.bias.zero_()
    return probe.score(encoder, x, y, report, report_y)


@pytest.mark.parametrize("probe", LABELED + OTHERS, ids=name)
def test_a_score_is_complete_and_reproducible(probe: Any) -> None:
    assert isinstance(probe, Probe)
    train, test = drawn(200, 0), drawn(120, 1)
    state = torch.get_rng_state()
    first, second = scored(probe, train, test), scored(probe, train, test)
    assert torch.equal(torch.get_rng_state(), state)
    assert first == second
    assert first.measure == probe.name
    assert isinstance(first.kind, Kind)
    assert first.n == 120
    assert math.isfinite(first.value)
    assert first.interval is None or first.interval.low <= first.value <= first.interval.high
    assert str(first).startswith(probe.name)


@pytest.mark.parametrize("probe", LABELED, ids=name)
def test_separable_classes_are_separated(probe: Any) -> None:
    score = scored(probe, drawn(200, 0), drawn(120, 1))
    assert score.value >= 0.97
    assert score.unit == "fraction"


@pytest.mark.parametrize("probe", LABELED, ids=name)
def test_unrelated_features_are_at_chance(probe: Any) -> None:
    generator = torch.Generator().manual_seed(5)
    (x, y), (report, report_y) = drawn(200, 0), drawn(400, 1)
    x, report = torch.randn(x.shape, generator=generator), torch.randn(report.shape, generator=generator)
    assert abs(scored(probe, (x, y), (report, report_y)).value - 0.5) < 0.1


@pytest.mark.parametrize("probe", LABELED, ids=name)
@pytest.mark.parametrize("fault", ["one class", "nan", "lengths", "width", "few", "labels", "empty"])
def test_invalid_input_raises(probe: Any, fault: str) -> None:
    (x, y), (report, report_y) = drawn(40, 0), drawn(30, 1)
    if fault == "one class":
        y, wanted = torch.zeros_like(y), "^train labels must"
    elif fault == "nan":
        x[3, 5], wanted = math.nan, "^train .*NaN"
    elif fault == "lengths":
        report_y, wanted = report_y[:-1], "30 .* 29|29 .* 30"
    elif fault == "width":
        report, wanted = report[:, :10], "64.*10|shape .*10"
    elif fault == "few":
        x, y, wanted = x[:2], y[:2], "^train"
    elif fault == "labels":
        y, wanted = y.float(), "^train labels"
    else:
        report, report_y, wanted = report[:0], report_y[:0], "0"
    if fault == "few" and probe.takes == "encoder":
        x, y = x[:1], y[:1]
    with pytest.raises(InfoflowError, match=wanted):
        scored(probe, (x, y), (report, report_y))


@pytest.mark.parametrize("probe", OTHERS, ids=name)
def test_nan_features_raise(probe: Any) -> None:
    train, test = drawn(100, 0), drawn(100, 1)
    test[0][3, :] = math.nan
    with pytest.raises(InvalidArgument, match="NaN"):
        scored(probe, train, test)


@pytest.mark.parametrize("probe", [p for p in LABELED if p.takes == "labels"], ids=lambda p: p.name)
def test_collapsed_features_and_unseen_classes_give_warnings(probe: Any) -> None:
    x, y = torch.ones(60, 4), torch.arange(60) % 3
    score = probe.score(x, y % 2, x, y)
    assert any("collapsed" in warning for warning in score.warnings)
    assert any("in the test labels only" in warning for warning in score.warnings)
    assert score.value <= 0.5


def test_arrays_lists_and_other_labels_are_accepted() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = np.where(x[:, 0] > 0, 7, -2)
    x[:, 0] += 3 * np.sign(x[:, 0])
    assert Logistic(runs=1).score(x.tolist(), y.tolist(), x, y).value == 1.0


def test_accuracies_of_the_last_epochs_are_averaged() -> None:
    """Runs of two, three and four epochs are the beginnings of one another."""
    (x, y), (report, report_y) = drawn(60, 0), drawn(40, 1)

    def score(epochs: int, averaged: int = 1) -> float:
        probe = MultilayerPerceptron(units=8, epochs=epochs, averaged=averaged, learning_rate=1e-2, runs=1)
        return probe.score(x, y, report, report_y).value

    each = [score(epochs) for epochs in (2, 3, 4)]
    assert len(set(each)) > 1
    assert score(4, 3) == pytest.approx(sum(each) / 3)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: LinearSVM(penalty=0), "penalty"),
        (lambda: Logistic(runs=0), "runs"),
        (lambda: MultilayerPerceptron(dropout=1.0), "dropout"),
        (lambda: MultilayerPerceptron(epochs=3, averaged=4), "averaged"),
        (lambda: NearestNeighbors(metric="cosin"), "metric"),
        (lambda: NearestNeighbors(k=0), "k"),
        (lambda: FineTuning(head="mpl"), "head"),
        (lambda: InputInformation(estimator=3), "estimator"),  # type: ignore[arg-type]
        (lambda: Reconstruction(batch_size=1), "batch_size"),
    ],
)
def test_settings_out_of_range_raise(make: Any, argument: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert caught.value.argument == argument


def test_an_unusable_device_raises() -> None:
    (x, y), (report, report_y) = drawn(20, 0), drawn(20, 1)
    with pytest.raises(InvalidArgument, match="device.*'cud'|'cud'.*device"):
        Logistic(device="cud").score(x, y, report, report_y)


def test_more_neighbors_than_samples_raises() -> None:
    (x, y), (report, report_y) = drawn(20, 0), drawn(20, 1)
    with pytest.raises(InvalidArgument, match=r"^k must be at most the number of samples \(20\), got 21"):
        NearestNeighbors(k=21).score(x, y, report, report_y)


def test_too_few_labeled_samples_raise() -> None:
    (x, y), (report, report_y) = drawn(20, 0), drawn(20, 1)
    with pytest.raises(TooFewSamples, match="^per_class must"):
        FineTuning(per_class=11).score(nn.Linear(64, 2), x, y, report, report_y)
