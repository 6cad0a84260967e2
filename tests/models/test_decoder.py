"""The small language model: causal, the sum of its parts, and without trace in torch's random state."""

from __future__ import annotations

import math

import pytest
import torch

from infoflow.errors import InvalidArgument
from infoflow.models.decoder import Decoder


def test_no_position_depends_on_a_later_token() -> None:
    model = Decoder(30, width=16, depth=2, heads=2, length=9).double()
    ids = torch.arange(9)[None] % 30
    changed = ids.clone()
    changed[0, 5] = 29
    first, second = model(ids), model(changed)
    torch.testing.assert_close(first[:, :5], second[:, :5], rtol=0, atol=1e-12)
    assert (first[:, 5:] - second[:, 5:]).abs().amax(-1).min() > 1e-6


def test_attention_is_that_of_its_formula() -> None:
    model = Decoder(30, width=8, depth=1, heads=2, length=5).double()
    block, x = model.blocks[0], torch.randn(1, 5, 8, dtype=torch.float64)
    q, k, v = block.qkv(block.before_attention(x)).split(8, dim=-1)
    mixed = torch.zeros_like(x)
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        for place in range(5):
            score = (k[0, : place + 1, part] @ q[0, place, part]) / 2.0
            mixed[0, place, part] = score.softmax(0) @ v[0, : place + 1, part]
    after = x + block.project(mixed)
    torch.testing.assert_close(block(x), after + block.mlp(after), rtol=0, atol=1e-10)


def test_begins_near_a_uniform_guess_and_reads_every_layer() -> None:
    state = torch.get_rng_state()
    model = Decoder(100, width=32, depth=3, heads=4, length=20, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    ids = torch.randint(100, (8, 20), generator=torch.Generator().manual_seed(0))
    logits = model(ids)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
    assert loss.item() == pytest.approx(math.log(100), abs=0.1)
    hidden = model.hidden(ids)
    assert len(hidden) == 4
    torch.testing.assert_close(model.logits(hidden[-1]), logits)


def test_bad_shapes_are_named() -> None:
    with pytest.raises(InvalidArgument, match="heads must be a divisor"):
        Decoder(10, width=10, heads=3)
    with pytest.raises(InvalidArgument, match="at most 4 tokens"):
        Decoder(10, width=8, heads=2, length=4)(torch.zeros(1, 5, dtype=torch.int64))
