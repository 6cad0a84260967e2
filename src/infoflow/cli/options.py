"""Options from a dataclass by tyro, with its faults told in one line like ours."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro

from infoflow.core.errors import InvalidArgument

T = TypeVar("T")


def parse_options(kind: type[T], argv: Sequence[str], *, prog: str, default: Any = None) -> T:
    """The dataclass `kind` filled from `argv`; its fields are the options, their docstrings the help.

    Raises InvalidArgument with the first line of what is wrong.
    """
    told = io.StringIO()
    arguments: dict[str, Any] = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(told):
            options: T = tyro.cli(kind, prog=prog, args=list(argv), **arguments)
            return options
    except SystemExit as stop:
        if stop.code in (0, None):  # --help
            raise
        raise InvalidArgument(f"{_first_words(told.getvalue())} (see {prog} --help)") from None


def value_of(option: str, argv: Sequence[str]) -> str | None:
    """The value given to one option, read ahead of parsing (a protocol decides the defaults of the other options)."""
    for i, argument in enumerate(argv):
        if argument.startswith(f"{option}="):
            return argument.split("=", 1)[1]
        if argument == option and i + 1 < len(argv):
            return argv[i + 1]
    return None


def _first_words(box: str) -> str:
    """tyro draws a box, or rules of hyphens where the terminal knows no box: the first section, and any suggestion."""
    lines = [line.strip("│╭╮╰╯ ") for line in box.splitlines()]
    sections: list[list[str]] = [[]]
    for line in lines[1:]:  # below the title
        if line and not line.strip("─-"):
            sections.append([])
        elif line:
            sections[-1].append(line)
    sections = [section for section in sections if section] or [["the options can't be understood"]]
    message = " ".join(sections[0])
    if len(sections) > 1 and sections[1][0].startswith("Perhaps you meant"):
        message += "; " + " ".join(sections[1][:2]).lower().replace(":", "", 1)
    return message
