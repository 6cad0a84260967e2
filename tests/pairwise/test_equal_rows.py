"""Equal rows, and only these, have equal symbols, also where the hash collides."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from infoflow.core.errors import InvalidArgument
from infoflow.pairwise import equal_rows as hashing


def same_partition(codes: torch.Tensor, rows: np.ndarray) -> bool:
    """Whether the codes group the rows as a dictionary of tuples does."""
    first: dict[tuple[float, ...], int] = {}
    expected = [first.setdefault(tuple(float(v) + 0.0 for v in row), i) for i, row in enumerate(rows)]
    seen: dict[int, int] = {}
    return [seen.setdefault(int(c), i) for i, c in enumerate(codes)] == expected


@settings(max_examples=60)
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.sampled_from([0, 1]),
    )
)
def test_rows_are_grouped_like_tuples_in_a_dictionary(rows: np.ndarray) -> None:
    codes, count = hashing.equal_rows(torch.from_numpy(rows))
    assert same_partition(codes, rows)
    assert sorted(set(codes.tolist())) == list(range(count))


def test_signed_zeros_extremes_and_the_last_bit() -> None:
    below_one = np.nextafter(np.float32(1), np.float32(0))
    rows = np.array([[0.0, 1.0], [-0.0, 1.0], [0.0, below_one], [1e30, -1e-45], [1e30, 0.0]], dtype=np.float32)
    codes, count = hashing.equal_rows(torch.from_numpy(rows))
    assert count == 4
    assert codes[0] == codes[1]
    largest = np.iinfo(np.int64).max
    whole = torch.tensor([[largest, -largest - 1], [largest - 1, -largest - 1], [largest, -largest - 1]])
    codes, count = hashing.equal_rows(whole)
    assert count == 2
    assert codes[0] == codes[2]


@pytest.mark.parametrize("repeat", [False, True])
def test_a_column_whose_values_differ_is_numbered_as_one_with_a_repetition(repeat: bool) -> None:
    rows = torch.randn(50, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    if repeat:
        rows = torch.cat([rows, rows[:1]])
    codes, count = hashing.equal_rows(rows)
    assert count == 50
    assert same_partition(codes, rows.detach().numpy())


def test_wide_rows_that_differ_in_one_place() -> None:
    rows = np.zeros((400, 3000), dtype=np.float32)
    rows[np.arange(399), np.arange(399) * 7] = 1e-40  # row 399 stays zero; all 400 differ
    assert hashing.equal_rows(torch.from_numpy(rows))[1] == 400


def test_a_colliding_hash_is_detected_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    honest = hashing._multipliers

    def weak_at_first(d: int, base: int, *, seed: int) -> tuple[torch.Tensor, int]:
        drawn.append(seed)
        multipliers, keys = honest(d, base, seed=seed)
        if seed == 0:
            multipliers[:, :keys] = 0.0  # every row has the key 0
        return multipliers, keys

    monkeypatch.setattr(hashing, "_multipliers", weak_at_first)
    rows = np.random.default_rng(0).integers(0, 3, size=(200, 50)).astype(np.float32)
    rows[100:] = rows[:100]
    codes, count = hashing.equal_rows(torch.from_numpy(rows))
    assert drawn == [0, 1]
    assert count == 100
    assert same_partition(codes, rows)


def test_the_hash_never_rounds() -> None:
    """Sums of digits times multipliers stay below 2^53, where float64 counts exactly."""
    for d, base in ((1024, 32), (12, 31), (60000, 2**16), (4, 2**32)):
        multipliers, keys = hashing._multipliers(d, base, seed=0)
        largest = int(multipliers.to(torch.int64).sum(dim=0).max()) * (base - 1)
        assert largest < 2**53
        assert keys >= 1
    with pytest.raises(InvalidArgument):
        hashing._multipliers(2**10, 2**36, seed=0)


def test_joint_counts_of_few_and_of_scattered_codes() -> None:
    x, y = torch.tensor([0, 1, 1, 2]), torch.tensor([1, 0, 0, 1])
    assert sorted(hashing.joint_counts(x, y, 2).tolist()) == [1, 1, 2]
    assert sorted(hashing.counts(torch.tensor([10**12, 0, 10**12])).tolist()) == [1, 2]
