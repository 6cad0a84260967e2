"""Texts as batches of tokens: documents from a file, cut into windows of one length."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.files import read_file
from infoflow.core.settings import PositiveInt, validated

Tokenize = Callable[[str], Sequence[int]]


def documents(path: str | os.PathLike[str], field: str = "text") -> list[str]:
    """Read the documents of a text file.

    Parameters
    ----------
    path
        Plain text in UTF-8, of which blank lines separate documents; or, by the ending .jsonl, a JSON object per line.
    field
        Name of the text in each object.

    Returns
    -------
    list of str
        The documents that are not blank.

    Raises
    ------
    MissingData
        If there is no such file; `BrokenStore` if it cannot be read.
    InvalidArgument
        If the file holds no text, is binary, or a line has no such field.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "two.txt"
    >>> _ = path.write_text("one\\n\\ntwo", encoding="utf-8")
    >>> documents(path)
    ['one', 'two']
    """
    source = Path(path)
    try:
        content = read_file(source).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{source} is no text in UTF-8: byte {error.start} cannot be decoded.") from None
    if "\0" in content:
        raise InvalidArgument(f"{source} is no text: it holds zero bytes.")
    if source.suffix.lower() == ".jsonl":
        # JSON permits the line ends of Unicode inside a text, at which `splitlines` would cut it.
        lines = content.replace("\r\n", "\n").split("\n")
        found = [_text(line, field, f"line {k} of {source}") for k, line in enumerate(lines, 1) if line.strip()]
    else:
        found = content.replace("\r\n", "\n").split("\n\n")
    kept = [text.strip() for text in found if text.strip()]
    if not kept:
        raise InvalidArgument(f"{source} holds no text.")
    return kept


@validated
def windows(texts: Sequence[str], tokenize: Tokenize, *, length: PositiveInt = 256, batch_size: PositiveInt = 8) -> Any:
    """Cut documents into batches of token ids with masks.

    Parameters
    ----------
    texts
        Documents.
    tokenize
        Function from a text to its token ids.
    length
        Tokens in a window; longer documents give several, and windows of one token are left out.
    batch_size
        Windows in a batch.

    Returns
    -------
    list of dict
        `input_ids` and `attention_mask` of shape (batch_size, length), padded at the end; the last may be smaller.

    Raises
    ------
    InvalidArgument
        If no window has two tokens.

    Examples
    --------
    >>> windows(["abcde"], lambda text: [ord(letter) for letter in text], length=3)[0]["input_ids"].tolist()
    [[97, 98, 99], [100, 101, 0]]
    """
    cut = [list(part) for text in texts for part in _parts(tokenize(text), length) if len(part) > 1]
    if not cut:
        raise InvalidArgument("texts", "with at least one window of two tokens", got_text="none")
    return [_batch(cut[start : start + batch_size]) for start in range(0, len(cut), batch_size)]


def _parts(ids: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), length):
        yield ids[start : start + length]


def _batch(rows: list[list[int]]) -> dict[str, Tensor]:
    longest = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.int64)
    mask = torch.zeros(len(rows), longest, dtype=torch.int64)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def _text(line: str, field: str, where: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidArgument(f"{where} is no JSON.") from None
    if not isinstance(value, dict) or not isinstance(value.get(field), str):
        raise InvalidArgument(where, f"an object with a text {field!r}", got_text=type(value).__name__)
    try:
        value[field].encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"{where} has half of a surrogate pair, which is no character.") from None
    return str(value[field])
