"""A vocabulary of byte pairs, learned from a text: single characters, and the most frequent pairs of its tokens."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, validated

_ALPHABET = ["\n", *map(chr, range(32, 127))]
_WORD = re.compile(r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\n+| +")
_RARE = 3


class BytePairs:
    """Tokens of ASCII text: printable characters, the line break, and joined pairs in the order they were learned.

    Parameters
    ----------
    merges : sequence of pairs of str
        Pairs of tokens that are joined, the first one first.

    Notes
    -----
    Pairs are joined within words, runs of digits, of signs, of spaces and of line breaks, with the space before them.

    References
    ----------
    Sennrich, Haddow, Birch (2016), Neural machine translation of rare words with subword units, ACL.

    Examples
    --------
    >>> pairs = BytePairs([("t", "h"), ("th", "e")])
    >>> [pairs.tokens[code] for code in pairs.encode("the then")]
    ['the', ' ', 'the', 'n']
    """

    def __init__(self, merges: Sequence[tuple[str, str]]) -> None:
        self.merges = [tuple(pair) for pair in merges]
        self.tokens = [*_ALPHABET, *(left + right for left, right in merges)]
        self._rank = {pair: rank for rank, pair in enumerate(self.merges)}
        self._code = {token: code for code, token in enumerate(self.tokens)}
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    @validated
    def learned(cls, texts: Iterable[str], size: Annotated[int, Integer(len(_ALPHABET))] = 512) -> BytePairs:
        """Learn a vocabulary from texts.

        Parameters
        ----------
        texts
            ASCII texts.
        size
            Number of tokens; fewer where no pair occurs repeatedly.

        Returns
        -------
        BytePairs
            The vocabulary; ties are resolved by the alphabet, so that it depends on the texts alone.

        Examples
        --------
        >>> BytePairs.learned(["low lower lowest low"], size=98).merges
        [('l', 'o'), ('lo', 'w')]
        """
        counts = Counter(word for text in texts for word in _WORD.findall(text))
        words = [(list(word), times) for word, times in sorted(counts.items())]
        pairs: Counter[tuple[str, str]] = Counter()
        places: dict[tuple[str, str], set[int]] = defaultdict(set)
        for number, (parts, times) in enumerate(words):
            for pair in itertools.pairwise(parts):
                pairs[pair] += times
                places[pair].add(number)
        merges: list[tuple[str, str]] = []
        while len(_ALPHABET) + len(merges) < size and pairs:
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            if pairs[best] < _RARE:
                break
            merges.append(best)
            for number in places.pop(best):
                parts, times = words[number]
                for pair in itertools.pairwise(parts):
                    pairs[pair] -= times
                parts[:] = _joined(parts, best)
                for pair in itertools.pairwise(parts):
                    pairs[pair] += times
                    places[pair].add(number)
            del pairs[best]
        return cls(merges)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text.

        Parameters
        ----------
        text
            Printable ASCII and line breaks.

        Returns
        -------
        list of int
            Places of the tokens in `tokens`.

        Raises
        ------
        InvalidArgument
            If the text holds another character.
        """
        found: list[int] = []
        for word in _WORD.findall(text):
            if word not in self._known:
                self._known[word] = self._word(word)
            found.extend(self._known[word])
        return found

    def decode(self, codes: Iterable[int]) -> str:
        """Return the text of tokens.

        Parameters
        ----------
        codes
            Places of tokens.

        Returns
        -------
        str
            Their text.
        """
        return "".join(self.tokens[code] for code in codes)

    def _word(self, word: str) -> list[int]:
        parts = list(word)
        while len(parts) > 1:
            ranked = [(self._rank.get(pair, len(self._rank)), pair) for pair in itertools.pairwise(parts)]
            rank, best = min(ranked)
            if rank == len(self._rank):
                break
            parts = _joined(parts, best)
        for part in parts:
            if part not in self._code:
                raise InvalidArgument("text", "of printable ASCII characters and line breaks", part)
        return [self._code[part] for part in parts]


def _joined(parts: list[str], pair: tuple[str, str]) -> list[str]:
    found, place = [], 0
    while place < len(parts):
        if place + 1 < len(parts) and (parts[place], parts[place + 1]) == pair:
            found.append(parts[place] + parts[place + 1])
            place += 2
        else:
            found.append(parts[place])
            place += 1
    return found
