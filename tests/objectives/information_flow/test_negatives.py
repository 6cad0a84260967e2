"""Every candidate is drawn equally often, and never the features of the positive pair."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.objectives.information_flow.negatives import Candidates, Negatives

LABELS = torch.tensor([7, 3, 7, 3, 7])
CELLS = torch.tensor([0, 0, 1, 1, 2, 2])


def everyone(kind: str, image: int, location: int) -> list[tuple[int, int]]:
    """The negatives as the documentation lists them, by plain loops."""
    found = []
    for i in range(len(LABELS)):
        for s in range(len(CELLS)):
            own_cell = i == image and CELLS[s] == CELLS[location]
            wanted = {
                "random": not own_cell,
                "same-location": i != image and s == location,
                "same-image": i == image and not own_cell,
                "same-class": i != image and LABELS[i] == LABELS[image],
            }[kind]
            if wanted:
                found.append((i, s))
    return found


@pytest.mark.parametrize("kind", ["random", "same-location", "same-image", "same-class"])
def test_numbers_are_one_to_one_with_the_strangers(kind: str) -> None:
    places = Candidates(kind, len(LABELS), CELLS, LABELS)
    image = torch.arange(len(LABELS)).repeat_interleave(len(CELLS))
    location = torch.arange(len(CELLS)).repeat(len(LABELS))
    counts = places.counts(image, location)
    for i, s, count in zip(image.tolist(), location.tolist(), counts.tolist(), strict=True):
        chosen = places.choose(torch.tensor([i]), torch.tensor([s]), torch.arange(count)[None])
        pairs = list(zip(chosen[0][0].tolist(), chosen[1][0].tolist(), strict=True))
        assert Counter(pairs) == Counter(everyone(kind, i, s))


@settings(max_examples=20)
@given(images=st.integers(2, 6), cells=st.lists(st.integers(0, 3), min_size=2, max_size=8), seed=st.integers(0, 99))
def test_nobody_meets_its_own_cell(images: int, cells: list[int], seed: int) -> None:
    codes = torch.unique(torch.tensor(cells), return_inverse=True)[1]
    generator = torch.Generator().manual_seed(seed)
    image = torch.randint(images, (9,), generator=generator)
    location = torch.randint(len(codes), (9,), generator=generator)
    for kind in ("random", "same-location", "same-image"):
        if kind == "same-image" and len(set(cells)) < 2:
            continue
        places = Candidates(kind, images, codes)
        counts = places.counts(image, location)
        number = (torch.rand(9, 4, generator=generator) * counts[:, None]).long()
        others, spots = places.choose(image, location, number)
        own = (others == image[:, None]) & (codes[spots] == codes[location][:, None])
        assert not bool(own.any())


def test_what_has_no_strangers_is_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'same-image'"):
        Negatives("same-imag")  # type: ignore[arg-type]
    with pytest.raises(TooFewSamples, match=r"^batch must be at least 2 samples for random negatives, got 1"):
        Candidates("random", 1, CELLS)
    with pytest.raises(InvalidArgument, match="more than one location"):
        Candidates("same-image", 4, torch.zeros(6, dtype=torch.int64))
    with pytest.raises(InvalidArgument, match=r"^labels must be given for same-class negatives, got None"):
        Candidates("same-class", 4, CELLS)
    with pytest.raises(InvalidArgument, match=r"^labels must be of shape \(4,\), got shape \(3,\)"):
        Candidates("same-class", 4, CELLS, torch.zeros(3))
    with pytest.raises(TooFewSamples, match="share a class"):
        Candidates("same-class", 3, CELLS, torch.arange(3))
