"""CLIP's loss, two cross-entropies over the batch, is InfoNCE both ways round: value and gradient."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from infoflow import bounds
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.critics import Separable, split_pairs


@pytest.mark.parametrize("n", [2, 17])
def test_infonce_both_ways_is_the_clip_loss(n: int) -> None:
    generator = torch.Generator().manual_seed(n)
    images, noise = torch.randn(2, n, 6, dtype=torch.float64, generator=generator)
    texts = (images + noise)[:, :4]
    critic = Separable(6, 4, 5, hidden=(8,), normalize=True, temperature=0.07).double()
    parameters = list(critic.parameters())

    image, text = critic.embed(images, texts)
    table = image @ text.T
    ours = -(bounds.infonce(*split_pairs(table)) + bounds.infonce(*split_pairs(table.T))) / 2
    gradients = torch.autograd.grad(ours, parameters)

    # As it is usually written: unit vectors, times e^(log scale), labels 0, 1, ...
    assert critic.log_scale is not None
    unit = F.normalize(critic.x_network(images), dim=-1), F.normalize(critic.y_network(texts), dim=-1)
    logits = critic.log_scale.exp() * unit[0] @ unit[1].T
    labels = torch.arange(n)
    reference = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    expected = torch.autograd.grad(reference, parameters)

    torch.testing.assert_close(ours + math.log(n), reference)
    for found, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(found, wanted)
    assert any(float(g.abs().max()) > 0 for g in expected)


def test_one_way_is_what_scores_give() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 9, 3, generator=generator)
    critic = Separable(3, 3, normalize=True)
    image, text = critic.embed(x, y)
    torch.testing.assert_close(
        bounds.infonce(*critic.scores(x, y)), math.log(9) - F.cross_entropy(image @ text.T, torch.arange(9))
    )


def test_a_batch_of_one_and_unpaired_batches_are_refused() -> None:
    critic = Separable(3, 3, normalize=True)
    with pytest.raises(TooFewSamples, match="batch of one"):
        critic.scores(torch.ones(1, 3), torch.ones(1, 3))
    with pytest.raises(InvalidArgument, match="^x"):
        critic.scores(torch.ones(4, 3), torch.ones(5, 3))
    with pytest.raises(InvalidArgument, match="^negative must"):
        bounds.infonce(torch.zeros(4), torch.zeros(5, 3))
