"""The baselines against their formulas written sample by sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.objectives import (
    ConfidencePenalty,
    LabelCorrection,
    LabelSmoothing,
    LogitAdjustment,
    NormalizedConditionalInformation,
    PriorCorrectedSoftmax,
)
from infoflow.theory import GaussianMixture

E = 0.1


def data(n: int = 20, classes: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(n, classes, generator=generator, dtype=torch.float64)
    return logits.requires_grad_(), torch.randint(classes, (n,), generator=generator)


def entropy(q: np.ndarray) -> float:
    return float(-(q * np.log(q)).sum())


FORMULAS = {
    "smoothing": (LabelSmoothing(E), lambda q, y: -(1 - E) * math.log(q[y]) - E * np.log(q).mean()),
    "penalty": (ConfidencePenalty(E), lambda q, y: -math.log(q[y]) - E * entropy(q)),
    "weighted-penalty": (
        ConfidencePenalty(E, form="weighted"),
        lambda q, y: -(1 - E) * math.log(q[y]) - E * entropy(q),
    ),
    "correction": (LabelCorrection(E), lambda q, y: -(1 - E) * math.log(q[y]) + E * entropy(q)),
    "hard-correction": (
        LabelCorrection(E, form="hard"),
        lambda q, y: -(1 - E) * math.log(q[y]) - E * math.log(q.max()),
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_each_is_its_formula(name: str) -> None:
    loss, formula = FORMULAS[name]
    logits, labels = data()
    q = logits.detach().softmax(1).numpy()
    expected = [formula(row, int(y)) for row, y in zip(q, labels, strict=True)]
    found = loss(logits, labels)
    assert found.item() == pytest.approx(np.mean(expected))
    assert loss.terms["conditional_entropy"].item() == pytest.approx(-np.log(q[np.arange(20), labels.numpy()]).mean())
    assert loss.terms["prediction_entropy"].item() == pytest.approx(np.mean([entropy(row) for row in q]))
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), logits)
    # Class weights and ignored labels weigh the samples, as they do in torch.
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=torch.float64)
    if name != "smoothing":
        kind, form = type(loss), loss.form
        weighted = kind(E, form=form, weight=weights, ignore_index=2)(logits, labels)
        w = weights[labels].numpy() * (labels.numpy() != 2)
        assert weighted.item() == pytest.approx((w * expected).sum() / w.sum())
        single = kind(E, form=form, reduction="none")(logits, labels)
        assert single.tolist() == pytest.approx(expected)


def test_smoothing_is_torchs() -> None:
    logits, labels = data()
    weights = torch.tensor([0.5, 2.0, 1.0, 3.0], dtype=torch.float64)
    theirs = nn.functional.cross_entropy(logits, labels, weight=weights, label_smoothing=0.3, ignore_index=1)
    torch.testing.assert_close(LabelSmoothing(0.3, weight=weights, ignore_index=1)(logits, labels), theirs)


@pytest.mark.parametrize("temperature", [0.0, 1.0, 1.5])
def test_logit_adjustment_shifts_by_the_log_priors(temperature: float) -> None:
    logits, labels = data()
    pi = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    expected = nn.functional.cross_entropy(logits + temperature * pi.log(), labels)
    objective = LogitAdjustment([10, 20, 30, 40], temperature)
    found = objective(logits, labels)
    torch.testing.assert_close(found, expected)
    assert objective.terms["conditional_entropy"].item() == pytest.approx(expected.item())
    spatial = logits.reshape(5, 2, 2, 4).movedim(-1, 1)
    torch.testing.assert_close(LogitAdjustment(pi, temperature)(spatial, labels.reshape(5, 2, 2)), expected)


def test_prior_corrected_softmax_is_logit_adjustment_less_the_code_length() -> None:
    logits, labels = data()
    pi = np.array([0.1, 0.2, 0.3, 0.4])
    z = logits.detach().numpy()
    gain = [row[y] - math.log((pi * np.exp(row)).sum()) for row, y in zip(z, labels, strict=True)]
    objective = PriorCorrectedSoftmax(pi)
    found = objective(logits, labels)
    assert found.item() == pytest.approx(-np.mean(gain))
    assert objective.terms["mutual_information"].item() == pytest.approx(np.mean(gain))
    ours = torch.autograd.grad(found, logits, retain_graph=True)[0]
    theirs = torch.autograd.grad(LogitAdjustment(pi)(logits, labels), logits)[0]
    torch.testing.assert_close(ours, theirs)


def test_prior_corrected_softmax_of_the_true_densities_is_the_information() -> None:
    truth = GaussianMixture(1.0, 1.0).mutual_information()
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(40_000) % 2
    x = torch.randn(40_000, generator=generator) + 2.0 * labels - 1
    densities = torch.stack([-((x + 1) ** 2) / 2, -((x - 1) ** 2) / 2], 1)
    found = -PriorCorrectedSoftmax([1, 1])(densities, labels).item()
    assert found == pytest.approx(truth, abs=0.01)
    assert -PriorCorrectedSoftmax([1, 1])(3 * densities, labels).item() < found


def naive_ncmi(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """I(X;Ŷ|Y) and Γ over all samples and all pairs."""
    q = logits.softmax(1)
    n = len(q)
    information = torch.zeros((), dtype=q.dtype)
    separation = torch.zeros((), dtype=q.dtype)
    for i in range(n):
        centroid = q[labels == labels[i]].mean(0)
        information = information + (q[i] * (q[i] / centroid).log()).sum() / n
        for j in range(n):
            if labels[i] != labels[j]:
                separation = separation - (q[i] * q[j].log()).sum() / n**2
    return information, separation


@pytest.mark.parametrize("form", ["ratio", "constrained"])
def test_normalized_conditional_information_over_all_pairs(form: str) -> None:
    logits, labels = data()
    information, separation = naive_ncmi(logits, labels)
    cross_entropy = nn.functional.cross_entropy(logits, labels)
    pull = 2.0 * information / separation if form == "ratio" else 2.0 * information - 0.3 * separation
    expected = 0.7 * cross_entropy + pull
    loss = NormalizedConditionalInformation(2.0, 0.3, 0.7, form=form)
    found = loss(logits, labels)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, logits)[0], torch.autograd.grad(expected, logits)[0], rtol=1e-9, atol=1e-12
    )
    assert loss.terms["conditional_information"].item() == pytest.approx(information.item())
    assert loss.terms["separation"].item() == pytest.approx(separation.item())
    assert loss.terms["normalized"].item() == pytest.approx((information / separation).item())


def test_normalized_information_of_extreme_or_uniform_batches_is_finite() -> None:
    for scale in (1e4, -1e4):
        logits = (scale * torch.eye(4)).requires_grad_()
        value = NormalizedConditionalInformation()(logits, torch.tensor([0, 1, 2, 2]))
        value.backward()
        assert math.isfinite(value.item())
        assert logits.grad is not None
        assert bool(torch.isfinite(logits.grad).all())
    objective = NormalizedConditionalInformation()
    with pytest.warns(UserWarning, match="the batch holds one class only"):
        objective(torch.eye(3), torch.tensor([1, 1, 1]))
    assert objective.terms["normalized"].item() == 0


@pytest.mark.parametrize(
    "loss",
    [
        LabelSmoothing(),
        ConfidencePenalty(),
        LabelCorrection(),
        LogitAdjustment([1, 2, 3]),
        PriorCorrectedSoftmax([1, 2, 3]),
        NormalizedConditionalInformation(),
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_bad_input_is_said_in_one_line(loss: nn.Module) -> None:
    for logits, labels, message in [
        (torch.zeros(2, 3), torch.tensor([0, 3]), "^labels must"),
        (torch.full((2, 3), math.nan), torch.tensor([0, 1]), "^logits must"),
        (torch.zeros(2, 3), torch.tensor([0.0, 1.0]), "^labels must"),
        (np.zeros((2, 3)), torch.tensor([0, 1]), "^logits must"),
    ]:
        with pytest.raises(InvalidArgument, match=message) as caught:
            loss(logits, labels)
        assert "\n" not in str(caught.value)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"^strength must be .*, got 1.5"):
        LabelCorrection(1.5)
    with pytest.raises(InvalidArgument, match=r"^strength must be at most 1 for the form 'weighted', got 2.0"):
        ConfidencePenalty(2.0, form="weighted")
    with pytest.raises(UnknownName, match="Did you mean 'soft'"):
        LabelCorrection(form="softer")
    with pytest.raises(
        InvalidArgument, match=r"^priors must be counts or frequencies > 0, got a class that never occurs"
    ):
        LogitAdjustment([3, 0, 1])
    with pytest.raises(InvalidArgument, match=r"^logits must be of 3 classes, as many as priors, got shape \(2, 4\)"):
        LogitAdjustment([3, 2, 1])(torch.zeros(2, 4), torch.tensor([0, 1]))
