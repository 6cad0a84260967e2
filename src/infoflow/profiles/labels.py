"""Labels of tokens: codes that are fixed before a pass, and what each token is labeled with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.profiles.batches import Batch

TOKEN_LABELS = ("current", "next")
"""Labels that tokens themselves give."""

CLASS = "class"
"""Name of the labels that come with the batches."""

NONE = -1
"""Code of a row without a label."""

Labels = str | Sequence[str] | Mapping[str, Callable[[Tensor], Tensor]]


@dataclass(frozen=True)
class Codes:
    """Codes 0 … K − 1 of token ids (K − 1,), the last code for all others; fixed, so that checkpoints compare.

    Parameters
    ----------
    ids : Tensor of shape (K - 1,)
        Token ids in the order of their codes.

    Examples
    --------
    >>> Codes(torch.tensor([7, 3])).encode(torch.tensor([3, 7, 9]))
    tensor([1, 0, 2])
    """

    ids: Tensor

    @property
    def count(self) -> int:
        """The number of codes K."""
        return len(self.ids) + 1

    def encode(self, tokens: Tensor) -> Tensor:
        """Return the codes of token ids.

        Parameters
        ----------
        tokens : Tensor of any shape
            Token ids.

        Returns
        -------
        Tensor of the same shape
            Codes.
        """
        order = torch.argsort(self.ids)
        known = self.ids[order]
        place = torch.searchsorted(known, tokens.contiguous()).clamp_max(max(0, len(known) - 1))
        if not len(known):
            return torch.zeros_like(tokens)
        return torch.where(known[place] == tokens, order[place], len(known))


def most_frequent(counts: Mapping[int, int], most: int, per_code: int) -> Codes:
    """Choose the most frequent tokens as codes.

    Parameters
    ----------
    counts
        Number of each token.
    most
        Largest number of codes.
    per_code
        Samples per code on average, which fewer samples lower the number of codes to.

    Returns
    -------
    Codes
        Of equally frequent tokens, those with smaller ids.

    Examples
    --------
    >>> most_frequent({4: 2, 2: 1, 9: 1}, most=2, per_code=1).ids
    tensor([4])
    """
    number = max(2, min(most, sum(counts.values()) // per_code))
    chosen = sorted(counts, key=lambda token: (-counts[token], token))[: number - 1]
    return Codes(torch.tensor(chosen))


def counted(batches: Iterable[Batch]) -> Counter[int]:
    """Number of each token that counts."""
    counts: Counter[int] = Counter()
    for batch in batches:
        if batch.ids is not None:
            tokens = batch.ids if batch.used is None else batch.ids[batch.used]
            values, times = torch.unique(tokens, return_counts=True)
            counts.update(dict(zip(values.tolist(), times.tolist(), strict=True)))
    return counts


def frequent(batches: Iterable[Batch], most: int, per_code: int) -> Codes | None:
    """Choose the most frequent tokens of batches as codes.

    Parameters
    ----------
    batches
        Batches, of which the tokens are counted.
    most
        Largest number of codes.
    per_code
        Samples per code on average, which fewer samples lower the number of codes to.

    Returns
    -------
    Codes or None
        None where no batch has tokens.

    Examples
    --------
    >>> from infoflow.profiles.batches import Batch
    >>> ids = torch.tensor([[4, 4, 2, 9]])
    >>> frequent([Batch(ids, ids, None, None)], most=2, per_code=1).ids
    tensor([4])
    """
    counts = counted(batches)
    return most_frequent(counts, most, per_code) if counts else None


@dataclass(frozen=True)
class Labeling:
    """The labels that are measured: names of those of tokens, functions of token ids, and codes."""

    names: tuple[str, ...]
    functions: Mapping[str, Callable[[Tensor], Tensor]]
    codes: Codes | None

    @property
    def asked(self) -> tuple[str, ...]:
        """Labels that require token ids and are not merely the default, which is left out where there are none."""
        return (*self.functions, *(self.names if self.names != TOKEN_LABELS else ()))

    def of(self, batch: Batch) -> dict[str, Tensor]:
        """Labels (b, L) or (b,) of a batch by name, `NONE` where a row has none."""
        found: dict[str, Tensor] = {}
        if batch.ids is not None and self.codes is not None:
            if "current" in self.names:
                found["current"] = self.codes.encode(batch.ids)
            if "next" in self.names:
                following = torch.full_like(batch.ids, NONE)
                following[:, :-1] = self.codes.encode(batch.ids[:, 1:])
                if batch.used is not None:
                    following[:, :-1][~batch.used[:, 1:]] = NONE
                found["next"] = following
            for name, function in self.functions.items():
                found[name] = _of_tokens(name, function(batch.ids), batch.ids)
        if batch.labels is not None:
            found[CLASS] = _classes(batch.labels)
        return found


def labeling(labels: Labels, codes: Codes | None) -> Labeling:
    """Check the names of labels.

    Parameters
    ----------
    labels
        "current", "next", both, or a mapping from names to functions of token ids (b, L) that return integers (b, L).
    codes
        Codes of tokens.

    Returns
    -------
    Labeling
        What labels a batch.

    Raises
    ------
    UnknownName
        If a name is none of these.

    Examples
    --------
    >>> labeling("next", None).names
    ('next',)
    """
    if isinstance(labels, Mapping):
        return Labeling((), labels, codes)
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    for name in names:
        if name not in TOKEN_LABELS:
            raise UnknownName("label", name, TOKEN_LABELS)
    return Labeling(names, {}, codes)


def _of_tokens(name: str, values: Tensor, ids: Tensor) -> Tensor:
    if not isinstance(values, Tensor) or values.shape != ids.shape or values.is_floating_point():
        got = f"shape {tuple(values.shape)}, {values.dtype}" if isinstance(values, Tensor) else type(values).__name__
        raise InvalidArgument(
            f"labels {name!r}", f"integers of the shape of the tokens {tuple(ids.shape)}", got_text=got
        )
    return values.long()


def _classes(values: Tensor) -> Tensor:
    if values.is_floating_point():
        raise InvalidArgument("labels of a batch", "integers", got_text=str(values.dtype))
    return values.long()
