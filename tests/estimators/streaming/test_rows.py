"""The choice of rows and the shuffles of a batch follow its whole content, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from infoflow.estimators import CovarianceSpectrum
from infoflow.estimators.streaming.rows import checked_rows, content_generator, thinned


def batches(number: int) -> list[Tensor]:
    """Batches of 64 tokens whose first token is the same, as at the beginning of texts in a causal model."""
    generator = torch.Generator().manual_seed(0)
    found = torch.randn(number, 64, 6, generator=generator)
    found[:, 0] = found[0, 0].clone()
    return list(found)


def test_batches_that_begin_alike_use_every_position_equally_often() -> None:
    used = torch.zeros(64)
    for t in batches(800):
        chosen = thinned(checked_rows(t, 6), 8).t
        used += (t[:, None] == chosen[None]).all(2).any(1)
    expected = 800 / 8
    # χ² with 63 degrees of freedom, shrunk by 7/8 as rows are drawn without replacement; 103 is its 0.999 quantile.
    assert float(((used - expected).square() / expected).sum()) < 103
    assert float(used.sum()) == 800 * 8


def test_a_large_first_token_counts_with_its_share_in_the_spectrum() -> None:
    whole, part = (CovarianceSpectrum(every=every).accumulator(dimensions=6) for every in (1, 8))
    for t in batches(500):
        t[0] = 40 * torch.eye(6)[0]
        whole.update(t)
        part.update(t)
    assert float(part.participation()) == pytest.approx(float(whole.participation()), rel=0.1)
    assert float(whole.participation()) < 2.0  # one direction holds most of the variance


@pytest.mark.parametrize("row", [0, 1, 63])
def test_every_row_decides_the_shuffle(row: int) -> None:
    (t,) = batches(1)
    other = t.clone()
    other[row, 0] += 1e-6 * math.copysign(1, float(t[row, 0]))
    same, first, second = (torch.randperm(64, generator=content_generator(each)) for each in (t.clone(), t, other))
    assert torch.equal(same, first)
    assert not torch.equal(first, second)
    assert not torch.equal(first, torch.randperm(64, generator=content_generator(t, seed=1)))


def test_an_empty_batch_has_a_generator() -> None:
    assert isinstance(content_generator(torch.zeros(0, 3)), torch.Generator)
