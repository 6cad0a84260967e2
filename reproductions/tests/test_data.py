"""The images of the experiments: parts that do not overlap, in an order that is always the same."""

from __future__ import annotations

import pytest
import torch
from infoflow_reproductions.harness.data import images

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


def test_missing_images_raise() -> None:
    with pytest.raises(InvalidArgument, match=r"number of training samples \(1437\)"):
        images("digits", 1400, 100, None)
    with pytest.raises(UnknownName, match="mnist"):
        images("mnits", 10, 0, None)
