"""Augmentation of the images against plain loops."""

from __future__ import annotations

import itertools

import pytest
import torch
from infoflow_reproductions.milc.images import augmented, plain


@pytest.mark.parametrize("flip", [False, True])
def test_augmented_images_are_windows_of_the_padded_ones(flip: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(1, 256, (60, 3, 8, 8), dtype=torch.uint8, generator=generator)
    y = torch.arange(60)
    out, labels = augmented(flip=flip)(x, y, generator=generator)
    assert torch.equal(labels, y)
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1)).float() / 255
    seen = set()
    for i in range(60):
        windows = {}
        for top, left in itertools.product(range(3), range(3)):
            window = padded[i, :, top : top + 8, left : left + 8]
            windows |= {(top, left, False): window, (top, left, True): window.flip(2)}
        found = [place for place, window in windows.items() if torch.allclose(window, out[i])]
        assert len(found) == 1
        seen.add(found[0])
    assert {place[:2] for place in seen} == {(top, left) for top in range(3) for left in range(3)}
    assert {place[2] for place in seen} == ({False, True} if flip else {False})


def test_plain_images_lie_between_0_and_1() -> None:
    x = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    torch.testing.assert_close(plain(x, torch.tensor([0]))[0], torch.tensor([[[[0.0, 0.2, 1.0]]]]))
    assert x.dtype == torch.uint8
    assert x.flatten().tolist() == [0, 51, 255]
