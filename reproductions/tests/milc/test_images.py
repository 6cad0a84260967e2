"""What the classifiers see: parts that don't overlap, and augmentation against plain loops."""

from __future__ import annotations

import pytest
import torch
from infoflow_reproductions.milc.images import augmented, images, plain

from infoflow.core.errors import InvalidArgument, UnknownName


def test_parts_are_disjoint_and_always_the_same() -> None:
    parts, again = images("digits", 900, 500, None), images("digits", 900, 500, None)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(parts, again, strict=True))
    rows = torch.cat([x.reshape(len(x), -1) for x, _ in parts]).tolist()
    # 1797 scans, of which no two are the same.
    assert len({tuple(row) for row in rows}) == len(rows) == 900 + 500 + 360
    assert parts.counts.sum() == 900
    # A smaller training set is the beginning of a larger one, whatever is held out.
    assert torch.equal(images("digits", 300, 0, None).train[0], parts.train[0][:300])


def test_enlarged_digits_are_the_same_digits() -> None:
    small, large = images("digits", 50, 0, None).train, images("digits32", 50, 0, None).train
    assert large[0].shape == (50, 3, 32, 32)
    assert torch.equal(large[0][:, 2, ::4, 3::4], small[0][:, 0])
    assert torch.equal(large[1], small[1])


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
        windows = {
            (top, left, mirrored): (padded[i, :, top : top + 8, left : left + 8].flip(2) if mirrored
                                    else padded[i, :, top : top + 8, left : left + 8])
            for top in range(3) for left in range(3) for mirrored in (False, True)
        }  # fmt: skip
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


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="more than the 1437 training images of digits"):
        images("digits", 1400, 100, None)
    with pytest.raises(UnknownName, match="did you mean 'mnist'"):
        images("mnits", 10, 0, None)
