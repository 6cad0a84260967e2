"""Exact information of quantized layers, against plain enumeration."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Kind
from infoflow.data import szt
from infoflow.estimators import QuantizedInformation
from infoflow.layers import QuantizedActivation
from infoflow.models import MLP, after_activations


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_a_quantized_network_on_all_patterns_is_counted_exactly(bits: int) -> None:
    network = after_activations(
        MLP([12, 10, 4, 2], "tanh", initialization="idnns", seed=1),
        "quantized",
        lambda _: QuantizedActivation(2**bits, -1.0, 1.0),
    ).eval()
    data = szt()
    x, y = data.tensors()
    with torch.no_grad():
        layer = network[:6](x)
    # The reference is a dictionary of the integer codes, one pattern after the other.
    codes = [tuple(network.quantized2.codes(row).tolist()) for row in layer]
    joint, of_code = Counter(zip(codes, y.tolist(), strict=True)), Counter(codes)
    of_label = Counter(y.tolist())

    def entropy(counts: Counter) -> float:  # type: ignore[type-arg]
        return -sum(c / 4096 * math.log(c / 4096) for c in counts.values())

    found = QuantizedInformation(levels=2**bits).measure(layer, y)
    assert found.input.nats == pytest.approx(entropy(of_code), abs=1e-9)
    assert found.label.nats == pytest.approx(entropy(of_code) + entropy(of_label) - entropy(joint), abs=1e-9)
    assert found.input.kind is Kind.EXACT


def test_all_rows_of_a_small_alphabet_have_the_entropy_of_the_alphabet() -> None:
    rows = torch.tensor(list(itertools.product([-1.0, 0.0, 1.0], repeat=4)))
    assert QuantizedInformation(levels=3).entropy(rows).nats == pytest.approx(4 * math.log(3))


def test_more_values_than_levels_raise_an_error() -> None:
    with pytest.raises(InvalidArgument, match=r"^t must be .* 4 different values \(levels\), got 5"):
        QuantizedInformation(levels=4).entropy(torch.arange(5.0))
