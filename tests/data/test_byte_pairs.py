"""Byte pairs against a slow reference that counts all pairs anew before every merge."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import pytest

from infoflow.data.byte_pairs import BytePairs
from infoflow.errors import InvalidArgument

TEXT = "the theater then gathers other brothers, three thieves: 12 12 123\n\n  then the end" * 3


def _slow(text: str, merges: int) -> list[tuple[str, str]]:
    words = [list(word) for word in re.findall(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\n+| +", text)]
    found = []
    for _ in range(merges):
        pairs = Counter(pair for word in words for pair in itertools.pairwise(word))
        most = max(pairs.values())
        best = min(pair for pair, count in pairs.items() if count == most)
        found.append(best)
        for word in words:
            place = 0
            while place + 1 < len(word):
                if (word[place], word[place + 1]) == best:
                    word[place : place + 2] = ["".join(best)]
                place += 1
    return found


def test_pairs_are_those_of_the_slow_reference() -> None:
    assert BytePairs.learned([TEXT], size=96 + 12).merges == _slow(TEXT, 12)


def test_tokens_join_to_the_text_and_are_fewer_than_its_characters() -> None:
    pairs = BytePairs.learned([TEXT], size=110)
    codes = pairs.encode(TEXT)
    assert pairs.decode(codes) == TEXT
    assert len(codes) < 0.7 * len(TEXT)
    assert max(codes) < len(pairs) == 110


def test_other_characters_are_an_error() -> None:
    with pytest.raises(InvalidArgument, match="printable ASCII"):
        BytePairs([]).encode("naïve")
