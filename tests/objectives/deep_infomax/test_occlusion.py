"""A block hidden, a block visible, whatever is drawn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infoflow.core.errors import InvalidArgument
from infoflow.objectives import Occlusion


@given(block=st.integers(1, 10), extra=st.integers(0, 20), other=st.integers(0, 25), seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_every_image_keeps_a_block_and_loses_one(block: int, extra: int, other: int, seed: int) -> None:
    sizes = (2 * block + extra, block + other)
    hidden = Occlusion(block).mask(8, sizes, torch.Generator().manual_seed(seed)).float()
    windows = torch.nn.functional.avg_pool2d(hidden[:, None], block, 1).flatten(1)
    assert bool((windows > 1 - 1e-6).any(1).all())  # some window is hidden whole
    assert bool((windows < 1e-6).any(1).all())  # some window is visible whole


def test_nothing_is_drawn_where_nothing_fits() -> None:
    with pytest.raises(InvalidArgument, match=r"^inputs must be large enough .* of 10, got size 19×19"):
        Occlusion(10)(torch.zeros(2, 1, 19, 19))
    with pytest.raises(InvalidArgument, match=r"^inputs must be large enough .* of 10, got size 8×40"):
        Occlusion(10)(torch.zeros(2, 1, 8, 40))
    with pytest.raises(InvalidArgument, match=r"^block must be"):
        Occlusion(0)


def test_the_rectangles_vary_between_images_and_reach_every_pixel() -> None:
    hidden = Occlusion(10).mask(2000, (32, 32), torch.Generator().manual_seed(0)).float()
    share = hidden.mean(0)
    assert 0.005 < share.min() < share.max() < 0.95
    assert len({tuple(row.flatten().tolist()) for row in hidden[:50]}) == 50


def test_the_same_generator_hides_the_same() -> None:
    images = torch.rand(5, 3, 32, 32) + 1
    once, again = (Occlusion()(images, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(once, again)
