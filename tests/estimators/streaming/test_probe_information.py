"""Held-out probes and the logit lens against posteriors that are known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.estimators import LogitLens, ProbeInformation

SHIFT = 1.5


def two_classes(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Normal activations in 4 dimensions whose first mean is ±SHIFT/2; a linear probe is the posterior."""
    generator = torch.Generator().manual_seed(seed)
    label = torch.randint(0, 2, (n,), generator=generator)
    z = torch.randn(n, 4, generator=generator)
    z[:, 0] += (label - 0.5) * SHIFT
    return z, label


def true_information() -> float:
    """I(T;X) = log 2 − E log(1 + e^{−δ(δ/2 + g)}), g normal, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    loss = np.log1p(np.exp(-SHIFT * (SHIFT / 2 + nodes)))
    return math.log(2) - float((weights * loss).sum() / math.sqrt(2 * math.pi))


def test_probe_reaches_the_information_and_does_not_exceed_it() -> None:
    probe = ProbeInformation(rows=3000).accumulator(4, "x", classes=2)
    for seed in range(10):
        z, label = two_classes(2000, seed)
        probe.update(z, {"x": label})
    assert len(probe.state_dict()["sample/t"]) == 3000
    reading = probe.estimate()
    assert reading.standard_error is not None
    assert abs(reading.value - true_information()) < 3 * reading.standard_error + 0.01
    z, label = two_classes(20_000, 99)
    pointwise = probe.pointwise(z, label)
    assert float(pointwise.mean()) == pytest.approx(true_information(), abs=0.02)
    truth = (label * 2 - 1) * z[:, 0] * SHIFT
    assert float((pointwise - (math.log(2) - torch.log1p(torch.exp(-truth)))).abs().mean()) < 0.05


def test_probe_of_independent_labels_is_not_above_zero() -> None:
    generator = torch.Generator().manual_seed(4)
    probe = ProbeInformation().accumulator(20, "x", classes=5)
    probe.update(torch.randn(1500, 20, generator=generator), {"x": torch.randint(0, 5, (1500,), generator=generator)})
    assert probe.estimate().value < 0.01


def test_labels_of_documents_are_not_decoded_from_their_names() -> None:
    # Every document has one label and activations of its own: a split of rows would decode the label.
    generator = torch.Generator().manual_seed(4)
    document = torch.arange(100).repeat_interleave(20)
    places, labels = torch.randn(100, 30, generator=generator), torch.randint(0, 2, (100,), generator=generator)
    z = places[document] + 0.01 * torch.randn(2000, 30, generator=generator)
    probe = ProbeInformation().accumulator(30, "x", classes=2)
    probe.update(z, {"x": labels[document]}, documents=document)
    assert probe.estimate().value < 0.05


def test_too_few_rows_and_wrong_shapes() -> None:
    probe = ProbeInformation().accumulator(4, "x", classes=2)
    z, label = two_classes(5, 0)
    probe.update(z, {"x": label})
    assert probe.estimates() == []
    with pytest.raises(TooFewSamples, match="rows must be at least 20 in each part of the split"):
        probe.pointwise(*two_classes(5, 0))
    with pytest.raises(InvalidArgument, match="labels must be a mapping with 'x'"):
        probe.update(torch.zeros(3, 4))


def test_lens_with_the_true_posterior_gives_the_information() -> None:
    def posterior(t: Tensor) -> Tensor:
        return torch.stack([-t[:, 0], t[:, 0]], 1) * SHIFT / 2

    lens = LogitLens(every=2).accumulator(4, "next", posterior, classes=2)
    for seed in range(10):
        z, label = two_classes(4000, seed)
        lens.update(z, {"next": label})
    reading = lens.estimate()
    assert reading.n == 20_000
    assert reading.standard_error is not None
    assert abs(reading.value - true_information()) < 4 * reading.standard_error


def test_lens_adds_the_probabilities_of_tokens_with_one_code() -> None:
    generator = torch.Generator().manual_seed(0)
    z, token = torch.randn(50, 6, generator=generator), torch.randint(0, 6, (50,), generator=generator)
    codes = torch.tensor([0, 1, 1, 2, 0, 2])
    lens = LogitLens(every=1).accumulator(6, "next", lambda t: t, classes=3, codes=codes)
    lens.update(z, {"next": codes[token]})
    shares = np.bincount(codes[token]) / 50
    probability = torch.softmax(z.double(), 1)
    merged = torch.stack([probability[:, codes == code].sum(1) for code in range(3)], 1)
    loss = -merged.log()[torch.arange(50), codes[token]].mean()
    assert lens.estimate().value == pytest.approx(-(shares * np.log(shares)).sum() - float(loss), abs=1e-6)
    with pytest.raises(InvalidArgument, match=r"unembedding must be a function to logits of shape \(1, 6\)"):
        LogitLens(every=1).accumulator(6, "next", lambda t: t[:, :2], classes=3, codes=codes).update(
            z[:1], {"next": codes[token[:1]]}
        )
