"""Command-line options from a dataclass, through tyro; its errors become one line."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro

from infoflow.core.errors import InvalidArgument

T = TypeVar("T")


def parse_options(kind: type[T], argv: Sequence[str], *, prog: str, default: Any = None) -> T:
    """Parse command-line arguments into a dataclass, whose fields are the options and their docstrings the help.

    Parameters
    ----------
    kind
        The dataclass.
    argv
        Arguments after the name of the command.
    prog
        Name of the command in messages.
    default
        An instance with other defaults.

    Returns
    -------
    object
        An instance of `kind`.

    Raises
    ------
    InvalidArgument
        If the arguments are invalid, with tyro's message in one line.
    """
    printed = io.StringIO()
    arguments: dict[str, Any] = {} if default is None else {"default": default}
    try:
        with contextlib.redirect_stderr(printed):
            options: T = tyro.cli(kind, prog=prog, args=list(argv), **arguments)
            return options
    except SystemExit as stop:
        if stop.code in (0, None):  # --help
            raise
        # A condition of the dataclass itself names its argument already.
        message = _message(printed.getvalue()).removeprefix(f"Error parsing {kind.__name__}: ")
        raise InvalidArgument(f"{message} See '{prog} --help'.") from None


def value_of(option: str, argv: Sequence[str]) -> str | None:
    """The value of one option, read before parsing, for an option that sets the defaults of others."""
    for i, argument in enumerate(argv):
        if argument.startswith(f"{option}="):
            return argument.split("=", 1)[1]
        if argument == option and i + 1 < len(argv):
            return argv[i + 1]
    return None


def _message(box: str) -> str:
    """The first section and any suggestion of the box that tyro draws (lines of hyphens on a plain terminal)."""
    lines = [line.strip("│╭╮╰╯ ") for line in box.splitlines()]
    sections: list[list[str]] = [[]]
    for line in lines[1:]:  # below the title
        if line and not line.strip("─-"):
            sections.append([])
        elif line:
            sections[-1].append(line)
    sections = [section for section in sections if section] or [["invalid options"]]
    message = " ".join(sections[0])
    if len(sections) > 1 and sections[1][0].startswith("Perhaps you meant"):
        message += "; " + " ".join(sections[1][:2]).lower().replace(":", "", 1)
    return message.rstrip(".") + "."
